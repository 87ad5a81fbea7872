// Package detect is the mathematics of finding that a stream of scores got worse: a mixture betting
// e-SR detector on an estimated baseline, the estimate of when it began and how large it is, the
// detector of recovery, and the rule that shares a budget of false alarms among many streams.
//
// It owns no clock, no input and output, no names of metrics; scores arrive as y in [0,1], higher is
// better. It leaves out what a regression is to readers: materiality, slices and texts.
//
// Sources: Shin, Ramdas, Rinaldo, "E-detectors" (arXiv 2203.03532); Waudby-Smith, Ramdas, "Estimating
// means of bounded random variables by betting" (arXiv 2010.09686); Hawkins 1987 for self-starting
// references; Dandapanthula, Ramdas (arXiv 2501.04130) for many streams. docs/statistics.md derives it.
package detect

import (
	"fmt"
	"math"
)

// MinBaseline is the smallest baseline, and the smallest stratum that is watched.
const MinBaseline = 50

// Bounds of the threshold: the range in which it is known to be the mean run length to a false alarm.
const (
	MinThreshold = 100
	MaxThreshold = 1e12
)

// closeThreshold is the evidence that ends a regression: one false end in so many bad samples.
const closeThreshold = 1e4

// ceiling keeps evidence finite; it is far above every threshold.
const ceiling = 1e300

// Options configures a Detector.
type Options struct {
	// Strata compares every observation with the mean of its own stratum. Without it strata are ignored.
	Strata bool
	// Threshold is the wanted mean number of samples to a false alarm (ARL0), MinThreshold to MaxThreshold.
	// It sets the bets and what Detectable promises; the caller compares the evidence with it.
	Threshold float64
}

// Observation is one score.
type Observation struct {
	Y       float64 // 0 to 1, higher is better
	Stratum string
	Weight  float64 // smallest inclusion probability / the sample's own, above 0, at most 1; 0 means 1
}

// Detector gathers evidence that the mean of a stream fell below its baseline. It is made from the
// baseline and fed the live samples in order. It is not safe for concurrent use.
type Detector struct {
	opts Options
	n0   uint64
	m0   float64 // mean of the baseline, one failure added where there are no strata
	s0   float64 // standard deviation within the strata
	bets bets
	vif  inflation
	low  float64 // lower confidence bound of the baseline's mean

	live    uint64
	self    [betCount]float64 // evidence against the reference that learns
	pinned  [betCount]float64 // evidence against the lower bound
	excess  excursion         // since when the evidence grows
	strata  []*stratum
	index   map[string]*stratum
	raised  bool
	frozen  float64 // evidence at the alarm
	startAt uint64  // estimated start, kept at the alarm
	gap     float64 // drop at the alarm
	closing [betCount]float64
	ended   bool
	endedAt uint64
}

// New makes a detector from a baseline of at least MinBaseline observations in their order.
func New(o Options, baseline []Observation) (*Detector, error) {
	if len(baseline) < MinBaseline {
		return nil, fmt.Errorf("baseline of %d observations, at least %d needed", len(baseline), MinBaseline)
	}
	if !(o.Threshold >= MinThreshold && o.Threshold <= MaxThreshold) {
		return nil, fmt.Errorf("threshold %v is not between %v and %v", o.Threshold, float64(MinThreshold), float64(MaxThreshold))
	}
	d := &Detector{opts: o, n0: uint64(len(baseline)), index: map[string]*stratum{}}
	for i, x := range baseline {
		if err := check(x); err != nil {
			return nil, fmt.Errorf("observation %d of the baseline: %w", i+1, err)
		}
		d.stratum(x.Stratum).ref.add(x.Y, weight(x))
	}
	if !o.Strata {
		// One failure more than were seen: a short baseline without any would make the first one an alarm.
		d.strata[0].ref.add(0, 1)
	}
	d.measure(baseline)
	d.bets = newBets(o.Threshold, d.m0, d.s0)
	d.learnInflation(baseline)
	d.bound()
	return d, nil
}

func check(x Observation) error {
	if !(x.Y >= 0 && x.Y <= 1) {
		return fmt.Errorf("y of %v is not between 0 and 1", x.Y)
	}
	if !(x.Weight >= 0 && x.Weight <= 1) {
		return fmt.Errorf("weight of %v is not between 0 and 1", x.Weight)
	}
	return nil
}

func weight(x Observation) float64 {
	if x.Weight == 0 {
		return 1
	}
	return x.Weight
}

// measure sets the mean and the spread that the bets and the lower bound are made of.
func (d *Detector) measure(baseline []Observation) {
	var all sums
	for _, g := range d.strata {
		all.join(g.ref)
	}
	d.m0 = all.mean()
	var within, df float64
	for _, x := range baseline {
		e := x.Y - d.find(x.Stratum).ref.mean()
		within += e * e
	}
	if df = float64(len(baseline) - len(d.strata)); df > 0 {
		d.s0 = math.Sqrt(within / df)
	}
	if d.s0 < 0.02 {
		d.s0 = max(0.02, math.Sqrt(d.m0*(1-d.m0))/2)
	}
}

// learnInflation reads the baseline's residuals in their order.
func (d *Detector) learnInflation(baseline []Observation) {
	d.vif = newInflation(d.s0)
	for _, x := range baseline {
		d.vif.add(x.Y - d.find(x.Stratum).ref.mean())
	}
}

// bound sets the lower confidence bound of the baseline's mean: at 95 %, at 99 % for a short baseline,
// since one in twenty of those is a liar that an alarm of once in 100,000 would notice.
func (d *Detector) bound() {
	z := 1.645
	if d.n0 < 500 {
		z = 2.326
	}
	d.low = max(0, d.m0-z*d.s0*math.Sqrt(d.vif.value/float64(d.n0)))
}

