package detect

// closeThreshold is the evidence that ends a regression: one false end in so many bad samples.
const closeThreshold = 1e4

// leastGap is the smallest drop whose end is looked for: a smaller one could not be told from its end.
const leastGap = 0.02

// alarm is what a detector remembers of its alarm while it is raised.
type alarm struct {
	evidence float64
	start    uint64 // estimated, in live samples before the first bad one
	earliest uint64 // the interval of the start
	latest   uint64
	gap      float64
	ended    bool
	endedAt  uint64
}

// Raise takes the alarm: from now on the reference is what it was at the estimated start, and the
// detector looks for the end.
func (d *Detector) Raise() {
	if d.alarm != nil {
		return
	}
	k := d.excess.leader()
	a := &alarm{evidence: d.E(), start: d.Start()}
	a.earliest, a.latest = d.StartInterval()
	for g := d.latest; g != nil; g = g.next {
		g.cut(k, a.start)
	}
	d.alarm = a
	drop, _, _ := d.Drop()
	a.gap = max(drop, leastGap)
	d.self, d.pinned, d.excess = evidence{}, evidence{}, excursion{}
}

// Raised reports whether Raise was called and Reset was not.
func (d *Detector) Raised() bool { return d.alarm != nil }

// watchEnd bets, while raised, that the mean is back within a quarter of the gap.
func (d *Detector) watchEnd(g *stratum, y, w float64) {
	if d.alarm.ended {
		g.cur.add(y, w)
		return
	}
	d.excess.begin(d.live - 1)
	g.mark(&d.excess.start, d.live-1, &g.cur)
	g.cur.add(y, w)
	q := max(0, g.ref.mean()-d.alarm.gap/4)
	var f [betCount]float64
	d.bets.factors(&f, w*(y-q), 1-q, d.vif.value)
	d.self.add(&f)
	d.excess.grow(&f)
	if d.self.mean() >= closeThreshold {
		d.alarm.ended, d.alarm.endedAt = true, d.excess.start[d.excess.leader()]
	}
}

// Recovered reports whether the mean is back. It stays so until Reset.
func (d *Detector) Recovered() bool { return d.alarm != nil && d.alarm.ended }

// RecoveredFrom estimates how many live samples came before the first good one again.
func (d *Detector) RecoveredFrom() uint64 {
	if d.alarm == nil {
		return 0
	}
	return d.alarm.endedAt
}

// Reset starts the evidence anew against the reference as it was frozen. Without Raise before it the
// reference stays as it is.
func (d *Detector) Reset() {
	d.self, d.pinned, d.excess, d.alarm = evidence{}, evidence{}, excursion{}, nil
	for g := d.latest; g != nil; g = g.next {
		g.cur = sums{}
	}
	d.vif.interrupt()
}
