// Package overlap estimates how far a metric moves when its scorer changes, from samples that both versions
// have scored: the step that must be known before scores of two versions are compared.
//
// It is pure: pairs in, a step with its interval out. It leaves out where pairs come from and who is told.
package overlap

import (
	"cmp"
	"math"
	"slices"

	"github.com/asgood-dev/asgood/internal/quality"
)

// Pair is what two versions of a scorer said of one sample.
type Pair struct {
	Sample string // its id
	Old    float64
	New    float64
	Weight float64 // how many outputs the sample stands for; 0 means 1
}

// Options say what the values are.
type Options struct {
	Range *[2]float64 // bounds of the metric in both versions; nil means that it has none
	Worst int         // how many disagreements are listed; 0 means DefaultWorst
}

// DefaultWorst is how many disagreements are listed when nothing else is asked for.
const DefaultWorst = 10

// Result is the step from one version to the other.
type Result struct {
	Step      float64        `json:"step"`      // weighted mean of new less old, in the metric's unit
	Interval  [2]float64     `json:"interval"`  // of the step, 95 %
	N         uint64         `json:"n"`         // pairs
	Agreement float64        `json:"agreement"` // share of the outputs of which both say the same
	Worst     []Disagreement `json:"worst"`     // the largest differences, the largest first
}

// Disagreement is a sample of which the versions say different things.
type Disagreement struct {
	Sample string  `json:"sample"`
	Old    float64 `json:"old"`
	New    float64 `json:"new"`
}

// Estimate compares the pairs. An error is of kind invalid: no pair, only one without bounds, or a value or
// weight that cannot be.
func Estimate(pairs []Pair, o Options) (Result, error) {
	least := 1
	if o.Range == nil {
		least = 2
	}
	if len(pairs) < least {
		return Result{}, quality.Errorf(quality.KindInvalid, "%d samples were scored by both versions, want %d or more", len(pairs), least)
	}
	if err := check(pairs, o.Range); err != nil {
		return Result{}, err
	}
	r := Result{N: uint64(len(pairs)), Step: mean(pairs), Worst: worst(pairs, cmp.Or(o.Worst, DefaultWorst))}
	agreed, all := 0.0, 0.0
	for _, p := range pairs {
		if all += p.weight(); same(p) {
			agreed += p.weight()
		}
	}
	r.Agreement = agreed / all
	if o.Range != nil {
		r.Interval = bounded(pairs, o.Range[1]-o.Range[0], r.Step)
	} else {
		r.Interval = unbounded(pairs, r.Step)
	}
	return r, nil
}

func (p Pair) weight() float64 {
	if p.Weight == 0 {
		return 1
	}
	return p.Weight
}

func check(pairs []Pair, within *[2]float64) error {
	if within != nil && !(within[0] < within[1]) {
		return quality.Errorf(quality.KindInvalid, "bounds %v to %v: want the lower first", within[0], within[1])
	}
	for _, p := range pairs {
		if w := p.weight(); !(w > 0) || math.IsInf(w, 0) {
			return quality.Errorf(quality.KindInvalid, "sample %q: a weight of %v", p.Sample, p.Weight)
		}
		for _, v := range []float64{p.Old, p.New} {
			switch {
			case math.IsNaN(v) || math.IsInf(v, 0):
				return quality.Errorf(quality.KindInvalid, "sample %q: %v is not a finite number", p.Sample, v)
			case within != nil && (v < within[0] || v > within[1]):
				return quality.Errorf(quality.KindInvalid, "sample %q: %v is outside the bounds %v to %v", p.Sample, v, within[0], within[1])
			}
		}
	}
	return nil
}

func mean(pairs []Pair) float64 {
	sum, all := 0.0, 0.0
	for _, p := range pairs {
		sum, all = sum+p.weight()*(p.New-p.Old), all+p.weight()
	}
	return sum / all
}

// same allows for how numbers are rounded.
func same(p Pair) bool {
	return math.Abs(p.New-p.Old) <= 1e-9*max(1, math.Abs(p.Old), math.Abs(p.New))
}

func worst(pairs []Pair, most int) []Disagreement {
	sorted := slices.Clone(pairs)
	slices.SortFunc(sorted, func(a, b Pair) int {
		return cmp.Or(cmp.Compare(math.Abs(b.New-b.Old), math.Abs(a.New-a.Old)), cmp.Compare(a.Sample, b.Sample))
	})
	out := []Disagreement{}
	for _, p := range sorted {
		if len(out) == most || same(p) {
			break
		}
		out = append(out, Disagreement{Sample: p.Sample, Old: p.Old, New: p.New})
	}
	return out
}
