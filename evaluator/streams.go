package evaluator

import "github.com/asgood-dev/asgood/internal/quality"

// StreamStatuses returns what the streams of a monitor know, the whole feature first and then the slices in the
// order in which they came. It is empty when there is no such monitor.
func (e *Engine) StreamStatuses(feature, metric string) (out []quality.StreamStatus) {
	for _, f := range e.features {
		for _, m := range f.monitors {
			if m.config.feature != feature || m.config.spec.Metric != metric {
				continue
			}
			out = append(out, m.streamStatus(m.whole))
			for _, s := range m.streams {
				if s != m.whole {
					out = append(out, m.streamStatus(s))
				}
			}
		}
	}
	return out
}

func (m *monitor) streamStatus(s *stream) quality.StreamStatus {
	st := quality.StreamStatus{
		Slice: s.slice(), Scores: s.Scores, Ready: s.ready(), Open: s.Open, Own: s.Own,
		Baseline: estimate(s.Base), Evidence: s.E, Threshold: s.threshold(m.config.falseAlarms),
	}
	if !s.ready() {
		st.Reason = m.ref.why(s)
		return st
	}
	if s.track.Total.Index == 0 {
		return st
	}
	f := s.figuresBetween(m.config, m.recent(s), s.track.Total, oneLook)
	st.Current, st.Change, st.Interval = f.current, f.change, f.interval
	return st
}

// StreamStatuses returns what the streams of a monitor know; see Engine.
func (s *Service) StreamStatuses(feature, metric string) []quality.StreamStatus {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.engine.StreamStatuses(feature, metric)
}
