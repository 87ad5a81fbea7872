package auth_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/asgood-dev/asgood/internal/auth"
	"github.com/asgood-dev/asgood/internal/bus"
	"github.com/asgood-dev/asgood/internal/quality"
	"github.com/asgood-dev/asgood/internal/web"
)

// bucket is the real bucket of keys, on an embedded bus.
func bucket(t testing.TB) *bus.Bucket {
	t.Helper()
	b, err := bus.Open(t.Context(), bus.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	kv, err := b.Bucket(t.Context(), "keys")
	if err != nil {
		t.Fatal(err)
	}
	return kv
}

// clock is a time that tests set.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

var testNow = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

type fixture struct {
	*auth.Keys
	store    auth.Store
	clock    *clock
	registry *prometheus.Registry
	log      *lockedBuffer
}

// lockedBuffer is a log that many write to.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// keys runs keys until the test ends.
func keys(t testing.TB, store auth.Store) *fixture {
	t.Helper()
	f := &fixture{store: store, clock: &clock{now: testNow}, registry: prometheus.NewRegistry(), log: &lockedBuffer{}}
	var err error
	f.Keys, err = auth.New(t.Context(), auth.Options{
		Store: store, Features: []string{"chat", "notes"}, Now: f.clock.Now, Registerer: f.registry,
		Logger: slog.New(slog.NewTextHandler(f.log, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- f.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return f
}

func (f *fixture) make(t testing.TB, s auth.Spec) (auth.Key, string) {
	t.Helper()
	if s.Name == "" {
		s.Name = "test"
	}
	if s.Scopes == nil {
		s.Scopes = []auth.Scope{auth.ScopeSamples}
	}
	key, token, err := f.Create(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	return key, token
}

// refused is the counter of a reason.
func (f *fixture) refused(t testing.TB, reason auth.Reason) float64 {
	t.Helper()
	all, err := f.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range all {
		if family.GetName() != "asgood_auth_refused_total" {
			continue
		}
		for _, m := range family.GetMetric() {
			if m.GetLabel()[0].GetValue() == string(reason) {
				return m.GetCounter().GetValue()
			}
		}
	}
	t.Fatalf("no counter for %q", reason)
	return 0
}

var table = auth.Table{
	"POST /v1/samples":    auth.Machine(auth.ScopeSamples),
	"POST /v1/traces":     auth.Machine(auth.ScopeTraces),
	"GET /page":           auth.Public,
	"POST /hook":          auth.Signed,
	"* /internal":         auth.Internal,
	"* /desk":             auth.InternalFor(auth.RoleEditor),
	"DELETE /v1/keys/:id": auth.Internal, "POST /v1/keys": auth.Internal, "GET /v1/keys": auth.Internal,
}

// people are signed in by a header that names their role.
type people struct{}

func (people) SignedIn(r *http.Request) (auth.SignedIn, bool) {
	role, ok := quality.ParseRole(r.Header.Get("X-Test-Role"))
	return auth.SignedIn{ID: "local:" + role.String(), Role: role, CSRF: "token"}, ok
}

// serve runs a listener whose samples route asks the guard, as a room would, for the feature in the body.
func (f *fixture) serve(t testing.TB, o auth.GateOptions) string {
	t.Helper()
	if o.Table == nil {
		o.Table = table
	}
	e := web.New(web.Options{})
	e.Use(f.Gate(o))
	take := web.Handle(func(c *gin.Context) error {
		body, err := io.ReadAll(c.Request.Body)
		if err != nil {
			return err
		}
		for _, feature := range strings.Fields(string(body)) {
			if err := (auth.Guard{}).Spend(c.Request.Context(), 1); err != nil {
				return err
			}
			if err := (auth.Guard{}).Allow(c.Request.Context(), strings.TrimSuffix(feature, ".")); err != nil {
				return err
			}
		}
		c.String(http.StatusOK, "taken")
		return nil
	})
	for _, path := range []string{"/v1/samples", "/v1/traces", "/hook", "/internal", "/desk", "/forgotten"} {
		e.POST(path, take)
	}
	e.GET("/page", take)
	e.GET("/desk", take)
	f.RegisterInternal(e)
	s := httptest.NewServer(e)
	t.Cleanup(s.Close)
	return s.URL
}

// call posts and returns status, body and headers.
func call(t testing.TB, method, url, body string, headers ...string) (int, string, http.Header) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		if headers[i] == "Host" {
			req.Host = headers[i+1]
		} else {
			req.Header.Add(headers[i], headers[i+1])
		}
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(data), res.Header
}

// wait returns when ok is true, and fails when it is not within a time.
func wait(t testing.TB, long time.Duration, what string, ok func() bool) time.Duration {
	t.Helper()
	began := time.Now()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !ok() {
		if <-tick.C; time.Since(began) > long {
			t.Fatalf("%s did not come within %s", what, long)
		}
	}
	return time.Since(began)
}
