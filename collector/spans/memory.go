package spans

import (
	"slices"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
)

// memory knows the spans and responses of requests that were emitted, so that what comes late is neither
// a second sample nor lost without being counted. It forgets the oldest first.
type memory struct {
	traces    map[string]*known
	responses map[string]string // sample by response
	queue     []remembered      // in the order of emission
	size      int               // spans
}

// known is what was emitted of a trace.
type known struct {
	spans    []emittedSpan // few for nearly all traces, so a list is smaller than a map and as quick
	requests []begun
}

// begun says how a request began that was emitted, so that the rest of it can be told from another one.
type begun struct {
	at       time.Time // when it was emitted
	entry    bool      // its first span came
	from, to time.Time // of its first span
	whole    bool      // it was all of a trace of which no first span came
	parents  []string  // of its outermost spans, where their own first span did not come
	forgotAt time.Time
}

// emittedSpan is a span with what became of it.
type emittedSpan struct {
	span string
	emitted
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
	return memory{traces: map[string]*known{}, responses: map[string]string{}}
}

func (m *memory) span(trace, span string) (emitted, bool) {
	k := m.traces[trace]
	if k == nil || span == "" {
		return emitted{}, false
	}
	for i := range k.spans {
		if k.spans[i].span == span {
			return k.spans[i].emitted, true
		}
	}
	return emitted{}, false
}

// put notes what became of a span, in the place of what was noted before.
func (k *known) put(span string, e emitted) {
	for i := range k.spans {
		if k.spans[i].span == span {
			k.spans[i].emitted = e
			return
		}
	}
	k.spans = append(k.spans, emittedSpan{span, e})
}

// knows reports whether a request of the trace was emitted.
func (m *memory) knows(trace string) bool {
	return m.traces[trace] != nil && len(m.traces[trace].requests) > 0
}

// rest reports whether a request of which the first span did not come is what is left of one that was
// emitted before any of it came.
func (m *memory) rest(trace string, q *request) bool {
	k := m.traces[trace]
	if k == nil || q.alone || q.entry {
		return false
	}
	first := q.first()
	return slices.ContainsFunc(k.requests, func(b begun) bool { return !first.Before(b.at) && b.takes(q) })
}

func (b *begun) takes(q *request) bool {
	return b.whole || slices.ContainsFunc(q.tops, func(n *node) bool {
		return slices.Contains(b.parents, n.rec.Parent) || b.entry && overlaps(b.from, b.to, n.rec)
	})
}

// begins notes a request that is emitted.
func (m *memory) begins(trace string, q *request, now, until time.Time) {
	if q.alone {
		return
	}
	b := begun{at: now, whole: q.whole, forgotAt: until}
	if top := q.tops[0].rec; q.entry {
		b.entry, b.from, b.to = true, top.Start, top.End
	}
	for _, n := range q.tops {
		if n.orphan() && n.rec.Parent != "" {
			b.parents = append(b.parents, n.rec.Parent)
		}
	}
	k := m.of(trace)
	k.requests = append(k.requests, b)
}

func (m *memory) of(trace string) *known {
	k := m.traces[trace]
	if k == nil {
		k = &known{}
		m.traces[trace] = k
	}
	return k
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
	k := m.of(trace)
	for _, span := range spans {
		k.put(span, emitted{sample, joined})
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
		m.forgetSpans(r)
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

func (m *memory) forgetSpans(r *remembered) {
	k := m.traces[r.trace]
	if k == nil {
		return
	}
	for _, span := range r.spans {
		k.spans = slices.DeleteFunc(k.spans, func(e emittedSpan) bool { return e.span == span })
	}
	for len(k.requests) > 0 && !k.requests[0].forgotAt.After(r.until) {
		k.requests = k.requests[1:]
	}
	if len(k.spans) == 0 {
		delete(m.traces, r.trace)
	}
}
