package main

import (
	"context"
	"time"
)

const (
	rateClients = 8
	rateTasks   = 10 // tasks a client, round and runtime
)

// measureRate runs tasks from several clients at once.
func (p *plan) measureRate(ctx context.Context) error {
	return p.interleave(p.rounds, func(_ int, runtime string) error {
		ends := make(chan error, rateClients)
		t := time.Now()
		for i := 0; i < rateClients; i++ {
			go func() {
				_, err := p.several(ctx, runtime,
					pod{namespace: "bench"}, rateTasks)
				ends <- err
			}()
		}
		var err error
		for i := 0; i < rateClients; i++ {
			if end := <-ends; end != nil {
				err = end
			}
		}
		p.result.add(runtime, "tasks_per_second_8_clients",
			rateClients*rateTasks*1000/since(t))
		return err
	})
}
