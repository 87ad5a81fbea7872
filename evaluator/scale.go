package evaluator

import (
	"fmt"
	"math"

	"github.com/asgood-dev/asgood/internal/quality"
)

// maxValue bounds what is averaged: squares of larger values would drown the rest.
const maxValue = 1e15

// scale maps a metric's values to y in [0,1] where higher is better, which is what detectors read.
type scale struct {
	lo, hi    float64
	mirrored  bool // the metric gets worse when it rises
	unbounded bool // y comes from ranks in the baseline instead
}

// check returns why a value cannot be judged, or nil.
func (s scale) check(v float64) error {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return fmt.Errorf("value %v is not a finite number", v)
	}
	if math.Abs(v) > maxValue {
		return fmt.Errorf("value %v is beyond %g: no mean can be told", v, maxValue)
	}
	if !s.unbounded && (v < s.lo || v > s.hi) {
		return fmt.Errorf("value %v is outside the metric's range %v to %v", v, s.lo, s.hi)
	}
	return nil
}

// y maps a value of a bounded metric.
func (s scale) y(v float64) float64 {
	y := (v - s.lo) / (s.hi - s.lo)
	if s.mirrored {
		y = 1 - y
	}
	return y
}

// value maps y back to the metric's unit.
func (s scale) value(y float64) float64 {
	if s.mirrored {
		y = 1 - y
	}
	return s.lo + y*(s.hi-s.lo)
}

// change turns a drop of y and its interval into a change of the metric in its own unit.
func (s scale) change(drop, lo, hi float64) (float64, [2]float64) {
	w := s.hi - s.lo
	if s.mirrored {
		return drop * w, [2]float64{lo * w, hi * w}
	}
	return -drop * w, [2]float64{-hi * w, -lo * w}
}

// drop is a drop of y in the metric's unit, nil where it is no drop or more than there can be.
func (s scale) drop(y float64) *float64 {
	if !(y > 0 && y <= 1) {
		return nil
	}
	return ptr(y * (s.hi - s.lo))
}

// possible cuts an interval of a change to what the metric's bounds allow from a baseline.
func (s scale) possible(base float64, i [2]float64) *[2]float64 {
	if s.unbounded {
		return &i
	}
	return &[2]float64{max(i[0], s.lo-base), min(i[1], s.hi-base)}
}

// bounds is the range shown to readers.
func (s scale) bounds() [2]float64 {
	if s.unbounded {
		return [2]float64{}
	}
	return [2]float64{s.lo, s.hi}
}

// worseBy is how much worse a change is in the metric's unit, negative when it is better.
func (s scale) worseBy(change float64) float64 {
	if s.mirrored {
		return change
	}
	return -change
}

func direction(s scale) quality.Direction {
	if s.mirrored {
		return quality.WorseHigher
	}
	return quality.WorseLower
}

// badness orients the values of an unbounded metric: higher is worse.
func (s scale) badness(v float64) float64 {
	if s.mirrored {
		return v
	}
	return -v
}

// opposite is the scale on which an improvement is a drop.
func (s scale) opposite() scale {
	s.mirrored = !s.mirrored
	return s
}
