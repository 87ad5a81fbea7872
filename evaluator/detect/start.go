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

// Constants of the interval of a start.
const (
	startReach    = 10   // of the true start from an estimated one, in variances over the squared drop
	startDoubtful = 0.01 // a stake with less of the leader's evidence has no say
)

// StartInterval returns a 95 % interval of Start, for a fall that came at once. The estimate of a change
// between two known means is off by a random number of samples that grows with their variance and falls
// with the square of the step (Bai 1997). But the step is not known at an alarm, and the stakes differ on
// it: the interval holds what every stake that has evidence would say. It begins at the first live sample
// at the earliest, ends at the alarm at the latest, and stays as it was at the alarm.
func (d *Detector) StartInterval() (lo, hi uint64) {
	if d.alarm != nil {
		return d.alarm.earliest, d.alarm.latest
	}
	best := d.excess.value[d.excess.leader()]
	if best <= 1 {
		return 0, d.live
	}
	lo, hi = d.live, 0
	for k, v := range d.excess.value {
		if v < best*startDoubtful || v <= 1 {
			continue
		}
		l, h := d.startsOf(k)
		lo, hi = min(lo, l), max(hi, h)
	}
	return lo, hi
}

// startsOf is the interval that excursion k would give.
func (d *Detector) startsOf(k int) (lo, hi uint64) {
	start, s := d.excess.start[k], d.shift(k)
	if s.current <= 0 || s.drop <= 0 {
		return 0, d.live
	}
	reach := math.Ceil(startReach * d.vif.value * max(s.single, d.s0*d.s0) / (s.drop * s.drop))
	if reach < float64(start) {
		lo = start - uint64(reach)
	}
	hi = d.live
	if reach < float64(hi-start) {
		hi = start + uint64(reach)
	}
	return lo, hi
}
