package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	command "os/exec"
)

// measureConfine asks a program what it costs to confine the processes of a
// task, role by role.
func (p *plan) measureConfine(ctx context.Context) error {
	return p.interleave(p.rounds, func(_ int, runtime string) error {
		if runtime != "reaper" {
			return nil
		}
		output, err := command.CommandContext(ctx, p.confine,
			p.empty).Output()
		if err != nil {
			return fmt.Errorf("%s: %w", p.confine, err)
		}
		sum := 0.0
		lines := bufio.NewScanner(bytes.NewReader(output))
		for lines.Scan() {
			var role string
			var us float64
			if _, err := fmt.Sscan(lines.Text(), &role, &us); err != nil {
				return fmt.Errorf("%q: %w", lines.Text(), err)
			}
			p.result.add(runtime, "confine_"+role+"_us", us)
			sum += us
		}
		p.result.add(runtime, "confine_ms", sum/1000)
		return nil
	})
}
