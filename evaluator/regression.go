package evaluator

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/asgood-dev/asgood/evaluator/detect"
	"github.com/asgood-dev/asgood/internal/quality"
)

// cause is the sample at which something was found out.
type cause struct {
	at  time.Time
	pos uint64
	id  string
}

// regression is the open regression of a monitor: the confirmed slices and what was told of it.
type regression struct {
	ID       string
	At       time.Time // of the detection
	Pos      uint64
	Revision uint64 // events told
	Told     uint64 // scores in the current figures when it was last told
	Parts    []*part
}

// part is one confirmed slice.
type part struct {
	Key   sliceKey // of its stream
	Start point
	End   *point // the recovery
	Slice quality.RegressionSlice
	Share float64
}

// regressionID is the same whenever the same data is read again.
func regressionID(feature, metric string, c cause) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %q %d %q", feature, metric, c.at.UnixNano(), c.id))
	return "reg_" + hex.EncodeToString(sum[:10])
}

// start returns the live sample at which the stream seems to have got worse.
func (s *stream) start(index uint64) point {
	if p, ok := s.track.at(index); ok {
		return p
	}
	return s.track.last()
}

// startedBetween returns the interval of the times at which the stream may have got worse, around its
// estimated start. Samples may be late, so the times of places in a row need not be.
func (s *stream) startedBetween(start point) *[2]time.Time {
	lo, hi := s.watch.startInterval()
	from, to := s.track.before(lo).time(), s.start(hi).time()
	at := start.time()
	return &[2]time.Time{slices.MinFunc([]time.Time{from, to, at}, time.Time.Compare), slices.MaxFunc([]time.Time{from, to, at}, time.Time.Compare)}
}

// A width is half of the width of a 95 % interval of the difference between the mean of the latest scores
// and that of a baseline, from the variances of one score and of the two means, and their inflation.
type width func(single, current, reference, inflation float64) float64

// oneLook is for latest scores that were chosen without a look at them: it is right each time, and not at
// all times at once.
func oneLook(_, current, reference, inflation float64) float64 {
	return 1.96 * math.Sqrt(inflation*(reference+current))
}

// figuresBetween compares the scores between two points with the baseline. With detect.HalfWidth the interval
// holds at any time it is looked at, as it must since a start that a detector named. What is shown while
// nothing was found has that of oneLook.
func (s *stream) figuresBetween(c *monitorConfig, from, to point, half width) figures {
	cur := s.track.between(from, to)
	f := figures{baseline: estimate(s.Base), current: estimate(cur)}
	if cur.N == 0 || cur.W <= 0 || s.Base.W <= 0 {
		return f
	}
	if c.strata() && s.watch.raised() && !c.scale.unbounded {
		return s.adjusted(c, f)
	}
	change := cur.mean() - s.Base.mean()
	if c.strata() && !c.scale.unbounded {
		// The mix may have changed: every score is compared with what was expected of its own stratum.
		change = cur.WE / cur.W
		base := cur.mean() - change
		f.baseline.Mean = &base
	}
	h := half(dispersion(cur, s.Base), spread(cur, s.Base), spread(s.Base, cur), s.watch.leader().VIF())
	f.change, f.interval = &change, c.scale.possible(*f.current.Mean-change, [2]float64{change - h, change + h})
	return f
}

// spread is the squared standard error of a mean, seen beside another. Unequal weights make the effective
// number of values smaller than their count.
func spread(m, beside moments) float64 {
	return dispersion(m, beside) / m.effective()
}

// dispersion is the variance of a score. A few that are all alike do not show how scores vary, so that at
// least a part of how those beside them do is taken, which vanishes as their number grows.
func dispersion(m, beside moments) float64 {
	return max(m.variance(), beside.variance()/(m.effective()+1))
}

// adjusted takes the drop within the strata, so that a changed mix of traffic is not counted as one.
// The baseline shown is then what it would have been with the present mix.
func (s *stream) adjusted(c *monitorConfig, f figures) figures {
	change, interval := c.scale.change(s.watch.drop())
	if math.IsNaN(change) {
		return f
	}
	base := *f.current.Mean - change
	f.baseline.Mean = &base
	f.change, f.interval = &change, &interval
	return f
}

// material reports whether the stream's drop since its estimated start matters.
func (s *stream) material(c *monitorConfig, w *watcher, index uint64) bool {
	if c.ranks || c.strata() {
		drop, _, _ := w.drop()
		return drop >= c.rankMaterial()
	}
	cur := s.track.between(s.start(index), s.track.Total)
	return cur.W > 0 && s.Base.W > 0 && w.scale.worseBy(cur.mean()-s.Base.mean()) >= c.material
}

// rankMaterial is the material drop of y.
func (c *monitorConfig) rankMaterial() float64 {
	if c.scale.unbounded {
		return defaultMaterial
	}
	return c.material / (c.scale.hi - c.scale.lo)
}

// raise confirms that a stream is worse: it opens a regression, or joins the open one.
func (m *monitor) raise(s *stream, c cause) quality.RegressionEvent {
	start := s.start(s.watch.start())
	s.watch.raise()
	s.Open, s.changed, m.changed = true, true, true
	m.calm(s)
	typ := quality.RegressionUpdated
	if m.open == nil {
		m.open = &regression{ID: regressionID(m.config.feature, m.config.spec.Metric, c), At: c.at, Pos: c.pos}
		typ = quality.RegressionOpened
	}
	at := start.time()
	between := s.startedBetween(start)
	p := m.open.part(s.sliceKey)
	p.Start, p.End = start, nil
	p.Slice = quality.RegressionSlice{Slice: s.slice(), StartedAt: &at, StartedSample: start.Pos,
		StartedBetween: between, DetectedAt: c.at, DetectedSample: c.pos}
	return m.tell(typ)
}

