package detect_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/asgood-dev/asgood/evaluator/detect"
)

// lifeGoals are of what comes with and after an alarm: start, size and end.
func lifeGoals() (g []goal) {
	g = append(g, goal{name: "G10", measure: closing})
	good := always(passFail(.92))
	for _, tt := range []struct {
		what string
		f    fall
	}{
		{"pass rate, 2 points", fall{plain, good, 5000, 20_000, .02, 40_000, 0}},
		{"pass rate, 5 points", fall{plain, good, 2000, 2000, .05, 40_000, 0}},
		{"pass rate, 10 points", fall{plain, good, 2000, 2000, .10, 40_000, 0}},
		{"pass rate, 30 points", fall{plain, good, 500, 1000, .30, 40_000, 0}},
		{"judge, 5 points", fall{plain, judge(.8, 0), 2000, 2000, .05, 40_000, 0}},
		{"judge, correlation 0.3, 5 points", fall{plain, judge(.8, .3), 2000, 2000, .05, 40_000, 0}},
		{"stars, 10 points", fall{plain, always(ordinal()), 500, 2000, .10, 40_000, 0}},
		{"hours of the day, 10 points", fall{strata, always(hourly(.92, 2000)), 4000, 4000, .10, 40_000, 0}},
		{"all at one time, 10 points", fall{strata, everything(12_000), 8000, 8000, .10, 40_000, 0}},
	} {
		g = append(g, goal{name: "- intervals: " + tt.what, measure: func(t *testing.T) []line { return tt.f.intervals(t, tt.what) }})
	}
	return g
}

// closing is that a fall of 5 points is not ended while it lasts, and is when it ends.
func closing(t *testing.T) []line {
	f := fall{plain, always(passFail(.92)), 2000, 2000, .05, 40_000, runs(t, 200)}
	early, ends := 0, []float64{}
	for seed := range f.runs {
		d, l, r, _ := f.run(t, seed)
		d.Raise()
		for range 5000 {
			d.Update(l(r, 0, f.drop))
		}
		if d.Recovered() {
			early++
			continue
		}
		from := d.Live()
		for !d.Recovered() && d.Live() < from+60_000 {
			d.Update(l(r, 0, 0))
		}
		ends = append(ends, float64(d.Live()-from))
	}
	v, e := share(early, f.runs)
	m, em := medianOf(ends)
	return []line{{goal: "G10", what: "share ended early within 5,000 bad samples, 5 points", value: v, err: e, limit: .05},
		{goal: "G10", what: "median samples to the end", value: m, err: em, limit: 1500}}
}

// intervals counts how often the 95 % intervals hold the truth: at the moment of the alarm, and at every
// sample of the 4,000 that follow, of which a reader may take any.
func (f fall) intervals(t *testing.T, what string) []line {
	f.runs = runs(t, 200)
	start, at, ever, counted := 0, 0, 0, 0
	width, wide := 0.0, 0.0
	for seed := range f.runs {
		d, l, r, delay := f.run(t, seed)
		if delay == f.limit {
			continue
		}
		counted++
		d.Raise()
		if lo, hi := d.StartInterval(); lo <= uint64(f.live) && uint64(f.live) <= hi {
			start++
			wide += float64(hi - lo)
		}
		_, lo, hi := d.Drop()
		held := lo <= f.drop && f.drop <= hi
		if held {
			at++
		}
		width += (hi - lo) / f.drop
		for i := range 4000 {
			d.Update(l(r, f.base+f.live+delay+i, f.drop))
			if i%10 == 0 && held && !d.Recovered() {
				_, lo, hi = d.Drop()
				held = lo <= f.drop && f.drop <= hi
			}
		}
		if held {
			ever++
		}
	}
	l := func(name string, k int) line {
		v, e := share(k, counted)
		return line{goal: "-", what: fmt.Sprintf("%s: %s", name, what), value: v, err: e, limit: .93, least: true}
	}
	t.Logf("%s: width of the size's interval over the drop %.2f at the alarm, width of the start's %.0f samples", what,
		width/float64(counted), wide/float64(max(1, start)))
	return []line{l("start's interval holds at the alarm", start), l("size's interval holds at the alarm", at),
		l("size's interval holds at all of 4,000 later samples", ever)}
}

// A detector is given back by Reset as it was, but for what it learned.
func TestResetLeavesNothing(t *testing.T) {
	d, _, _, _ := fall{plain, always(passFail(.92)), 500, 1000, .30, 5000, 1}.run(t, 1)
	d.Raise()
	for !d.Recovered() {
		d.Update(detect.Observation{Y: 1})
	}
	d.Reset()
	if d.Raised() || d.Recovered() || d.E() != 0 || d.RecoveredFrom() != 0 {
		t.Error("reset left something behind")
	}
	r := rand.New(rand.NewPCG(1, 9))
	for range 100 {
		d.Update(detect.Observation{Y: coin(r, .92)})
	}
	if d.E() > budget {
		t.Errorf("got evidence %v in a stream that is well again", d.E())
	}
}
