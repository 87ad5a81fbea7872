package collector_test

import (
	"bytes"
	"encoding/json"
	"math"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/asgood-dev/asgood/collector"
	"github.com/asgood-dev/asgood/internal/quality"
)

// newSpan makes a span of the feature chat with the attributes over those of an ordinary chat.
func newSpan(t testing.TB, traces ptrace.Traces, attrs map[string]any) ptrace.Span {
	t.Helper()
	rs := traces.ResourceSpans().AppendEmpty()
	rs.Resource().Attributes().PutStr("service.name", "chat-bot")
	s := rs.ScopeSpans().AppendEmpty().Spans().AppendEmpty()
	n := byte(traces.SpanCount())
	s.SetTraceID(pcommon.TraceID{1, 2, 3, 15: n})
	s.SetSpanID(pcommon.SpanID{4, 7: n})
	s.SetStartTimestamp(pcommon.NewTimestampFromTime(testNow))
	s.SetEndTimestamp(pcommon.NewTimestampFromTime(testNow.Add(1500 * time.Millisecond)))
	all := map[string]any{"gen_ai.operation.name": "chat"}
	for k, v := range attrs {
		all[k] = v
	}
	if err := s.Attributes().FromRaw(all); err != nil {
		t.Fatal(err)
	}
	return s
}

func event(t testing.TB, s ptrace.Span, name string, attrs map[string]any) {
	t.Helper()
	e := s.Events().AppendEmpty()
	e.SetName(name)
	if err := e.Attributes().FromRaw(attrs); err != nil {
		t.Fatal(err)
	}
}

func export(t testing.TB, r *running, media string, body []byte, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	req := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/v1/traces", bytes.NewReader(body))
	req.Header.Set("Content-Type", media)
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	r.engine.ServeHTTP(w, req)
	return w
}

func marshal(t testing.TB, traces ptrace.Traces) (proto, text []byte) {
	t.Helper()
	req := ptraceotlp.NewExportRequestFromTraces(traces)
	proto, err := req.MarshalProto()
	if err != nil {
		t.Fatal(err)
	}
	text, err = req.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	return proto, text
}

func mapped(t *testing.T, traces ptrace.Traces) []quality.Sample {
	t.Helper()
	s, q := &stream{}, newStaged()
	r := start(t, collector.Options{Handoff: s, Spans: q.open()})
	body, _ := marshal(t, traces)
	w := export(t, r, "application/x-protobuf", body)
	if w.Code != http.StatusOK {
		t.Fatalf("got %d: %s", w.Code, w.Body)
	}
	q.drained(t)
	samples, _ := s.stored(t)
	return samples
}

