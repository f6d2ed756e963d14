package main

import (
	"context"
	"fmt"
	"time"

	"github.com/containerd/containerd/cio"
)

const (
	taskWarmup = 3  // tasks before the first round
	taskTasks  = 20 // tasks a round and runtime
)

// A sample is one task's life, in milliseconds.
type sample struct {
	create, run, remove float64 // NewTask; Start until exit; Delete
	record              float64 // making and deleting its container
}

// task is what a runtime has a part in; the rest is containerd's own.
func (s sample) task() float64 { return s.create + s.run + s.remove }

// once runs /bin/true from its container's record to the record's end.
func (p *plan) once(ctx context.Context, runtime string, pod pod) (s sample,
	err error) {
	t := time.Now()
	c, err := p.container(ctx, runtime, pod, "/bin/true")
	if err != nil {
		return s, err
	}
	s.record = since(t)

	t = time.Now()
	task, err := c.NewTask(ctx, cio.NullIO)
	if err != nil {
		return s, err
	}
	s.create = since(t)

	t = time.Now()
	end, err := task.Wait(ctx)
	if err != nil {
		return s, err
	}
	if err := task.Start(ctx); err != nil {
		return s, err
	}
	status := <-end
	s.run = since(t)
	if err := exited(status); err != nil {
		return s, err
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
	s.record += since(t)
	return s, nil
}

// several runs tasks one after the other.
func (p *plan) several(ctx context.Context, runtime string, pod pod,
	n int) (samples []sample, err error) {
	for i := 0; i < n; i++ {
		s, err := p.once(ctx, runtime, pod)
		if err != nil {
			return nil, err
		}
		samples = append(samples, s)
	}
	return samples, nil
}

// addSamples notes the percentiles of a round's tasks.
func (p *plan) addSamples(runtime, prefix string, samples []sample) {
	for _, part := range []struct {
		name string
		of   func(sample) float64
	}{
		{"create", func(s sample) float64 { return s.create }},
		{"start_to_exit", func(s sample) float64 { return s.run }},
		{"delete", func(s sample) float64 { return s.remove }},
		{"task", sample.task},
		{"record", func(s sample) float64 { return s.record }},
	} {
		var values []float64
		for _, s := range samples {
			values = append(values, part.of(s))
		}
		p.result.addPercentiles(runtime, prefix+part.name, values)
	}
}

// measureTasks runs tasks one after the other, and in each round one whose
// Kubernetes namespace is new.
func (p *plan) measureTasks(ctx context.Context) error {
	err := p.interleave(1, func(_ int, runtime string) error {
		_, err := p.several(ctx, runtime, pod{namespace: "bench"},
			taskWarmup)
		return err
	})
	if err != nil {
		return err
	}
	return p.interleave(p.rounds, func(round int, runtime string) error {
		first, err := p.once(ctx, runtime,
			pod{namespace: fmt.Sprintf("fresh%d", round)})
		if err != nil {
			return err
		}
		samples, err := p.several(ctx, runtime, pod{namespace: "bench"},
			taskTasks)
		if err != nil {
			return err
		}
		p.addSamples(runtime, "", samples)
		var ms float64
		for _, s := range samples {
			ms += s.task() + s.record
		}
		p.result.add(runtime, "tasks_per_second",
			float64(len(samples))*1000/ms)
		p.result.add(runtime, "first_in_overlay_ms", first.task())
		return nil
	})
}
