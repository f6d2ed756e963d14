package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"
)

const (
	idleFew    = 10 // pods
	idleMany   = 200
	idleWindow = 10 * time.Second
)

// idle calls f with the processes of the runtime, and with the workloads, of n
// pods that sleep.
func (p *plan) idle(ctx context.Context, runtime string, n int,
	f func(pids, workloads []int) error) (err error) {
	before, err := processes()
	if err != nil {
		return err
	}
	var pods []sleeper
	defer func() {
		for _, s := range pods {
			if ended := s.end(ctx); err == nil {
				err = ended
			}
		}
	}()
	for i := 0; i < n; i++ {
		s, err := p.sleep(ctx, runtime)
		pods = append(pods, s)
		if err != nil {
			return err
		}
	}
	after, err := processes()
	if err != nil {
		return err
	}
	var pids, workloads []int
	for _, s := range pods {
		pid := int(s.task.Pid())
		delete(after, pid)
		workloads = append(workloads, pid)
	}
	for pid := range after {
		if !before[pid] {
			pids = append(pids, pid)
		}
	}
	return f(pids, workloads)
}

// addMemory notes what the processes of n pods use.
func (p *plan) addMemory(runtime string, n int, pids []int) error {
	names := []string{"Pss", "Pss_Anon", "Rss"}
	sums := make([]float64, len(names))
	for _, pid := range pids {
		values, err := numbers(
			fmt.Sprintf("/proc/%d/smaps_rollup", pid), names...)
		if err != nil {
			return err
		}
		for i, value := range values {
			sums[i] += value
		}
	}
	for i, name := range names {
		p.result.add(runtime, fmt.Sprintf("%s_kib_per_pod_of_%d",
			strings.ToLower(name), n), sums[i]/float64(n))
	}
	p.result.add(runtime, fmt.Sprintf("processes_per_pod_of_%d", n),
		float64(len(pids))/float64(n))
	return nil
}

// addSwitches notes how often the processes of n pods run while nothing is to
// be done.
func (p *plan) addSwitches(runtime string, n int, pids []int) error {
	before, err := switches(pids)
	if err != nil {
		return err
	}
	time.Sleep(idleWindow)
	after, err := switches(pids)
	if err != nil {
		return err
	}
	p.result.add(runtime, fmt.Sprintf("context_switches_of_%d", n),
		after-before)
	return nil
}

// addCgroups notes in how many hierarchies the workloads are in the cgroup of
// their bundle: whoever leaves that out is faster for it.
func (p *plan) addCgroups(runtime string, workloads []int) error {
	sum := 0
	for _, pid := range workloads {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/cgroup", pid))
		if err != nil {
			return err
		}
		sum += strings.Count(string(text), ":"+p.cgroup+"/")
	}
	p.result.add(runtime, "cgroups_per_workload",
		float64(sum)/float64(len(workloads)))
	return nil
}

// measureIdle measures few pods and many.
func (p *plan) measureIdle(ctx context.Context) error {
	return p.interleave(1, func(_ int, runtime string) error {
		err := p.idle(ctx, runtime, idleFew, func(pids, _ []int) error {
			return p.addMemory(runtime, idleFew, pids)
		})
		if err != nil {
			return err
		}
		return p.idle(ctx, runtime, idleMany, func(pids,
			workloads []int) error {
			err := p.addMemory(runtime, idleMany, pids)
			if err != nil {
				return err
			}
			err = p.addSwitches(runtime, idleMany, pids)
			if err != nil {
				return err
			}
			return p.addCgroups(runtime, workloads)
		})
	})
}
