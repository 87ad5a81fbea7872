package explain

import (
	"math"
	"math/rand/v2"
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"github.com/asgood-dev/asgood/internal/quality"
)

// drawCells draws segments, some of which are on one side only or empty.
func drawCells(t *rapid.T) []quality.ScoreCell {
	n := rapid.IntRange(1, 12).Draw(t, "segments")
	weighted := rapid.Bool().Draw(t, "weighted")
	out := make([]quality.ScoreCell, n)
	for i := range out {
		out[i] = quality.ScoreCell{Attribute: "language", Value: string(rune('a' + i))}
		for _, s := range []*quality.Sums{&out[i].Before, &out[i].After} {
			count := rapid.SampledFrom([]int{0, 0, 3, 12, 40}).Draw(t, "n")
			for range count {
				w := 1.0
				if weighted {
					w = rapid.Float64Range(1, 20).Draw(t, "w")
				}
				s.Add(rapid.Float64Range(0, 1).Draw(t, "v"), w)
			}
		}
	}
	return out
}

func TestSplitAddsUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cells := drawCells(t)
		var before, after quality.Sums
		for _, c := range cells {
			before, after = before.Plus(c.Before), after.Plus(c.After)
		}
		s, change := Split("language", cells)
		sum := s.Mix.Value + s.Within.Value + s.New.Value + s.Gone.Value
		if math.Abs(sum-change.Value) > 1e-9 || math.Abs(change.Value-(after.Mean()-before.Mean())) > 1e-9 {
			t.Fatalf("mix %v + within %v + new %v + gone %v = %v, want the change %v", s.Mix, s.Within, s.New, s.Gone, sum, change)
		}
		for _, f := range []quality.Figure{s.Mix, s.Within, s.New, s.Gone, change} {
			if math.IsNaN(f.Interval[0]) || math.IsNaN(f.Interval[1]) || f.Interval[0] > f.Value+1e-12 || f.Interval[1] < f.Value-1e-12 {
				t.Fatalf("interval %v does not hold %v", f.Interval, f.Value)
			}
		}
		shuffled := rapid.Permutation(cells).Draw(t, "order")
		if again, c := Split("language", shuffled); !near(again, s) || math.Abs(c.Value-change.Value) > 1e-9 {
			t.Fatalf("another order: got %+v, want %+v", again, s)
		}
	})
}

func near(a, b quality.Split) bool {
	for _, p := range [][2]float64{{a.Mix.Value, b.Mix.Value}, {a.Within.Value, b.Within.Value}, {a.New.Value, b.New.Value}, {a.Gone.Value, b.Gone.Value},
		{a.Mix.Interval[0], b.Mix.Interval[0]}, {a.Within.Interval[1], b.Within.Interval[1]}} {
		if math.Abs(p[0]-p[1]) > 1e-6 {
			return false
		}
	}
	return len(a.Segments) == len(b.Segments)
}

// Weights that are all alike change nothing.
func TestEqualWeights(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	var one, five [3]quality.ScoreCell
	for i := range 300 {
		v := float64(rng.IntN(2))
		for w, cells := range map[float64]*[3]quality.ScoreCell{1: &one, 5: &five} {
			c := &cells[i%3]
			c.Value = string(rune('a' + i%3))
			if i < 150 {
				c.Before.Add(v, w)
			} else {
				c.After.Add(v, w)
			}
		}
	}
	a, _ := Split("x", one[:])
	b, _ := Split("x", five[:])
	if !near(a, b) {
		t.Errorf("got %+v, want %+v", b, a)
	}
}

