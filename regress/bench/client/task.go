package main

import (
	"context"
	"fmt"
	"time"

	"github.com/containerd/containerd"
	"github.com/containerd/containerd/cio"
	"github.com/containerd/containerd/oci"
)

// A plan says what to measure.
type plan struct {
	client    *containerd.Client
	namespace string
	rootfs    string
	runtimes  []string
	rounds    int
	tasks     int
	warmup    int
	pods      int
	serial    int // of the last container
}

// A sample is one task's life, in milliseconds.
type sample struct {
	create, run, remove float64 // NewTask; Start until exit; Delete
	container           float64 // making and deleting its record
}

// task is what a runtime has a part in; the rest is containerd's own.
func (s sample) task() float64 { return s.create + s.run + s.remove }

func since(t time.Time) float64 {
	return float64(time.Since(t).Microseconds()) / 1000
}

// container makes a container's record.  All runtimes get the same bundle; in
// it, pod is the Kubernetes namespace, which decides Reaper's overlay.
func (p *plan) container(ctx context.Context, runtime, pod string,
	args ...string) (containerd.Container, error) {
	p.serial++
	id := fmt.Sprintf("b%d", p.serial)
	return p.client.NewContainer(ctx, id,
		containerd.WithRuntime("io.containerd."+version(runtime), nil),
		containerd.WithNewSpec(
			oci.WithRootFSPath(p.rootfs),
			oci.WithDefaultPathEnv,
			oci.WithProcessArgs(args...),
			oci.WithAnnotations(map[string]string{
				"io.kubernetes.cri.container-type":    "container",
				"io.kubernetes.cri.sandbox-id":        id,
				"io.kubernetes.cri.sandbox-namespace": pod,
			})))
}

func version(runtime string) string {
	if runtime == "floor" {
		return "floor.v1"
	}
	return runtime + ".v2"
}

// once runs /bin/true from its container's record to the record's end.
func (p *plan) once(ctx context.Context, runtime, pod string) (s sample,
	err error) {
	t := time.Now()
	c, err := p.container(ctx, runtime, pod, "/bin/true")
	if err != nil {
		return s, err
	}
	s.container = since(t)

	t = time.Now()
	task, err := c.NewTask(ctx, cio.NullIO)
	if err != nil {
		return s, err
	}
	s.create = since(t)

	t = time.Now()
	exited, err := task.Wait(ctx)
	if err != nil {
		return s, err
	}
	if err := task.Start(ctx); err != nil {
		return s, err
	}
	status := <-exited
	s.run = since(t)
	if code, _, err := status.Result(); err != nil || code != 0 {
		return s, fmt.Errorf("%s: /bin/true ended with %d: %v",
			runtime, code, err)
	}

	t = time.Now()
	if _, err := task.Delete(ctx); err != nil {
		return s, err
	}
	s.remove = since(t)

	t = time.Now()
	if err := c.Delete(ctx); err != nil {
		return s, err
	}
	s.container += since(t)
	return s, nil
}

// idle runs n pods that sleep, calls f with the pids of the workloads, and
// ends them.
func (p *plan) idle(ctx context.Context, runtime string, n int,
	f func([]int) error) (err error) {
	var pids []int
	for i := 0; i < n; i++ {
		c, err := p.container(ctx, runtime, "bench", "/bin/sleep", "1000")
		if err != nil {
			return err
		}
		defer c.Delete(ctx)
		task, err := c.NewTask(ctx, cio.NullIO)
		if err != nil {
			return err
		}
		defer task.Delete(ctx, containerd.WithProcessKill)
		if err := task.Start(ctx); err != nil {
			return err
		}
		pids = append(pids, int(task.Pid()))
	}
	return f(pids)
}
