package detect

import "math"

// inflationBatch is the number of samples whose mean is compared with the next ones. It must be some
// twenty correlation lengths.
const inflationBatch = 40

// inflation estimates by how much dependence of successive samples inflates the variance of means. It
// compares means of neighbouring batches, which a shift of level leaves alone but for one difference.
type inflation struct {
	value    float64 // 1 for independent samples
	variance float64 // of one weighted residual
	sum      float64 // of the open batch
	last     float64 // mean of the batch before
	squares  float64 // sum of squared differences
	diffs    uint32
	count    uint8
	hasLast  bool
}

func newInflation(variance float64) inflation {
	return inflation{value: 1, variance: variance}
}

// add takes the next residual and reports whether the value changed.
func (v *inflation) add(e float64) bool {
	v.sum += e
	v.count++
	return v.count >= inflationBatch && v.batch()
}

// batch ends a batch.
func (v *inflation) batch() bool {
	m := v.sum / inflationBatch
	v.sum, v.count = 0, 0
	if v.hasLast && v.diffs < math.MaxUint32 {
		v.squares += (m - v.last) * (m - v.last)
		v.diffs++
	}
	v.last, v.hasLast = m, true
	return v.estimate()
}

// estimate sets the value: 1 unless the batches vary more than chance lets independent ones vary, and
// then on the safe side.
func (v *inflation) estimate() bool {
	if v.diffs == 0 {
		return false
	}
	n := float64(v.diffs)
	x := inflationBatch * v.squares / n / 2 / v.variance
	se := math.Sqrt(3 / n)
	old := v.value
	if v.value = 1; x > 1+2.5*se {
		v.value = x * (1 + se)
	}
	return v.value != old
}

// interrupt begins a new row of batches: what comes does not follow what was.
func (v *inflation) interrupt() {
	v.sum, v.count, v.hasLast = 0, 0, false
}
