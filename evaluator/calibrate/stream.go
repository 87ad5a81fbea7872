package calibrate

import (
	"fmt"
	"math"
)

// Pair is one judged sample of a stream, both marks scaled to 0 to 1, higher is better.
type Pair struct {
	Judge float64
	Human *float64 // nil: nobody labelled it
}

// StreamOptions configure a Stream.
type StreamOptions struct {
	Chance    float64 // probability that a sample is labelled, above 0, at most 1
	Threshold float64 // wanted mean number of samples to a false alarm, 100 to 1e12
}

// streamBets is how many bets a stream makes at once, as package detect does for plain scores.
const streamBets = 8

// Stream finds that a feature got worse in the eyes of people, of whom only few are asked, with the help of a
// judge that may itself move: its values have the mean of the labels whatever the judge does. It is the
// detector of package detect, see there and docs/statistics.md, on label-corrected values
//
//	z = g(f) + (xi / pi) (y - g(f))
//
// with g a line with intercept fitted to the labels of the baseline. The values reach up to 1/pi and down to
// 1 - 1/pi. A bet 1 + l (m - z) must not fall below 0, so the upper end bounds l to 0.9 / (1/pi - m); the
// lower one is harmless. Sources: prediction-powered e-values (arXiv 2502.04294), anytime-valid PPI (2505.18000).
//
// It is not safe for concurrent use.
type Stream struct {
	opts   StreamOptions
	line   line
	most   float64 // a value can be
	drops  [streamBets]float64
	stakes [streamBets]float64
	n, sum float64 // of the reference that learns
	low    float64 // lower confidence bound of the baseline's mean
	self   [streamBets]float64
	pinned [streamBets]float64
}

// NewStream makes a stream from a baseline with at least 30 labels.
func NewStream(o StreamOptions, baseline []Pair) (*Stream, error) {
	if !(o.Chance > 0 && o.Chance <= 1) {
		return nil, fmt.Errorf("chance of a label of %v is not above 0 and at most 1", o.Chance)
	}
	if !(o.Threshold >= 100 && o.Threshold <= 1e12) {
		return nil, fmt.Errorf("threshold %v is not between 100 and 1e12", o.Threshold)
	}
	s := &Stream{opts: o, most: 1 / o.Chance}
	if err := s.fit(baseline); err != nil {
		return nil, err
	}
	s.learn(baseline)
	return s, nil
}

// minStreamLabels is the fewest labels that a line is fitted to.
const minStreamLabels = 30

func (s *Stream) fit(baseline []Pair) error {
	var sums lineSums
	labels := 0
	for i, p := range baseline {
		if !p.valid() {
			return fmt.Errorf("observation %d of the baseline is not between 0 and 1", i+1)
		}
		if p.Human != nil {
			sums.add(p.Judge, *p.Human, 1)
			labels++
		}
	}
	if labels < minStreamLabels {
		return fmt.Errorf("baseline with %d labels, at least %d needed", labels, minStreamLabels)
	}
	s.line = sums.line()
	return nil
}

func (p Pair) valid() bool {
	return p.Judge >= 0 && p.Judge <= 1 && (p.Human == nil || *p.Human >= 0 && *p.Human <= 1)
}

// learn takes the reference and the spread from the baseline.
func (s *Stream) learn(baseline []Pair) {
	squares := 0.0
	for _, p := range baseline {
		z := s.Value(p)
		s.n, s.sum, squares = s.n+1, s.sum+z, squares+z*z
	}
	mean := s.sum / s.n
	spread := max(math.Sqrt(max(0, squares/s.n-mean*mean)*s.n/(s.n-1)), 0.02)
	s.low = mean - 2.326*spread/math.Sqrt(s.n)
	for k := range s.drops {
		// From .01 to .30 in equal ratios, smaller ones where the threshold leaves time to find them.
		least := min(.01, .01*math.Sqrt(1e5/s.opts.Threshold))
		d := least * math.Pow(.3/least, float64(k)/(streamBets-1))
		s.drops[k], s.stakes[k] = d, d/(spread*spread+d*d)
	}
}

// Value returns the label-corrected value of a pair. Over labels given by chance its mean is that of the labels.
func (s *Stream) Value(p Pair) float64 {
	g := min(max(s.line.at(p.Judge), 0), 1)
	if p.Human == nil {
		return g
	}
	return g + (*p.Human-g)/s.opts.Chance
}

// Update takes the next pair and returns the evidence after it: an alarm is due when it reaches the threshold.
// A pair out of range changes nothing.
func (s *Stream) Update(p Pair) float64 {
	if p.valid() {
		z, m := s.Value(p), s.sum/s.n
		for k, stake := range s.stakes {
			s.self[k] = bet(s.self[k], stake, m, z, s.most)
			s.pinned[k] = bet(s.pinned[k], stake, s.low, z, s.most)
		}
		s.n, s.sum = s.n+1, s.sum+z
	}
	return s.E()
}

// ceilingE keeps the evidence finite.
const ceilingE = 1e300

// bet is one step of a Shiryaev-Roberts sum. The upper end of the values caps the stake.
func bet(e, stake, m, z, most float64) float64 {
	stake = min(stake, 0.9/max(most-m, 1e-9))
	return min((e+1)*max(0, 1+stake*(m-z)), ceilingE)
}

// E is the evidence that people find the outputs worse than those of the baseline.
func (s *Stream) E() float64 {
	sum := 0.0
	for k := range s.self {
		sum += s.self[k]/(2*streamBets) + s.pinned[k]/(2*streamBets)
	}
	return sum
}
