package explain

import (
	"math"

	"github.com/asgood-dev/asgood/evaluator/quantile"
	"github.com/asgood-dev/asgood/internal/quality"
)

// fit compares the traffic that a suspect touched with the other traffic at the same time.
type fit struct {
	touched       float64         // share of the traffic after the start
	with, without *quality.Figure // changes against all traffic before, each at its own mix
	contrast      *quality.Figure // with less without, in the segments that have both
}

// Fit compares, segment by segment, so that a suspect that came to one kind of traffic first is not blamed
// for what that traffic always was.
func newFit(cells []quality.SplitCell) fit {
	type segment struct{ before, with, without quality.Sums }
	by := map[string]*segment{}
	var touched, all float64
	for _, c := range cells {
		s := by[c.Value]
		if s == nil {
			s = &segment{}
			by[c.Value] = s
		}
		s.before = s.before.Plus(c.Before)
		all += c.After.W
		if c.With {
			s.with = s.with.Plus(c.After)
			touched += c.After.W
		} else {
			s.without = s.without.Plus(c.After)
		}
	}
	var with, without, contrast standard
	for _, s := range by {
		with.add(s.with.W, s.with, s.before)
		without.add(s.without.W, s.without, s.before)
		contrast.add(s.with.W, s.with, s.without)
	}
	f := fit{with: with.figure(), without: without.figure(), contrast: contrast.figure()}
	if all > 0 {
		f.touched = touched / all
	}
	return f
}

// standard averages differences of segments by given shares.
type standard struct{ w, v, variance float64 }

// add takes in a segment that has enough scores in both groups.
func (s *standard) add(w float64, a, b quality.Sums) {
	if a.N < minSegment || b.N < minSegment {
		return
	}
	c := cell{s: [2]quality.Sums{b, a}, m: [2]float64{b.Mean(), a.Mean()}}
	d := c.m[1] - c.m[0]
	s.w, s.v, s.variance = s.w+w, s.v+w*d, s.variance+w*w*c.pooled()
}

func (s *standard) figure() *quality.Figure {
	if s.w <= 0 {
		return nil
	}
	f := figure(s.v/s.w, s.variance/(s.w*s.w))
	return &f
}

// mostEvidence bounds how much one comparison may speak for or against a suspect: a thousandfold would
// forget that other things than the suspect differ between the two groups.
const mostEvidence = 100

// factor is the Bayes factor of the contrast: how much likelier it is if the suspect made the whole drop
// within its traffic than if it made none of it. What it would have made is the drop over its share, give or
// take a third. Without a comparison it is 1.
func (f fit) factor(within float64) float64 {
	if f.contrast == nil || f.touched <= 0 {
		return 1
	}
	half := (f.contrast.Interval[1] - f.contrast.Interval[0]) / 2 / quantile.Normal95
	want := within / f.touched
	variance := half*half + 1e-12
	alike := logNormal(f.contrast.Value, want, variance+want*want/9)
	none := logNormal(f.contrast.Value, 0, variance)
	return math.Exp(min(max(alike-none, -math.Log(mostEvidence)), math.Log(mostEvidence)))
}

func logNormal(x, mean, variance float64) float64 {
	return -(x-mean)*(x-mean)/(2*variance) - math.Log(variance)/2
}
