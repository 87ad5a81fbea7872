package app_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"

	"github.com/asgood-dev/asgood/internal/app"
	"github.com/asgood-dev/asgood/internal/config"
)

const loadConfiguration = `
name: Load
storage: {dir: %q}
listen: {public: "127.0.0.1:0", ingest: "127.0.0.1:0", grpc: "127.0.0.1:0", internal: "127.0.0.1:0"}
features:
  - name: bot
    scorers:
      - {name: answered, type: regex, pattern: 'so and not'}
      - {name: correct, type: reference, extract: '(so)', ignore_case: true}
    monitors:
      - {metric: answered, slices: [customer, model], baseline: {first: 500}}
      - {metric: correct, baseline: {first: 500}}
%s`

const (
	loadBatch   = 100 // samples of a request
	loadSenders = 8
	loadScorers = 2 // of loadConfiguration: each sample has that many scores
)

// record1KB is a sample of about 1 KB without its id and its opening brace.
var record1KB = fmt.Sprintf(`"feature":"bot","customer":"acme","model":"gpt-4-0613","prompt":"support@v12",`+
	`"input":%q,"output":%q,"reference":"so","attributes":{"language":"de"},"usage":{"input_tokens":812,"output_tokens":120},"latency_ms":2300}`+"\n",
	strings.Repeat("Why is it so? ", 20), strings.Repeat("It is so and not otherwise. ", 16))

func loadBody(b *bytes.Buffer, n int) {
	b.Reset()
	for i := range loadBatch {
		b.WriteString(`{"id":"sample-`)
		b.WriteString(strconv.Itoa(n*loadBatch + i))
		b.WriteString(`",`)
		b.WriteString(record1KB)
	}
}

// load is the whole program with senders on the same machine.
type load struct {
	b   *testing.B
	app *app.App
	cpu time.Duration // of the process, before the load

	mu    sync.Mutex
	times []time.Duration
}

func startLoad(b *testing.B, more string) *load {
	needEngine(b)
	cfg, err := config.Parse("load.yaml", fmt.Appendf(nil, loadConfiguration, b.TempDir(), more), func(string) (string, bool) { return "", false })
	if err != nil {
		b.Fatal(err)
	}
	a, _ := start(b, cfg)
	return &load{b: b, app: a, cpu: cpuTime()}
}

// send posts b.N requests from loadSenders connections and notes how long each took; perSecond paces the
// requests, 0 means as fast as they are answered.
func (l *load) send(path, contentType string, perSecond int, body func(*bytes.Buffer, int)) {
	l.sendAll(request{path: path, contentType: contentType, body: body, to: l.b.N}, perSecond)
}

// request is what is sent: bodies of the numbers from one to another.
type request struct {
	path, contentType string
	body              func(*bytes.Buffer, int)
	from, to          int
	dry               bool // checked and not taken in
}

func (l *load) sendAll(r request, perSecond int) {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: loadSenders}}
	defer client.CloseIdleConnections()
	url := "http://" + l.app.Addr("ingest") + r.path
	var next atomic.Int64
	next.Store(int64(r.from))
	var wg sync.WaitGroup
	began := time.Now()
	for range loadSenders {
		wg.Go(func() {
			var buf bytes.Buffer
			for n := next.Add(1) - 1; n < int64(r.to); n = next.Add(1) - 1 {
				r.body(&buf, int(n))
				if perSecond > 0 {
					<-time.After(time.Until(began.Add(time.Duration(n-int64(r.from)) * time.Second / time.Duration(perSecond))))
				}
				l.one(client, url, r, buf.Bytes())
			}
		})
	}
	wg.Wait()
}

func (l *load) one(client *http.Client, url string, r request, body []byte) {
	began := time.Now()
	req, err := http.NewRequestWithContext(l.b.Context(), http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		l.b.Error(err)
		return
	}
	req.Header.Set("Content-Type", r.contentType)
	if r.dry {
		req.Header.Set("Asgood-Dry-Run", "on")
	}
	res, err := client.Do(req)
	if err != nil {
		l.b.Error(err)
		return
	}
	answer, err := io.ReadAll(res.Body)
	_ = res.Body.Close()
	if err != nil || res.StatusCode != http.StatusOK {
		l.b.Errorf("status %d: %.300s (%v)", res.StatusCode, answer, err)
	}
	l.note(time.Since(began))
}

func (l *load) note(d time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.times = append(l.times, d)
}

// report tells the rate of what was acknowledged, the slowest hundredth, the rate at which all of it was
// taken in and what was kept was in the store, and the memory and time of the process, senders included.
func (l *load) report(what, counter string, acknowledged time.Duration) {
	n := l.b.N * loadBatch
	began := time.Now()
	if l.b.Failed() {
		l.b.FailNow()
	}
	within(l.b, 2*time.Minute, "what was sent, in the store", func() (string, bool) {
		m := get("http://" + l.app.Addr("internal") + "/metrics")
		accepted := metricOf(m, "asgood_collector_"+counter+`{feature="bot"}`)
		return fmt.Sprint(accepted), accepted >= float64(n) &&
			metricOf(m, `asgood_bus_lag_messages{reader="writer",stream="SAMPLES"}`) == 0 &&
			metricOf(m, `asgood_bus_lag_messages{reader="evaluator",stream="SAMPLES"}`) == 0
	})
	slices.Sort(l.times)
	l.b.ReportMetric(float64(n)/acknowledged.Seconds(), what+"/s")
	l.b.ReportMetric(float64(n)/(acknowledged+time.Since(began)).Seconds(), "stored/s")
	l.b.ReportMetric(float64(l.times[len(l.times)*99/100].Microseconds())/1e3, "p99-ms")
	l.b.ReportMetric(residentMB(), "MB-resident")
	l.b.ReportMetric(float64((cpuTime()-l.cpu).Microseconds())/float64(n), "cpu-us/"+strings.TrimSuffix(what, "s"))
	l.b.ReportMetric(0, "ns/op")
}