func TestNewTrafficIsApart(t *testing.T) {
	var a, b, c quality.ScoreCell
	a.Value, b.Value, c.Value = "a", "new", "gone"
	for i := range 100 {
		a.Before.Add(float64(i%2), 1)
		a.After.Add(float64(i%2), 1)
		b.After.Add(0, 1)
		c.Before.Add(1, 1)
	}
	s, change := Split("x", []quality.ScoreCell{a, b, c})
	if s.Mix.Value != 0 || s.Within.Value != 0 || math.Abs(s.New.Value+0.25) > 1e-9 || math.Abs(s.Gone.Value+0.25) > 1e-9 || math.Abs(change.Value+0.5) > 1e-9 {
		t.Errorf("got %+v of %v, want a quarter by what is new and a quarter by what is gone", s, change)
	}
	if s, change := Split("x", []quality.ScoreCell{b, c}); s.New != change || !reflect.DeepEqual(s.Mix, quality.Figure{}) {
		t.Errorf("nothing in common: got %+v of %v", s, change)
	}
}

// Intervals hold the truth in 93 to 97 of 100 runs, with weights and without. The weights are those of a
// sampling that keeps some languages rarely, and bad answers more often.
func TestIntervalsHold(t *testing.T) {
	runs := 2000
	if testing.Short() {
		runs = 800
	}
	for _, weighted := range []bool{false, true} {
		rng := rand.New(rand.NewPCG(7, 11))
		share := [2][]float64{{0.5, 0.3, 0.2}, {0.3, 0.3, 0.4}}
		mean := [2][]float64{{0.92, 0.85, 0.7}, {0.92, 0.75, 0.68}}
		truth := trueParts(share, mean)
		var held [3]int
		for range runs {
			cells := simulate(rng, share, mean, 1500, weighted)
			s, change := Split("language", cells)
			for i, f := range []quality.Figure{s.Mix, s.Within, change} {
				if f.Interval[0] <= truth[i] && truth[i] <= f.Interval[1] {
					held[i]++
				}
			}
		}
		slack := 3 * math.Sqrt(0.95*0.05/float64(runs)) // of the simulation
		for i, name := range []string{"mix", "within", "change"} {
			got := float64(held[i]) / float64(runs)
			t.Logf("weighted %v: %s held in %.1f %% of %d runs", weighted, name, 100*got, runs)
			if got < min(0.93, 0.95-slack) || got > max(0.97, 0.95+slack) {
				t.Errorf("weighted %v: interval of %s held in %.1f %%, want 93 to 97 %%", weighted, name, 100*got)
			}
		}
	}
}

func trueParts(share, mean [2][]float64) (out [3]float64) {
	for g := range share[0] {
		out[0] += (share[1][g] - share[0][g]) * (mean[0][g] + mean[1][g]) / 2
		out[1] += (share[1][g] + share[0][g]) / 2 * (mean[1][g] - mean[0][g])
	}
	out[2] = out[0] + out[1]
	return out
}

// simulate draws n scores of pass or fail on each side.
func simulate(rng *rand.Rand, share, mean [2][]float64, n int, weighted bool) []quality.ScoreCell {
	cells := make([]quality.ScoreCell, len(share[0]))
	for g := range cells {
		cells[g].Value = string(rune('a' + g))
	}
	for side := range 2 {
		for range n {
			u, g := rng.Float64(), 0
			for g < len(cells)-1 && u > share[side][g] {
				u -= share[side][g]
				g++
			}
			v, keep := 0.0, 1.0
			if rng.Float64() < mean[side][g] {
				v = 1
			}
			if weighted {
				keep = []float64{0.9, 0.5, 0.25}[g]
				if v == 0 {
					keep = min(1, 2*keep)
				}
				if rng.Float64() > keep {
					continue
				}
			}
			s := []*quality.Sums{&cells[g].Before, &cells[g].After}[side]
			s.Add(v, 1/keep)
		}
	}
	return cells
}

