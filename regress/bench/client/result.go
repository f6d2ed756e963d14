package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"sort"
)

// A figure has one value a round.
type figure []float64

// quantile is the nearest-rank one; 0.5 is the median.
func (f figure) quantile(share float64) float64 {
	if len(f) == 0 {
		return math.NaN()
	}
	sorted := append(figure(nil), f...)
	sort.Float64s(sorted)
	rank := int(math.Ceil(share*float64(len(sorted)))) - 1
	if rank < 0 {
		rank = 0
	}
	return sorted[rank]
}

// A result is all that was found.
type result struct {
	rounds   int
	runtimes []string
	figures  map[at]figure
	title    string   // of the section that is being measured
	names    []string // of its figures
	ratios   map[string]float64
	missed   []string
}

func newResult(rounds int, runtimes []string) *result {
	return &result{
		rounds:   rounds,
		runtimes: runtimes,
		figures:  make(map[at]figure),
		ratios:   make(map[string]float64),
		missed:   []string{},
	}
}

// section begins a table.
func (r *result) section(title string) {
	r.title = title
	r.names = nil
}

// add notes a figure's value in the next round.
func (r *result) add(runtime, name string, value float64) {
	known := false
	for _, n := range r.names {
		known = known || n == name
	}
	if !known {
		r.names = append(r.names, name)
	}
	key := at{runtime, name}
	r.figures[key] = append(r.figures[key], value)
}

// addPercentiles notes the median and the 95th percentile of a round's
// milliseconds.
func (r *result) addPercentiles(runtime, name string, values figure) {
	r.add(runtime, name+"_p50_ms", values.quantile(0.50))
	r.add(runtime, name+"_p95_ms", values.quantile(0.95))
}

func (r *result) printSection(w io.Writer) {
	rounds := 0
	for _, runtime := range r.runtimes {
		if n := len(r.figures[at{runtime, r.names[0]}]); n > rounds {
			rounds = n
		}
	}
	fmt.Fprintf(w, "%s; median [quartiles] of %d interleaved rounds\n%-28s",
		r.title, rounds, "")
	for _, runtime := range r.runtimes {
		fmt.Fprintf(w, "%24s", runtime)
	}
	fmt.Fprintln(w)
	for _, name := range r.names {
		fmt.Fprintf(w, "%-28s", name)
		for _, runtime := range r.runtimes {
			f := r.figures[at{runtime, name}]
			text := "-"
			if len(f) > 0 {
				text = fmt.Sprintf("%.1f", f.quantile(0.5))
			}
			if len(f) > 1 {
				text += fmt.Sprintf(" [%.1f, %.1f]", f.quantile(0.25),
					f.quantile(0.75))
			}
			fmt.Fprintf(w, "%24s", text)
		}
		fmt.Fprintln(w)
	}
	fmt.Fprintln(w)
}

func round3(value float64) float64 { return math.Round(value*1000) / 1000 }

// MarshalJSON writes a figure as its median and quartiles.
func (f figure) MarshalJSON() ([]byte, error) {
	return json.Marshal(map[string]float64{
		"median": round3(f.quantile(0.5)),
		"low":    round3(f.quantile(0.25)),
		"high":   round3(f.quantile(0.75)),
	})
}

// MarshalJSON writes the figures by runtime, and what came of the targets.
func (r *result) MarshalJSON() ([]byte, error) {
	runtimes := make(map[string]map[string]figure)
	for key, f := range r.figures {
		if runtimes[key.runtime] == nil {
			runtimes[key.runtime] = make(map[string]figure)
		}
		runtimes[key.runtime][key.figure] = f
	}
	return json.Marshal(map[string]interface{}{
		"rounds":   r.rounds,
		"runtimes": runtimes,
		"ratios":   r.ratios,
		"missed":   r.missed,
	})
}
