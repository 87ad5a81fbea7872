package overlap_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/asgood-dev/asgood/evaluator/score/overlap"
	"github.com/asgood-dev/asgood/internal/quality"
)

var unit = &[2]float64{0, 1}

func estimate(t testing.TB, pairs []overlap.Pair, o overlap.Options) overlap.Result {
	t.Helper()
	r, err := overlap.Estimate(pairs, o)
	if err != nil {
		t.Fatal(err)
	}
	if r.N != uint64(len(pairs)) || r.Interval[0] > r.Step || r.Interval[1] < r.Step {
		t.Fatalf("got %+v", r)
	}
	return r
}

func TestEstimate(t *testing.T) {
	r := estimate(t, []overlap.Pair{{"a", 1, 1, 1}, {"b", 1, 0, 2}, {"c", 0, 0.5, 1}, {"d", 1, 1, 0}}, overlap.Options{Range: unit, Worst: 1})
	if r.Step != -0.3 || r.Agreement != 0.4 || len(r.Worst) != 1 || r.Worst[0] != (overlap.Disagreement{Sample: "b", Old: 1, New: 0}) {
		t.Errorf("got %+v", r)
	}
	if r.Interval[0] < -1 || r.Interval[1] > 1 || r.Interval[1]-r.Interval[0] < 1 {
		t.Errorf("four pairs: got interval %v, want a wide one within the bounds", r.Interval)
	}
	r = estimate(t, []overlap.Pair{{"a", 100, 110, 1}, {"b", 90, 105, 1}, {"c", 80, 85, 1}}, overlap.Options{})
	if r.Step != 10 || math.Abs(r.Interval[0]-(10-4.3027*5/math.Sqrt(3))) > 1e-3 {
		t.Errorf("three pairs without bounds: got %+v", r)
	}
}

// Where all agree the step is 0, and a few samples are still no proof.
func TestAllAgree(t *testing.T) {
	width := 2.0
	for _, n := range []int{1, 10, 100, 1000, 10_000} {
		var pairs []overlap.Pair
		for i := range n {
			pairs = append(pairs, overlap.Pair{Sample: fmt.Sprint(i), Old: 1, New: 1})
		}
		r := estimate(t, pairs, overlap.Options{Range: unit})
		got := r.Interval[1] - r.Interval[0]
		if r.Step != 0 || r.Agreement != 1 || len(r.Worst) != 0 || got <= 0 || got > width {
			t.Errorf("%d pairs: got %+v, want an interval narrower than %v", n, r, width)
		}
		width = got
	}
	if width > 0.005 {
		t.Errorf("10,000 pairs that agree: got an interval of %v", width)
	}
}

func TestRefuses(t *testing.T) {
	for name, tt := range map[string]struct {
		pairs []overlap.Pair
		o     overlap.Options
	}{
		"none":               {nil, overlap.Options{Range: unit}},
		"one without bounds": {[]overlap.Pair{{New: 1}}, overlap.Options{}},
		"outside":            {[]overlap.Pair{{New: 2}}, overlap.Options{Range: unit}},
		"not a number":       {[]overlap.Pair{{New: math.NaN()}}, overlap.Options{Range: unit}},
		"infinite":           {[]overlap.Pair{{New: math.Inf(1)}, {}}, overlap.Options{}},
		"a negative weight":  {[]overlap.Pair{{Weight: -1}}, overlap.Options{Range: unit}},
		"bounds":             {[]overlap.Pair{{}}, overlap.Options{Range: &[2]float64{1, 0}}},
	} {
		if r, err := overlap.Estimate(tt.pairs, tt.o); quality.KindOf(err) != quality.KindInvalid {
			t.Errorf("%s: got %+v, %v", name, r, err)
		}
	}
}

// TestCoverage draws samples of which the step is known. The interval must hold it at least 95 times in 100,
// for rare changes and few samples too, where an interval of normal form holds it in far fewer.
func TestCoverage(t *testing.T) {
	const runs = 1000
	for _, tt := range []struct {
		name     string
		n        int
		flip     float64 // share of pairs that go from 1 to 0
		weighted bool
	}{
		{"rare, few", 20, 0.02, false}, {"rare, many", 300, 0.02, false}, {"common", 50, 0.3, false}, {"weights", 200, 0.1, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(1, uint64(tt.n)))
			held, width := 0, 0.0
			for range runs {
				r := estimate(t, draw(rng, tt.n, tt.flip, tt.weighted), overlap.Options{Range: unit})
				want := -tt.flip
				if tt.weighted { // the heavy half counts four times as much, and flips twice as often
					want = -tt.flip * (0.5*1 + 0.5*4*2) / (0.5*1 + 0.5*4)
				}
				if r.Interval[0] <= want && want <= r.Interval[1] {
					held++
				}
				width += r.Interval[1] - r.Interval[0]
			}
			t.Logf("holds the step in %d of %d, mean width %.3f", held, runs, width/runs)
			if held < runs*95/100 {
				t.Errorf("holds the step in %d of %d", held, runs)
			}
		})
	}
}

func draw(rng *rand.Rand, n int, flip float64, weighted bool) (pairs []overlap.Pair) {
	for range n {
		p, chance := overlap.Pair{Old: 1, New: 1, Weight: 1}, flip
		if weighted && rng.IntN(2) == 0 {
			p.Weight, chance = 4, 2*flip
		}
		if rng.Float64() < chance {
			p.New = 0
		}
		pairs = append(pairs, p)
	}
	return pairs
}

func BenchmarkEstimate(b *testing.B) {
	pairs := draw(rand.New(rand.NewPCG(1, 2)), 10_000, 0.1, true)
	for b.Loop() {
		_ = estimate(b, pairs, overlap.Options{Range: unit})
	}
}
