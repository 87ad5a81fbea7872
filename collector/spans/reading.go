package spans

import (
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/asgood-dev/asgood/internal/quality"
)

// reading is the work on one span or log record after the other.
type reading struct {
	x        *Extractor
	own      *view // attributes of the span or log record
	resource *view
	event    *view    // attributes of an event, while it is read
	feature  *feature // that matched; nil when none did
}

// get returns an attribute of the span, or else of its resource.
func (r *reading) get(s slot) (pcommon.Value, bool) {
	if v, ok := r.own.get(s); ok {
		return v, true
	}
	return r.resource.get(s)
}

// text returns the first of the attributes that is there and says something, on the span before its resource.
func (r *reading) text(slots ...slot) string {
	for _, s := range slots {
		for _, v := range [2]*view{r.own, r.resource} {
			if text := v.text(s); text != "" {
				return text
			}
		}
	}
	return ""
}

// span makes a record of a span; nil when it carries nothing of interest.
func (r *reading) span(s ptrace.Span) (*Record, error) {
	r.x.table.read(s.Attributes(), r.own)
	role, speaks := r.role()
	if role == RoleOther && hasResults(s) {
		role = RoleRetrieval
	}
	f := r.matched()
	r.feature = f
	entry := isEntry(s)
	feedback := r.feedback(s, f, role)
	if role == RoleOther && len(feedback) == 0 && !speaks && (f == nil || !entry) {
		return nil, nil
	}
	rec := &Record{
		Trace: hexOf(s.TraceID().IsEmpty(), s.TraceID().String), Span: hexOf(s.SpanID().IsEmpty(), s.SpanID().String),
		Parent: hexOf(s.ParentSpanID().IsEmpty(), s.ParentSpanID().String),
		From:   FromSpan, Role: role, Entry: entry, Start: timeOf(s.StartTimestamp()), End: timeOf(s.EndTimestamp()),
		State: clean(s.TraceState().AsRaw()), Service: r.resource.text(serviceName), Feedback: feedback,
	}
	r.common(rec, f)
	setTimes(rec)
	if role != RoleEvaluation {
		rec.Sample.Error = r.failure(s.Status())
	}
	switch role {
	case RoleOutput:
		r.output(rec, f, s.Events())
	case RoleTool:
		r.tool(rec)
	case RoleRetrieval:
		rec.Sample.Context = r.documents(s.Events())
	}
	return rec, rec.bound()
}

func hexOf(empty bool, text func() string) string {
	if empty {
		return ""
	}
	return text()
}

func timeOf(t pcommon.Timestamp) time.Time {
	if t == 0 {
		return time.Time{}
	}
	return t.AsTime()
}

// remote is the flag of a span whose parent is in another process.
const remote = 0x300

// isEntry tells the spans with which a request begins in its service.
func isEntry(s ptrace.Span) bool {
	return s.ParentSpanID().IsEmpty() || s.Kind() == ptrace.SpanKindServer || s.Kind() == ptrace.SpanKindConsumer || s.Flags()&remote == remote
}

// setTimes sets the moment the output was complete, and how long it took.
func setTimes(rec *Record) {
	rec.Sample.Time = rec.End
	if rec.End.IsZero() {
		rec.Sample.Time = rec.Start
	}
	if !rec.Start.IsZero() && rec.End.After(rec.Start) {
		rec.Sample.LatencyMS = float64(rec.End.Sub(rec.Start)) / float64(time.Millisecond)
	}
}

// common sets what spans of every role can say.
func (r *reading) common(rec *Record, f *feature) {
	s := &rec.Sample
	if f != nil {
		s.Feature = f.name
	}
	s.Customer = r.field(f, "customer", asgoodCustomer, customerID, tenantID, traceloopCustomer)
	s.Conversation = r.field(f, "conversation", conversationID, sessionID, traceloopSession)
	s.Attributes = r.attributes(f)
	if text := r.field(f, "reference"); text != "" {
		s.Reference = &text
	}
	if rec.Role != RoleOutput && rec.Role != RoleOther {
		return
	}
	s.Prompt = r.prompt(f)
}

// output sets what the span of an output says.
func (r *reading) output(rec *Record, f *feature, events ptrace.SpanEventSlice) {
	s := &rec.Sample
	s.Model = r.field(f, "model", genResponseModel, llmResponseModel, aiResponseModel, genRequestModel, llmRequestModel, llmModel, aiModel)
	s.Params, s.Usage = r.params(), r.usage()
	s.Attributes = r.outputAttributes(s.Attributes)
	rec.Response = r.own.text(genResponseID, aiResponseID)
	r.content(rec, events)
}

// failure is empty for an operation that went well.
func (r *reading) failure(status ptrace.Status) string {
	kind := r.own.text(errorType)
	if kind == "" && status.Code() != ptrace.StatusCodeError {
		return ""
	}
	message := clean(status.Message())
	switch {
	case kind != "" && message != "":
		return kind + ": " + message
	case kind+message != "":
		return kind + message
	default:
		return "error"
	}
}

// log makes a record of a log record that is an event of the GenAI conventions; nil for all others.
func (r *reading) log(l plog.LogRecord) (*Record, error) {
	r.feature = nil
	name := l.EventName()
	if name == "" {
		if v, ok := l.Attributes().Get(names[eventName]); ok {
			name = v.AsString()
		}
	}
	if !isLogEvent(name) {
		return nil, nil
	}
	r.x.table.read(l.Attributes(), r.own)
	f := r.matched()
	r.feature = f
	rec := &Record{
		Trace: hexOf(l.TraceID().IsEmpty(), l.TraceID().String), Span: hexOf(l.SpanID().IsEmpty(), l.SpanID().String),
		Role: RoleOutput, From: FromMessage, Start: logTime(l), End: logTime(l), Service: r.resource.text(serviceName),
	}
	r.common(rec, f)
	rec.Sample.Time = rec.End
	switch name {
	case eventEvaluation:
		rec.Role = RoleEvaluation
		r.logEvaluation(rec)
		if len(rec.Feedback) == 0 {
			return nil, quality.Errorf(quality.KindInvalid, "the event %s needs a %s, a result, and a trace or a %s",
				eventEvaluation, names[evaluationName], names[genResponseID])
		}
	case eventDetails:
		rec.From = FromDetails
		rec.Sample.Error = r.own.text(errorType)
		r.output(rec, f, ptrace.NewSpanEventSlice())
	default:
		rec.Response = r.own.text(genResponseID)
		r.messageEvent(rec, name, l.Body())
	}
	if rec.Role == RoleOutput && rec.Span == "" && rec.Response == "" {
		return nil, quality.Errorf(quality.KindInvalid, "the event %s has neither a trace and span id nor a %s", name, names[genResponseID])
	}
	return rec, rec.bound()
}

func isLogEvent(name string) bool {
	if !strings.HasPrefix(name, "gen_ai.") {
		return false
	}
	_, in := inputEvents[name]
	_, out := outputEvents[name]
	return in || out || name == eventDetails || name == eventEvaluation
}

func logTime(l plog.LogRecord) time.Time {
	if l.Timestamp() != 0 {
		return timeOf(l.Timestamp())
	}
	return timeOf(l.ObservedTimestamp())
}
