package app_test

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/asgood-dev/asgood/internal/clickhouse"
	"github.com/asgood-dev/asgood/internal/clickhouse/embedded"
	"github.com/asgood-dev/asgood/internal/config"
)

// faultTime says how long faults last: seconds by default, what ASGOOD_FAULT_TIME says in `make faults`.
func faultTime(t *testing.T) time.Duration {
	t.Helper()
	text := os.Getenv("ASGOOD_FAULT_TIME")
	if text == "" {
		return 3 * time.Second
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		t.Fatalf("ASGOOD_FAULT_TIME: %v", err)
	}
	return d
}

// remoteStore is the engine behind HTTP, as a server that can be away.
func remoteStore(t *testing.T) (url string, away *atomic.Bool) {
	t.Helper()
	engine, err := embedded.Open(embedded.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = engine.Close() })
	away = &atomic.Bool{}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if away.Load() {
			panic(http.ErrAbortHandler) // the connection ends without an answer
		}
		res, err := engine.RoundTrip(r)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		maps.Copy(w.Header(), res.Header)
		w.WriteHeader(res.StatusCode)
		_, _ = io.Copy(w, res.Body)
	}))
	t.Cleanup(s.Close)
	return s.URL + "/default", away
}

// ClickHouse is away while samples come at 2,000 a second: nothing is refused, nothing is lost, nothing is
// there twice when it is back.
func TestStoreAway(t *testing.T) {
	needEngine(t)
	dsn, away := remoteStore(t)
	text := strings.Replace(fmt.Sprintf(configuration, t.TempDir(), "http://127.0.0.1:1", "http://127.0.0.1:1", secret),
		"storage: {", fmt.Sprintf("storage: {clickhouse: %q, ", dsn), 1)
	cfg, err := config.Parse("test.yaml", []byte(text), func(string) (string, bool) { return "", false })
	if err != nil {
		t.Fatal(err)
	}
	a, _ := start(t, cfg)
	at := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	sent := 0
	send := func(long time.Duration) {
		const batch = 100
		tick := time.NewTicker(time.Second * batch / 2000)
		defer tick.Stop()
		for end := time.Now().Add(long); time.Now().Before(end); <-tick.C {
			mustPost(t, a.Addr("ingest"), sent, batch, "good", at)
			sent += batch
		}
	}
	send(time.Second)
	away.Store(true)
	send(faultTime(t))
	away.Store(false)
	began := time.Now()
	send(time.Second)
	within(t, time.Minute+faultTime(t), "the end of the writing", func() (string, bool) {
		m := get("http://" + a.Addr("internal") + "/metrics")
		return "", strings.Contains(m, `asgood_bus_lag_messages{reader="writer",stream="SAMPLES"} 0`) &&
			strings.Contains(m, `asgood_bus_lag_messages{reader="writer",stream="SCORES"} 0`)
	})
	t.Logf("%d samples sent, caught up %s after the store was back", sent, time.Since(began).Round(time.Millisecond))
	store, err := clickhouse.Open(t.Context(), clickhouse.Options{DSN: dsn})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	n, err := store.Counts(t.Context())
	if err != nil || n.Samples != uint64(sent) || n.Scores != uint64(sent) {
		t.Errorf("got %d samples and %d scores (%v), want %d of both", n.Samples, n.Scores, err, sent)
	}
}
