package collector

import (
	"math"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/asgood-dev/asgood/internal/quality"
)

// span is a span with the attributes of its resource.
type span struct {
	ptrace.Span
	resource pcommon.Map
}

// get returns an attribute of the span, or else of its resource.
func (s span) get(name string) (pcommon.Value, bool) {
	if v, ok := s.Attributes().Get(name); ok {
		return v, true
	}
	return s.resource.Get(name)
}

// text returns the first of the attributes that is there and not empty.
func (s span) text(names ...string) string {
	for _, name := range names {
		if v, ok := s.get(name); ok && v.AsString() != "" {
			return v.AsString()
		}
	}
	return ""
}

// match returns the first feature all of whose attributes the span or its resource has.
func (f *features) match(s span) (string, bool) {
	for i := range f.list {
		if matches(f.list[i].Match, s) {
			return f.list[i].Name, true
		}
	}
	return "", false
}

func matches(want map[string]string, s span) bool {
	for name, value := range want {
		if got, ok := s.get(name); !ok || got.AsString() != value {
			return false
		}
	}
	return len(want) > 0 // a feature without attributes takes no spans
}

// isOutput tells spans that made an output from those around them. Instrumentations from before the
// operation had a name are known by the attributes that carried the content.
func (s span) isOutput() bool {
	switch s.text("gen_ai.operation.name") {
	case "chat", "text_completion", "generate_content", "invoke_agent":
		return true
	case "":
		return s.text("gen_ai.output.messages", "gen_ai.completion", "gen_ai.completion.0.content", "gen_ai.request.model", "gen_ai.response.model") != ""
	default:
		return false
	}
}

// sample maps a span by the GenAI conventions, the present ones and those before.
func (s span) sample(feature string) (quality.Sample, error) {
	out := quality.Sample{
		ID:           s.TraceID().String() + s.SpanID().String(),
		Feature:      feature,
		Customer:     s.text("asgood.customer", "customer.id", "tenant.id"),
		Conversation: s.text("gen_ai.conversation.id", "session.id"),
		Model:        s.text("gen_ai.response.model", "gen_ai.request.model"),
		Prompt:       s.prompt(),
		Params:       s.params(),
		Usage:        s.usage(),
		Error:        s.failure(),
		Attributes:   s.ownAttributes(),
		Scores:       s.scores(),
	}
	if s.TraceID().IsEmpty() || s.SpanID().IsEmpty() {
		return out, quality.Errorf(quality.KindInvalid, "the span has no trace id or no span id")
	}
	s.times(&out)
	s.content(&out)
	if out.Output.IsZero() && out.Error == "" && len(out.Tools) == 0 {
		return out, quality.Errorf(quality.KindInvalid, "%w", errNoContent)
	}
	return out, nil
}

// times sets the moment the output was complete, and how long it took.
func (s span) times(out *quality.Sample) {
	start, end := s.StartTimestamp(), s.EndTimestamp()
	switch {
	case end != 0:
		out.Time = end.AsTime()
	case start != 0:
		out.Time = start.AsTime()
	}
	if start != 0 && end > start {
		out.LatencyMS = float64(end-start) / float64(time.Millisecond)
	}
}

func (s span) prompt() string {
	name, version := s.text("gen_ai.prompt.name"), s.text("gen_ai.prompt.version")
	if name != "" && version != "" {
		return name + "@" + version
	}
	return name
}

// params are the request's settings; what is no setting of the model stays out.
func (s span) params() map[string]any {
	var out map[string]any
	for name, v := range s.Attributes().All() {
		short, ok := strings.CutPrefix(name, "gen_ai.request.")
		if !ok || short == "model" {
			continue
		}
		if raw, ok := finite(v.AsRaw()); ok {
			out = with(out, short, raw)
		}
	}
	if v, ok := s.get("gen_ai.tool.definitions"); ok {
		if raw, ok := finite(parsed(v)); ok {
			out = with(out, "tool_definitions", raw)
		}
	}
	return out
}

// finite makes a value fit for JSON, which knows no NaN and no infinity.
func finite(v any) (any, bool) {
	switch x := v.(type) {
	case nil:
		return nil, false
	case float64:
		return x, !math.IsNaN(x) && !math.IsInf(x, 0)
	case []any:
		for i := range x {
			x[i], _ = finiteOrNil(x[i])
		}
	case map[string]any:
		for k := range x {
			x[k], _ = finiteOrNil(x[k])
		}
	}
	return v, true
}

func finiteOrNil(v any) (any, bool) {
	if x, ok := finite(v); ok {
		return x, true
	}
	return nil, false
}

func (s span) usage() *quality.Usage {
	in, hasIn := s.count("gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens")
	out, hasOut := s.count("gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens")
	if !hasIn && !hasOut {
		return nil
	}
	return &quality.Usage{InputTokens: in, OutputTokens: out}
}

func (s span) count(names ...string) (uint64, bool) {
	for _, name := range names {
		v, ok := s.get(name)
		if !ok {
			continue
		}
		if n, err := strconv.ParseUint(v.AsString(), 10, 64); err == nil {
			return n, true
		}
	}
	return 0, false
}

// failure is empty for an operation that went well.
func (s span) failure() string {
	kind := s.text("error.type")
	if kind == "" && s.Status().Code() != ptrace.StatusCodeError {
		return ""
	}
	message := s.Status().Message()
	switch {
	case kind != "" && message != "":
		return kind + ": " + message
	case kind+message != "":
		return kind + message
	default:
		return "error"
	}
}

// ownAttributes are those under our prefix, the span's over its resource's, and why the model stopped.
func (s span) ownAttributes() map[string]string {
	var out map[string]string
	for _, attrs := range []pcommon.Map{s.resource, s.Attributes()} {
		for name, v := range attrs.All() {
			if short, ok := strings.CutPrefix(name, "asgood."); ok && short != "" && short != "customer" {
				out = with(out, short, v.AsString())
			}
		}
	}
	if v, ok := s.get("gen_ai.response.finish_reasons"); ok && v.Type() == pcommon.ValueTypeSlice && v.Slice().Len() > 0 {
		out = with(out, "finish_reason", v.Slice().At(0).AsString())
	}
	return out
}

// scores are the evaluations that came as events of the span. One without a value failed or has only a
// label: neither is a number, and above all not 0.
func (s span) scores() map[string]float64 {
	var out map[string]float64
	for _, e := range s.Events().All() {
		if e.Name() != "gen_ai.evaluation.result" {
			continue
		}
		name, hasName := e.Attributes().Get("gen_ai.evaluation.name")
		value, hasValue := e.Attributes().Get("gen_ai.evaluation.score.value")
		if !hasName || !hasValue {
			continue
		}
		x, err := strconv.ParseFloat(value.AsString(), 64)
		if _, ok := finite(x); err == nil && ok {
			out = with(out, name.AsString(), x)
		}
	}
	return out
}

func with[T any](m map[string]T, key string, value T) map[string]T {
	if m == nil {
		m = map[string]T{}
	}
	m[key] = value
	return m
}
