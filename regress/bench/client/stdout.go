package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/containerd/containerd"
	"github.com/containerd/containerd/cio"
)

const (
	stdoutBlock = 64 << 10 // bytes a write
	stdoutSize  = 512      // MiB a round and runtime
)

// measureStdout has the same static program write to standard output, and
// reads the FIFO as fast as it can.
func (p *plan) measureStdout(ctx context.Context) error {
	buffer := make([]byte, 1<<20)
	return p.interleave(p.rounds, func(_ int, runtime string) error {
		c, err := p.container(ctx, runtime, pod{namespace: "bench"},
			"/bin/busybox", "dd", "if=/dev/zero", "status=none",
			fmt.Sprintf("bs=%d", stdoutBlock),
			fmt.Sprintf("count=%d", stdoutSize<<20/stdoutBlock))
		if err != nil {
			return err
		}
		rate, err := p.drain(ctx, c, buffer)
		if err != nil {
			return err
		}
		p.result.add(runtime, "stdout_mib_per_second", rate)
		return c.Delete(ctx)
	})
}

// drain runs the container and returns MiB/s from its first byte to its last.
func (p *plan) drain(ctx context.Context, c containerd.Container,
	buffer []byte) (float64, error) {
	var output io.Reader
	task, err := c.NewTask(ctx, func(id string) (cio.IO, error) {
		fifos, err := cio.NewFIFOSetInDir(p.fifos, id, false)
		if err != nil {
			return nil, err
		}
		fifos.Stdin = ""
		direct, err := cio.NewDirectIO(ctx, fifos)
		if err == nil {
			output = direct.Stdout
		}
		return direct, err
	})
	if err != nil {
		return 0, err
	}
	end, err := task.Wait(ctx)
	if err != nil {
		return 0, err
	}
	if err := task.Start(ctx); err != nil {
		return 0, err
	}
	first, err := output.Read(buffer)
	if err != nil {
		return 0, err
	}
	t := time.Now()
	rest, err := readAll(output, buffer)
	ms := since(t)
	if err != nil {
		return 0, err
	}
	if first+rest != stdoutSize<<20 {
		return 0, fmt.Errorf("%d bytes of output, not %d", first+rest,
			stdoutSize<<20)
	}
	if err := exited(<-end); err != nil {
		return 0, err
	}
	_, err = task.Delete(ctx)
	return float64(rest) / (1 << 20) * 1000 / ms, err
}

// readAll counts the bytes until the end.
func readAll(r io.Reader, buffer []byte) (total int, err error) {
	for {
		n, err := r.Read(buffer)
		total += n
		if err == io.EOF {
			return total, nil
		}
		if err != nil {
			return total, err
		}
	}
}