// Of the slices that are named as worse at most one in twenty is not, over attributes that overlap.
func TestFalseDiscoveries(t *testing.T) {
	runs := 400
	if testing.Short() {
		runs = 150
	}
	rng := rand.New(rand.NewPCG(3, 5))
	var proportion float64
	found, wanted := 0, 0
	for range runs {
		splits := map[string][]quality.ScoreCell{"customer": make([]quality.ScoreCell, 40), "language": make([]quality.ScoreCell, 4), "region": make([]quality.ScoreCell, 8)}
		for name, cells := range splits {
			for i := range cells {
				cells[i].Attribute, cells[i].Value = name, string(rune('a'+i))
			}
		}
		for i := range 8000 {
			customer, region := rng.IntN(40), rng.IntN(8)
			language := customer % 4
			p := 0.92
			if i >= 4000 && customer < 5 { // five customers got worse, and with them the languages they speak
				p = 0.72
			}
			v := 0.0
			if rng.Float64() < p {
				v = 1
			}
			for name, k := range map[string]int{"customer": customer, "language": language, "region": region} {
				c := &splits[name][k]
				if i < 4000 {
					c.Before.Add(v, 1)
				} else {
					c.After.Add(v, 1)
				}
			}
		}
		list, _, _ := Carrying(splits, -0.025, 0.01, quality.WorseLower)
		wrong := 0
		for _, c := range list {
			if c.Attribute == "customer" {
				if k := c.Value[0] - 'a'; c.Value < "f" && k < 5 {
					found++
				} else {
					wrong++
				}
			}
		}
		wanted += 5
		if len(list) > 0 {
			proportion += float64(wrong) / float64(len(list))
		}
	}
	rate := proportion / float64(runs)
	t.Logf("share of false discoveries %.3f, found %d of %d bad customers, in %d runs", rate, found, wanted, runs)
	if rate > 0.05 {
		t.Errorf("share of false discoveries %.3f, want at most 0.05", rate)
	}
	if float64(found) < 0.4*float64(wanted) {
		t.Errorf("found %d of %d, want more than that", found, wanted)
	}
}

// When nothing changed hardly anything is named.
func TestNothingWorse(t *testing.T) {
	rng := rand.New(rand.NewPCG(8, 9))
	named := 0
	for range 300 {
		share := [2][]float64{make([]float64, 30), make([]float64, 30)}
		mean := [2][]float64{make([]float64, 30), make([]float64, 30)}
		for s := range 2 {
			for g := range 30 {
				share[s][g], mean[s][g] = 1.0/30, 0.97
			}
		}
		if list, _, _ := Carrying(map[string][]quality.ScoreCell{"customer": simulate(rng, share, mean, 1500, false)}, -0.01, 0.01, quality.WorseLower); len(list) > 0 {
			named++
		}
	}
	t.Logf("something named in %d of 300 runs without a change", named)
	if named > 15 {
		t.Errorf("something named in %d of 300 runs without a change, want at most 15", named)
	}
}

// What is worse when higher is found as its mirror is.
func TestWorseHigher(t *testing.T) {
	var up, down []quality.ScoreCell
	for i, value := range []string{"de", "en"} {
		u, d := quality.ScoreCell{Value: value}, quality.ScoreCell{Value: value}
		for j := range 400 {
			v := float64(j % 10)
			u.Before.Add(v, 1)
			d.Before.Add(-v, 1)
			if i == 0 {
				v += 3
			}
			u.After.Add(v, 1)
			d.After.Add(-v, 1)
		}
		up, down = append(up, u), append(down, d)
	}
	a, _, _ := Carrying(map[string][]quality.ScoreCell{"language": up}, 1.5, 0.1, quality.WorseHigher)
	b, _, _ := Carrying(map[string][]quality.ScoreCell{"language": down}, -1.5, 0.1, quality.WorseLower)
	none, _, _ := Carrying(map[string][]quality.ScoreCell{"language": up}, 1.5, 0.1, quality.WorseLower)
	if len(a) != 1 || len(b) != 1 || a[0].Value != "de" || a[0].P != b[0].P || a[0].Share != b[0].Share || len(none) != 0 {
		t.Errorf("got %+v, %+v and %+v", a, b, none)
	}
}
