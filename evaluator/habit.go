package evaluator

import "math"

// Bounds of what a scorer usually says. Only scorers that say few different things can be caught saying
// one too often; the counts are halved now and then, so that they follow a product that got better.
const (
	habitValues = 8
	habitWindow = 2048
	habitChance = 1e-9 // of a row of equal scores; it is asked at every score
	habitLeast  = 20   // equal scores in a row below which nothing is said
)

// habit is how often a scorer says what. It counts a row of equal scores when the row is over, so that a row
// is judged by what was before it.
type habit struct {
	Value  float64 // said last
	Run    uint64  // times in a row
	Total  uint64  // scores counted
	Values [habitValues]float64
	Counts [habitValues]uint64  // never too small: a value that takes another's place takes its count
	Peaks  [habitValues]float64 // the largest share each ever had: a product that is well again says what it used to
}

func (h *habit) add(v float64) {
	if h.Run > 0 && v == h.Value {
		h.Run++
		return
	}
	h.close()
	h.Value, h.Run = v, 1
}

// close counts the row that is over.
func (h *habit) close() {
	if h.Run == 0 {
		return
	}
	i := h.slot()
	h.Counts[i] += h.Run
	if h.Total += h.Run; h.Total >= MinBaseline {
		h.Peaks[i] = max(h.Peaks[i], h.share(h.Counts[i]))
	}
	if h.Total < habitWindow {
		return
	}
	h.Total = 0
	for i := range h.Counts {
		h.Counts[i] /= 2
		h.Total += h.Counts[i]
	}
}

// slot is where the value is counted: its own, or that of the rarest, which it takes over.
func (h *habit) slot() int {
	rarest := 0
	for i := range h.Counts {
		if h.Counts[i] > 0 && h.Values[i] == h.Value {
			return i
		}
		if h.Counts[i] < h.Counts[rarest] {
			rarest = i
		}
	}
	h.Values[rarest] = h.Value
	return rarest
}

// constant reports whether the present row is too long to be chance, for a scorer that said different things.
func (h *habit) constant() bool {
	if h.Run < habitLeast || h.Total < MinBaseline {
		return false
	}
	count, peak := h.count()
	if count >= h.Total {
		return false
	}
	return float64(h.Run)*math.Log(max(peak, h.share(count))) < math.Log(habitChance)
}

// share is that of a value in what was counted, with one more of it and of another.
func (h *habit) share(count uint64) float64 { return (float64(count) + 1) / (float64(h.Total) + 2) }

// count is how often the present value was counted, at most, and the largest share it may have had.
func (h *habit) count() (count uint64, peak float64) {
	least := 0
	for i := range h.Counts {
		if h.Counts[i] > 0 && h.Values[i] == h.Value {
			return h.Counts[i], h.Peaks[i]
		}
		if h.Counts[i] < h.Counts[least] {
			least = i
		}
	}
	return h.Counts[least], h.Peaks[least]
}

func (h *habit) fields(c *codec) {
	c.float(&h.Value)
	c.uint(&h.Run)
	c.uint(&h.Total)
	for i := range h.Values {
		c.float(&h.Values[i])
		c.uint(&h.Counts[i])
		c.float(&h.Peaks[i])
	}
}