// stratum returns the stratum of a name, made when it is new.
func (d *Detector) stratum(key string) *stratum {
	if g := d.find(key); g != nil {
		return g
	}
	if !d.opts.Strata {
		key = ""
	}
	g := newStratum(key)
	d.index[key] = g
	d.strata = append(d.strata, g)
	return g
}

func (d *Detector) find(key string) *stratum {
	if !d.opts.Strata {
		if len(d.strata) == 0 {
			return nil
		}
		return d.strata[0]
	}
	return d.index[key]
}

// Expected returns the mean of y that the reference leads to expect of a stratum, and false while too
// little is known of it.
func (d *Detector) Expected(stratum string) (float64, bool) {
	g := d.find(stratum)
	if g == nil || !g.ready() {
		return 0, false
	}
	return g.ref.mean(), true
}

// Update takes the next live sample and returns the evidence after it. An observation out of range is
// a fault of the caller: it is counted as a live sample and otherwise ignored.
func (d *Detector) Update(x Observation) float64 {
	d.live++
	if check(x) != nil {
		return d.E()
	}
	g, w := d.stratum(x.Stratum), weight(x)
	switch {
	case !g.ready():
		if !d.raised {
			g.ref.add(x.Y, w)
		}
	case d.raised:
		d.watchEnd(g, x.Y, w)
	default:
		d.watch(g, x.Y, w)
	}
	return d.E()
}

// watch bets on the sample being worse than what is known of its stratum before it.
func (d *Detector) watch(g *stratum, y, w float64) {
	r := g.ref.mean()
	d.excess.begin(d.live - 1)
	g.mark(&d.excess.start, g.ref)
	a := d.bets.factors(w*(r-y), r, d.vif.value)
	for k := range a {
		d.self[k] = min((d.self[k]+1)*a[k], ceiling)
	}
	d.excess.grow(&a)
	if !d.opts.Strata {
		b := d.bets.factors(w*(d.low-y), d.low, d.vif.value)
		for k := range b {
			d.pinned[k] = min((d.pinned[k]+1)*b[k], ceiling)
		}
	}
	g.ref.add(y, w)
	if d.vif.add(y - r) {
		d.bound()
	}
}

// E is the evidence that the stream is worse than its baseline: under no change it reaches c once in c
// samples or less often, on average over baselines. While the detector is raised it stays what it was.
func (d *Detector) E() float64 {
	if d.raised {
		return d.frozen
	}
	if d.opts.Strata {
		return mean(&d.self)
	}
	return mean(&d.self)/2 + mean(&d.pinned)/2
}

// Live returns how many live samples there were.
func (d *Detector) Live() uint64 { return d.live }

// VIF returns by how much dependence of successive samples inflates the variance of their mean, 1 for none.
func (d *Detector) VIF() float64 { return d.vif.value }

// Start estimates how many live samples came before the first bad one. Without any evidence it is all.
func (d *Detector) Start() uint64 {
	if d.raised {
		return d.startAt
	}
	k := d.excess.leader()
	if d.excess.value[k] <= 1 {
		return d.live
	}
	return d.excess.start[k]
}

// Raise takes the alarm: from now on the reference is what it was at the estimated start, and the
// detector looks for the end.
func (d *Detector) Raise() {
	if d.raised {
		return
	}
	k := d.excess.leader()
	d.frozen, d.startAt = d.E(), d.Start()
	for _, g := range d.strata {
		g.cut(k, d.startAt)
	}
	drop, _, _ := d.dropOf(func(g *stratum) sums { return g.cur })
	d.gap = max(drop, 0.02) // a smaller one could not be told from its end
	d.raised, d.ended = true, false
	d.closing, d.excess = [betCount]float64{}, excursion{}
}

// Raised reports whether Raise was called and Reset was not.
func (d *Detector) Raised() bool { return d.raised }

// watchEnd bets, while raised, that the mean is back within a quarter of the gap.
func (d *Detector) watchEnd(g *stratum, y, w float64) {
	if !d.ended {
		d.excess.begin(d.live - 1)
		g.mark(&d.excess.start, g.cur)
	}
	g.cur.add(y, w)
	if d.ended {
		return
	}
	q := max(0, g.ref.mean()-d.gap/4)
	f := d.bets.factors(w*(y-q), 1-q, d.vif.value)
	for k := range f {
		d.closing[k] = min((d.closing[k]+1)*f[k], ceiling)
	}
	d.excess.grow(&f)
	if mean(&d.closing) >= closeThreshold {
		d.ended, d.endedAt = true, d.excess.start[d.excess.leader()]
	}
}

// Recovered reports whether the mean is back. It stays so until Reset.
func (d *Detector) Recovered() bool { return d.raised && d.ended }

// RecoveredFrom estimates how many live samples came before the first good one again.
func (d *Detector) RecoveredFrom() uint64 { return d.endedAt }

// Reset starts the evidence anew against the reference as it was frozen. Without Raise before it the
// reference stays as it is.
func (d *Detector) Reset() {
	d.self, d.pinned, d.closing, d.excess = [betCount]float64{}, [betCount]float64{}, [betCount]float64{}, excursion{}
	d.raised, d.ended, d.frozen, d.gap = false, false, 0, 0
	for _, g := range d.strata {
		g.cur = sums{}
		g.forget()
	}
	d.vif.interrupt()
}

func mean(v *[betCount]float64) float64 {
	sum := 0.0
	for k := range v {
		sum += v[k] / betCount // divided first, so that the sum stays finite
	}
	return sum
}
