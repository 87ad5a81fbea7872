package spans

import (
	"slices"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
)

// memory knows the spans and responses of requests that were emitted, so that what comes late is neither
// a second sample nor lost without being counted. It forgets the oldest first.
type memory struct {
	traces    map[string]map[string]emitted // by span
	responses map[string]string             // sample by response
	queue     []remembered                  // in the order of emission
	size      int                           // spans
}

// emitted says what became of a span.
type emitted struct {
	sample string // id; empty when its request made none
	joined bool   // with the other spans of its request, so that spans below it belong there too
}

type remembered struct {
	trace     string
	spans     []string
	responses []string
	until     time.Time
}

func newMemory() memory {
	return memory{traces: map[string]map[string]emitted{}, responses: map[string]string{}}
}

func (m *memory) span(trace, span string) (emitted, bool) {
	e, ok := m.traces[trace][span]
	return e, ok && span != ""
}

// knows reports whether anything of the trace was emitted and joined.
func (m *memory) knows(trace string) bool {
	for _, e := range m.traces[trace] {
		if e.joined {
			return true
		}
	}
	return false
}

// target returns the sample that feedback is about, when it is known by a span or a response.
func (m *memory) target(f *quality.Feedback) (emitted, bool) {
	if sample, ok := m.responses[f.Response]; ok && f.Response != "" {
		return emitted{sample: sample}, true
	}
	e, ok := m.span(f.Trace, f.Span)
	return e, ok && e.sample != ""
}

func (m *memory) add(trace, sample string, joined bool, spans, responses []string, until time.Time) {
	if m.traces[trace] == nil {
		m.traces[trace] = make(map[string]emitted, len(spans))
	}
	for _, span := range spans {
		m.traces[trace][span] = emitted{sample, joined}
	}
	for _, id := range responses {
		if sample != "" {
			m.responses[id] = sample
		}
	}
	m.queue = append(m.queue, remembered{trace, spans, responses, until})
	m.size += len(spans)
}

// forget lets go of what is past its time or beyond the bound.
func (m *memory) forget(now time.Time, most int) {
	n := 0
	for n < len(m.queue) && (m.size > most || !now.Before(m.queue[n].until)) {
		r := &m.queue[n]
		for _, span := range r.spans {
			delete(m.traces[r.trace], span)
		}
		if len(m.traces[r.trace]) == 0 {
			delete(m.traces, r.trace)
		}
		for _, id := range r.responses {
			delete(m.responses, id)
		}
		m.size -= len(r.spans)
		n++
	}
	if n > 0 {
		m.queue = slices.Delete(m.queue, 0, n)
	}
}
