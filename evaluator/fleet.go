package evaluator

import (
	"cmp"
	"time"

	"github.com/asgood-dev/asgood/evaluator/detect"
)

// fleet is every stream whose budget for false alarms is a period. A stream's evidence and threshold change
// only with its own scores, so the candidates are kept as the scores come, and an alarm looks at no other
// stream.
type fleet struct{ share *detect.Fleet[watched] }

// watched is a stream with its monitor.
type watched struct {
	*monitor
	*stream
}

// newFleet orders streams of equal evidence by their names, so that no order of a configuration decides.
func newFleet() *fleet {
	return &fleet{share: detect.NewFleet(func(a, b watched) int {
		return cmp.Or(cmp.Compare(a.config.feature, b.config.feature), cmp.Compare(a.config.spec.Metric, b.config.spec.Metric),
			a.compare(b.sliceKey))
	})}
}

// weigh brings a stream's place in the fleet up to date.
func (f *fleet) weigh(m *monitor, s *stream) {
	if m.config.fixed() || !s.ready() {
		return
	}
	if !s.inFleet {
		s.inFleet = true
		f.share.Resize(f.share.Size() + 1)
	}
	f.share.Set(watched{m, s}, s.E/s.threshold(m.config.falseAlarms))
}

// leave takes a stream out.
func (f *fleet) leave(m *monitor, s *stream) {
	if s.inFleet {
		s.inFleet = false
		f.share.Resize(f.share.Size() - 1)
	}
	f.share.Set(watched{m, s}, 0)
}

// alarms returns the streams that alarm together at the time of a sample, the strongest first.
func (f *fleet) alarms(at time.Time) []watched {
	return f.share.Alarms(func(w watched) bool { return w.counts(at) })
}

// freshPart is the part of its budget's period for which an open regression is one of the discoveries by
// which the others need less: a day of 30 days. What one fault does to many streams is found faster so. If it
// counted for as long as it is open, the others would have a lower threshold for weeks, and alarm by mistake
// more often than their budget says: docs/statistics.md has the figures.
const freshPart = 30

// counts reports whether the stream is one of the discoveries that the rule counts, if it has the evidence.
func (w watched) counts(at time.Time) bool {
	if !w.Open || w.open == nil {
		return true
	}
	age := at.Sub(w.open.part(w.sliceKey).Slice.DetectedAt)
	return age.Abs() <= budgetPeriod(w.config.falseAlarms)/freshPart
}
