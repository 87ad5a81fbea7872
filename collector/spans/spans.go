// Package spans knows what OpenTelemetry data means. It takes out of spans and log records what matters for
// samples, by the GenAI conventions (the present ones and those before), OpenInference, OpenLLMetry and the
// AI SDK, and joins what belongs to one request into one sample.
//
// An Extractor makes a Record of one span or log record; it may be used by many goroutines at once. A
// Joiner is a state machine over records, for one goroutine. Neither waits, reads or writes anything, and
// time is an argument: receiving, redacting, sampling and storing are the collector's work.
package spans

import (
	"iter"
	"sync"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/asgood-dev/asgood/internal/quality"
)

// Extractor takes records out of OpenTelemetry data. It is safe for concurrent use.
type Extractor struct {
	features []feature
	table    *table
	pool     sync.Pool // of *reading
}

// New returns an extractor for the features, which match in their order.
func New(features []quality.Feature) *Extractor {
	x := &Extractor{table: newTable()}
	for i := range features {
		x.features = append(x.features, newFeature(&features[i], x.table))
	}
	x.pool.New = func() any {
		n := x.table.size()
		return &reading{x: x, own: newView(n), resource: newView(n), event: newView(n)}
	}
	return x
}

// Found is what one span or log record came to: a record, an error that is its own fault, or neither when
// it carries nothing of interest.
type Found struct {
	Index int // position in the request, counting from 0
	Trace pcommon.TraceID
	Span  pcommon.SpanID
	// Feature is the one that matched, also where there is no record.
	Feature string
	Record  *Record
	Err     error
}

// Spans goes through the spans of a request in their order.
func (x *Extractor) Spans(td ptrace.Traces) iter.Seq[Found] {
	return func(yield func(Found) bool) {
		r := x.borrow()
		defer x.pool.Put(r)
		n := 0
		for _, rs := range td.ResourceSpans().All() {
			x.table.read(rs.Resource().Attributes(), r.resource)
			for _, ss := range rs.ScopeSpans().All() {
				for _, s := range ss.Spans().All() {
					rec, err := r.span(s)
					if !yield(Found{Index: n, Trace: s.TraceID(), Span: s.SpanID(), Feature: r.feature.named(), Record: rec, Err: err}) {
						return
					}
					n++
				}
			}
		}
	}
}

// Logs goes through the log records of a request in their order.
func (x *Extractor) Logs(ld plog.Logs) iter.Seq[Found] {
	return func(yield func(Found) bool) {
		r := x.borrow()
		defer x.pool.Put(r)
		n := 0
		for _, rl := range ld.ResourceLogs().All() {
			x.table.read(rl.Resource().Attributes(), r.resource)
			for _, sl := range rl.ScopeLogs().All() {
				for _, l := range sl.LogRecords().All() {
					rec, err := r.log(l)
					if !yield(Found{Index: n, Trace: l.TraceID(), Span: l.SpanID(), Feature: r.feature.named(), Record: rec, Err: err}) {
						return
					}
					n++
				}
			}
		}
	}
}

func (x *Extractor) borrow() *reading {
	r, ok := x.pool.Get().(*reading)
	if !ok {
		panic("spans: the pool holds something else") // it holds only what New put there
	}
	return r
}
