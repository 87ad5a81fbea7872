package detect_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/asgood-dev/asgood/evaluator/detect"
)

// A family is a kind of score with what the optimal detector knows of it.
type family struct {
	name  string
	mean  float64
	l     func() law
	drops []float64
	llr   func(drop float64) func(y float64) float64 // log likelihood of the fall over that of none
}

func families() []family {
	return []family{
		{"pass rate 0.92", .92, always(passFail(.92)), []float64{.02, .05, .10}, func(drop float64) func(float64) float64 {
			pass, fail := math.Log((.92-drop)/.92), math.Log((.08+drop)/.08)
			return func(y float64) float64 { return y*pass + (1-y)*fail }
		}},
		{"judge", .8, judge(.8, 0), []float64{.02, .05, .10}, func(drop float64) func(float64) float64 {
			norm := lnBeta(4, 1) - lnBeta(4-5*drop, 1+5*drop)
			return func(y float64) float64 {
				return norm - 5*drop*math.Log(max(y, 1e-9)) + 5*drop*math.Log(max(1-y, 1e-9))
			}
		}},
		{"stars", .79, always(ordinal()), []float64{.025, .05, .10}, func(drop float64) func(float64) float64 {
			p := tilted(drop)
			return func(y float64) float64 { return math.Log(p[int(4*y)] / grades[int(4*y)]) }
		}},
	}
}

func lnBeta(a, b float64) float64 {
	x, _ := math.Lgamma(a)
	y, _ := math.Lgamma(b)
	z, _ := math.Lgamma(a + b)
	return x + y - z
}

func delayGoals() (g []goal) {
	for _, f := range families() {
		g = append(g, goal{name: "G3 " + f.name, measure: func(t *testing.T) []line { return f.againstOptimal(t) }},
			goal{name: "G4 " + f.name, measure: func(t *testing.T) []line { return f.againstLorden(t) }})
	}
	median := func(name, what string, f fall, runsOf int, limit float64) goal {
		return goal{name: name + " " + what, measure: func(t *testing.T) []line {
			f.runs = runs(t, runsOf)
			v, err := medianOf(f.delays(t))
			return []line{{goal: name, what: "median delay: " + what, value: v, err: err, limit: limit}}
		}}
	}
	good := always(passFail(.92))
	return append(g,
		median("G5", "2 points after 20,000", fall{plain, good, 2000, 20_000, .02, 40_000, 0}, 200, 2100),
		median("-", "5 points at the first live sample", fall{plain, good, 2000, 0, .05, 40_000, 0}, 200, 800),
		dependence(.3), dependence(.7), allAtOnce(), largeBudget())
}

// optimal is a CUSUM of the log likelihood ratio.
type optimal struct {
	llr       func(float64) float64
	value     float64
	threshold float64
	err       float64 // of the threshold, relative: that of the count of maxima above it
}

func (o *optimal) update(y float64) bool {
	o.value = max(0, o.value) + o.llr(y)
	return o.value >= o.threshold
}

// calibrate sets the threshold at which false alarms come once in budget samples: the maxima of the cycles
// between two visits of zero are independent, and as many of them as there were budgets lie above it.
func (o *optimal) calibrate(r *rand.Rand, l law, samples int) {
	var maxima []float64
	most := 0.0
	for range samples {
		o.value = max(0, o.value) + o.llr(l(r, 0, 0).Y)
		if o.value <= 0 {
			if most > 2 {
				maxima = append(maxima, most)
			}
			most = 0
		}
		most = max(most, o.value)
	}
	slices.Sort(maxima)
	above := int(float64(samples) / budget)
	o.threshold = maxima[len(maxima)-above]
	o.err = 1 / math.Sqrt(float64(above)) / o.threshold
}

// againstOptimal compares with the detector that knows the baseline and the fall. This one is told the
// mean: a million samples alone leave its lower bound so far below that 3 % of the ratio come from there.
func (f family) againstOptimal(t *testing.T) (lines []line) {
	d := made(t, plain, rand.New(rand.NewPCG(1, 5)), 1_000_000, f.l())
	d.Know(f.mean)
	known, err := d.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	for _, drop := range f.drops {
		o := &optimal{llr: f.llr(drop)}
		o.calibrate(rand.New(rand.NewPCG(2, 5)), f.l(), runs(t, 10_000_000))
		for live, limit := range map[int]float64{2000: 1.3, 0: 1.4} {
			v, err := f.ratio(t, known, o, drop, live, runs(t, 300))
			lines = append(lines, line{goal: "G3", what: fmt.Sprintf("mean delay over that of the optimal: %s, %g, %d live", f.name, drop, live),
				value: v, err: err, limit: limit})
		}
	}
	return lines
}

