package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Memory of a runtime's processes, KiB per idle pod: shim, helper and
// everything else resident, but not the workload.
type memory struct {
	PSS       float64 `json:"pss_kib"`
	RSS       float64 `json:"rss_kib"`
	Processes float64 `json:"processes"`
}

// processes lists the pids that are there.
func processes() (map[int]bool, error) {
	dirs, err := filepath.Glob("/proc/[0-9]*")
	pids := make(map[int]bool)
	for _, dir := range dirs {
		if pid, err := strconv.Atoi(filepath.Base(dir)); err == nil {
			pids[pid] = true
		}
	}
	return pids, err
}

// rollup reads the sums of a process's mappings, KiB.
func rollup(pid int) (pss, rss float64, err error) {
	f, err := os.Open(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		return 0, 0, err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		words := strings.Fields(lines.Text())
		if len(words) < 2 {
			continue
		}
		value, _ := strconv.ParseFloat(words[1], 64)
		switch words[0] {
		case "Pss:":
			pss = value
		case "Rss:":
			rss = value
		}
	}
	return pss, rss, lines.Err()
}

// memory measures what a runtime adds to the processes of this pid namespace,
// which holds nothing but containerd, this client and the pods.
func (p *plan) memory(ctx context.Context, runtime string) (m memory,
	err error) {
	before, err := processes()
	if err != nil {
		return m, err
	}
	err = p.idle(ctx, runtime, p.pods, func(workloads []int) error {
		after, err := processes()
		for _, pid := range workloads {
			delete(after, pid)
		}
		for pid := range after {
			if before[pid] {
				continue
			}
			pss, rss, err := rollup(pid)
			if err != nil {
				return err
			}
			m.PSS += pss
			m.RSS += rss
			m.Processes++
		}
		return err
	})
	m.PSS /= float64(p.pods)
	m.RSS /= float64(p.pods)
	m.Processes /= float64(p.pods)
	return m, err
}
