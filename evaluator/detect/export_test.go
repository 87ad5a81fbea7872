package detect

// Pinned is the lower bound that the pinned half bets against.
func (d *Detector) Pinned() float64 { return d.low }

// PinnedEvidence is that of the pinned half alone.
func (d *Detector) PinnedEvidence() float64 { return d.pinned.mean() }
