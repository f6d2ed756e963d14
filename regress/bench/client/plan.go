package main

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/containerd/containerd"
	"github.com/containerd/containerd/cio"
	"github.com/containerd/containerd/oci"
)

// Limits of every container, none of which it meets.
const (
	cpuShares   = 512
	cpuQuota    = 100000 // us of CPU in each period: one CPU
	cpuPeriod   = 100000 // us
	memoryLimit = 256 << 20
	pidsLimit   = 64
)

// A plan says what to measure, and with what.
type plan struct {
	client    *containerd.Client
	namespace string
	rootfs    string
	cgroup    string
	fifos     string
	confine   string // a program
	empty     string // a directory
	runtimes  []string
	rounds    int
	serial    int64 // of the last container
	result    *result
}

// interleave calls f for each runtime in each round.
func (p *plan) interleave(rounds int,
	f func(round int, runtime string) error) error {
	for round := 0; round < rounds; round++ {
		for i := range p.runtimes {
			// Nobody is always the one who follows runc.
			runtime := p.runtimes[(i+round)%len(p.runtimes)]
			if err := f(round, runtime); err != nil {
				return fmt.Errorf("%s: %w", runtime, err)
			}
		}
	}
	return nil
}

// since returns milliseconds.
func since(t time.Time) float64 {
	return float64(time.Since(t).Microseconds()) / 1000
}

// A pod is where a container goes.
type pod struct {
	namespace string // of Kubernetes, which decides Reaper's overlay
	sandbox   string // id of the pod's first container, empty for that one
}

// container makes a container's record.  All runtimes get the same bundle.
func (p *plan) container(ctx context.Context, runtime string, pod pod,
	args ...string) (containerd.Container, error) {
	id := fmt.Sprintf("b%d", atomic.AddInt64(&p.serial, 1))
	if pod.sandbox == "" {
		pod.sandbox = id
	}
	return p.client.NewContainer(ctx, id,
		containerd.WithRuntime("io.containerd."+version(runtime), nil),
		containerd.WithNewSpec(
			oci.WithRootFSPath(p.rootfs),
			oci.WithDefaultPathEnv,
			oci.WithProcessArgs(args...),
			oci.WithCgroup(p.cgroup+"/"+id),
			oci.WithCPUShares(cpuShares),
			oci.WithCPUCFS(cpuQuota, cpuPeriod),
			oci.WithMemoryLimit(memoryLimit),
			oci.WithPidsLimit(pidsLimit),
			oci.WithAnnotations(map[string]string{
				"io.kubernetes.cri.container-type":    "container",
				"io.kubernetes.cri.sandbox-id":        pod.sandbox,
				"io.kubernetes.cri.sandbox-namespace": pod.namespace,
			})))
}

func version(runtime string) string {
	if runtime == "floor" {
		return "floor.v1"
	}
	return runtime + ".v2"
}

// A sleeper is a running container that does nothing.
type sleeper struct {
	containerd.Container
	task containerd.Task
}

// sleep starts a pod that does nothing.
func (p *plan) sleep(ctx context.Context, runtime string) (s sleeper,
	err error) {
	s.Container, err = p.container(ctx, runtime, pod{namespace: "bench"},
		"/bin/sleep", "1000")
	if err != nil {
		return s, err
	}
	if s.task, err = s.NewTask(ctx, cio.NullIO); err != nil {
		return s, err
	}
	return s, s.task.Start(ctx)
}

// end kills and removes it, if it ever was.
func (s sleeper) end(ctx context.Context) error {
	if s.task != nil {
		_, err := s.task.Delete(ctx, containerd.WithProcessKill)
		if err != nil {
			return err
		}
	}
	if s.Container != nil {
		return s.Container.Delete(ctx)
	}
	return nil
}

// besides calls f while a pod of the runtime lives.
func (p *plan) besides(ctx context.Context, runtime string,
	f func(sleeper) error) error {
	s, err := p.sleep(ctx, runtime)
	if err == nil {
		err = f(s)
	}
	if ended := s.end(ctx); err == nil {
		err = ended
	}
	return err
}

// exited tells whether a process ended well.
func exited(status containerd.ExitStatus) error {
	code, _, err := status.Result()
	if err == nil && code != 0 {
		err = fmt.Errorf("the command ended with %d, not 0", code)
	}
	return err
}
