package spans_test

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"

	"github.com/asgood-dev/asgood/collector/spans"
	"github.com/asgood-dev/asgood/internal/quality"
)

// extract returns what one span of the service bot comes to.
func extract(t testing.TB, f quality.Feature, attributes map[string]any) spans.Found {
	t.Helper()
	traces := ptrace.NewTraces()
	put(t, traces, "bot", attributes)
	if f.Name == "" {
		f.Name, f.Match = "a", map[string]string{"service.name": "bot"}
	}
	for found := range spans.New([]quality.Feature{f}).Spans(traces) {
		return found
	}
	t.Fatal("no span")
	return spans.Found{}
}

func TestRoles(t *testing.T) {
	for _, tt := range []struct {
		attributes map[string]any
		want       spans.Role // empty: not recorded
	}{
		{map[string]any{"gen_ai.operation.name": "chat"}, spans.RoleOutput},
		{map[string]any{"gen_ai.operation.name": "invoke_agent"}, spans.RoleOutput},
		{map[string]any{"gen_ai.operation.name": "embeddings", "gen_ai.request.model": "m"}, spans.RoleOther},
		{map[string]any{"gen_ai.operation.name": "execute_tool"}, spans.RoleTool},
		{map[string]any{"gen_ai.operation.name": "retrieval"}, spans.RoleRetrieval},
		{map[string]any{"gen_ai.response.model": "m"}, spans.RoleOutput},
		{map[string]any{"openinference.span.kind": "llm"}, spans.RoleOutput},
		{map[string]any{"openinference.span.kind": "CHAIN"}, spans.RoleOther},
		{map[string]any{"openinference.span.kind": "CHAIN", "output.value": "x"}, spans.RoleOutput},
		{map[string]any{"openinference.span.kind": "RERANKER"}, spans.RoleRetrieval},
		{map[string]any{"openinference.span.kind": "EVALUATOR"}, spans.RoleEvaluation},
		{map[string]any{"openinference.span.kind": "GUARDRAIL"}, spans.RoleOther},
		{map[string]any{"traceloop.span.kind": "task", "traceloop.entity.output": "x"}, spans.RoleOther},
		{map[string]any{"traceloop.span.kind": "workflow", "traceloop.entity.output": "x"}, spans.RoleOutput},
		{map[string]any{"llm.request.type": "embedding", "gen_ai.request.model": "m"}, spans.RoleOther},
		{map[string]any{"llm.request.type": "chat"}, spans.RoleOutput},
		{map[string]any{"operation.name": "ai.streamText.doStream f"}, spans.RoleOutput},
		{map[string]any{"ai.operationId": "ai.embed"}, spans.RoleOther},
		{map[string]any{"ai.operationId": "ai.toolCall"}, spans.RoleTool},
		{map[string]any{"annotations.0.annotation.name": "x", "annotations.0.annotation.score": 1}, spans.RoleOther},
		{map[string]any{"http.route": "/", "session.id": "s", "operation.name": "x"}, ""},
		{nil, ""},
	} {
		got := extract(t, quality.Feature{}, tt.attributes)
		switch {
		case got.Err != nil, got.Feature != "a", (got.Record == nil) != (tt.want == ""):
			t.Errorf("%v: got %+v, want role %q", tt.attributes, got, tt.want)
		case got.Record != nil && got.Record.Role != tt.want:
			t.Errorf("%v: got role %q, want %q", tt.attributes, got.Record.Role, tt.want)
		}
	}
}

func TestMapping(t *testing.T) {
	f := quality.Feature{Name: "a", Match: map[string]string{"service.name": "bot"}, Map: map[string][]string{
		"customer": {"missing", "telemetry.sdk.language"}, "model": {"deployment"}, "prompt": {"metadata.prompt", "app.prompt"}, "reference": {"expected"},
		"attributes.customer": {"tenant.id"}, "tier": {"traceloop.association.properties.tier"}, "conversation": {"thread"},
	}}
	for _, tt := range []struct {
		name       string
		attributes map[string]any
	}{
		{"text", map[string]any{"metadata": `{"prompt":"p@1"}`, "traceloop.association.properties": `{"tier":"gold"}`}},
		{"mapping", map[string]any{"metadata": map[string]any{"prompt": "p@1"}, "traceloop.association.properties": map[string]any{"tier": "gold"}}},
		{"flat", map[string]any{"app.prompt": "p@1", "traceloop.association.properties.tier": "gold"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			all := map[string]any{
				"gen_ai.operation.name": "chat", "gen_ai.completion": "x", "gen_ai.request.model": "gpt", "deployment": "prod-1", "expected": "y", "asgood.customer": "unused",
				"tenant.id": "t-1", "gen_ai.conversation.id": "unused",
			}
			for k, v := range tt.attributes {
				all[k] = v
			}
			got := extract(t, f, all).Record.Sample
			if got.Customer != "python" || got.Model != "prod-1" || got.Prompt != "p@1" || got.Reference == nil || *got.Reference != "y" ||
				got.Conversation != "" || got.Attributes["customer"] != "t-1" || got.Attributes["tier"] != "gold" {
				t.Errorf("got %+v", got)
			}
		})
	}
}