// calm ends an improvement: what is worse is not better.
func (m *monitor) calm(s *stream) {
	if s.improve != nil {
		s.improve.reset()
		s.Improved = false
	}
}

func (r *regression) part(key sliceKey) *part {
	for _, p := range r.Parts {
		if p.Key == key {
			return p
		}
	}
	p := &part{Key: key}
	r.Parts = append(r.Parts, p)
	return p
}

// recover notes that a stream is back, and closes the regression when all its slices are.
func (m *monitor) recover(s *stream) quality.RegressionEvent {
	p := m.open.part(s.sliceKey)
	end := s.start(s.watch.recoveredFrom())
	if end.Index < p.Start.Index {
		end = p.Start
	}
	at := end.time()
	p.End, p.Slice.RecoveredAt = &end, &at
	p.refresh(m, s)
	s.watch.reset()
	m.calm(s)
	s.Open, s.E, s.changed = false, 0, true
	m.fleet.weigh(m, s)
	if s == m.whole {
		m.closeSlices(*p)
	}
	for _, q := range m.open.Parts {
		if q.End == nil {
			return m.tell(quality.RegressionUpdated)
		}
	}
	ev := m.tell(quality.RegressionRecovered)
	m.shelve(ev.Regression)
	return ev
}

// shelve puts what was the open regression among the past ones.
func (m *monitor) shelve(r quality.Regression) {
	m.past = append(m.past, r)
	if m.keep > 0 && len(m.past) > m.keep {
		m.past = m.past[len(m.past)-m.keep:]
	}
	m.open = nil
}

// closeSlices ends the slices with the whole feature: a small one would take weeks to show by itself that
// it is back. Its evidence starts anew against the frozen reference, so one that is still bad is found
// again, as what it then is.
func (m *monitor) closeSlices(whole part) {
	for _, q := range m.open.Parts {
		s := m.byKey[q.Key]
		if q.End != nil || s == nil {
			continue
		}
		end := s.track.atPos(whole.End.Pos)
		if end.Index < q.Start.Index {
			end = q.Start
		}
		q.End, q.Slice.RecoveredAt = &end, whole.Slice.RecoveredAt
		q.refresh(m, s)
		s.watch.reset()
		s.Open, s.E, s.changed = false, 0, true
		m.fleet.weigh(m, s)
	}
}

// refresh brings the figures of a slice up to date.
func (p *part) refresh(m *monitor, s *stream) {
	to := s.track.Total
	if p.End != nil {
		to = *p.End
	}
	f := s.figuresBetween(m.config, p.Start, to, detect.HalfWidth)
	p.Slice.Baseline, p.Slice.Current, p.Slice.Change, p.Slice.Interval = f.baseline, f.current, f.change, f.interval
	if m.whole.Scores > 0 {
		p.Share = float64(s.Scores) / float64(m.whole.Scores)
	}
}

// tell makes the next event of the open regression.
func (m *monitor) tell(typ quality.RegressionEventType) quality.RegressionEvent {
	r := m.regression()
	m.open.Revision++
	m.open.Told = r.Current.N
	return quality.RegressionEvent{
		ID: fmt.Sprintf("%s-%s-%d", r.ID, typ, m.open.Revision), Type: typ, Regression: r,
	}
}

// grown reports whether the open regression has twice the scores of when it was last told, so that
// readers get better figures in a number of events that grows with the logarithm of time.
func (m *monitor) grown() bool {
	p := m.open.widest()
	s := m.byKey[p.Key]
	return p.End == nil && s != nil && s.track.Total.Index-p.Start.Index >= 2*max(m.open.Told, MinBaseline)
}

// widest is the confirmed slice with the most traffic among those that have not recovered, or among
// all when all have. The whole feature is the widest of all.
func (r *regression) widest() *part {
	var best *part
	wider := func(p *part) bool {
		switch {
		case best == nil:
			return true
		case (p.End == nil) != (best.End == nil):
			return p.End == nil
		case p.Key.whole() != best.Key.whole():
			return p.Key.whole()
		default:
			return p.Share > best.Share
		}
	}
	for _, p := range r.Parts {
		if wider(p) {
			best = p
		}
	}
	return best
}

// regression renders the open regression.
func (m *monitor) regression() quality.Regression {
	for _, p := range m.open.Parts {
		if s := m.byKey[p.Key]; s != nil && p.End == nil {
			p.refresh(m, s)
		}
	}
	w := m.open.widest()
	r := quality.Regression{
		ID: m.open.ID, Feature: m.config.feature, Metric: m.config.spec.Metric, Slice: w.Slice.Slice,
		Slices: make([]quality.RegressionSlice, len(m.open.Parts)), Baseline: w.Slice.Baseline, Current: w.Slice.Current,
		Change: w.Slice.Change, Interval: w.Slice.Interval, Range: m.config.scale.bounds(), Worse: direction(m.config.scale),
		Material: m.config.material, StartedAt: w.Slice.StartedAt, StartedSample: w.Slice.StartedSample,
		StartedBetween: w.Slice.StartedBetween, DetectedAt: m.open.At, DetectedSample: m.open.Pos, Share: w.Share,
	}
	var recovered time.Time
	for i, p := range m.open.Parts {
		r.Slices[i] = p.Slice
		if p.Slice.StartedSample < r.StartedSample && r.StartedSample > r.DetectedSample {
			r.StartedAt, r.StartedSample, r.StartedBetween = p.Slice.StartedAt, p.Slice.StartedSample, p.Slice.StartedBetween
		}
		if p.End != nil && p.Slice.RecoveredAt.After(recovered) {
			recovered = *p.Slice.RecoveredAt
		}
	}
	if w.End != nil {
		r.RecoveredAt = &recovered
	}
	return r
}
