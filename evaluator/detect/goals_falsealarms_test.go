package detect_test

import (
	"fmt"
	"testing"

	"github.com/asgood-dev/asgood/evaluator/detect"
)

const (
	budget = 1e5    // the threshold of all goals
	length = 40_000 // of a healthy stream
)

var (
	plain  = detect.Options{Threshold: budget}
	strata = detect.Options{Threshold: budget, Strata: true}
)

// rare is the goal that a healthy stream alarms at most once in 100,000 samples.
func rare(name, what string, o detect.Options, l func() law, base int) goal {
	return goal{name: name + " " + what, measure: func(t *testing.T) []line {
		v, err := rate(healthy(t, o, l, base, runs(t, 100), length), length, 1)
		return []line{{goal: name, what: "false alarms per 100,000: " + what, value: v, err: err, limit: 1}}
	}}
}

func falseAlarmGoals() (g []goal) {
	for _, p := range []float64{.5, .8, .92, .98, .995, .999} {
		for _, n := range []int{50, 200, 2000} {
			g = append(g, rare("G1", fmt.Sprintf("pass rate %g, baseline %d", p, n), plain, always(passFail(p)), n))
		}
	}
	for _, n := range []int{200, 2000} {
		g = append(g, rare("G1", fmt.Sprintf("judge, baseline %d", n), plain, judge(.8, 0), n),
			rare("G1", fmt.Sprintf("stars, baseline %d", n), plain, always(ordinal()), n))
	}
	for _, c := range []float64{1e3, 1e4, 1e5, 1e6} {
		g = append(g, knob(c))
	}
	return append(g,
		rare("G6", "mix moves, strata", strata, always(segments(4000)), 2000),
		rare("G7", "hours of the day, strata, two days of baseline", strata, always(hourly(.92, 1000)), 2000),
		rare("G8", "judge, correlation 0.3", plain, judge(.8, .3), 2000),
		rare("G8", "judge, correlation 0.7", plain, judge(.8, .7), 2000),
		rare("+", "rates change, weights", plain, always(unequal(20_000)), 2000),
		rare("+", "season, mix, weights and correlation 0.3 at one time", strata, everything(20_000), 8000),
		unadjusted())
}

// knob is the goal that the threshold is the run length: of the learning half, which is all there is with
// strata. Above 1e5 too few alarms come for a lower limit.
func knob(c float64) goal {
	return goal{name: fmt.Sprintf("G2 threshold %g", c), measure: func(t *testing.T) []line {
		n := runs(t, map[float64]int{1e3: 10, 1e4: 40, 1e5: 200, 1e6: 500}[c])
		o := detect.Options{Threshold: c, Strata: true}
		v, err := rate(healthy(t, o, always(passFail(.92)), 2000, n, length), length, 1e5/c)
		what := fmt.Sprintf("false alarms per threshold of %g samples", c)
		lines := []line{{goal: "G2", what: what, value: v * c / 1e5, err: err * c / 1e5, limit: 1}}
		if c < 1e6 {
			lines = append(lines, line{goal: "G2", what: what, value: v * c / 1e5, err: err * c / 1e5, limit: .5, least: true})
		}
		return lines
	}}
}

// unadjusted shows that the trial is hard enough: a mix that moves alarms where strata are not told.
func unadjusted() goal {
	return goal{name: "G6 without strata", measure: func(t *testing.T) []line {
		v, err := rate(healthy(t, plain, always(segments(4000)), 2000, 4, length), length, 1)
		return []line{{goal: "G6", what: "the same without strata: the trial is hard enough", value: v, err: err, limit: 2, least: true}}
	}}
}
