package senders_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// The collector takes spans in on unix sockets and sends them on by either protocol, in small batches, with
// a queue and with retries that do not end.
const otelcolConfiguration = `
receivers:
  otlp/http: {protocols: {grpc: {transport: unix, endpoint: %[1]q, max_recv_msg_size_mib: 16}}}
  otlp/grpc: {protocols: {grpc: {transport: unix, endpoint: %[2]q, max_recv_msg_size_mib: 16}}}
processors:
  batch: {timeout: 50ms, send_batch_size: 8, send_batch_max_size: 8}
exporters:
  otlp_http:
    endpoint: http://%[3]s
    retry_on_failure: {enabled: true, initial_interval: 100ms, max_interval: 500ms, max_elapsed_time: 0}
    sending_queue: {enabled: true, num_consumers: 4, queue_size: 1000}
  otlp_grpc:
    endpoint: %[4]s
    tls: {insecure: true}
    retry_on_failure: {enabled: true, initial_interval: 100ms, max_interval: 500ms, max_elapsed_time: 0}
    sending_queue: {enabled: true, num_consumers: 4, queue_size: 1000}
service:
  telemetry: {metrics: {level: none}, logs: {encoding: json}}
  pipelines:
    traces/http: {receivers: [otlp/http], processors: [batch], exporters: [otlp_http]}
    traces/grpc: {receivers: [otlp/grpc], processors: [batch], exporters: [otlp_grpc]}
`

// relay is a running collector.
type relay struct {
	cmd     *exec.Cmd
	sockets map[string]string // by service
	mu      sync.Mutex
	log     bytes.Buffer
}

// Write takes the collector's log.
func (r *relay) Write(data []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.log.Write(data)
}

func (r *relay) logged() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.log.String()
}

func startRelay(t *testing.T, addrHTTP, addrGRPC string) *relay {
	t.Helper()
	binary := filepath.Join("..", "..", "..", "bin", "otelcol")
	if _, err := os.Stat(binary); err != nil {
		t.Skip("the OpenTelemetry collector is not built: run `make senders`")
	}
	dir := t.TempDir()
	r := &relay{sockets: map[string]string{"otelcol-http": filepath.Join(dir, "http"), "otelcol-grpc": filepath.Join(dir, "grpc")}}
	file := filepath.Join(dir, "otelcol.yaml")
	text := fmt.Sprintf(otelcolConfiguration, r.sockets["otelcol-http"], r.sockets["otelcol-grpc"], addrHTTP, addrGRPC)
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	r.cmd = exec.Command(binary, "--config", "file:"+file)
	r.cmd.Stdout, r.cmd.Stderr = r, r
	if err := r.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.cmd.Process.Kill() })
	for _, socket := range r.sockets {
		eventually(t, "the collector", func() (string, bool) {
			c, err := net.Dial("unix", socket)
			if err != nil {
				return r.logged(), false
			}
			return "", c.Close() == nil
		})
	}
	return r
}

// stop ends the collector, which sends what it still has.
func (r *relay) stop(t *testing.T) {
	t.Helper()
	if err := r.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := r.cmd.Wait(); err != nil {
		t.Errorf("the collector ended with %v: %s", err, r.logged())
	}
}

// client sends spans to the collector.
func (r *relay) client(t *testing.T, service string) *sdktrace.TracerProvider {
	t.Helper()
	exporter, err := otlptracegrpc.New(t.Context(), otlptracegrpc.WithEndpoint("unix://"+r.sockets[service]), otlptracegrpc.WithInsecure())
	if err != nil {
		t.Fatal(err)
	}
	p := sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter), sdktrace.WithResource(resource.NewSchemaless(attribute.String("service.name", service))))
	t.Cleanup(func() { _ = p.Shutdown(context.Background()) })
	return p
}

// chats records requests whose answers are their numbers.
func chats(ctx context.Context, p *sdktrace.TracerProvider, first, n int, padding string) {
	for i := range n {
		_, span := p.Tracer("chats").Start(ctx, "chat")
		span.SetAttributes(attribute.String("gen_ai.operation.name", "chat"), attribute.String("app.account", "acme"),
			attribute.String("gen_ai.input.messages", `[{"role":"user","parts":[{"type":"text","content":"count`+padding+`"}]}]`),
			attribute.String("gen_ai.output.messages", fmt.Sprintf(`[{"role":"assistant","parts":[{"type":"text","content":"%d"}]}]`, first+i)))
		span.End()
	}
}

