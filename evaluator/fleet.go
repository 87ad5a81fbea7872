package evaluator

import (
	"cmp"
	"maps"
	"slices"
)

// fleet is every stream whose budget for false alarms is a period: how many there are, and those whose
// evidence has reached their own threshold. A stream's evidence and threshold change only with its own
// scores, so the candidates are kept as the scores come, and an alarm looks at no other stream. One with an
// open regression stays in with the evidence it was raised on: it is one of the discoveries that the rule
// counts.
type fleet struct {
	ready      int
	candidates map[*stream]candidate
}

// candidate is a stream that may alarm.
type candidate struct {
	monitor *monitor
	stream  *stream
	times   float64 // its evidence in units of its threshold, at least 1
}

func newFleet() *fleet { return &fleet{candidates: make(map[*stream]candidate)} }

// weigh brings a stream's place in the fleet up to date.
func (f *fleet) weigh(m *monitor, s *stream) {
	if m.config.fixed() || !s.ready() {
		return
	}
	if !s.inFleet {
		s.inFleet = true
		f.ready++
	}
	if times := s.E / s.threshold(m.config.falseAlarms); times >= 1 {
		f.candidates[s] = candidate{m, s, times}
	} else {
		delete(f.candidates, s)
	}
}

// leave takes a stream out.
func (f *fleet) leave(s *stream) {
	if s.inFleet {
		s.inFleet = false
		f.ready--
	}
	delete(f.candidates, s)
}

// alarms returns the streams that alarm together, the strongest first, by the rule of detect.FleetAlarms:
// the k largest with evidence of at least S / k thresholds among S streams, for the largest such k. The
// order of equals is that of their names, so that no order of a configuration decides.
func (f *fleet) alarms() []candidate {
	list := slices.SortedFunc(maps.Values(f.candidates), func(a, b candidate) int {
		return cmp.Or(cmp.Compare(b.times, a.times), cmp.Compare(a.monitor.config.feature, b.monitor.config.feature),
			cmp.Compare(a.monitor.config.spec.Metric, b.monitor.config.spec.Metric), a.stream.compare(b.stream.sliceKey))
	})
	for k := len(list); k > 0; k-- {
		if list[k-1].times >= float64(f.ready)/float64(k) {
			return list[:k]
		}
	}
	return nil
}
