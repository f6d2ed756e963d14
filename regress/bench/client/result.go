package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"sort"
)

// Targets, as the README states them.
const (
	floorShare = 1.0 / 7  // the floor's task part, at most, of runc's
	floorRatio = 1.5      // Reaper's, at most, of the floor's
	runcShare  = 1.0 / 5  // Reaper's, at most, of runc's
	ownCost    = 5.0      // ms that Reaper adds to the floor
	idlePSS    = 1024.0   // KiB per idle pod
	reaper     = "reaper" // the runtime that the targets are about
)

// A figure is the median over the rounds of each round's percentile, ms.
type figure struct {
	P50 float64 `json:"p50_ms"`
	P95 float64 `json:"p95_ms"`
}

// An entry is what was found of one runtime.
type entry struct {
	Runtime   string  `json:"runtime"`
	Create    figure  `json:"create"`
	Run       figure  `json:"start_to_exit"`
	Delete    figure  `json:"delete"`
	Task      figure  `json:"task"`
	Container figure  `json:"container_record"`
	Rate      float64 `json:"tasks_per_second"`
	First     float64 `json:"first_in_overlay_ms"`
	Memory    memory  `json:"memory_per_idle_pod"`
}

type result struct {
	Rounds  int                `json:"rounds"`
	Tasks   int                `json:"tasks_per_round"`
	Entries []entry            `json:"runtimes"`
	Ratios  map[string]float64 `json:"ratios"`
	Missed  []string           `json:"missed"`
}

// percentile is the nearest-rank one; values is sorted by it.
func percentile(values []float64, share float64) float64 {
	sort.Float64s(values)
	rank := int(math.Ceil(share*float64(len(values)))) - 1
	if rank < 0 {
		rank = 0
	}
	return values[rank]
}

func figureOf(rounds [][]sample, part func(sample) float64) figure {
	var p50, p95 []float64
	for _, samples := range rounds {
		var values []float64
		for _, s := range samples {
			values = append(values, part(s))
		}
		p50 = append(p50, percentile(values, 0.50))
		p95 = append(p95, percentile(values, 0.95))
	}
	return figure{percentile(p50, 0.5), percentile(p95, 0.5)}
}

func entryOf(runtime string, rounds [][]sample, first []float64) entry {
	var ms, n float64
	for _, samples := range rounds {
		for _, s := range samples {
			ms += s.task() + s.container
			n++
		}
	}
	return entry{
		Runtime: runtime,
		Create:  figureOf(rounds, func(s sample) float64 { return s.create }),
		Run:     figureOf(rounds, func(s sample) float64 { return s.run }),
		Delete:  figureOf(rounds, func(s sample) float64 { return s.remove }),
		Task:    figureOf(rounds, sample.task),
		Container: figureOf(rounds, func(s sample) float64 {
			return s.container
		}),
		Rate:  n * 1000 / ms,
		First: percentile(first, 0.5),
	}
}

// run measures all there is to measure.
func (p *plan) run(ctx context.Context) (*result, error) {
	samples := make(map[string][][]sample)
	first := make(map[string][]float64)
	for _, runtime := range p.runtimes {
		for i := 0; i < p.warmup; i++ {
			if _, err := p.once(ctx, runtime, "bench"); err != nil {
				return nil, fmt.Errorf("%s: %w", runtime, err)
			}
		}
	}
	for round := 0; round < p.rounds; round++ {
		for i := range p.runtimes {
			// Nobody is always the one who follows runc.
			runtime := p.runtimes[(i+round)%len(p.runtimes)]
			fresh := fmt.Sprintf("fresh%d", round)
			s, err := p.once(ctx, runtime, fresh)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", runtime, err)
			}
			first[runtime] = append(first[runtime], s.task())
			var all []sample
			for n := 0; n < p.tasks; n++ {
				s, err := p.once(ctx, runtime, "bench")
				if err != nil {
					return nil, fmt.Errorf("%s: %w", runtime, err)
				}
				all = append(all, s)
			}
			samples[runtime] = append(samples[runtime], all)
		}
	}
	res := &result{Rounds: p.rounds, Tasks: p.tasks}
	for _, runtime := range p.runtimes {
		e := entryOf(runtime, samples[runtime], first[runtime])
		var err error
		if e.Memory, err = p.memory(ctx, runtime); err != nil {
			return nil, fmt.Errorf("%s: %w", runtime, err)
		}
		res.Entries = append(res.Entries, e)
	}
	res.judge()
	return res, nil
}

func (r *result) find(runtime string) *entry {
	for i := range r.Entries {
		if r.Entries[i].Runtime == runtime {
			return &r.Entries[i]
		}
	}
	return nil
}

// target notes a ratio, and that it was missed.
func (r *result) target(name string, value, most float64) {
	r.Ratios[name] = math.Round(value*1000) / 1000
	if value > most {
		r.Missed = append(r.Missed,
			fmt.Sprintf("%s is %.3f, target %.3f", name, value, most))
	}
}

func (r *result) judge() {
	r.Ratios = make(map[string]float64)
	r.Missed = []string{}
	floor, runc, ours := r.find("floor"), r.find("runc"), r.find(reaper)
	if floor != nil && runc != nil {
		r.target("floor/runc", floor.Task.P50/runc.Task.P50, floorShare)
	}
	if ours != nil && floor != nil {
		r.target("reaper/floor", ours.Task.P50/floor.Task.P50, floorRatio)
		r.target("reaper-floor_ms", ours.Task.P50-floor.Task.P50, ownCost)
	}
	if ours != nil && runc != nil {
		r.target("reaper/runc", ours.Task.P50/runc.Task.P50, runcShare)
	}
	if ours != nil {
		r.target("idle_pss_kib", ours.Memory.PSS, idlePSS)
	}
}

func (r *result) print(w io.Writer) {
	fmt.Fprintf(w, "/bin/true, %d interleaved rounds of %d tasks; medians "+
		"over rounds of p50/p95, ms\n\n", r.Rounds, r.Tasks)
	fmt.Fprintf(w, "%-8s%14s%14s%14s%14s%14s%9s%9s\n", "runtime", "create",
		"start-exit", "delete", "task part", "record", "tasks/s", "first")
	for _, e := range r.Entries {
		fmt.Fprintf(w, "%-8s", e.Runtime)
		for _, f := range []figure{e.Create, e.Run, e.Delete, e.Task,
			e.Container} {
			fmt.Fprintf(w, "%14s", fmt.Sprintf("%.1f/%.1f", f.P50, f.P95))
		}
		fmt.Fprintf(w, "%9.1f%9.1f\n", e.Rate, e.First)
	}
	fmt.Fprintf(w, "\nmemory per idle pod, all processes of the runtime "+
		"but not the workload\n\n%-8s%10s%10s%12s\n",
		"runtime", "PSS KiB", "RSS KiB", "processes")
	for _, e := range r.Entries {
		fmt.Fprintf(w, "%-8s%10.0f%10.0f%12.1f\n", e.Runtime,
			e.Memory.PSS, e.Memory.RSS, e.Memory.Processes)
	}
	fmt.Fprintln(w)
	var names []string
	for name := range r.Ratios {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		fmt.Fprintf(w, "%-16s %9.3f\n", name, r.Ratios[name])
	}
	for _, text := range r.Missed {
		fmt.Fprintf(w, "MISSED: %s\n", text)
	}
	fmt.Fprintln(w)
}
