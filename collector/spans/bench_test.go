package spans_test

import (
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/asgood-dev/asgood/collector/spans"
	"github.com/asgood-dev/asgood/internal/quality"
)

func twentyFeatures() []quality.Feature {
	var out []quality.Feature
	for i := range 20 {
		out = append(out, quality.Feature{Name: string(rune('a' + i)), Match: map[string]string{"service.name": "bot-" + string(rune('a'+i))}})
	}
	return out
}

// put adds a span with attributes to the traces.
func put(tb testing.TB, traces ptrace.Traces, service string, attributes map[string]any) ptrace.Span {
	tb.Helper()
	rs := traces.ResourceSpans().AppendEmpty()
	rs.Resource().Attributes().PutStr("service.name", service)
	rs.Resource().Attributes().PutStr("telemetry.sdk.language", "python")
	s := rs.ScopeSpans().AppendEmpty().Spans().AppendEmpty()
	s.SetTraceID(pcommon.TraceID{1})
	s.SetSpanID(pcommon.SpanID{2})
	s.SetParentSpanID(pcommon.SpanID{3})
	s.SetStartTimestamp(pcommon.NewTimestampFromTime(start))
	s.SetEndTimestamp(pcommon.NewTimestampFromTime(start.Add(time.Second)))
	if err := s.Attributes().FromRaw(attributes); err != nil {
		tb.Fatal(err)
	}
	return s
}

var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// BenchmarkExtract reads one span of each sort, for one of twenty features.
func BenchmarkExtract(b *testing.B) {
	said := strings.Repeat(`It is so, and not otherwise. `, 17)
	for name, attributes := range map[string]map[string]any{
		"chat": {
			"gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-4", "gen_ai.response.model": "gpt-4-0613",
			"gen_ai.response.id": "chatcmpl-1", "gen_ai.usage.input_tokens": int64(10), "gen_ai.usage.output_tokens": int64(20), "gen_ai.request.temperature": 0.2,
			"server.address": "api.openai.com", "gen_ai.response.finish_reasons": []any{"stop"},
			"gen_ai.input.messages":  `[{"role":"user","parts":[{"type":"text","content":"` + said + `"}]}]`,
			"gen_ai.output.messages": `[{"role":"assistant","parts":[{"type":"text","content":"` + said + `"}],"finish_reason":"stop"}]`,
		},
		"openinference": {
			"openinference.span.kind": "LLM", "llm.model_name": "gpt-4", "llm.token_count.prompt": int64(10), "llm.token_count.completion": int64(20),
			"llm.input_messages.0.message.role": "user", "llm.input_messages.0.message.content": said,
			"llm.output_messages.0.message.role": "assistant", "llm.output_messages.0.message.content": said,
			"llm.invocation_parameters": `{"temperature":0.2}`, "input.value": said, "output.value": said,
		},
		"tool":  {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "refund", "gen_ai.tool.call.arguments": `{"n":1}`, "gen_ai.tool.call.result": said},
		"other": {"http.request.method": "GET", "http.route": "/x", "server.address": "a", "url.path": "/x", "user_agent.original": "b", "network.peer.address": "1.1.1.1"},
	} {
		b.Run(name, func(b *testing.B) {
			x := spans.New(twentyFeatures())
			traces := ptrace.NewTraces()
			put(b, traces, "bot-t", attributes)
			b.ReportAllocs()
			for b.Loop() {
				for f := range x.Spans(traces) {
					if f.Err != nil {
						b.Fatal(f.Err)
					}
				}
			}
		})
	}
}