// route is a service that sends by the collector, and the gate that the collector sends through.
type route struct {
	service, listener string
	client            *sdktrace.TracerProvider
	gate              *gate
}

// journey is what the test sends.
type journey struct {
	routes []route
	relay  *relay
	sent   int // by each service
}

func newJourney(t *testing.T, p *program) *journey {
	t.Helper()
	byHTTP, addrHTTP := gateHTTP(t)
	byGRPC, addrGRPC := gateGRPC(t)
	j := &journey{relay: startRelay(t, addrHTTP, addrGRPC)}
	j.routes = []route{
		{"otelcol-http", "ingest", j.relay.client(t, "otelcol-http"), byHTTP},
		{"otelcol-grpc", "grpc", j.relay.client(t, "otelcol-grpc"), byGRPC},
	}
	j.aim(p)
	return j
}

// aim lets the gates lead to where the program listens now.
func (j *journey) aim(p *program) {
	for _, r := range j.routes {
		r.gate.aim(p.addr(r.listener))
	}
}

// send hands spans to the collector while the gates are in a mode.
func (j *journey) send(t *testing.T, m mode) {
	t.Helper()
	const n = 40
	for _, r := range j.routes {
		r.gate.set(m)
		chats(t.Context(), r.client, j.sent, n, "")
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := r.client.ForceFlush(ctx); err != nil {
			t.Error(err)
		}
	}
	j.sent += n
}

// met waits until the collector has tried again and again.
func (j *journey) met(t *testing.T) {
	t.Helper()
	for _, r := range j.routes {
		eventually(t, "requests of "+r.service, func() (string, bool) { return j.relay.logged(), r.gate.met() >= 2 })
	}
}

// check compares what is stored with what was sent.
func (j *journey) check(t *testing.T, p *program) {
	t.Helper()
	for _, r := range j.routes {
		times := map[string]int{}
		for _, s := range p.samples(t, r.service, j.sent) {
			times[s.Output.Last()]++
		}
		for i := range j.sent {
			if n := times[strconv.Itoa(i)]; n != 1 {
				t.Errorf("%s: answer %d is stored %d times", r.service, i, n)
			}
		}
	}
}

// TestOtelcol lets a collector send by HTTP and by gRPC through lost answers, refusals and a restart of the
// program: every span becomes one sample, and a span that is refused for good is not sent again.
func TestOtelcol(t *testing.T) {
	p := newProgram(t, map[string]string{"otelcol-http": "app.account", "otelcol-grpc": "app.account"})
	j := newJourney(t, p)
	j.send(t, passes)
	for _, m := range []mode{loses, refuses} {
		j.send(t, m)
		j.met(t)
	}
	j.send(t, passes)
	j.check(t, p)
	if n, err := strconv.Atoi(p.metric(`asgood_collector_spans_total{outcome="taken"}`)); err != nil || n <= len(j.routes)*j.sent {
		t.Errorf("the program took %d spans (%v), want more than the %d sent, for answers were lost", n, err, len(j.routes)*j.sent)
	}
	p.stop(t)
	j.send(t, passes) // on to where nobody listens any more
	j.met(t)
	p.start(t)
	j.aim(p)
	for _, r := range j.routes { // too large, beside others that are not
		chats(t.Context(), r.client, -1, 1, strings.Repeat(".", 5<<20))
	}
	j.send(t, passes)
	j.check(t, p)
	j.relay.stop(t)
	j.relay.checkRefusals(t, len(j.routes))
	j.check(t, p)
}

// checkRefusals checks that the collector was told of each refused span once, and gave nothing else up.
func (r *relay) checkRefusals(t *testing.T, want int) {
	t.Helper()
	got := 0
	for line := range strings.Lines(r.logged()) {
		var entry struct {
			Level, Msg, Message string
			Dropped             int `json:"dropped_spans"`
		}
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			t.Errorf("the collector said %s", line)
			continue
		}
		if strings.Contains(entry.Msg, "Dropping data") || entry.Level == "error" {
			t.Errorf("the collector gave something up: %s", line)
		}
		if strings.HasPrefix(entry.Msg, "Partial success") {
			got++
			if entry.Dropped != 1 || !strings.Contains(entry.Message, "4 MiB") {
				t.Errorf("the collector was told: %s", line)
			}
		}
	}
	if got != want {
		t.Errorf("the collector was told %d times that a span is refused, want %d: %s", got, want, r.logged())
	}
}