// TestContentInManyForms reads what was asked and answered from all that carries it.
func TestContentInManyForms(t *testing.T) {
	for _, tt := range []struct {
		name        string
		attributes  map[string]any
		input, says string
		tools       int
	}{
		{"JSON answer", map[string]any{"gen_ai.completion": `{"verdict": 1}`}, "", `{"verdict": 1}`, 0},
		{"list that is no message", map[string]any{"gen_ai.completion": `[1, 2]`}, "", `[1, 2]`, 0},
		{"Anthropic parts", map[string]any{"gen_ai.output.messages": `[{"role":"assistant","content":[{"type":"text","text":"yes"},{"type":"tool_use","id":"1","name":"f","input":{}}]}]`}, "", "yes", 1},
		{"Gemini parts", map[string]any{"gen_ai.output.messages": `[{"role":"model","parts":[{"text":"yes"},{"function_call":{"name":"f","args":{"a":1}}}]}]`}, "", "yes", 1},
		{"null content", map[string]any{"gen_ai.output.messages": `[{"role":"assistant","content":null,"tool_calls":[{"id":"1","type":"function","function":{"name":"f","arguments":"{}"}}]}]`}, "", "", 1},
		{"wrapped", map[string]any{"openinference.span.kind": "CHAIN", "input.value": `{"input":{"question":"q"}}`, "output.value": `{"messages":[{"role":"user","content":"q"},{"role":"assistant","content":"yes"}]}`}, "q", "yes", 0},
		{"a text in JSON", map[string]any{"traceloop.span.kind": "workflow", "traceloop.entity.input": `{"inputs":{"topic":"q"}}`, "traceloop.entity.output": `"yes"`}, "q", "yes", 0},
		{"nothing to find", map[string]any{"openinference.span.kind": "AGENT", "output.value": `{"a":1,"b":[2]}`}, "", `{"a":1,"b":[2]}`, 0},
		{"not UTF-8", map[string]any{"gen_ai.completion": "a\xffb"}, "", "a\ufffdb", 0},
		{"redacted", map[string]any{"gen_ai.prompt": "__REDACTED__", "gen_ai.completion": "yes"}, "", "yes", 0},
		{"redacted part", map[string]any{"gen_ai.completion": "yes", "gen_ai.input.messages": `[{"role":"user","parts":[{"type":"text","content":"q"},{"type":"text","content":"__REDACTED__"}]}]`}, "", "yes", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := extract(t, quality.Feature{}, tt.attributes).Record.Sample
			if got.Input.All() != tt.input || got.Output.Last() != tt.says || len(got.Tools) != tt.tools {
				t.Errorf("got %+v, want %q, %q, %d tools", got, tt.input, tt.says, tt.tools)
			}
		})
	}
}

func TestUsageAndParams(t *testing.T) {
	got := extract(t, quality.Feature{}, map[string]any{
		"gen_ai.operation.name": "chat", "gen_ai.usage.input_tokens": int64(-5), "gen_ai.usage.prompt_tokens": "7", "gen_ai.usage.output_tokens": math.Inf(1),
		"gen_ai.request.top_p": math.NaN(), "gen_ai.request.seed": int64(7), "llm.invocation_parameters": `{"model":"m","temperature":0.5,"tools":[1]}`, "gen_ai.system": "xai",
	}).Record.Sample
	if got.Usage == nil || *got.Usage != (quality.Usage{InputTokens: 7}) || len(got.Params) != 2 || got.Params["temperature"] != 0.5 || got.Attributes["provider"] != "x_ai" {
		t.Errorf("got %+v, %+v", got, got.Usage)
	}
}

