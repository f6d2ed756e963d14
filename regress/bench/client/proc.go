package main

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// processes lists the pids that are there.  This pid namespace holds nothing
// but containerd, this client and the pods.
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

// numbers reads those lines "NAME: NUMBER" of a file that have these names.
func numbers(path string, names ...string) ([]float64, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	values := make([]float64, len(names))
	found := 0
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		words := strings.Fields(lines.Text())
		for i, name := range names {
			if len(words) < 2 || words[0] != name+":" {
				continue
			}
			values[i], err = strconv.ParseFloat(words[1], 64)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", path, err)
			}
			found++
		}
	}
	if found != len(names) {
		return nil, fmt.Errorf("%s: not all of %s are in it", path,
			strings.Join(names, ", "))
	}
	return values, lines.Err()
}

// switches sums how often all threads of the processes gave a CPU up.
func switches(pids []int) (sum float64, err error) {
	for _, pid := range pids {
		threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status",
			pid))
		if err != nil {
			return 0, err
		}
		if len(threads) == 0 {
			return 0, fmt.Errorf("process %d has ended", pid)
		}
		for _, path := range threads {
			values, err := numbers(path, "voluntary_ctxt_switches",
				"nonvoluntary_ctxt_switches")
			if err != nil {
				return 0, err
			}
			sum += values[0] + values[1]
		}
	}
	return sum, nil
}
