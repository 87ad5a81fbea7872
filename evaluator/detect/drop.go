package detect

import "math"

// Drop estimates how far the mean of y lies below the reference since the estimated start, up to the end
// if there is one, with a 95 % interval that may be looked at after every sample: see HalfWidth. Strata are
// compared with themselves, in the mix of what came since the start. Without any sample to tell from, the
// drop is 0 and the interval -1 to 1.
func (d *Detector) Drop() (drop, lo, hi float64) {
	s := d.shift(d.excess.leader())
	if s.current <= 0 {
		return 0, -1, 1
	}
	half := HalfWidth(s.single, s.current, s.reference, d.vif.value)
	return s.drop, max(-1, s.drop-half), min(1, s.drop+half)
}

// shift is a drop with the variances of the two means that it is the difference of.
type shift struct {
	drop      float64
	current   float64 // variance of the mean since the start; 0 where there is none
	reference float64
	single    float64 // variance of one sample
}

// shift compares every stratum with its reference, since the start of excursion k.
func (d *Detector) shift(k int) (s shift) {
	total := 0.0
	for g := d.latest; g != nil; g = g.next {
		if cur, ref := d.sides(g, k); ref.W > 0 {
			total += cur.W
		}
	}
	for g := d.latest; g != nil; g = g.next {
		cur, ref := d.sides(g, k)
		if cur.W <= 0 || ref.W <= 0 {
			continue
		}
		share := cur.W / total
		s.drop += share * (ref.mean() - cur.mean())
		s.current += share * share * cur.variance() / cur.effective()
		s.reference += share * share * ref.variance() / ref.effective()
		s.single += share * cur.variance()
	}
	return s
}

// sides returns what came to a stratum since the start of excursion k, or since that of the alarm up to
// the end if there is one, and the reference without it.
func (d *Detector) sides(g *stratum, k int) (cur, ref sums) {
	m, ok := g.before(k, d.excess.start[k])
	switch {
	case d.alarm == nil && (!ok || d.excess.value[k] <= 1):
		return sums{}, g.ref
	case d.alarm == nil:
		return g.ref.minus(m), m
	case d.alarm.ended && ok:
		return m, g.ref
	default:
		return g.cur, g.ref
	}
}

// Constants of the interval of a drop.
const (
	mixing  = 25.0  // samples at which the boundary is tightest, over about nine
	mistake = 0.025 // chance that the boundary is ever crossed
)

// HalfWidth is half of the width of the 95 % interval of the difference of two means, one of samples that
// keep coming and one of a reference that stays as it is: the boundary of a normal mixture (Robbins 1970)
// for the first, which may be looked at after every sample, and the fixed error of the second, which is not
// looked at again and again. single is the variance of one sample, current and reference are those of the
// two means as if samples were independent, and vif is by how much dependence inflates them. Where samples do not
// vary at all only the reference leaves a doubt.
func HalfWidth(single, current, reference, vif float64) float64 {
	if !(single > 0 && current > 0) {
		return 1.96 * math.Sqrt(vif*reference)
	}
	n := single / current / vif
	boundary := vif * current * (n + mixing) / n * math.Log((n+mixing)/(mixing*mistake*mistake))
	return math.Sqrt(boundary + 1.96*1.96*vif*reference)
}