// The tools that a model was offered come in three forms, and are left out where they were redacted.
func TestToolDefinitions(t *testing.T) {
	for _, tt := range []struct {
		attributes map[string]any
		want       string
	}{
		{map[string]any{"gen_ai.tool.definitions": `[{"name":"a"},{"name":"b"}]`}, `[{"name":"a"},{"name":"b"}]`},
		{map[string]any{"ai.prompt.tools": []any{`{"name":"a"}`, "plain"}}, `[{"name":"a"},"plain"]`},
		{map[string]any{"llm.tools.10.tool.json_schema": `{"name":"b"}`, "llm.tools.2.tool.json_schema": `{"name":"a"}`}, `[{"name":"a"},{"name":"b"}]`},
		{map[string]any{"llm.tools.0.tool.json_schema": "__REDACTED__", "llm.tools.x.tool.json_schema": "{}", "llm.tools.1.tool.name": "a"}, `null`},
	} {
		tt.attributes["gen_ai.operation.name"] = "chat"
		got, err := json.Marshal(extract(t, quality.Feature{}, tt.attributes).Record.Sample.Params["tool_definitions"])
		if err != nil || string(got) != tt.want {
			t.Errorf("%v: got %s (%v), want %s", tt.attributes, got, err, tt.want)
		}
	}
}

// What a model was told of an earlier call is a result, though the call stands beside it.
func TestResultBesideItsCall(t *testing.T) {
	r := extract(t, quality.Feature{}, map[string]any{
		"gen_ai.operation.name": "chat",
		"gen_ai.input.messages": `[{"role":"user","content":"q"},{"role":"assistant","parts":[{"type":"tool_call","id":"1","name":"find","arguments":{}}]},` +
			`{"role":"tool","parts":[{"type":"tool_call_response","id":"1","response":"found"}]}]`,
		"gen_ai.output.messages": `[{"role":"assistant","content":"a"}]`,
	}).Record
	if len(r.Results) != 1 || r.Results[0].Call != "1" || string(r.Results[0].Result) != `"found"` || len(r.Sample.Tools) != 0 {
		t.Errorf("got results %s and calls %v", r.Results, r.Sample.Tools)
	}
}

func TestTooLargeAndTooMany(t *testing.T) {
	got := extract(t, quality.Feature{}, map[string]any{"gen_ai.operation.name": "chat", "gen_ai.completion": strings.Repeat("x", spans.MaxRecord+1)})
	if quality.KindOf(got.Err) != quality.KindTooLarge {
		t.Errorf("got %v, want too large", got.Err)
	}
	all := map[string]any{"gen_ai.operation.name": "chat", "gen_ai.completion": strings.Repeat("[", 100_000), "asgood.long": strings.Repeat("ä", 300)}
	for i := range 200 {
		all["asgood.k"+strings.Repeat("x", i)] = "v"
	}
	rec := extract(t, quality.Feature{}, all).Record
	if rec == nil || len(rec.Sample.Attributes) != quality.MaxAttributes {
		t.Fatalf("got %+v", rec)
	}
	s, err := rec.Alone()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Validate(); err != nil {
		t.Error(err)
	}
}

func TestAlone(t *testing.T) {
	r := output("t", "1", "", 0, 1)
	r.Feedback = []quality.Feedback{said("m", "t", "1", 0.5), said("others", "t", "2", 1)}
	if s, err := r.Alone(); err != nil || s.ID != "t1" || len(s.Scores) != 1 || s.Scores["m"] != 0.5 {
		t.Errorf("got %+v, %v", s, err)
	}
	r.Sample.Output = quality.Content{}
	if _, err := r.Alone(); err == nil || !strings.Contains(err.Error(), "CAPTURE_MESSAGE_CONTENT") {
		t.Errorf("got %v", err)
	}
	r.Trace = ""
	if _, err := r.Alone(); err == nil || !strings.Contains(err.Error(), "trace id") {
		t.Errorf("got %v", err)
	}
}

func FuzzSpans(f *testing.F) {
	for name, x := range fixtures(f) {
		for _, data := range x.Traces {
			f.Add([]byte(data), false)
			req := ptraceotlp.NewExportRequest()
			if err := req.UnmarshalJSON(data); err != nil {
				f.Fatal(name, err)
			}
			proto, err := req.MarshalProto()
			if err != nil {
				f.Fatal(name, err)
			}
			f.Add(proto, true)
		}
	}
	f.Fuzz(func(t *testing.T, body []byte, isProto bool) {
		req := ptraceotlp.NewExportRequest()
		decode := req.UnmarshalJSON
		if isProto {
			decode = req.UnmarshalProto
		}
		if decode(body) != nil {
			return
		}
		j := spans.NewJoiner(spans.JoinerOptions{Features: fuzzed})
		for found := range spans.New(fuzzed).Spans(req.Traces()) {
			checkFound(t, j, found)
		}
		checkJoined(t, j)
	})
}

