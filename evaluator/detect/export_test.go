package detect

// Pinned is the lower bound that the pinned half bets against.
func (d *Detector) Pinned() float64 { return d.low }

// PinnedEvidence is that of the pinned half alone.
func (d *Detector) PinnedEvidence() float64 { return d.pinned.mean() }

// Know makes the mean of the reference known: it is this, stays this, and is its own lower bound.
func (d *Detector) Know(mean float64) {
	const samples = 1e15
	d.m0, d.reach, d.low = mean, 0, mean
	d.latest.ref = sums{W: samples, Y: mean * samples, YY: mean * mean * samples, WW: samples}
}
