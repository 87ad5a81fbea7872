package quality

import "time"

// Sums are the weighted sums of some scores: all that means, shares and their errors need. Sums of parts add
// up to the sums of the whole.
type Sums struct {
	N    uint64  `json:"n"`
	W    float64 `json:"w"`    // of weights
	WV   float64 `json:"wv"`   // of weight * value
	WVV  float64 `json:"wvv"`  // of weight * value^2
	WW   float64 `json:"ww"`   // of weight^2
	WWV  float64 `json:"wwv"`  // of weight^2 * value
	WWVV float64 `json:"wwvv"` // of weight^2 * value^2
}

// Add takes in one score.
func (s *Sums) Add(v, w float64) {
	s.N++
	s.W, s.WV, s.WVV = s.W+w, s.WV+w*v, s.WVV+w*v*v
	s.WW, s.WWV, s.WWVV = s.WW+w*w, s.WWV+w*w*v, s.WWVV+w*w*v*v
}

// Plus returns the sums of both together.
func (s Sums) Plus(o Sums) Sums {
	return Sums{s.N + o.N, s.W + o.W, s.WV + o.WV, s.WVV + o.WVV, s.WW + o.WW, s.WWV + o.WWV, s.WWVV + o.WWVV}
}

// Minus returns the sums without those of a part. A part that is larger than the whole leaves nothing.
func (s Sums) Minus(o Sums) Sums {
	if o.N >= s.N {
		return Sums{}
	}
	return Sums{s.N - o.N, s.W - o.W, s.WV - o.WV, s.WVV - o.WVV, s.WW - o.WW, s.WWV - o.WWV, s.WWVV - o.WWVV}
}

// Mean is the weighted mean, 0 without scores.
func (s Sums) Mean() float64 {
	if s.W <= 0 {
		return 0
	}
	return s.WV / s.W
}

// Variance is the weighted variance around the mean, never negative.
func (s Sums) Variance() float64 {
	if s.N < 2 || s.W <= 0 {
		return 0
	}
	m := s.Mean()
	return max(0, s.WVV/s.W-m*m) * float64(s.N) / float64(s.N-1)
}

// Effective is how many scores of equal weight would tell as much.
func (s Sums) Effective() float64 {
	if s.WW <= 0 {
		return float64(s.N)
	}
	return s.W * s.W / s.WW
}

// Estimate is the mean with its count.
func (s Sums) Estimate() Estimate {
	if s.N == 0 || s.W <= 0 {
		return Estimate{N: s.N}
	}
	m := s.Mean()
	return Estimate{N: s.N, Mean: &m}
}

// Period is a time with an end: To is not in it.
type Period struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
}

// AttributeVersion names the scorer with its version among the attributes of scores.
const AttributeVersion = "scorer version"

// ScoreQuery chooses the scores of a metric in two periods. What lies between them is in neither.
type ScoreQuery struct {
	Feature, Metric string
	Slice           Slice // empty means all traffic but canaries
	Before, After   Period
	Worse           Direction
}

// ScoreCell is the part of some scores that has one value of an attribute.
type ScoreCell struct {
	Attribute, Value string
	First            time.Time // first score with the value, from the beginning of the period before on
	Before, After    Sums
}

// ScoreStep are the scores of a short period.
type ScoreStep struct {
	Period
	Sums Sums
}

// SplitCell is the part of some scores that has one value of an attribute, with another value and without it.
type SplitCell struct {
	Value         string
	With          bool
	Before, After Sums
}

// ScoredSample names a sample with its score, and the beginning of its input.
type ScoredSample struct {
	ID         string
	Time       time.Time
	Value      float64
	Customer   string
	Attributes map[string]string
	Input      string // at most 2,000 characters
}
