package app_test

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/asgood-dev/asgood/collector"
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

// send posts b.N requests from loadSenders connections and notes how long each took.
func (l *load) send(path, contentType string, body func(*bytes.Buffer, int)) {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: loadSenders}}
	defer client.CloseIdleConnections()
	url := "http://" + l.app.Addr("ingest") + path
	var next atomic.Int64
	var wg sync.WaitGroup
	for range loadSenders {
		wg.Go(func() {
			var buf bytes.Buffer
			for n := next.Add(1) - 1; n < int64(l.b.N); n = next.Add(1) - 1 {
				body(&buf, int(n))
				began := time.Now()
				res, err := client.Post(url, contentType, bytes.NewReader(buf.Bytes()))
				if err != nil {
					l.b.Error(err)
					return
				}
				_ = res.Body.Close()
				if res.StatusCode != http.StatusOK {
					l.b.Errorf("status %d", res.StatusCode)
					return
				}
				l.note(time.Since(began))
			}
		})
	}
	wg.Wait()
}

func (l *load) note(d time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.times = append(l.times, d)
}

// report tells the rate of what was acknowledged, the slowest hundredth, the rate at which it was in the
// store, and the memory of the process, senders included.
func (l *load) report(what string, acknowledged time.Duration, per int) {
	n := l.b.N * per
	began := time.Now()
	eventually(l.b, "what was sent, in the store", func() (string, bool) {
		stored := metricValue(l.app.Addr("internal"), `asgood_writer_rows_total{of="SAMPLES"}`)
		return fmt.Sprint(stored), stored >= float64(n)
	})
	slices.Sort(l.times)
	l.b.ReportMetric(float64(n)/acknowledged.Seconds(), what+"/s")
	l.b.ReportMetric(float64(n)/(acknowledged+time.Since(began)).Seconds(), "stored/s")
	l.b.ReportMetric(float64(l.times[len(l.times)*99/100].Microseconds())/1e3, "p99-ms")
	l.b.ReportMetric(residentMB(), "MB-resident")
	l.b.ReportMetric(float64((cpuTime()-l.cpu).Microseconds())/float64(n), "cpu-us/"+strings.TrimSuffix(what, "s"))
	l.b.ReportMetric(0, "ns/op")
}

func metricValue(addr, name string) float64 {
	for line := range strings.SplitSeq(get("http://"+addr+"/metrics"), "\n") {
		if rest, ok := strings.CutPrefix(line, name+" "); ok {
			v, _ := strconv.ParseFloat(rest, 64)
			return v
		}
	}
	return 0
}

func residentMB() float64 {
	data, err := os.ReadFile("/proc/self/statm")
	if err != nil || runtime.GOOS != "linux" {
		return 0
	}
	pages, _ := strconv.ParseFloat(strings.Fields(string(data))[1], 64)
	return pages * float64(os.Getpagesize()) / (1 << 20)
}

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
	for _, tt := range []struct{ name, more string }{{"plain", ""}} {
		b.Run(tt.name, func(b *testing.B) {
			l := startLoad(b, tt.more)
			b.ResetTimer()
			began := time.Now()
			l.send("/v1/samples", "application/x-ndjson", loadBody)
			l.report("samples", time.Since(began), loadBatch)
		})
	}
}

// BenchmarkDecodeOnly parses the same requests and stores nothing: what the ratio of ingest is taken of.
func BenchmarkDecodeOnly(b *testing.B) {
	var buf bytes.Buffer
	loadBody(&buf, 0)
	b.SetBytes(int64(buf.Len()))
	for b.Loop() {
		n := 0
		for _, err := range collector.ReadSamples(bytes.NewReader(buf.Bytes())) {
			if err != nil {
				b.Fatal(err)
			}
			n++
		}
		if n != loadBatch {
			b.Fatal(n)
		}
	}
	b.ReportMetric(float64(b.N)*loadBatch/b.Elapsed().Seconds(), "samples/s")
}
