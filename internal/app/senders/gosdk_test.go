package senders_test

import (
	"context"
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlplog/otlploggrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlplog/otlploghttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/log"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/asgood-dev/asgood/internal/quality"
)

// sdk is the OpenTelemetry SDK of Go for one service.
type sdk struct {
	traces *sdktrace.TracerProvider
	logs   *sdklog.LoggerProvider
	tracer trace.Tracer
	logger log.Logger
}

func newSDK(service string, spans sdktrace.SpanExporter, records sdklog.Exporter) *sdk {
	res := resource.NewSchemaless(attribute.String("service.name", service))
	s := &sdk{
		traces: sdktrace.NewTracerProvider(sdktrace.WithResource(res), sdktrace.WithBatcher(spans)),
		logs:   sdklog.NewLoggerProvider(sdklog.WithResource(res), sdklog.WithProcessor(sdklog.NewBatchProcessor(records))),
	}
	s.tracer, s.logger = s.traces.Tracer("support"), s.logs.Logger("support")
	return s
}

// flush sends what was recorded, and fails when it was not taken.
func (s *sdk) flush(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for _, send := range []func(context.Context) error{s.traces.ForceFlush, s.logs.ForceFlush, s.traces.Shutdown, s.logs.Shutdown} {
		if err := send(ctx); err != nil {
			t.Error(err)
		}
	}
}

func overHTTP(t *testing.T, service, addr string) *sdk {
	t.Helper()
	spans, err := otlptracehttp.New(t.Context(), otlptracehttp.WithEndpoint(addr), otlptracehttp.WithInsecure(),
		otlptracehttp.WithCompression(otlptracehttp.GzipCompression))
	if err != nil {
		t.Fatal(err)
	}
	records, err := otlploghttp.New(t.Context(), otlploghttp.WithEndpoint(addr), otlploghttp.WithInsecure(),
		otlploghttp.WithCompression(otlploghttp.GzipCompression))
	if err != nil {
		t.Fatal(err)
	}
	return newSDK(service, spans, records)
}

func overGRPC(t *testing.T, service, addr string) *sdk {
	t.Helper()
	spans, err := otlptracegrpc.New(t.Context(), otlptracegrpc.WithEndpoint(addr), otlptracegrpc.WithInsecure(), otlptracegrpc.WithCompressor("gzip"))
	if err != nil {
		t.Fatal(err)
	}
	records, err := otlploggrpc.New(t.Context(), otlploggrpc.WithEndpoint(addr), otlploggrpc.WithInsecure(), otlploggrpc.WithCompressor("gzip"))
	if err != nil {
		t.Fatal(err)
	}
	return newSDK(service, spans, records)
}

// in runs fn within a span.
func (s *sdk) in(ctx context.Context, name string, kind trace.SpanKind, attributes []attribute.KeyValue, fn func(context.Context, trace.Span)) {
	ctx, span := s.tracer.Start(ctx, name, trace.WithSpanKind(kind), trace.WithAttributes(attributes...))
	defer span.End()
	fn(ctx, span)
}

// say puts the content of an operation on its span, or into a log record beside it.
type say func(ctx context.Context, input, output string)

func (s *sdk) onSpan(ctx context.Context, input, output string) {
	trace.SpanFromContext(ctx).SetAttributes(attribute.String("gen_ai.input.messages", input), attribute.String("gen_ai.output.messages", output))
}

func (s *sdk) inLog(ctx context.Context, input, output string) {
	var r log.Record
	r.SetEventName("gen_ai.client.inference.operation.details")
	r.SetTimestamp(time.Now())
	r.AddAttributes(attribute.String("gen_ai.operation.name", "chat"), attribute.String("gen_ai.input.messages", input), attribute.String("gen_ai.output.messages", output))
	s.logger.Emit(ctx, r)
}