func (f family) ratio(t *testing.T, known []byte, o *optimal, drop float64, live, n int) (value, err float64) {
	ours, theirs := make([]float64, n), make([]float64, n)
	for seed := range n {
		r, l, d := rand.New(rand.NewPCG(uint64(seed), 26)), f.l(), new(detect.Detector)
		if err := d.UnmarshalBinary(known); err != nil {
			t.Fatal(err)
		}
		o.value = 0
		for i := 0; ours[seed] == 0 || theirs[seed] == 0; i++ {
			x := l(r, 0, map[bool]float64{true: drop}[i >= live])
			a, b := d.Update(x) >= budget, o.update(x.Y)
			switch after := float64(i - live + 1); {
			case i < live && a:
				d.Reset()
			case a && ours[seed] == 0:
				ours[seed] = after
			}
			switch after := float64(i - live + 1); {
			case i < live && b:
				o.value = 0
			case b && theirs[seed] == 0:
				theirs[seed] = after
			}
		}
	}
	a, ea := meanOf(ours)
	b, eb := meanOf(theirs)
	return a / b, a / b * math.Sqrt(ea*ea/a/a+eb*eb/b/b+o.err*o.err)
}

// againstLorden compares with ln(c)/KL, KL being the mean log likelihood ratio of a bad sample.
func (f family) againstLorden(t *testing.T) (lines []line) {
	for _, drop := range f.drops[1:] {
		r, l, llr, kl := rand.New(rand.NewPCG(3, 5)), f.l(), f.llr(drop), 0.0
		const samples = 300_000
		for range samples {
			kl += llr(l(r, 0, drop).Y) / samples
		}
		v, err := meanOf(fall{plain, f.l, 2000, 2000, drop, 40_000, runs(t, 300)}.delays(t))
		bound := math.Log(budget) / kl
		lines = append(lines, line{goal: "G4", what: fmt.Sprintf("mean delay over ln(c)/KL: %s, %g", f.name, drop), value: v / bound, err: err / bound, limit: .95})
	}
	return lines
}

// dependence is the goal that dependent scores are found as fast as their inflated variance allows. The
// inflations are those of the law's sums.
func dependence(phi float64) goal {
	return goal{name: fmt.Sprintf("G8 delay at %g", phi), measure: func(t *testing.T) []line {
		inflation := map[float64]float64{.3: 1.78, .7: 5.29}[phi]
		f := fall{plain, judge(.8, 0), 2000, 2000, .05, 40_000, runs(t, 300)}
		v0, e0 := medianOf(f.delays(t))
		f.l = judge(.8, phi)
		v, e := medianOf(f.delays(t))
		ratio := v / v0 / inflation
		return []line{{goal: "G8", what: fmt.Sprintf("median delay over inflation x independent: judge, correlation %g", phi),
			value: ratio, err: ratio * math.Hypot(e/v, e0/v0), limit: 1.2}}
	}}
}

// allAtOnce is season, mix, weights and dependence together, against none of them.
func allAtOnce() goal {
	return goal{name: "+ delay of all at one time", measure: func(t *testing.T) []line {
		f := fall{plain, always(passFail(.92)), 8000, 8000, .05, 40_000, runs(t, 150)}
		v0, e0 := medianOf(f.delays(t))
		f.o, f.l = strata, everything(12_000)
		v, e := medianOf(f.delays(t))
		return []line{{goal: "+", what: "median delay over plain: season, mix, weights, correlation 0.3", value: v / v0, err: v / v0 * math.Hypot(e/v, e0/v0), limit: 3}}
	}}
}

// largeBudget is a small steady fall under a budget of months: stakes have to follow the threshold.
func largeBudget() goal {
	return goal{name: "- large budget", measure: func(t *testing.T) []line {
		const drop = .0024
		kl := drop * drop / 2 / (.92 * .08)
		known, err := made(t, detect.Options{Threshold: 3e6}, rand.New(rand.NewPCG(4, 5)), 2_000_000, passFail(.92)).MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		out := make([]float64, runs(t, 24))
		for seed := range out {
			r, d, l := rand.New(rand.NewPCG(uint64(seed), 7)), new(detect.Detector), passFail(.92)
			if err := d.UnmarshalBinary(known); err != nil {
				t.Fatal(err)
			}
			for d.E() < 3e6 && out[seed] < 2e6 {
				d.Update(l(r, 0, drop))
				out[seed]++
			}
		}
		v, e := medianOf(out)
		bound := math.Log(1+3e6*kl) / kl
		return []line{{goal: "-", what: "median delay over ln(1+c KL)/KL: threshold 3e6, 0.24 points, 2M baseline", value: v / bound, err: e / bound, limit: 1.5}}
	}}
}
