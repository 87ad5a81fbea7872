package collector_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asgood-dev/asgood/collector"
	"github.com/asgood-dev/asgood/internal/quality"
)

func TestConfirm(t *testing.T) {
	at := func(i int) time.Time { return testNow.Add(time.Duration(i) * time.Minute) }
	for _, tt := range []struct {
		name   string
		checks string // u is up, d is down
		need   int
		state  quality.UpState
		since  int
	}{
		{"nothing known", "", 2, quality.UpUnknown, -1},
		{"up", "u", 2, quality.Up, 0},
		{"one failure at first", "d", 2, quality.UpUnknown, -1},
		{"one failure", "ud", 2, quality.Up, 0},
		{"failures not in a row", "ududud", 2, quality.Up, 0},
		{"down since the first failure", "uudd", 2, quality.Down, 2},
		{"stays down", "uddddd", 2, quality.Down, 1},
		{"up again", "uddu", 2, quality.Up, 3},
		{"once is enough", "ud", 1, quality.Down, 1},
		{"need of 0 is 1", "ud", 0, quality.Down, 1},
		{"three", "uddudd", 3, quality.Up, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var s quality.ProbeStatus
			for i, c := range tt.checks {
				s = collector.Confirm(s, quality.ProbeResult{Feature: "f", Probe: "p", Time: at(i), Up: c == 'u'}, tt.need)
			}
			if s.State != tt.state || (tt.since >= 0 && !s.Since.Equal(at(tt.since))) {
				t.Errorf("got %q since %s, want %q since %s", s.State, s.Since, tt.state, at(tt.since))
			}
		})
	}
}

type probeLog struct {
	mu       sync.Mutex
	results  []quality.ProbeResult
	statuses []quality.ProbeStatus
}

func (l *probeLog) Record(_ context.Context, r quality.ProbeResult) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.results = append(l.results, r)
	return nil
}

func (l *probeLog) Status(_ context.Context, s quality.ProbeStatus) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.statuses = append(l.statuses, s)
	return nil
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestProberRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, began := &probeLog{}, time.Now()
		p, err := collector.NewProber(collector.ProberOptions{
			Probes:   log,
			Features: []quality.Feature{{Name: "chat", Probes: []quality.ProbeSpec{{HTTP: "http://x.example/health?key=secret", Every: 10 * time.Second}}}},
			Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
				if r.UserAgent() != "asgood-probe" {
					t.Errorf("got user agent %q", r.UserAgent())
				}
				if time.Since(began) > 5*time.Minute {
					return nil, errors.New("connection refused")
				}
				return &http.Response{StatusCode: http.StatusNoContent, Body: io.NopCloser(strings.NewReader(""))}, nil
			}),
		})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
		defer cancel()
		if err := p.Run(ctx); err != nil {
			t.Error(err)
		}
		if n := len(log.results); n < 57 || n > 64 {
			t.Errorf("got %d checks in 10 minutes, want about 60", n)
		}
		last := log.statuses[len(log.statuses)-1]
		if last.State != quality.Down || last.Since.Sub(began) < 5*time.Minute || last.Since.Sub(began) > 5*time.Minute+11*time.Second {
			t.Errorf("got %+v, want down since 5 minutes", last)
		}
		if last.Probe != "http://x.example/health" || strings.Contains(last.Error, "secret") || !strings.Contains(last.Error, "connection refused") {
			t.Errorf("got probe %q, error %q", last.Probe, last.Error)
		}
	})
}

func TestCheck(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("/ok", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	mux.HandleFunc("/bad", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) })
	mux.HandleFunc("/once", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/ok", http.StatusFound) })
	mux.HandleFunc("/loop", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/loop", http.StatusFound) })
	mux.HandleFunc("/slow", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	mux.HandleFunc("/endless", func(w http.ResponseWriter, r *http.Request) {
		for r.Context().Err() == nil {
			if _, err := w.Write(make([]byte, 64<<10)); err != nil {
				return
			}
		}
	})
	server := httptest.NewServer(mux)
	defer server.Close()
	p, err := collector.NewProber(collector.ProberOptions{Probes: &probeLog{}})
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		"/ok": "", "/once": "", "/endless": "", "/bad": "status 503", "/none": "status 404", "/loop": "redirects", "/slow": "no answer within 100ms",
	} {
		r := p.Check(t.Context(), "chat", quality.ProbeSpec{HTTP: server.URL + path + "?key=secret", Timeout: 100 * time.Millisecond}, testNow)
		if r.Up != (want == "") || !strings.Contains(r.Error, want) || strings.Contains(r.Error, "secret") || !r.Time.Equal(testNow) || r.Latency <= 0 {
			t.Errorf("%s: got %+v, want error %q", path, r, want)
		}
	}
	if r := p.Check(t.Context(), "chat", quality.ProbeSpec{HTTP: "http://u:secret@127.0.0.1:1/"}, testNow); r.Up || strings.Contains(r.Probe+r.Error, "secret") {
		t.Errorf("got %+v, want down without the password", r)
	}
}
