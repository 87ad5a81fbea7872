package app_test

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// The bars of the soak.
const (
	soakResident = 900  // MB at most
	soakRate     = 0.98 // of the rate that was asked for
	soakGrowth   = 0.05 // of the mean, over what is judged
	soakWarmUp   = 0.5  // of the time, before it: caches fill and the first tables are merged; only the most counts
)

const soakConfiguration = `
name: Soak
storage: {dir: %q}
listen: {public: %q, ingest: %q, grpc: "127.0.0.1:0", internal: %q}
features:
  - name: bot
%s    scorers:
      - {name: answered, type: regex, pattern: 'so and not'}
      - {name: correct, type: reference, extract: '(so)', ignore_case: true}
    monitors:
      - {metric: answered, slices: [customer, model], baseline: {first: 500}}
      - {metric: correct, baseline: {first: 500}}
`

// TestSoak sends samples of 1 KB at a rate to a served program, from this process to another, and tells each minute
// what was acknowledged, the slowest hundredth and the memory of the server. It runs by `make soak`: ASGOOD_SOAK says
// for how long after a warm-up of half of it, ASGOOD_SOAK_RATE how many samples a second, ASGOOD_SOAK_PROGRAM what is served, and ASGOOD_SOAK_REDACT
// `off` that nothing is redacted.
func TestSoak(t *testing.T) {
	needEngine(t)
	long, err := time.ParseDuration(os.Getenv("ASGOOD_SOAK"))
	if err != nil {
		t.Skip("runs only where ASGOOD_SOAK says for how long: see `make soak`")
	}
	rate := 20_000
	if text := os.Getenv("ASGOOD_SOAK_RATE"); text != "" {
		if rate, err = strconv.Atoi(text); err != nil || rate < loadBatch {
			t.Fatalf("ASGOOD_SOAK_RATE: got %q, want %d or more", text, loadBatch)
		}
	}
	s := serveSoak(t, os.Getenv("ASGOOD_SOAK_PROGRAM"))
	warmUp := time.Duration(float64(long) * soakWarmUp)
	took := s.run(warmUp+long, rate)
	if got := float64(s.acknowledged.Load()) / took.Seconds(); got < soakRate*float64(rate) {
		t.Errorf("got %.0f acknowledged a second, want %d: what follows is of a lower rate", got, rate)
	}
	if s.bad.Load() > 0 {
		t.Errorf("%d requests were not acknowledged", s.bad.Load())
	}
	slope, mean, most := flatness(s.memory, warmUp)
	left := (took - warmUp).Minutes()
	verdict := "flat"
	if slope*left > soakGrowth*mean {
		verdict = "NOT flat"
	}
	t.Logf("resident memory: %s: mean %.0f MB, at most %.0f MB, %+.1f MB a minute over the last %.1f minutes", verdict, mean, most, slope, left)
	if verdict != "flat" || most > soakResident {
		t.Errorf("want at most %d MB, and growth under %.0f %% of the mean", soakResident, soakGrowth*100)
	}
}

// soak is a served program and what was seen of it.
type soak struct {
	t                testing.TB
	ingest, internal string
	pid              int
	client           *http.Client
	bad              atomic.Int64
	acknowledged     atomic.Int64

	mu     sync.Mutex
	times  []time.Duration // since the last minute
	memory []resident
}

// resident is the memory of the server at a time since the beginning.
type resident struct {
	at time.Duration
	mb float64
}

func serveSoak(t testing.TB, program string) *soak {
	t.Helper()
	dir := t.TempDir()
	s := &soak{t: t, ingest: freeAddress(t), internal: freeAddress(t), client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: loadSenders}}}
	file := filepath.Join(dir, "asgood.yaml")
	redact := "" // the default
	if os.Getenv("ASGOOD_SOAK_REDACT") == "off" {
		redact = "    redact: []\n"
	}
	text := fmt.Sprintf(soakConfiguration, filepath.Join(dir, "data"), freeAddress(t), s.ingest, s.internal, redact)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, "serve", "--config", file)
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatalf("serving %q: %v", program, err)
	}
	s.pid = cmd.Process.Pid
	t.Cleanup(func() {
		s.client.CloseIdleConnections()
		_ = cmd.Process.Signal(syscall.SIGTERM) // it may have ended
		if err := cmd.Wait(); err != nil {
			t.Errorf("the served program: %v", err)
		}
	})
	within(t, time.Minute, "the server", func() (string, bool) {
		res, err := http.Get("http://" + s.internal + "/readyz")
		if err != nil {
			return err.Error(), false
		}
		_ = res.Body.Close()
		return res.Status, res.StatusCode == http.StatusOK
	})
	return s
}

