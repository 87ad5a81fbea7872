package backtest

import (
	"math"
	"math/rand/v2"
	"slices"

	"github.com/asgood-dev/asgood/internal/quality"
)

// maxSteps is up to how many distinct values a metric is one of steps, such as pass and fail or one to five.
const maxSteps = 20

// planter makes the scores of a metric worse by a size on average.
type planter struct {
	lo, width float64 // of the range; for a metric without bounds 0 and the mean's size
	mirrored  bool
	unbounded bool
	steps     []float64 // the distinct values from bad to good, where they are few
	mean      float64   // distance of the mean from the worst value, as a share of the width
	room      float64   // what one step down takes on average, as a share of the width
}

func newPlanter(m *quality.MonitorSpec, records []record) planter {
	p := planter{width: 1, mirrored: m.Worse == quality.WorseHigher, unbounded: m.Unbounded}
	mean := 0.0
	for _, r := range records {
		mean += r.value / float64(len(records))
	}
	switch {
	case m.Range != nil:
		p.lo, p.width = m.Range[0], m.Range[1]-m.Range[0]
	case m.Unbounded:
		p.width = max(math.Abs(mean), math.SmallestNonzeroFloat64)
	}
	p.mean = p.y(mean)
	p.findSteps(records)
	return p
}

// y is how far a value is from the worst, as a share of the width.
func (p *planter) y(v float64) float64 {
	y := (v - p.lo) / p.width
	if p.mirrored {
		return 1 - y
	}
	return y
}

func (p *planter) value(y float64) float64 {
	if p.mirrored {
		y = 1 - y
	}
	return p.lo + y*p.width
}

func (p *planter) findSteps(records []record) {
	for _, r := range records {
		if i, ok := slices.BinarySearch(p.steps, r.value); !ok {
			if p.steps = slices.Insert(p.steps, i, r.value); len(p.steps) > maxSteps {
				p.steps = nil
				return
			}
		}
	}
	if p.unbounded || len(p.steps) < 2 {
		p.steps = nil
		return
	}
	if p.mirrored {
		slices.Reverse(p.steps)
	}
	for _, r := range records {
		if i := slices.Index(p.steps, r.value); i > 0 {
			p.room += (p.y(r.value) - p.y(p.steps[i-1])) / float64(len(records))
		}
	}
}

// possible reports whether a drop of a size, a share of the width, can be planted at all.
func (p *planter) possible(size float64) bool {
	switch {
	case p.unbounded:
		return true
	case p.steps != nil:
		return size <= p.room
	default:
		return size < p.mean
	}
}

// worse returns a value as it would be after a drop: one step down with the chance that makes the mean drop
// by the size; nearer to the worst value where there are no steps; moved where there are no bounds.
func (p *planter) worse(v, size float64, rng *rand.Rand) float64 {
	switch {
	case p.unbounded:
		return p.value(p.y(v) - size)
	case p.steps == nil:
		return p.value(p.y(v) * (1 - size/p.mean))
	}
	if i := slices.Index(p.steps, v); i > 0 && rng.Float64() < size/p.room {
		return p.steps[i-1]
	}
	return v
}