func TestSpanBecomesSample(t *testing.T) {
	traces := ptrace.NewTraces()
	s := newSpan(t, traces, map[string]any{
		"gen_ai.request.model": "gpt-4", "gen_ai.response.model": "gpt-4-0613", "gen_ai.request.temperature": 0.2, "gen_ai.request.seed": int64(7),
		"gen_ai.request.top_p": math.NaN(), "gen_ai.usage.input_tokens": int64(812), "gen_ai.usage.output_tokens": int64(120),
		"gen_ai.conversation.id": "conv", "asgood.customer": "acme", "customer.id": "other", "asgood.language": "de",
		"gen_ai.prompt.name": "support", "gen_ai.prompt.version": "12", "gen_ai.response.finish_reasons": []any{"stop"},
		"gen_ai.system_instructions": `[{"type":"text","content":"be kind"}]`,
		"gen_ai.input.messages": `[{"role":"user","parts":[{"type":"text","content":"hi"},{"type":"text","content":"there"}]},` +
			`{"role":"assistant","parts":[{"type":"tool_call","id":"0","name":"earlier","arguments":{}}]}]`,
		"gen_ai.output.messages": `[{"role":"assistant","parts":[{"type":"text","content":"done"},{"type":"tool_call","id":"1","name":"refund","arguments":{"n":1}},` +
			`{"type":"tool_call_response","id":"1","result":"ok"}],"finish_reason":"stop"}]`,
	})
	event(t, s, "gen_ai.evaluation.result", map[string]any{"gen_ai.evaluation.name": "thumbs", "gen_ai.evaluation.score.value": 1.0})
	event(t, s, "gen_ai.evaluation.result", map[string]any{"gen_ai.evaluation.name": "broken", "error.type": "timeout"})
	event(t, s, "gen_ai.evaluation.result", map[string]any{"gen_ai.evaluation.name": "nan", "gen_ai.evaluation.score.value": math.NaN()})
	got := mapped(t, traces)
	want := quality.Sample{
		ID: "01020300000000000000000000000001" + "0400000000000001", Trace: "01020300000000000000000000000001", Time: testNow.Add(1500 * time.Millisecond), Feature: "chat", Customer: "acme", Conversation: "conv",
		Input:  quality.Content{Messages: []quality.Message{{Role: "system", Content: "be kind"}, {Role: "user", Content: "hi\nthere"}, {Role: "assistant"}}},
		Output: quality.Content{Messages: []quality.Message{{Role: "assistant", Content: "done"}}},
		Model:  "gpt-4-0613", Prompt: "support@12", Params: map[string]any{"temperature": 0.2, "seed": 7.0},
		Tools:     []quality.ToolCall{{Name: "refund", Arguments: json.RawMessage(`{"n":1}`), Result: json.RawMessage(`"ok"`)}},
		Usage:     &quality.Usage{InputTokens: 812, OutputTokens: 120},
		LatencyMS: 1500, Attributes: map[string]string{"language": "de", "finish_reason": "stop"}, Scores: map[string]float64{"thumbs": 1},
	}
	if len(got) != 1 || !reflect.DeepEqual(got[0], want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestContentCarriers(t *testing.T) {
	structured := []any{map[string]any{"role": "assistant", "parts": []any{map[string]any{"type": "text", "content": "yes"}}}}
	for _, tt := range []struct {
		name   string
		attrs  map[string]any
		events map[string]map[string]any
		in     string
		tools  int
	}{
		{name: "structured attribute", attrs: map[string]any{"gen_ai.output.messages": structured}},
		{name: "details event", events: map[string]map[string]any{"gen_ai.client.inference.operation.details": {
			"gen_ai.input.messages": `[{"role":"user","parts":[{"type":"text","content":"q"}]}]`, "gen_ai.output.messages": structured}}, in: "q"},
		{name: "plain old attributes", attrs: map[string]any{"gen_ai.prompt": "q", "gen_ai.completion": "yes"}, in: "q"},
		{name: "old attributes as JSON", attrs: map[string]any{"gen_ai.prompt": `[{"role":"user","content":"q"}]`, "gen_ai.completion": `[{"role":"assistant","content":"yes"}]`}, in: "q"},
		{name: "indexed", attrs: map[string]any{"gen_ai.prompt.0.role": "user", "gen_ai.prompt.0.content": "q", "gen_ai.completion.0.content": "yes"}, in: "q"},
		{name: "message events", events: map[string]map[string]any{
			"gen_ai.user.message": {"content": "q"}, "gen_ai.choice": {"index": int64(0), "message": `{"role":"assistant","content":"yes","tool_calls":[{"id":"1","function":{"name":"f","arguments":"{}"}}]}`}}, in: "q", tools: 1},
		{name: "choice with content", events: map[string]map[string]any{"gen_ai.choice": {"content": "yes"}}},
		{name: "content events", events: map[string]map[string]any{"gen_ai.content.prompt": {"gen_ai.prompt": "q"}, "gen_ai.content.completion": {"gen_ai.completion": "yes"}}, in: "q"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			traces := ptrace.NewTraces()
			s := newSpan(t, traces, tt.attrs)
			for name, attrs := range tt.events {
				event(t, s, name, attrs)
			}
			got := mapped(t, traces)
			if len(got) != 1 || got[0].Output.Last() != "yes" || got[0].Input.All() != tt.in || len(got[0].Tools) != tt.tools {
				t.Errorf("got %+v, want output yes, input %q, %d tools", got, tt.in, tt.tools)
			}
		})
	}
}

func TestWhichSpansAreSamples(t *testing.T) {
	for _, tt := range []struct {
		name  string
		attrs map[string]any
		want  int
	}{
		{"chat", map[string]any{"gen_ai.completion": "x"}, 1},
		{"agent", map[string]any{"gen_ai.operation.name": "invoke_agent", "gen_ai.completion": "x"}, 1},
		{"before operations had names", map[string]any{"gen_ai.operation.name": "", "gen_ai.completion": "x"}, 1},
		{"failed without output", map[string]any{"error.type": "timeout"}, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			traces := ptrace.NewTraces()
			newSpan(t, traces, tt.attrs)
			if got := mapped(t, traces); len(got) != tt.want {
				t.Errorf("got %d samples, want %d", len(got), tt.want)
			}
		})
	}
}

func TestErrorOfSpan(t *testing.T) {
	traces := ptrace.NewTraces()
	s := newSpan(t, traces, map[string]any{"error.type": "timeout"})
	s.Status().SetCode(ptrace.StatusCodeError)
	s.Status().SetMessage("no answer")
	if got := mapped(t, traces); len(got) != 1 || got[0].Error != "timeout: no answer" {
		t.Errorf("got %+v", got)
	}
}