func freeAddress(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// run sends for a time, or longer where the server does not keep up, and tells what was seen every minute, or five
// times in a short run. It returns how long it took.
func (s *soak) run(long time.Duration, rate int) time.Duration {
	began := time.Now()
	total := int64(long.Seconds() * float64(rate) / loadBatch)
	var next atomic.Int64
	var wg sync.WaitGroup
	for range loadSenders {
		wg.Go(func() {
			var buf bytes.Buffer
			for n := next.Add(1) - 1; n < total; n = next.Add(1) - 1 {
				loadBody(&buf, int(n))
				<-time.After(time.Until(began.Add(time.Duration(n) * time.Second * loadBatch / time.Duration(rate))))
				s.post(buf.Bytes())
			}
		})
	}
	done := make(chan struct{})
	go func() { wg.Wait(); close(done) }()
	s.watch(began, min(time.Minute, long/5), done)
	return time.Since(began)
}

func (s *soak) post(body []byte) {
	began := time.Now()
	res, err := s.client.Post("http://"+s.ingest+"/v1/samples", "application/x-ndjson", bytes.NewReader(body))
	if err != nil {
		s.bad.Add(1)
		return
	}
	_, _ = io.Copy(io.Discard, res.Body) // the status says it
	_ = res.Body.Close()
	if res.StatusCode != http.StatusOK {
		s.bad.Add(1)
		return
	}
	s.acknowledged.Add(loadBatch)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.times = append(s.times, time.Since(began))
}

// watch reads the server's memory until all is sent. Where senders wait for answers the rate falls behind and what
// is acknowledged shows it.
func (s *soak) watch(began time.Time, every time.Duration, done <-chan struct{}) {
	tick, tell := time.NewTicker(every/12), time.NewTicker(every)
	defer tick.Stop()
	defer tell.Stop()
	last, lastAt := int64(0), began
	for {
		select {
		case <-tick.C:
			s.memory = append(s.memory, resident{time.Since(began), residentOf(s.pid)})
		case <-tell.C:
			n, now := s.acknowledged.Load(), time.Now()
			fmt.Printf("%8s  %6.0f acknowledged/s  p99 %6.1f ms  %5.0f MB resident  writer is %v messages behind  %d refused\n",
				time.Since(began).Round(time.Second), float64(n-last)/now.Sub(lastAt).Seconds(), s.slowest(), residentOf(s.pid),
				metricValue(s.internal, `asgood_bus_lag_messages{reader="writer",stream="SAMPLES"}`), s.bad.Load())
			last, lastAt = n, now
		case <-done:
			fmt.Printf("%d samples acknowledged in %s, %.0f/s\n", s.acknowledged.Load(), time.Since(began).Round(time.Second),
				float64(s.acknowledged.Load())/time.Since(began).Seconds())
			return
		}
	}
}

// slowest is the slowest hundredth since it was asked last, in milliseconds.
func (s *soak) slowest() float64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	times := s.times
	s.times = nil
	if len(times) == 0 {
		return 0
	}
	slices.Sort(times)
	return float64(times[len(times)*99/100].Microseconds()) / 1e3
}

// residentOf is the memory of a process in MB, 0 where that cannot be told.
func residentOf(pid int) float64 {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		return 0
	}
	pages, _ := strconv.ParseFloat(strings.Fields(string(data))[1], 64)
	return pages * float64(os.Getpagesize()) / (1 << 20)
}

// flatness fits a line through the memory after a time and returns its slope in MB a minute, the mean and the most.
func flatness(seen []resident, from time.Duration) (slope, mean, most float64) {
	var n, x, y, xx, xy float64
	for _, r := range seen {
		most = max(most, r.mb)
		if r.at < from {
			continue
		}
		m := r.at.Minutes()
		n, x, y, xx, xy = n+1, x+m, y+r.mb, xx+m*m, xy+m*r.mb
	}
	if n == 0 {
		return 0, 0, most
	}
	if d := n*xx - x*x; d > 0 {
		slope = (n*xy - x*y) / d
	}
	return slope, y / n, most
}

func TestFlatness(t *testing.T) {
	var seen []resident
	for i := range 60 {
		mb := 600 + 2*float64(i) // 12 MB a minute
		if i < 12 {
			mb = 100
		}
		seen = append(seen, resident{time.Duration(i) * 10 * time.Second, mb})
	}
	slope, mean, most := flatness(seen, 2*time.Minute)
	if slope < 11.99 || slope > 12.01 || mean < 670 || mean > 672 || most != 718 {
		t.Errorf("got %v MB a minute, mean %v, most %v", slope, mean, most)
	}
	if slope, mean, _ := flatness(nil, 0); slope != 0 || mean != 0 {
		t.Errorf("of nothing: got %v, %v", slope, mean)
	}
}
