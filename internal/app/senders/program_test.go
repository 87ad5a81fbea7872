package senders_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/asgood-dev/asgood/internal/app"
	"github.com/asgood-dev/asgood/internal/clickhouse"
	"github.com/asgood-dev/asgood/internal/clickhouse/embedded"
	"github.com/asgood-dev/asgood/internal/config"
	"github.com/asgood-dev/asgood/internal/quality"
)

const configuration = `
name: Test
storage: {dir: %q, clickhouse: %q}
listen: {public: "127.0.0.1:0", ingest: "127.0.0.1:0", grpc: "127.0.0.1:0", internal: "127.0.0.1:0"}
features:
`

const featureConfiguration = `
  - name: %s
    match: {service.name: %[1]s}
    map: {customer: [%s]}
    scorers: [{name: feedback, type: external, metrics: [helpful]}]
`

// program is the whole program on a data directory and a store, which outlive its runs.
type program struct {
	cfg     *config.Config
	store   *clickhouse.Store
	running *app.App
	errors  atomic.Int64 // lines of the log that tell of an error
}

// newProgram watches features that are named after their services, with the attributes that name the customer.
func newProgram(t *testing.T, customer map[string]string) *program {
	t.Helper()
	dsn := startEngine(t)
	text := fmt.Sprintf(configuration, t.TempDir(), dsn)
	for _, service := range slices.Sorted(maps.Keys(customer)) {
		text += fmt.Sprintf(featureConfiguration, service, customer[service])
	}
	p := &program{}
	var err error
	if p.cfg, err = config.Parse("test.yaml", []byte(text), func(string) (string, bool) { return "", false }); err != nil {
		t.Fatal(err)
	}
	if p.store, err = clickhouse.Open(t.Context(), clickhouse.Options{DSN: dsn}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.store.Close() })
	p.start(t)
	t.Cleanup(func() { p.stop(t) })
	return p
}

// startEngine runs ClickHouse's engine as a server, so that the test can look into the store beside the program.
func startEngine(t *testing.T) (dsn string) {
	t.Helper()
	if _, err := embedded.Find(""); err != nil {
		t.Skipf("the embedded engine is not installed: run `make engine` (%v)", err)
	}
	engine, err := embedded.Open(embedded.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = engine.Close() })
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		res, err := engine.RoundTrip(r)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		defer res.Body.Close()
		maps.Copy(w.Header(), res.Header)
		w.WriteHeader(res.StatusCode)
		_, _ = io.Copy(w, res.Body)
	}))
	t.Cleanup(s.Close)
	return s.URL + "/default"
}

func (p *program) start(t *testing.T) {
	t.Helper()
	handler := slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn, ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.LevelKey && a.Value.Any() == slog.LevelError {
			p.errors.Add(1)
		}
		return a
	}})
	a, err := app.New(t.Context(), app.Options{Config: p.cfg, Logger: slog.New(handler)})
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	p.running = a
}

// stop does nothing to a program that does not run.
func (p *program) stop(t *testing.T) {
	t.Helper()
	if p.running == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := p.running.Stop(ctx); err != nil {
		t.Error(err)
	}
	p.running = nil
	if n := p.errors.Load(); n > 0 {
		t.Errorf("the program logged %d errors", n)
	}
}

func (p *program) addr(listener string) string { return p.running.Addr(listener) }

// metric is the value of a metric, which is named with its labels.
func (p *program) metric(name string) string {
	res, err := http.Get("http://" + p.addr("internal") + "/metrics")
	if err != nil {
		return err.Error()
	}
	defer res.Body.Close()
	for lines := bufio.NewScanner(res.Body); lines.Scan(); {
		if value, ok := strings.CutPrefix(lines.Text(), name+" "); ok {
			return value
		}
	}
	return "absent"
}

// samples waits until so many samples of a feature are stored and no more can come, and returns them in the
// order of time.
func (p *program) samples(t *testing.T, feature string, n int) []quality.Sample {
	t.Helper()
	read := func(from, to time.Time) ([]quality.Sample, error) {
		return p.store.Samples(t.Context(), feature, from, to, 100_000)
	}
	stored(t, feature+"'s samples", n, read)
	eventually(t, "the end of the joining", func() (string, bool) {
		pending := p.metric("asgood_collector_pending_traces")
		return pending, pending == "0"
	})
	return stored(t, feature+"'s samples", n, read)
}

// helpful waits for the scores of the metric that the senders' judge gives.
func (p *program) helpful(t *testing.T, feature string, n int) []quality.Score {
	t.Helper()
	return stored(t, feature+"'s scores", n, func(from, to time.Time) ([]quality.Score, error) {
		return p.store.Scores(t.Context(), feature, "helpful", from, to, 100_000)
	})
}

func stored[T any](t *testing.T, what string, n int, read func(from, to time.Time) ([]T, error)) (list []T) {
	t.Helper()
	eventually(t, what, func() (string, bool) {
		now := time.Now()
		var err error
		list, err = read(now.Add(-time.Hour), now.Add(time.Hour))
		return fmt.Sprintf("got %d, want %d (%v)", len(list), n, err), err == nil && len(list) >= n
	})
	if len(list) > n {
		t.Fatalf("got %d of %s, want %d", len(list), what, n)
	}
	return list
}

// eventually asks until what is awaited is there.
func eventually(t *testing.T, what string, ask func() (string, bool)) {
	t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	deadline := time.NewTimer(time.Minute)
	defer deadline.Stop()
	for {
		last, ok := ask()
		if ok {
			return
		}
		select {
		case <-tick.C:
		case <-deadline.C:
			t.Fatalf("%s did not come: %s", what, strings.TrimSpace(last))
		}
	}
}