func TestPartialSuccess(t *testing.T) {
	traces := ptrace.NewTraces()
	newSpan(t, traces, map[string]any{"gen_ai.completion": "x"})
	newSpan(t, traces, map[string]any{"gen_ai.completion": strings.Repeat("x", 5<<20)})
	proto, text := marshal(t, traces)
	for media, body := range map[string][]byte{"application/x-protobuf": proto, "application/json": text} {
		s, q := &stream{}, newStaged()
		r := start(t, collector.Options{Handoff: s, Spans: q.open()})
		w := export(t, r, media, zipped(t, bytes.NewReader(body)).Bytes(), "Content-Encoding", "gzip")
		reply := ptraceotlp.NewExportResponse()
		decode := reply.UnmarshalProto
		if media == "application/json" {
			decode = reply.UnmarshalJSON
		}
		if err := decode(w.Body.Bytes()); err != nil || w.Code != 200 || w.Header().Get("Content-Type") != media {
			t.Fatalf("%s: got %d, %s, %v", media, w.Code, w.Header(), err)
		}
		partial := reply.PartialSuccess()
		if partial.RejectedSpans() != 1 || !strings.Contains(partial.ErrorMessage(), "4 MiB") {
			t.Errorf("%s: got %d, %q", media, partial.RejectedSpans(), partial.ErrorMessage())
		}
		q.drained(t)
		if stored, _ := s.stored(t); len(stored) != 1 {
			t.Errorf("%s: got %d stored, want 1", media, len(stored))
		}
		// The exporter did not see the answer and sends again.
		export(t, r, media, body)
		q.drained(t)
		if stored, _ := s.stored(t); len(stored) != 1 {
			t.Errorf("%s: got %d stored after a repetition, want 1", media, len(stored))
		}
	}
}

func TestTracesRefused(t *testing.T) {
	r := start(t, collector.Options{Handoff: &stream{}})
	for _, tt := range []struct {
		name, media, encoding string
		body                  []byte
		status                int
		want                  string
	}{
		{"broken JSON", "application/json", "", []byte(`{"resourceSpans":`), 400, "not an OTLP request"},
		{"broken protobuf", "application/x-protobuf", "", []byte("\xff\xff"), 400, "not an OTLP request"},
		{"other type", "text/plain", "", nil, 415, "Content-Type"},
		{"bomb", "application/x-protobuf", "gzip", zipped(t, bytes.NewReader(make([]byte, 65<<20))).Bytes(), 413, "64 MiB"},
		{"too deep", "application/x-protobuf", "", deep(200_000), 400, "recursion"},
		{"too deep, JSON", "application/json", "", deepJSON(2_000_000), 400, "nest"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := export(t, r, tt.media, tt.body, "Content-Encoding", tt.encoding)
			if w.Code != tt.status || !strings.Contains(w.Body.String(), tt.want) {
				t.Fatalf("got %d, %.300q, want %d, %q", w.Code, w.Body, tt.status, tt.want)
			}
			if tt.media == "application/x-protobuf" {
				_, _, n := protowire.ConsumeField(w.Body.Bytes())
				if n < 0 || w.Header().Get("Content-Type") != tt.media {
					t.Errorf("got body %q, type %q, want a protobuf status", w.Body, w.Header().Get("Content-Type"))
				}
				return
			}
			var status struct {
				Code    int
				Message string
			}
			if err := json.Unmarshal(w.Body.Bytes(), &status); err != nil || status.Code != 3 {
				t.Errorf("got %s, %v, want a status of code 3", w.Body, err)
			}
		})
	}
}

func TestTracesUnavailable(t *testing.T) {
	q := newStaged()
	q.full = true
	r := start(t, collector.Options{Handoff: &stream{}, Spans: q.open()})
	traces := ptrace.NewTraces()
	newSpan(t, traces, map[string]any{"gen_ai.completion": "x"})
	body, _ := marshal(t, traces)
	if w := export(t, r, "application/x-protobuf", body); w.Code != 503 || w.Header().Get("Retry-After") == "" {
		t.Errorf("got %d, %v, want 503 with Retry-After", w.Code, w.Header())
	}
}

// deep is a request whose resource has an attribute of lists in lists, behind an ordinary one.
func deep(levels int) []byte {
	// Built from the inside out, each level as a prefix, written backwards.
	var prefixes [][]byte
	size := 0
	wrap := func(field protowire.Number) {
		p := protowire.AppendVarint(protowire.AppendTag(nil, field, protowire.BytesType), uint64(size))
		prefixes = append(prefixes, p)
		size += len(p)
	}
	for range levels {
		wrap(1) // ArrayValue.values
		wrap(5) // AnyValue.array_value
	}
	key := []byte("\x0a\x01k")
	wrap(2) // KeyValue.value
	prefixes = append(prefixes, key)
	size += len(key)
	wrap(1) // Resource.attributes
	wrap(1) // ResourceSpans.resource
	wrap(1) // ExportTraceServiceRequest.resource_spans
	var out []byte
	for i := len(prefixes) - 1; i >= 0; i-- {
		out = append(out, prefixes[i]...)
	}
	return out
}

func deepJSON(levels int) []byte {
	return []byte(`{"resourceSpans":[{"resource":{"attributes":[{"key":"k","value":` +
		strings.Repeat(`{"arrayValue":{"values":[`, levels) + strings.Repeat(`]}}`, levels) + `}]}}]}`)
}
