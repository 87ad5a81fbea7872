package evaluator

import (
	"cmp"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
)

// maxBaseline bounds the scores that are held while a baseline fills; a longer window is cut there.
const maxBaseline = quality.MaxBaseline

// arrival is one score on its way into a stream.
type arrival struct {
	observation
	pos uint64
	at  time.Time
}

// observation is what a detector learns of one score.
type observation struct {
	Value   float64
	Weight  float64 // 1 / probability that the sample was kept
	Stratum string
}

// stream is one series of a metric's scores, of the whole feature or of one slice, with its own
// baseline and detector.
type stream struct {
	sliceKey

	Scores   uint64 // all scores that came, of the baseline and live
	Late     uint64 // scores of the baseline's period that came after it was closed
	FirstAt  int64  // sample time of the first score, unix nanoseconds
	LastAt   int64  // latest sample time
	Stored   uint64 // scores of a stored baseline, and the time they span in nanoseconds
	Span     int64
	Pending  pending
	Base     moments // of the baseline, in the metric's unit
	ReadyAt  int64   // sample time of the score that closed the baseline, unix nanoseconds
	E        float64 // evidence that the stream is worse; frozen while a regression is open in it
	Open     bool    // a regression is open in it
	Own      bool    // its baseline is made up from scores that came after the period or the stored scores it should be of
	Problem  string  // why there is no detector although the baseline is full
	watch    *watcher
	improve  *watcher // only for the whole feature
	Improved bool
	Better   float64 // evidence that the stream is better
	Skipped  uint64  // live scores that improve did not take, since a regression was open
	track    track
	place    int  // in the monitor's list
	inFleet  bool // counted among the streams that share a budget
	changed  bool // since it was last saved
}

// sliceKey names a stream within its monitor; both are empty for the whole feature.
type sliceKey struct {
	Attribute string `json:"attribute,omitempty"`
	Value     string `json:"value,omitempty"`
}

func (k sliceKey) whole() bool { return k.Attribute == "" }

func (k sliceKey) compare(o sliceKey) int {
	return cmp.Or(cmp.Compare(k.Attribute, o.Attribute), cmp.Compare(k.Value, o.Value))
}

// slice is the part of the traffic that the stream watches.
func (k sliceKey) slice() quality.Slice {
	if k.whole() {
		return quality.Slice{}
	}
	return quality.Slice{k.Attribute: k.Value}
}

func newStream(k sliceKey) *stream {
	s := &stream{sliceKey: k, changed: true}
	s.track.grain = s.grain()
	return s
}

func (s *stream) grain() grain {
	if s.whole() {
		return fineGrain
	}
	return coarseGrain
}

// count notes that a score came, whatever becomes of it.
func (s *stream) count(at time.Time) {
	s.changed = true
	t := at.UnixNano()
	if s.Scores == 0 {
		s.FirstAt, s.LastAt = t, t
	}
	s.Scores++
	s.LastAt = max(s.LastAt, t)
}

// perSample is the mean distance of two scores in sample time, at least a microsecond: files without
// times give all their samples the same one.
func (s *stream) perSample() time.Duration {
	n := s.Stored + s.Scores
	if n < 2 {
		return time.Microsecond
	}
	return max(time.Microsecond, time.Duration(s.Span+s.LastAt-s.FirstAt)/time.Duration(n-1))
}

// The range in which the threshold is known to be the number of samples to a false alarm, from below;
// above, only a guard for streams whose samples all have the same time.
const (
	minThreshold = 1e3
	maxThreshold = 1e9
)

// threshold is the number of samples the stream may go, on average, to a false alarm: the budget
// itself, or the samples that the stream expects within the budgeted period at its own rate.
func (s *stream) threshold(budget quality.FalseAlarms) float64 {
	if budget.Samples > 0 {
		return budget.Samples
	}
	return min(maxThreshold, max(minThreshold, float64(budgetPeriod(budget))/float64(s.perSample())))
}

// budgetPeriod is the time in which one false alarm is allowed, where the budget is a time.
func budgetPeriod(budget quality.FalseAlarms) time.Duration {
	if budget.Period <= 0 {
		return DefaultPeriod
	}
	return budget.Period
}

// ready reports whether the stream has its baseline and detector.
func (s *stream) ready() bool { return s.watch != nil }

// close ends the baseline: the detector is made from what came.
func (s *stream) close(c *monitorConfig, at time.Time) {
	threshold := s.threshold(c.falseAlarms)
	baseline := s.Pending.all()
	w, err := newWatcher(c.scale, c.strata(), threshold, baseline)
	if err != nil {
		s.Problem = err.Error()
		return
	}
	if s.whole() {
		if s.improve, err = newWatcher(c.scale.opposite(), c.strata(), threshold, baseline); err != nil {
			s.Problem = err.Error()
			return
		}
	}
	s.watch, s.Problem, s.ReadyAt = w, "", at.UnixNano()
	s.Base.C = middle(baseline)
	for _, o := range baseline {
		s.Base.add(o.Value, o.Weight)
	}
	s.track.Centre, s.Pending = s.Base.mean(), pending{}
}

// middle is the plain mean, around which sums lose least.
func middle(baseline []observation) float64 {
	sum := 0.0
	for _, o := range baseline {
		sum += o.Value / float64(len(baseline))
	}
	return sum
}

// live takes a score that comes after the baseline.
func (s *stream) live(c *monitorConfig, r arrival) {
	expected := r.Value
	if c.strata() {
		expected = s.watch.expected(r.observation)
	}
	e := s.watch.update(r.observation)
	s.track.add(r.pos, r.at, r.Value, r.Weight, expected)
	if s.Open {
		s.Skipped++
		return
	}
	s.E = e
	s.track.mark(s.watch.start())
	if s.improve != nil {
		s.Better = s.improve.update(r.observation)
		s.track.mark(s.improve.start() + s.Skipped)
	}
}

// figures are what a reader is told of a stream from one point on: two means and how far apart they are.
type figures struct {
	baseline, current quality.Estimate
	change            *float64
	interval          *[2]float64
}

func estimate(m moments) quality.Estimate {
	e := quality.Estimate{N: m.N}
	if m.W > 0 {
		mean := m.mean()
		e.Mean = &mean
	}
	return e
}