// The messages of the request, as the conventions write them.
const (
	asked    = `[{"role":"user","parts":[{"type":"text","content":"Refund order 7."}]}]`
	toolCall = `[{"role":"assistant","parts":[{"type":"tool_call","id":"call_1","name":"refund","arguments":{"order":7}}],"finish_reason":"tool_call"}]`
	told     = `[{"role":"user","parts":[{"type":"text","content":"Refund order 7."}]},` +
		`{"role":"assistant","parts":[{"type":"tool_call","id":"call_1","name":"refund","arguments":{"order":7}}]},` +
		`{"role":"tool","parts":[{"type":"tool_call_response","id":"call_1","response":{"refunded":true}}]}]`
	answered  = `[{"role":"assistant","parts":[{"type":"text","content":"Order 7 was refunded."}],"finish_reason":"stop"}]`
	documents = `[{"id":"policy-3","content":"Refunds within 30 days."},{"id":"policy-9","content":"Refunds go to the card."}]`
)

// request is one request by the present conventions: an agent that retrieves, asks the model, runs a tool,
// and asks the model again. It is judged by an event of its span and by a log record.
func (s *sdk) request(ctx context.Context, content say) {
	text, number := attribute.String, attribute.Int
	s.in(ctx, "POST /refund", trace.SpanKindServer, []attribute.KeyValue{text("app.account", "acme")}, func(ctx context.Context, _ trace.Span) {
		s.in(ctx, "invoke_agent support", trace.SpanKindInternal, []attribute.KeyValue{
			text("gen_ai.operation.name", "invoke_agent"), text("gen_ai.provider.name", "openai"), text("gen_ai.agent.name", "support"),
			text("gen_ai.conversation.id", "conversation-5"), text("gen_ai.prompt.name", "refunds"), text("asgood.language", "en"),
		}, func(ctx context.Context, agent trace.Span) {
			s.in(ctx, "retrieval policies", trace.SpanKindClient, []attribute.KeyValue{
				text("gen_ai.operation.name", "retrieval"), text("gen_ai.data_source.id", "policies"),
				text("gen_ai.retrieval.query.text", "refund"), text("gen_ai.retrieval.documents", documents),
			}, func(context.Context, trace.Span) {})
			s.chat(ctx, content, asked, toolCall, number("gen_ai.usage.input_tokens", 40), number("gen_ai.usage.output_tokens", 8))
			s.in(ctx, "execute_tool refund", trace.SpanKindInternal, []attribute.KeyValue{
				text("gen_ai.operation.name", "execute_tool"), text("gen_ai.tool.name", "refund"), text("gen_ai.tool.type", "function"),
				text("gen_ai.tool.call.id", "call_1"), text("gen_ai.tool.call.arguments", `{"order":7}`), text("gen_ai.tool.call.result", `{"refunded":true}`),
			}, func(context.Context, trace.Span) {})
			s.chat(ctx, content, told, answered, number("gen_ai.usage.input_tokens", 70), number("gen_ai.usage.output_tokens", 12))
			agent.AddEvent("gen_ai.evaluation.result", trace.WithAttributes(
				text("gen_ai.evaluation.name", "polite"), attribute.Float64("gen_ai.evaluation.score.value", 0.75)))
			s.judge(ctx)
		})
	})
}

func (s *sdk) chat(ctx context.Context, content say, input, output string, usage ...attribute.KeyValue) {
	s.in(ctx, "chat gpt-4o", trace.SpanKindClient, append(usage,
		attribute.String("gen_ai.operation.name", "chat"), attribute.String("gen_ai.provider.name", "openai"),
		attribute.String("gen_ai.request.model", "gpt-4o"), attribute.String("gen_ai.response.model", "gpt-4o-2024-08-06"),
		attribute.Float64("gen_ai.request.temperature", 0.5), attribute.StringSlice("gen_ai.response.finish_reasons", []string{"stop"}),
	), func(ctx context.Context, _ trace.Span) { content(ctx, input, output) })
}

func (s *sdk) judge(ctx context.Context) {
	var r log.Record
	r.SetEventName("gen_ai.evaluation.result")
	r.SetTimestamp(time.Now())
	r.AddAttributes(attribute.String("gen_ai.evaluation.name", "helpful"), attribute.Float64("gen_ai.evaluation.score.value", 1),
		attribute.String("gen_ai.evaluation.score.label", "yes"), attribute.String("gen_ai.evaluation.explanation", "It did what was asked."))
	s.logger.Emit(ctx, r)
}

