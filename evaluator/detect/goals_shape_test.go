package detect_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/asgood-dev/asgood/evaluator/detect"
)

// shapeGoals compare what a detector says it would notice with what it does notice.
func shapeGoals() (g []goal) {
	good := always(passFail(.92))
	for _, tt := range []struct {
		what string
		f    fall
	}{
		{"pass rate 0.92, 2 points, baseline 20,000", fall{plain, good, 20_000, 1000, .02, 40_000, 0}},
		{"pass rate 0.92, 5 points, baseline 2,000", fall{plain, good, 2000, 1000, .05, 40_000, 0}},
		{"pass rate 0.5, 10 points, baseline 1,000", fall{plain, always(passFail(.5)), 1000, 1000, .10, 40_000, 0}},
		{"threshold 1e7, 5 points, baseline 5,000", fall{detect.Options{Threshold: 1e7}, good, 5000, 1000, .05, 40_000, 0}},
		{"judge, 5 points, baseline 2,000", fall{plain, judge(.8, 0), 2000, 1000, .05, 40_000, 0}},
		{"judge, correlation 0.3, 5 points, baseline 5,000", fall{plain, judge(.8, .3), 5000, 1000, .05, 40_000, 0}},
		{"hours of the day, 5 points, baseline 8,000", fall{strata, always(hourly(.92, 2000)), 8000, 1000, .05, 40_000, 0}},
	} {
		g = append(g, goal{name: "- noticeable: " + tt.what, measure: func(t *testing.T) []line { return tt.f.noticed(t, tt.what) }})
	}
	return g
}

// noticed divides the median delay by the number of samples within which the detector says, in the mean
// of the runs, that the drop would be noticed.
func (f fall) noticed(t *testing.T, what string) []line {
	f.runs = runs(t, 120)
	v, e := medianOf(f.delays(t))
	told := make([]float64, 10)
	for seed := range told {
		r := rand.New(rand.NewPCG(uint64(seed), 15))
		l := f.l()
		d := made(t, f.o, r, f.base, l)
		for i := range f.live {
			d.Update(l(r, f.base+i, 0))
		}
		for told[seed] = 1; d.Noticeable(told[seed], 0) > f.drop; told[seed] *= 1.02 {
			if told[seed] > 1e9 {
				t.Fatalf("%s: the detector says that the drop is never noticed", what)
			}
		}
	}
	m, _ := medianOf(told)
	l := line{goal: "-", what: fmt.Sprintf("median delay over what was told: %s", what), value: v / m, err: e / m, limit: 1.5}
	low := l
	low.limit, low.least = .6, true
	return []line{l, low}
}
