package web_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asgood-dev/asgood/internal/web"
)

type readiness struct {
	Status string
	Checks map[string]struct{ Status, Error string }
}

func (f fixture) ready(t *testing.T) (int, readiness) {
	t.Helper()
	w := f.do("GET", "/readyz")
	var r readiness
	if err := json.Unmarshal(w.Body.Bytes(), &r); err != nil {
		t.Fatalf("body %q: %v", w.Body, err)
	}
	return w.Code, r
}

func TestReady(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture()
		var down error
		web.Health{Checks: []web.Check{
			{Name: "good", Run: func(context.Context) error { return nil }},
			{Name: "store", Run: func(context.Context) error { return down }},
		}}.Register(f.engine)
		if code, r := f.ready(t); code != 200 || r.Status != "ok" || r.Checks["store"].Status != "ok" {
			t.Errorf("got %d %+v", code, r)
		}
		down = errors.New("no answer from the store")
		code, r := f.ready(t)
		if code != 503 || r.Status != "failed" || r.Checks["store"].Error != down.Error() || r.Checks["good"].Status != "ok" {
			t.Errorf("got %d %+v", code, r)
		}
		if w := f.do("GET", "/healthz"); w.Code != 200 {
			t.Errorf("healthz: got %d while a check fails, want 200: the process lives", w.Code)
		}
	})
}

func TestReadyDoesNotWaitForeverNorPileUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture()
		var runs atomic.Int32
		release := make(chan struct{})
		web.Health{Checks: []web.Check{
			{Name: "deaf", Timeout: time.Second, Run: func(context.Context) error { runs.Add(1); <-release; return nil }},
			{Name: "panics", Run: func(context.Context) error { panic("x") }},
		}}.Register(f.engine)
		start := time.Now()
		for range 5 {
			code, r := f.ready(t)
			if code != 503 || r.Checks["deaf"].Error != "no answer within 1s" || r.Checks["panics"].Error != "panicked: x" {
				t.Errorf("got %d %+v", code, r)
			}
		}
		if took := time.Since(start); took != 5*time.Second || runs.Load() != 1 {
			t.Errorf("took %s with %d runs, want 5s with 1", took, runs.Load())
		}
		close(release)
		synctest.Wait()
	})
}

func TestReadyCallersShareARun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture()
		var runs atomic.Int32
		web.Health{Checks: []web.Check{{Name: "slow", Run: func(ctx context.Context) error {
			runs.Add(1)
			select {
			case <-time.After(time.Second):
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		}}}}.Register(f.engine)
		var wg sync.WaitGroup
		codes := make([]int, 4)
		for i := range codes {
			ctx, cancel := context.WithCancel(t.Context())
			if i == 0 {
				cancel() // the first to ask goes away; the others still get their answer
			}
			wg.Go(func() {
				defer cancel()
				w := httptest.NewRecorder()
				f.engine.ServeHTTP(w, httptest.NewRequestWithContext(ctx, "GET", "/readyz", nil))
				codes[i] = w.Code
			})
			synctest.Wait()
		}
		wg.Wait()
		for i, code := range codes[1:] {
			if code != 200 {
				t.Errorf("caller %d: got %d, want 200", i+1, code)
			}
		}
		if runs.Load() != 1 {
			t.Errorf("got %d runs, want 1", runs.Load())
		}
	})
}

func TestMetricsAndProfiles(t *testing.T) {
	f := newFixture()
	web.Health{Gatherer: f.registry, Profile: true}.Register(f.engine)
	f.do("GET", "/healthz")
	if w := f.do("GET", "/metrics"); w.Code != 200 || !strings.Contains(w.Body.String(), `route="/healthz",status="2xx"`) {
		t.Errorf("metrics: got %d %.300s", w.Code, w.Body)
	}
	for _, path := range []string{"/debug/pprof/", "/debug/pprof/heap", "/debug/pprof/cmdline"} {
		if w := f.do("GET", path); w.Code != 200 {
			t.Errorf("%s: got %d", path, w.Code)
		}
	}
	public := newFixture()
	web.Health{}.Register(public.engine)
	for _, path := range []string{"/metrics", "/debug/pprof/"} {
		if w := public.do("GET", path); w.Code != 404 {
			t.Errorf("%s without being asked for: got %d, want 404", path, w.Code)
		}
	}
}