// failing is a request that the model fails.
func (s *sdk) failing(ctx context.Context) {
	s.in(ctx, "POST /refund", trace.SpanKindServer, []attribute.KeyValue{attribute.String("app.account", "globex")}, func(ctx context.Context, _ trace.Span) {
		s.in(ctx, "chat gpt-4o", trace.SpanKindClient, []attribute.KeyValue{
			attribute.String("gen_ai.operation.name", "chat"), attribute.String("gen_ai.request.model", "gpt-4o"),
			attribute.String("gen_ai.input.messages", asked), attribute.String("error.type", "500"),
		}, func(_ context.Context, span trace.Span) { span.SetStatus(codes.Error, "the model is overloaded") })
	})
}

// TestGo sends a request that works and one that fails with each exporter: each becomes one sample that
// says all of it.
func TestGo(t *testing.T) {
	p := newProgram(t, map[string]string{"go-http": "app.account", "go-grpc": "app.account"})
	byHTTP, byGRPC := overHTTP(t, "go-http", p.addr("ingest")), overGRPC(t, "go-grpc", p.addr("grpc"))
	for s, content := range map[*sdk]say{byHTTP: byHTTP.onSpan, byGRPC: byGRPC.inLog} {
		s.request(t.Context(), content)
		s.failing(t.Context())
		s.flush(t)
	}
	for _, f := range []string{"go-http", "go-grpc"} {
		t.Run(f, func(t *testing.T) {
			list := p.samples(t, f, 2)
			checkScore(t, p, list[0])
			checkRequest(t, f, list[0])
			if s := list[1]; s.Error != "500: the model is overloaded" || s.Customer != "globex" || s.Model != "gpt-4o" || s.Input.Last() != "Refund order 7." || !s.Output.IsZero() {
				t.Errorf("got the failure %+v", s)
			}
		})
	}
}

// checkScore checks that the judge's score is that of the sample, and the only one.
func checkScore(t *testing.T, p *program, s quality.Sample) {
	t.Helper()
	if score := p.helpful(t, s.Feature, 1)[0]; score.SampleID != s.ID || score.Value != 1 || score.Customer != "acme" {
		t.Errorf("got score %+v, want 1 for sample %s", score, s.ID)
	}
}

func checkRequest(t *testing.T, feature string, s quality.Sample) {
	t.Helper()
	if s.ID == "" || s.Trace == "" || time.Since(s.Time) > time.Hour || s.LatencyMS <= 0 || s.Scores["polite"] != 0.75 {
		t.Errorf("got %+v", s)
	}
	s.ID, s.Trace, s.Time, s.LatencyMS, s.Scores = "", "", time.Time{}, 0, nil
	want := quality.Sample{
		Feature: feature, Customer: "acme", Conversation: "conversation-5", Model: "gpt-4o-2024-08-06", Prompt: "refunds",
		Input:      quality.Content{Messages: []quality.Message{{Role: "user", Content: "Refund order 7."}}},
		Output:     quality.Content{Messages: []quality.Message{{Role: "assistant", Content: "Order 7 was refunded."}}},
		Context:    []quality.Document{{ID: "policy-3", Text: "Refunds within 30 days."}, {ID: "policy-9", Text: "Refunds go to the card."}},
		Params:     map[string]any{"temperature": 0.5},
		Tools:      []quality.ToolCall{{Name: "refund", Arguments: json.RawMessage(`{"order":7}`), Result: json.RawMessage(`{"refunded":true}`)}},
		Usage:      &quality.Usage{InputTokens: 110, OutputTokens: 20},
		Attributes: map[string]string{"language": "en", "finish_reason": "stop", "provider": "openai"}, Weight: 1,
	}
	if !reflect.DeepEqual(s, want) {
		t.Errorf("got  %+v\nwant %+v", s, want)
	}
}