func FuzzLogs(f *testing.F) {
	for name, x := range fixtures(f) {
		for _, data := range x.Logs {
			f.Add([]byte(data), false)
			req := plogotlp.NewExportRequest()
			if err := req.UnmarshalJSON(data); err != nil {
				f.Fatal(name, err)
			}
			proto, err := req.MarshalProto()
			if err != nil {
				f.Fatal(name, err)
			}
			f.Add(proto, true)
		}
	}
	f.Fuzz(func(t *testing.T, body []byte, isProto bool) {
		req := plogotlp.NewExportRequest()
		decode := req.UnmarshalJSON
		if isProto {
			decode = req.UnmarshalProto
		}
		if decode(body) != nil {
			return
		}
		j := spans.NewJoiner(spans.JoinerOptions{Features: fuzzed})
		for found := range spans.New(fuzzed).Logs(req.Logs()) {
			checkFound(t, j, found)
		}
		checkJoined(t, j)
	})
}

var fuzzed = []quality.Feature{
	{Name: "a", Match: map[string]string{"service.name": "support-bot"}, Map: map[string][]string{"customer": {"metadata.account", "traceloop.association.properties.account"}, "x": {"user.id"}}},
	{Name: "b", Match: map[string]string{"telemetry.sdk.language": "nodejs"}, Spans: quality.SpanSpec{Join: quality.JoinNone}},
}

// checkFound: whatever came, a record can be written and read again, and is within its bounds.
func checkFound(t *testing.T, j *spans.Joiner, found spans.Found) {
	t.Helper()
	if found.Err != nil {
		if quality.KindOf(found.Err) == quality.KindInternal {
			t.Errorf("got an error that is not the sender's: %v", found.Err)
		}
		return
	}
	if found.Record == nil {
		return
	}
	r := throughJSON(t, *found.Record)
	for _, f := range r.Feedback {
		if f.Metric == "" || f.Value != nil && (math.IsNaN(*f.Value) || math.IsInf(*f.Value, 0)) {
			t.Errorf("got feedback %+v", f)
		}
	}
	j.Add(start, uint64(found.Index+1), r)
}

func checkJoined(t *testing.T, j *spans.Joiner) {
	t.Helper()
	for _, s := range j.Due(start.Add(time.Hour)).Samples {
		if s.Sample.Time.Year() > 2200 {
			continue // the door refuses it
		}
		if err := s.Sample.Validate(); err != nil {
			t.Errorf("%+v: %v", s.Sample, err)
		}
		if _, err := json.Marshal(s.Sample); err != nil {
			t.Error(err)
		}
	}
	if traces, bytes := j.Pending(); traces != 0 || bytes != 0 {
		t.Errorf("left: %d traces, %d bytes", traces, bytes)
	}
}

func BenchmarkLogs(b *testing.B) {
	x := spans.New(twentyFeatures())
	logs := plog.NewLogs()
	rl := logs.ResourceLogs().AppendEmpty()
	rl.Resource().Attributes().PutStr("service.name", "bot-t")
	l := rl.ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
	l.SetTraceID(pcommon.TraceID{1})
	l.SetSpanID(pcommon.SpanID{2})
	l.SetEventName("gen_ai.user.message")
	l.Body().SetEmptyMap().PutStr("content", strings.Repeat("It is so. ", 100))
	b.ReportAllocs()
	for b.Loop() {
		for f := range x.Logs(logs) {
			if f.Err != nil {
				b.Fatal(f.Err)
			}
		}
	}
}

// BenchmarkJoin joins requests of five spans, a thousand at a time.
func BenchmarkJoin(b *testing.B) {
	j := spans.NewJoiner(spans.JoinerOptions{Features: support})
	now := start
	seq, n := uint64(0), 0
	b.ReportAllocs()
	for b.Loop() {
		for range 1000 {
			n++
			trace := pcommon.TraceID{1: byte(n), 2: byte(n >> 8), 3: byte(n >> 16), 4: byte(n >> 24)}.String()
			for _, r := range []spans.Record{
				output(trace, "2", "1", 0, 1), output(trace, "3", "1", 1, 2), other(trace, "4", "1", 1, 2), output(trace, "5", "1", 2, 3), output(trace, "1", "", 0, 3),
			} {
				seq++
				j.Add(now, seq, r)
			}
		}
		now = now.Add(3 * time.Second)
		if n := len(j.Due(now).Samples); n != 1000 {
			b.Fatal(n)
		}
	}
	b.ReportMetric(float64(b.N)*5000/b.Elapsed().Seconds(), "spans/s")
}