func metricValue(addr, name string) float64 { return metricOf(get("http://"+addr+"/metrics"), name) }

func metricOf(metrics, name string) float64 {
	for line := range strings.SplitSeq(metrics, "\n") {
		if rest, ok := strings.CutPrefix(line, name+" "); ok {
			v, _ := strconv.ParseFloat(rest, 64)
			return v
		}
	}
	return 0
}

func residentMB() float64 { return residentOf(os.Getpid()) }

// cpuTime is what the process has used of both processors, senders included: the figure to compare where a
// machine is shared.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkIngestJSON sends samples of 1 KB, 100 a request, each on disk when it is acknowledged, into the
// whole program: scoring, detection and the embedded store run beside it.
func BenchmarkIngestJSON(b *testing.B) {
	for _, tt := range []struct{ name, more string }{
		{"plain", "    redact: []\n"},
		{"redacted", ""},
		{"sampled", "    sampling: {rate: 0.1, per_customer_min: 50/h, budget: 100000/h}\n"},
	} {
		b.Run(tt.name, func(b *testing.B) {
			l := startLoad(b, tt.more)
			b.ResetTimer()
			began := time.Now()
			l.send("/v1/samples", "application/x-ndjson", 0, loadBody)
			l.report("samples", "samples_accepted_total", time.Since(began))
		})
	}
}

// BenchmarkIngestAtHalfRate sends the same at 10,000 samples a second: the time of a request is that of a
// program that is busy and not flooded.
func BenchmarkIngestAtHalfRate(b *testing.B) {
	l := startLoad(b, "")
	b.ResetTimer()
	began := time.Now()
	l.send("/v1/samples", "application/x-ndjson", 10_000/loadBatch, loadBody)
	l.report("samples", "samples_accepted_total", time.Since(began))
}

// BenchmarkIngestOTLP sends spans of 1 KB, 100 a request, as protobuf; each is a request of its own and
// becomes a sample after the wait for late spans.
func BenchmarkIngestOTLP(b *testing.B) {
	l := startLoad(b, "    match: {service.name: bot}\n    spans: {wait: 500ms}\n")
	b.ResetTimer()
	began := time.Now()
	l.send("/v1/traces", "application/x-protobuf", 0, loadSpans(b))
	l.report("spans", "samples_accepted_total", time.Since(began))
}

// loadSpans makes bodies of one form, with other ids each.
func loadSpans(b *testing.B) func(*bytes.Buffer, int) {
	traces := ptrace.NewTraces()
	rs := traces.ResourceSpans().AppendEmpty()
	rs.Resource().Attributes().PutStr("service.name", "bot")
	list := rs.ScopeSpans().AppendEmpty().Spans()
	for i := range loadBatch {
		s := list.AppendEmpty()
		s.SetTraceID(markedID(i))
		s.SetSpanID(markedSpan(i))
		s.SetStartTimestamp(pcommon.NewTimestampFromTime(time.Now()))
		s.SetEndTimestamp(pcommon.NewTimestampFromTime(time.Now().Add(time.Second)))
		for name, value := range map[string]string{
			"gen_ai.operation.name": "chat", "gen_ai.response.model": "gpt-4-0613", "asgood.customer": "acme",
			"gen_ai.input.messages":  `[{"role":"user","parts":[{"type":"text","content":"` + strings.Repeat("Why is it so? ", 20) + `"}]}]`,
			"gen_ai.output.messages": `[{"role":"assistant","parts":[{"type":"text","content":"` + strings.Repeat("It is so and not otherwise. ", 16) + `"}]}]`,
		} {
			s.Attributes().PutStr(name, value)
		}
	}
	form, err := ptraceotlp.NewExportRequestFromTraces(traces).MarshalProto()
	if err != nil {
		b.Fatal(err)
	}
	var places []int
	for i := range loadBatch {
		trace, span := markedID(i), markedSpan(i)
		places = append(places, bytes.Index(form, trace[:])+8, bytes.Index(form, span[:]))
	}
	// The ids are written into a copy of the form, which costs the senders nearly nothing.
	return func(buf *bytes.Buffer, n int) {
		buf.Reset()
		buf.Write(form)
		for i, at := range places {
			binary.BigEndian.PutUint64(buf.Bytes()[at:], uint64(n*loadBatch+i/2+1))
		}
	}
}

// markedID and markedSpan are ids that stand nowhere else.
func markedID(i int) (id pcommon.TraceID) {
	copy(id[:], "trace-->")
	binary.BigEndian.PutUint64(id[8:], 0xfedcba9876543210+uint64(i))
	return id
}

func markedSpan(i int) (id pcommon.SpanID) {
	binary.BigEndian.PutUint64(id[:], 0xabcdef0123456789+uint64(i))
	return id
}
