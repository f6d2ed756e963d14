package main

import "context"

const secondTasks = 10 // a round and runtime, each in the same pod

// measureSecond runs tasks beside the first container of a pod.
func (p *plan) measureSecond(ctx context.Context) error {
	return p.interleave(p.rounds, func(_ int, runtime string) error {
		return p.besides(ctx, runtime, func(first sleeper) error {
			samples, err := p.several(ctx, runtime,
				pod{"bench", first.ID()}, secondTasks)
			if err == nil {
				p.addSamples(runtime, "second_", samples)
			}
			return err
		})
	})
}
