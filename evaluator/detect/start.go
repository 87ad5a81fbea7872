package detect

import "math"

// Start estimates how many live samples came before the first bad one. Without any evidence it is all.
func (d *Detector) Start() uint64 {
	if d.alarm != nil {
		return d.alarm.start
	}
	k := d.excess.leader()
	if d.excess.value[k] <= 1 {
		return d.live
	}
	return d.excess.start[k]
}

// startReach is how far the true start of a step may be from the estimated one, in units of the variance
// over the squared drop.
const startReach = 11

// StartInterval returns a 95 % interval of Start, for a fall that came at once: the estimate of a change
// between two known means is off by a random number of samples that grows with the variance and falls
// with the square of the step (Bai 1997). It ends at the alarm, and does not begin before the first live
// sample. It gets better as the size of the drop becomes known.
func (d *Detector) StartInterval() (lo, hi uint64) {
	start, end := d.Start(), d.live
	if d.alarm != nil {
		end = d.alarm.at
	}
	s := d.shift()
	if s.current <= 0 || s.drop <= 0 {
		return 0, end
	}
	reach := math.Ceil(startReach * d.vif.value * max(s.single, d.s0*d.s0) / (s.drop * s.drop))
	if reach < float64(start) {
		lo = start - uint64(reach)
	}
	if reach < float64(end-start) {
		end = start + uint64(reach)
	}
	return lo, end
}
