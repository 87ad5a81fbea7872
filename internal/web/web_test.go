package web_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/asgood-dev/asgood/internal/quality"
	"github.com/asgood-dev/asgood/internal/web"
	"github.com/gin-gonic/gin"
	"github.com/prometheus/client_golang/prometheus"
)

type fixture struct {
	engine   *gin.Engine
	registry *prometheus.Registry
	log      *bytes.Buffer
}

func newFixture() fixture {
	f := fixture{registry: prometheus.NewRegistry(), log: &bytes.Buffer{}}
	logger := slog.New(slog.NewTextHandler(f.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	f.engine = web.New(web.Options{Logger: logger, Registerer: f.registry, Listener: "test"})
	return f
}

func (f fixture) do(method, path string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	f.engine.ServeHTTP(w, httptest.NewRequest(method, path, nil))
	return w
}

func problem(t *testing.T, w *httptest.ResponseRecorder) web.Problem {
	t.Helper()
	var body struct{ Error web.Problem }
	if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil {
		t.Fatalf("body %q: %v", w.Body, err)
	}
	return body.Error
}

func TestHandleMapsKinds(t *testing.T) {
	for _, tt := range []struct {
		err          error
		status       int
		kind, retry  string
		hidesMessage bool
	}{
		{quality.Errorf(quality.KindInvalid, "m"), 400, "invalid", "", false},
		{quality.Errorf(quality.KindTooLarge, "m"), 413, "too_large", "", false},
		{quality.Errorf(quality.KindNotFound, "m"), 404, "not_found", "", false},
		{quality.Errorf(quality.KindConflict, "m"), 409, "conflict", "", false},
		{quality.Errorf(quality.KindForbidden, "m"), 403, "forbidden", "", false},
		{quality.Errorf(quality.KindUnavailable, "m"), 503, "unavailable", "5", false},
		{fmt.Errorf("reading: %w", &http.MaxBytesError{Limit: 3}), 413, "too_large", "", false},
		{fmt.Errorf("doing: %w", quality.Errorf(quality.KindNotFound, "m")), 404, "not_found", "", false},
		{errors.New("password of the database"), 500, "internal", "", true},
	} {
		t.Run(tt.kind, func(t *testing.T) {
			f := newFixture()
			f.engine.GET("/x", web.Handle(func(*gin.Context) error { return tt.err }))
			w := f.do("GET", "/x")
			p := problem(t, w)
			if w.Code != tt.status || p.Kind != tt.kind || w.Header().Get("Retry-After") != tt.retry {
				t.Errorf("got %d %+v, headers %v", w.Code, p, w.Header())
			}
			if hidden := !strings.Contains(p.Message, tt.err.Error()); hidden != tt.hidesMessage {
				t.Errorf("message %q for error %q", p.Message, tt.err)
			}
			if tt.hidesMessage && (p.RequestID == "" || !strings.Contains(f.log.String(), "request_id="+p.RequestID) ||
				!strings.Contains(f.log.String(), tt.err.Error())) {
				t.Errorf("request id %q does not lead to the cause in the log:\n%s", p.RequestID, f.log)
			}
		})
	}
}

func TestHandleLeavesGoodAnswers(t *testing.T) {
	f := newFixture()
	f.engine.GET("/ok", web.Handle(func(c *gin.Context) error { c.String(http.StatusAccepted, "done"); return nil }))
	f.engine.GET("/late", web.Handle(func(c *gin.Context) error {
		c.String(http.StatusOK, "half")
		return errors.New("too late")
	}))
	f.engine.GET("/retry", web.Handle(func(c *gin.Context) error {
		c.Header("Retry-After", "60")
		return quality.Errorf(quality.KindUnavailable, "m")
	}))
	if w := f.do("GET", "/ok"); w.Code != 202 || w.Body.String() != "done" {
		t.Errorf("got %d %q", w.Code, w.Body)
	}
	if w := f.do("GET", "/late"); w.Code != 200 || w.Body.String() != "half" || !strings.Contains(f.log.String(), "too late") {
		t.Errorf("got %d %q, log %s", w.Code, w.Body, f.log)
	}
	if got := f.do("GET", "/retry").Header().Get("Retry-After"); got != "60" {
		t.Errorf("got Retry-After %q, want the handler's own", got)
	}
}

func TestCallerThatWentAwayIsNoError(t *testing.T) {
	f := newFixture()
	f.engine.GET("/x", web.Handle(func(c *gin.Context) error { return fmt.Errorf("querying: %w", c.Request.Context().Err()) }))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	w := httptest.NewRecorder()
	f.engine.ServeHTTP(w, httptest.NewRequestWithContext(ctx, "GET", "/x", nil))
	if w.Code != 499 || strings.Contains(f.log.String(), "level=ERROR") {
		t.Errorf("got %d, log %s", w.Code, f.log)
	}
}

func TestPanicIsAnsweredLoggedAndCounted(t *testing.T) {
	f := newFixture()
	f.engine.GET("/x", func(*gin.Context) { panic("secret of the stack") })
	w := f.do("GET", "/x")
	p := problem(t, w)
	if w.Code != 500 || p.Kind != "internal" || strings.Contains(w.Body.String(), "secret") {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
	if l := f.log.String(); !strings.Contains(l, "secret of the stack") || !strings.Contains(l, "web_test.go") || !strings.Contains(l, p.RequestID) {
		t.Errorf("log lacks the panic, its stack or the request id %q:\n%s", p.RequestID, l)
	}
	if n, sum := series(t, f.registry, "asgood_http_panics_total"); n != 1 || sum != 1 {
		t.Errorf("got %d series that sum to %v, want one panic", n, sum)
	}
}

// series returns how many series a metric has, and the sum of its counters.
func series(t *testing.T, r *prometheus.Registry, name string) (n int, sum float64) {
	t.Helper()
	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() != name {
			continue
		}
		for _, m := range f.GetMetric() {
			n++
			sum += m.GetCounter().GetValue()
		}
	}
	return n, sum
}

func TestPanicAfterTheAnswerBeganCutsTheConnection(t *testing.T) {
	f := newFixture()
	f.engine.GET("/x", func(c *gin.Context) { c.String(200, "half"); panic("x") })
	defer func() {
		if err, ok := recover().(error); !ok || !errors.Is(err, http.ErrAbortHandler) {
			t.Errorf("got panic %v, want http.ErrAbortHandler", err)
		}
	}()
	f.do("GET", "/x")
	t.Error("the handler returned as if the answer were whole")
}

func TestUnknownPathAndMethod(t *testing.T) {
	f := newFixture()
	f.engine.GET("/x", func(c *gin.Context) { c.Status(204) })
	if w := f.do("GET", "/nowhere"); w.Code != 404 || problem(t, w).Message != "nothing at /nowhere" {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
	w := f.do("POST", "/x")
	if p := problem(t, w); w.Code != 405 || p.Message != "/x does not take POST (it takes GET)" || w.Header().Get("Allow") != "GET" {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
}

func TestEveryAnswerCarriesSecurityHeaders(t *testing.T) {
	f := newFixture()
	f.engine.GET("/panic", func(*gin.Context) { panic("x") })
	for _, path := range []string{"/nowhere", "/panic"} {
		h := f.do("GET", path).Header()
		for _, k := range []string{"X-Content-Type-Options", "X-Frame-Options", "Referrer-Policy", "Content-Security-Policy"} {
			if h.Get(k) == "" {
				t.Errorf("%s: no header %s", path, k)
			}
		}
	}
}

func TestRequestMetricsHaveFewLabels(t *testing.T) {
	f := newFixture()
	f.engine.GET("/users/:id", func(c *gin.Context) { c.Status(204) })
	for i := range 20 {
		f.do("GET", fmt.Sprintf("/users/%d", i))
		f.do("GET", fmt.Sprintf("/nowhere/%d", i))
		f.do(fmt.Sprintf("VERB%d", i), "/users/1")
	}
	if n, _ := series(t, f.registry, "asgood_http_request_duration_seconds"); n != 3 {
		t.Errorf("got %d series, want 3: one route, no route, no method", n)
	}
}

func TestNoProxyIsTrusted(t *testing.T) {
	f := newFixture()
	var got string
	f.engine.GET("/x", func(c *gin.Context) { got = c.ClientIP() })
	r := httptest.NewRequest(http.MethodGet, "/x", nil)
	r.RemoteAddr = "192.0.2.7:1234"
	r.Header.Set("X-Forwarded-For", "127.0.0.1")
	f.engine.ServeHTTP(httptest.NewRecorder(), r)
	if got != "192.0.2.7" {
		t.Errorf("got client %q, want the peer", got)
	}
}

// A proxy that is trusted says who called, one hop at a time; nobody else does, and no other header.
func TestTrustedProxies(t *testing.T) {
	e := web.New(web.Options{TrustedProxies: []string{"10.0.0.0/8", "::1"}})
	var got string
	e.GET("/x", func(c *gin.Context) { got = c.ClientIP() })
	for _, tt := range []struct {
		peer      string
		forwarded []string
		want      string
	}{
		{"10.1.1.1:9", []string{"9.9.9.9"}, "9.9.9.9"},
		{"[::1]:9", []string{"9.9.9.9"}, "9.9.9.9"},
		{"10.1.1.1:9", []string{"8.8.8.8, 9.9.9.9, 10.2.2.2"}, "9.9.9.9"},
		{"10.1.1.1:9", []string{"8.8.8.8", "9.9.9.9"}, "9.9.9.9"},
		{"10.1.1.1:9", []string{"nonsense"}, "10.1.1.1"},
		{"10.1.1.1:9", nil, "10.1.1.1"},
		{"192.168.1.1:9", []string{"9.9.9.9"}, "192.168.1.1"},
		{"127.0.0.1:9", []string{"9.9.9.9"}, "127.0.0.1"},
	} {
		r := httptest.NewRequest(http.MethodGet, "/x", nil)
		r.RemoteAddr = tt.peer
		r.Header["X-Forwarded-For"] = tt.forwarded
		r.Header.Set("X-Real-Ip", "1.1.1.1")
		e.ServeHTTP(httptest.NewRecorder(), r)
		if got != tt.want {
			t.Errorf("%s with %q: got %q, want %q", tt.peer, tt.forwarded, got, tt.want)
		}
	}
}

func TestTwoListenersShareARegistry(t *testing.T) {
	r := prometheus.NewRegistry()
	for _, name := range []string{"public", "internal"} {
		web.New(web.Options{Registerer: r, Listener: name})
	}
	if n, _ := series(t, r, "asgood_http_panics_total"); n != 2 {
		t.Errorf("got %d series, want 2", n)
	}
}

func body(t *testing.T, resp *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if err := resp.Body.Close(); err != nil {
		t.Fatal(err)
	}
	return string(b)
}
