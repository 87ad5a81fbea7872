package people_test

import (
	"context"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/asgood-dev/asgood/internal/auth"
	"github.com/asgood-dev/asgood/internal/auth/people"
	"github.com/asgood-dev/asgood/internal/bus"
	"github.com/asgood-dev/asgood/internal/quality"
	"github.com/asgood-dev/asgood/internal/web"
)

var testNow = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// world is a bus, a clock and an audit log that several processes share.
type world struct {
	t   testing.TB
	bus *bus.Bus

	mu      sync.Mutex
	now     time.Time
	audited []quality.Audited
	broken  error // of the audit log
}

func newWorld(t testing.TB) *world {
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
	return &world{t: t, bus: b, now: testNow}
}

func (w *world) Now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) add(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

func (w *world) audit(_ context.Context, e quality.Audited) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.broken == nil {
		w.audited = append(w.audited, e)
	}
	return w.broken
}

func (w *world) breakAudit(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.broken = err
}

// actions lists what was audited.
func (w *world) actions() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []string
	for _, e := range w.audited {
		out = append(out, e.Action)
	}
	return strings.Join(out, " ")
}

func (w *world) bucket(name string) auth.Store {
	kv, err := w.bus.Bucket(w.t.Context(), name)
	if err != nil {
		w.t.Fatal(err)
	}
	return kv
}

// process is one program that serves the pages.
type process struct {
	*people.People
	url  string
	keys *auth.Keys
}

func (w *world) process(change func(*people.Options)) *process {
	w.t.Helper()
	p := &process{}
	o := people.Options{
		Accounts: w.bucket("accounts"), Sessions: w.bucket("sessions"), Links: w.bucket("links"), Passkeys: w.bucket("passkeys"),
		URL: func() string { return p.url }, Home: "/console", Now: w.Now, Audit: w.audit,
	}
	if change != nil {
		change(&o)
	}
	var err error
	if p.People, err = people.New(w.t.Context(), o); err != nil {
		w.t.Fatal(err)
	}
	if p.keys, err = auth.New(w.t.Context(), auth.Options{Store: w.bucket("keys")}); err != nil {
		w.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- p.Run(ctx) }()
	w.t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			w.t.Error(err)
		}
	})
	s := httptest.NewServer(p.engine())
	w.t.Cleanup(s.Close)
	p.url = s.URL
	return p
}

var table = auth.Table{
	"GET /login": auth.Public, "GET /login/oidc": auth.Public, "GET /login/callback": auth.Public,
	"* /login/link/:token": auth.Public, "GET /login/assets/:file": auth.Public, "* /login/passkey/*": auth.Public,
	"POST /logout": auth.Person(auth.RoleViewer), "* /account": auth.Person(auth.RoleViewer), "* /account/*": auth.Person(auth.RoleViewer),
	"* /v1/people": auth.Internal, "* /v1/people/*": auth.Internal,
	"* /console": auth.Person(auth.RoleViewer), "* /publish": auth.Person(auth.RoleEditor),
}

func (p *process) engine() *gin.Engine {
	e := web.New(web.Options{})
	e.Use(p.keys.Gate(auth.GateOptions{Table: table, People: p.People}))
	p.Register(e)
	show := func(c *gin.Context) {
		ctx := c.Request.Context()
		c.String(http.StatusOK, "%s %s %s csrf=%s", auth.ActorOf(ctx).ID, auth.RoleOf(ctx), c.PostForm("title"), auth.CSRF(ctx))
	}
	for _, path := range []string{"/console", "/publish"} {
		e.GET(path, show)
		e.POST(path, show)
	}
	return e
}

// browser keeps cookies and follows no redirect.
type browser struct {
	t      testing.TB
	client *http.Client
}

func newBrowser(t testing.TB) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &browser{t, &http.Client{Jar: jar, Timeout: time.Minute, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

type answer struct {
	status   int
	body     string
	location string
	header   http.Header
}

func (b *browser) do(req *http.Request) answer {
	b.t.Helper()
	if req.Header.Get("Accept") == "" {
		req.Header.Set("Accept", "text/html")
	}
	res, err := b.client.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return answer{res.StatusCode, string(body), res.Header.Get("Location"), res.Header}
}

func (b *browser) get(url string, headers ...string) answer {
	b.t.Helper()
	req, err := http.NewRequestWithContext(b.t.Context(), http.MethodGet, url, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	return b.do(req)
}

func (b *browser) post(url string, form url.Values, headers ...string) answer {
	b.t.Helper()
	req, err := http.NewRequestWithContext(b.t.Context(), http.MethodPost, url, strings.NewReader(form.Encode()))
	if err != nil {
		b.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	return b.do(req)
}

var csrfShown = regexp.MustCompile(`csrf=(\S+)`)

// csrf is the token of the browser's session.
func (b *browser) csrf(p *process) url.Values {
	b.t.Helper()
	a := b.get(p.url + "/console")
	m := csrfShown.FindStringSubmatch(a.body)
	if m == nil {
		b.t.Fatalf("got %d %s, want a session with a token", a.status, a.body)
	}
	return url.Values{"csrf": {m[1]}}
}

// signIn lets a browser in by a link.
func (p *process) signIn(t testing.TB, name string, role quality.Role) *browser {
	t.Helper()
	l, err := p.Link(t.Context(), name, role)
	if err != nil {
		t.Fatal(err)
	}
	b := newBrowser(t)
	if a := b.post(l.URL, nil); a.status != http.StatusSeeOther || a.location != "/console" {
		t.Fatalf("got %d %s to %q, want to be in", a.status, a.body, a.location)
	}
	return b
}

// wait returns when ok is true.
func wait(t testing.TB, what string, ok func() bool) {
	t.Helper()
	limit := time.NewTimer(10 * time.Second)
	defer limit.Stop()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-limit.C:
			t.Fatalf("%s did not come", what)
		case <-tick.C:
		}
	}
}
