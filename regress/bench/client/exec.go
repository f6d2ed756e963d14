package main

import (
	"context"
	"fmt"
	"time"

	"github.com/containerd/containerd"
	"github.com/containerd/containerd/cio"
	"github.com/opencontainers/runtime-spec/specs-go"
)

const execExecs = 20 // a round and runtime, each in the same container

// execute returns the milliseconds of an exec, from its making to its removal.
func execute(ctx context.Context, task containerd.Task, id string,
	spec *specs.Process) (float64, error) {
	t := time.Now()
	process, err := task.Exec(ctx, id, spec, cio.NullIO)
	if err != nil {
		return 0, err
	}
	end, err := process.Wait(ctx)
	if err != nil {
		return 0, err
	}
	if err := process.Start(ctx); err != nil {
		return 0, err
	}
	status := <-end
	if _, err := process.Delete(ctx); err != nil {
		return 0, err
	}
	return since(t), exited(status)
}

// measureExec executes /bin/true again and again.
func (p *plan) measureExec(ctx context.Context) error {
	return p.interleave(p.rounds, func(_ int, runtime string) error {
		return p.besides(ctx, runtime, func(s sleeper) error {
			spec, err := s.Spec(ctx)
			if err != nil {
				return err
			}
			spec.Process.Args = []string{"/bin/true"}
			var values []float64
			for i := 0; i < execExecs; i++ {
				ms, err := execute(ctx, s.task,
					fmt.Sprintf("e%d", i), spec.Process)
				if err != nil {
					return err
				}
				values = append(values, ms)
			}
			p.result.addPercentiles(runtime, "exec", values)
			return nil
		})
	})
}
