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
	threshold float64
	m0        float64 // mean of the baseline, one failure added where there are no strata
	s0        float64 // standard deviation within the strata
	reach     float64 // of the lower bound below m0, for independent samples
	low       float64 // lower confidence bound of the baseline's mean
	bets      bets
	vif       inflation

	live   uint64
	self   evidence            // evidence against the reference that learns; while raised, of the end
	pinned evidence            // evidence against the lower bound
	excess excursion           // since when the evidence grows
	latest *stratum            // all strata, the latest first
	index  map[string]*stratum // by key; nil without strata
	alarm  *alarm              // nil while not raised
}

// New makes a detector from a baseline of at least MinBaseline observations in their order.
func New(o Options, baseline []Observation) (*Detector, error) {
	if len(baseline) < MinBaseline {
		return nil, fmt.Errorf("baseline of %d observations, at least %d needed", len(baseline), MinBaseline)
	}
	if !(o.Threshold >= MinThreshold && o.Threshold <= MaxThreshold) {
		return nil, fmt.Errorf("threshold %v is not between %v and %v", o.Threshold, float64(MinThreshold), float64(MaxThreshold))
	}
	d := &Detector{threshold: o.Threshold}
	if o.Strata {
		d.index = make(map[string]*stratum)
	}
	for i, x := range baseline {
		if err := check(x); err != nil {
			return nil, fmt.Errorf("observation %d of the baseline: %w", i+1, err)
		}
		d.stratum(x.Stratum).ref.add(x.Y, weight(x))
	}
	if !o.Strata {
		// One failure more than were seen: a short baseline without any would make the first one an alarm.
		d.latest.ref.add(0, 1)
	}
	d.measure(baseline)
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

// measure sets what the bets, the inflation and the lower bound are made of: the mean, the spread within
// the strata, and the residuals in their order.
func (d *Detector) measure(baseline []Observation) {
	var ref, all sums
	strata := 0.0
	for g := d.latest; g != nil; g = g.next {
		ref.join(g.ref)
		strata++
	}
	d.m0 = ref.mean()
	squares := 0.0
	for _, x := range baseline {
		w := weight(x)
		e := w * (x.Y - d.find(x.Stratum).ref.mean())
		squares += e * e
		all.add(x.Y, w)
	}
	n := float64(len(baseline))
	if n > strata {
		d.s0 = math.Sqrt(squares / all.WW * n / (n - strata))
	}
	if d.s0 < 0.02 {
		d.s0 = max(0.02, math.Sqrt(d.m0*(1-d.m0))/2)
	}
	d.bets = newBets(d.threshold, d.m0, d.s0, all.W/all.WW)
	d.vif = newInflation(d.s0 * d.s0 * all.WW / n)
	for _, x := range baseline {
		d.vif.add(weight(x) * (x.Y - d.find(x.Stratum).ref.mean()))
	}
	d.reach = confidence(n) * d.s0 / math.Sqrt(all.effective())
	d.bound()
}

// confidence is the normal quantile of the lower bound: at 95 %, at 99 % for a short baseline, since one
// in twenty of those is a liar that an alarm of once in 100,000 would notice.
func confidence(n float64) float64 {
	if n < 500 {
		return 2.326
	}
	return 1.645
}

// bound sets the lower confidence bound of the baseline's mean.
func (d *Detector) bound() { d.low = max(0, d.m0-d.reach*math.Sqrt(d.vif.value)) }

// stratum returns the stratum of a key, made when it is new.
func (d *Detector) stratum(key string) *stratum {
	if g := d.find(key); g != nil {
		return g
	}
	if d.index == nil {
		key = ""
	}
	return d.put(&stratum{key: key})
}

func (d *Detector) put(g *stratum) *stratum {
	g.next, d.latest = d.latest, g
	if d.index != nil {
		d.index[g.key] = g
	}
	return g
}

func (d *Detector) find(key string) *stratum {
	if d.index == nil {
		return d.latest
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
	if !(x.Y >= 0 && x.Y <= 1 && x.Weight >= 0 && x.Weight <= 1) {
		return d.E()
	}
	g, w := d.latest, weight(x)
	if d.index != nil {
		g = d.stratum(x.Stratum)
	}
	switch {
	case !g.ready():
		if d.alarm == nil {
			g.ref.add(x.Y, w)
		}
	case d.alarm != nil:
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
	g.mark(&d.excess.start, d.live-1, &g.ref)
	var f [betCount]float64
	d.bets.factors(&f, w*(r-y), r, d.vif.value)
	d.self.add(&f)
	d.excess.grow(&f)
	if d.index == nil {
		d.bets.factors(&f, w*(d.low-y), d.low, d.vif.value)
		d.pinned.add(&f)
	}
	g.ref.add(y, w)
	if d.vif.add(w * (y - r)) {
		d.bound()
	}
}

// E is the evidence that the stream is worse than its baseline: under no change it reaches c once in c
// samples or less often, on average over baselines. While the detector is raised it stays what it was.
func (d *Detector) E() float64 {
	switch {
	case d.alarm != nil:
		return d.alarm.evidence
	case d.index != nil:
		return d.self.mean()
	default:
		return d.self.mean()/2 + d.pinned.mean()/2
	}
}

// Live returns how many live samples there were.
func (d *Detector) Live() uint64 { return d.live }

// VIF returns by how much dependence of successive samples inflates the variance of their mean, 1 for none.
func (d *Detector) VIF() float64 { return d.vif.value }
