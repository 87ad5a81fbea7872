package calibrate_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/asgood-dev/asgood/evaluator/calibrate"
)

// noisy is a pass or fail output with a judge that is right in 82 % of all: a correlation of about .6.
func noisy(r *rand.Rand, pass, right, chance float64) calibrate.Pair {
	y := 0.0
	if r.Float64() < pass {
		y = 1
	}
	f := y
	if r.Float64() >= right {
		f = 1 - y
	}
	p := calibrate.Pair{Judge: f}
	if r.Float64() < chance {
		p.Human = &y
	}
	return p
}

func stream(t *testing.T, r *rand.Rand, chance, threshold float64, n int) *calibrate.Stream {
	t.Helper()
	baseline := make([]calibrate.Pair, n)
	for i := range baseline {
		baseline[i] = noisy(r, .7, .82, chance)
	}
	s, err := calibrate.NewStream(calibrate.StreamOptions{Chance: chance, Threshold: threshold}, baseline)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestStream measures what a stream with a tenth of labels promises: false alarms within the budget, also
// when the judge moves and the product does not, and a drop found sooner than by the labels alone.
func TestStream(t *testing.T) {
	const threshold, chance, horizon = 10_000, .1, 20_000
	runs := 100
	if testing.Short() {
		runs = 40
	}
	r := rand.New(rand.NewPCG(1, 2))
	first := func(s *calibrate.Stream, draw func() calibrate.Pair) int {
		for i := range horizon {
			if s.Update(draw()) >= threshold {
				return i + 1
			}
		}
		return horizon
	}
	alarms, drift := 0, 0
	// rate is alarms per threshold samples, of runs of which only the first alarm is seen.
	rate := func(n int) float64 { return -math.Log(1-float64(n)/float64(runs)) * threshold / horizon }
	var with, without []int
	for range runs {
		if first(stream(t, r, chance, threshold, 2000), func() calibrate.Pair { return noisy(r, .7, .82, chance) }) < horizon {
			alarms++
		}
		if first(stream(t, r, chance, threshold, 2000), func() calibrate.Pair {
			p := noisy(r, .7, .82, chance)
			p.Judge *= float64(r.IntN(2)) // the judge calls half of the good ones bad
			return p
		}) < horizon {
			drift++
		}
		worse := func() calibrate.Pair { return noisy(r, .6, .82, chance) }
		with = append(with, first(stream(t, r, chance, threshold, 2000), worse))
		without = append(without, first(blind(t, r, chance, threshold), func() calibrate.Pair {
			p := worse()
			p.Judge = .5
			return p
		}))
	}
	slices.Sort(with)
	slices.Sort(without)
	t.Logf("false alarms per %d samples: %.3f, when the judge moved %.3f (allowed %.3f); median delay of a drop of .10: %d, with the labels alone %d",
		threshold, rate(alarms), rate(drift), 1.0, with[runs/2], without[runs/2])
	if rate(alarms) > 1.3 || rate(drift) > 1.3 { // room for chance: with 40 runs one is .25
		t.Errorf("alarms in %d and, with a moved judge, in %d of %d runs without a drop", alarms, drift, runs)
	}
	if with[runs/2] >= without[runs/2] {
		t.Errorf("median delay %d, with the labels alone %d: the judge is of no help", with[runs/2], without[runs/2])
	}
}

// blind is the same stream with a judge that says the same of everything.
func blind(t *testing.T, r *rand.Rand, chance, threshold float64) *calibrate.Stream {
	t.Helper()
	baseline := make([]calibrate.Pair, 2000)
	for i := range baseline {
		baseline[i] = noisy(r, .7, .82, chance)
		baseline[i].Judge = .5
	}
	s, err := calibrate.NewStream(calibrate.StreamOptions{Chance: chance, Threshold: threshold}, baseline)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestStreamRefuses(t *testing.T) {
	one := 1.0
	for name, o := range map[string]calibrate.StreamOptions{
		"no chance": {Threshold: 1e4}, "a chance above 1": {Chance: 2, Threshold: 1e4}, "no threshold": {Chance: .1}, "too few labels": {Chance: .1, Threshold: 1e4},
	} {
		if _, err := calibrate.NewStream(o, []calibrate.Pair{{Judge: 1, Human: &one}}); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	s := stream(t, rand.New(rand.NewPCG(3, 4)), .5, 1e4, 500)
	before := s.E()
	if after := s.Update(calibrate.Pair{Judge: 7}); after != before {
		t.Errorf("a pair out of range moved the evidence from %v to %v", before, after)
	}
}
