package main

import (
	"fmt"
	"io"
	"math"
)

// An at names a figure of a runtime.
type at struct{ runtime, figure string }

// Limits of a value, both of them allowed.
type limits struct{ least, most float64 }

func atMost(value float64) limits  { return limits{math.Inf(-1), value} }
func atLeast(value float64) limits { return limits{value, math.Inf(1)} }

// A target is (numerator - less) / denominator, within limits.  What has no
// name there is 0, and 1 as the denominator.
type target struct {
	name        string
	numerator   at
	less        at
	denominator at
	limits      limits
}

const (
	task    = "task_p50_ms"
	second  = "second_task_p50_ms"
	exec    = "exec_p50_ms"
	rate    = "tasks_per_second_8_clients"
	stdout  = "stdout_mib_per_second"
	confine = "confine_ms"
)

var none at

// targets are the numbers to reach.
var targets = []target{
	{"floor/runc", at{"floor", task}, none, at{"runc", task},
		atMost(1.0 / 7)},
	{"reaper/floor", at{"reaper", task}, none, at{"floor", task},
		atMost(1.5)},
	{"reaper-floor_ms", at{"reaper", task}, at{"floor", task}, none,
		atMost(5)},
	{"reaper/runc", at{"reaper", task}, none, at{"runc", task},
		atMost(1.0 / 5)},
	{"rate_reaper/runc", at{"reaper", rate}, none, at{"runc", rate},
		atLeast(3)},
	{"second_reaper/floor", at{"reaper", second}, none,
		at{"floor", second}, atMost(1.5)},
	{"exec_reaper/runc", at{"reaper", exec}, none, at{"runc", exec},
		atMost(1.0 / 5)},
	{"confine/task", at{"reaper", confine}, none, at{"reaper", task},
		atMost(0.1)},
	{"stdout_reaper/runc", at{"reaper", stdout}, none, at{"runc", stdout},
		atLeast(1)},
	{"idle_pss_kib", at{"reaper", "pss_kib_per_pod_of_10"}, none, none,
		atMost(1024)},
	// Files' pages, which all pods share, count less the more pods there
	// are; what a pod has for itself must neither grow nor shrink.
	{"idle_pss_200/10", at{"reaper", "pss_kib_per_pod_of_200"}, none,
		at{"reaper", "pss_kib_per_pod_of_10"}, atMost(1.1)},
	{"idle_anon_200/10", at{"reaper", "pss_anon_kib_per_pod_of_200"}, none,
		at{"reaper", "pss_anon_kib_per_pod_of_10"}, limits{0.9, 1.1}},
	{"idle_switches", at{"reaper", "context_switches_of_200"}, none, none,
		atMost(0)},
}

// value is the figure in a round, or the median of all if round is below 0.
func (r *result) value(a at, nameless float64, round int) (float64, bool) {
	if a == none {
		return nameless, true
	}
	values := r.figures[a]
	if round >= len(values) {
		return 0, false
	}
	if round < 0 {
		return values.quantile(0.5), len(values) > 0
	}
	return values[round], true
}

// evaluate returns the target's value, as value does.
func (r *result) evaluate(t *target, round int) (float64, bool) {
	numerator, ok1 := r.value(t.numerator, 0, round)
	less, ok2 := r.value(t.less, 0, round)
	denominator, ok3 := r.value(t.denominator, 1, round)
	return (numerator - less) / denominator, ok1 && ok2 && ok3
}

func (l limits) String() string {
	switch {
	case math.IsInf(l.least, 0):
		return fmt.Sprintf("at most %.3f", l.most)
	case math.IsInf(l.most, 0):
		return fmt.Sprintf("at least %.3f", l.least)
	}
	return fmt.Sprintf("%.3f to %.3f", l.least, l.most)
}

// judge holds the figures that were measured against the targets, and tells
// whether one was missed.
func (r *result) judge(w io.Writer) bool {
	fmt.Fprintf(w, "ratios of the medians [quartiles of the rounds' ratios]\n")
	for i := range targets {
		t := &targets[i]
		value, ok := r.evaluate(t, -1)
		if !ok {
			continue
		}
		var rounds figure
		for round := range r.figures[t.numerator] {
			if value, ok := r.evaluate(t, round); ok {
				rounds = append(rounds, value)
			}
		}
		verdict := ""
		if value < t.limits.least || value > t.limits.most {
			verdict = "MISSED"
			r.missed = append(r.missed, fmt.Sprintf(
				"%s is %.3f, target %s", t.name, value, t.limits))
		}
		r.ratios[t.name] = round3(value)
		fmt.Fprintf(w, "%-22s%10.3f %-18s %-18s%s\n", t.name, value,
			fmt.Sprintf("[%.3f, %.3f]", rounds.quantile(0.25),
				rounds.quantile(0.75)), t.limits, verdict)
	}
	fmt.Fprintln(w)
	return len(r.missed) > 0
}
