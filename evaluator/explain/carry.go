package explain

import (
	"cmp"
	"math"
	"slices"

	"github.com/asgood-dev/asgood/evaluator/quantile"
	"github.com/asgood-dev/asgood/internal/quality"
)

const (
	minTested      = 20   // scores on either side below which a slice is not tested
	falseDiscovery = 0.05 // share of the named slices that may be wrong
	maxCarrying    = 20
)

// tested is a slice with its test.
type tested struct {
	quality.CarryingPart
	excess float64 // its share of the change within beyond its share of the traffic
}

// Carrying returns the slices that are known to have got worse, the one that stands out most first, and how
// many were tested and how many were too small. Values of all attributes overlap in the same scores, so the
// control holds for tests that depend on each other in any way: Benjamini and Yekutieli (2001).
func Carrying(splits map[string][]quality.ScoreCell, change, material float64, worse quality.Direction) (out []quality.CarryingPart, n, small int) {
	var all []tested
	for attribute, cells := range splits {
		list, few := test(attribute, cells, change, material, worse)
		all, small = append(all, list...), small+few
	}
	slices.SortFunc(all, func(a, b tested) int {
		return cmp.Or(cmp.Compare(a.P, b.P), cmp.Compare(a.Attribute, b.Attribute), cmp.Compare(a.Value, b.Value))
	})
	found := all[:discoveries(all, falseDiscovery)]
	slices.SortStableFunc(found, func(a, b tested) int {
		if a.Stands != b.Stands {
			if a.Stands {
				return -1
			}
			return 1
		}
		return cmp.Compare(b.excess, a.excess)
	})
	for _, t := range found[:min(len(found), maxCarrying)] {
		out = append(out, t.CarryingPart)
	}
	return out, len(all), small
}

// discoveries is how many of the smallest p-values are taken.
func discoveries(sorted []tested, q float64) int {
	m, harmonic := float64(len(sorted)), 0.0
	for i := range sorted {
		harmonic += 1 / float64(i+1)
	}
	for k := len(sorted); k > 0; k-- {
		if sorted[k-1].P <= q*float64(k)/(m*harmonic) {
			return k
		}
	}
	return 0
}

func sign(worse quality.Direction) float64 {
	if worse == quality.WorseHigher {
		return 1
	}
	return -1
}

// test tests every value of an attribute that is on both sides.
func test(attribute string, cells []quality.ScoreCell, change, material float64, worse quality.Direction) (out []tested, small int) {
	list := segments(cells)
	p := decompose(list)
	for i := range list {
		c := &list[i]
		if !c.common {
			continue
		}
		if c.value == other || c.s[0].N < minTested || c.s[1].N < minTested {
			small++
			continue
		}
		t := tested{CarryingPart: quality.CarryingPart{Attribute: attribute, Value: c.value, Change: c.step(), Traffic: (c.w[0] + c.w[1]) / 2, P: 1}}
		if v := c.pooled(); v > 0 {
			t.P = upper(sign(worse) * t.Change.Value / math.Sqrt(v))
		}
		part := t.Traffic * t.Change.Value
		if change != 0 {
			t.Share = part / change
		}
		if p.within.Value != 0 {
			t.excess = part/p.within.Value - t.Traffic
		}
		t.compare(list, i, material, worse, len(list))
		out = append(out, t)
	}
	return out, small
}

// compare says how the rest of the traffic fared.
func (t *tested) compare(list []cell, self int, material float64, worse quality.Direction, values int) {
	var share, v, variance float64
	for i := range list {
		if c := &list[i]; c.common && i != self {
			w := (c.w[0] + c.w[1]) / 2
			f := c.step()
			half := (f.Interval[1] - f.Interval[0]) / 2 / quantile.Normal95
			share, v, variance = share+w, v+w*f.Value, variance+w*w*half*half
		}
	}
	if share <= 0 {
		return
	}
	rest := figure(v/share, variance/(share*share))
	t.Rest = &rest
	half := (t.Change.Interval[1] - t.Change.Interval[0]) / 2 / quantile.Normal95
	if se := math.Sqrt(half*half + variance/(share*share)); se > 0 {
		p := upper(sign(worse) * (t.Change.Value - rest.Value) / se)
		t.Stands = t.excess > 0.05 && p < 0.01/float64(max(values, 1))
	}
	t.RestSame = rest.Zero() && math.Abs(rest.Value) < max(material, math.Abs(t.Change.Value)/4)
}

// upper is the probability that a standard normal value is over z.
func upper(z float64) float64 { return math.Erfc(z/math.Sqrt2) / 2 }
