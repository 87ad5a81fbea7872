package evaluator

import "math"

// moments are the weighted sums of some values, taken around a centre so that small spreads far from
// zero are not lost.
type moments struct {
	C          float64 // the centre
	N          uint64
	W, WV, WVV float64
	WW, WE     float64
}

func (m *moments) add(v, w float64) {
	d := v - m.C
	m.N++
	m.WW += w * w
	m.W += w
	m.WV += w * d
	m.WVV += w * d * d
}

func (m moments) mean() float64 { return m.C + m.WV/m.W }

// variance is the weighted variance around the mean, never negative.
func (m moments) variance() float64 {
	if m.N < 2 {
		return 0
	}
	mean := m.WV / m.W
	return max(0, m.WVV/m.W-mean*mean) * float64(m.N) / float64(m.N-1)
}

// effective is how many equally weighted values would tell as much.
func (m moments) effective() float64 {
	if m.WW <= 0 {
		return math.Max(1, float64(m.N))
	}
	return m.W * m.W / m.WW
}

func (m *moments) fields(c *codec) {
	c.uint(&m.N)
	for _, f := range []*float64{&m.C, &m.W, &m.WV, &m.WVV, &m.WW, &m.WE} {
		c.float(f)
	}
}
