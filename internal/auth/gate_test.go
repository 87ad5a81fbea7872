package auth_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	spb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	"github.com/asgood-dev/asgood/internal/auth"
	"github.com/asgood-dev/asgood/internal/quality"
	"github.com/asgood-dev/asgood/internal/web"
)

func TestGate(t *testing.T) {
	f := keys(t, bucket(t))
	url := f.serve(t, auth.GateOptions{KeyRequired: true})
	_, good := f.make(t, auth.Spec{})
	_, other := f.make(t, auth.Spec{Scopes: []auth.Scope{auth.ScopeScores, auth.ScopeTraces}})
	_, notes := f.make(t, auth.Spec{Features: []string{"notes"}})
	expired, old := f.make(t, auth.Spec{Expires: testNow.Add(time.Hour)})
	revoked, gone := f.make(t, auth.Spec{})
	if _, err := f.Revoke(t.Context(), revoked.ID); err != nil {
		t.Fatal(err)
	}
	f.clock.add(time.Hour)
	wrong := good[:len(good)-4] + "AAAA"
	unknown := "asgood_aaaaaaaaaa" + good[len("asgood_aaaaaaaaaa"):]
	for _, tt := range []struct {
		name    string
		headers []string
		status  int
		want    string
		reason  auth.Reason
		auth    string // WWW-Authenticate
	}{
		{name: "bearer", headers: []string{"Authorization", "Bearer " + good}, status: 200, want: "taken"},
		{name: "bearer in small letters", headers: []string{"authorization", "bearer  " + good + " "}, status: 200, want: "taken"},
		{name: "X-API-Key", headers: []string{"X-API-Key", good}, status: 200, want: "taken"},
		{name: "the same twice", headers: []string{"X-API-Key", good, "Authorization", "Bearer " + good}, status: 200, want: "taken"},
		{name: "a key beside another scheme", headers: []string{"X-API-Key", good, "Authorization", "Basic eDp5"}, status: 200, want: "taken"},
		{name: "none", status: 401, want: "a key is required", reason: auth.ReasonMissing, auth: `Bearer realm="asgood"`},
		{name: "another scheme", headers: []string{"Authorization", "Basic eDp5"}, status: 401, want: "another scheme", reason: auth.ReasonScheme, auth: `Bearer realm="asgood"`},
		{name: "two keys", headers: []string{"X-API-Key", good, "Authorization", "Bearer " + other}, status: 401, want: "two different keys", reason: auth.ReasonSeveral, auth: "invalid_token"},
		{name: "cut short", headers: []string{"X-API-Key", good[:40]}, status: 401, want: "cut short", reason: auth.ReasonMalformed, auth: "invalid_token"},
		{name: "empty", headers: []string{"X-API-Key", ""}, status: 401, want: "cut short", reason: auth.ReasonMalformed, auth: "invalid_token"},
		{name: "wrong secret", headers: []string{"X-API-Key", wrong}, status: 401, want: "not known here", reason: auth.ReasonUnknown, auth: "invalid_token"},
		{name: "unknown id", headers: []string{"X-API-Key", unknown}, status: 401, want: "not known here", reason: auth.ReasonUnknown, auth: "invalid_token"},
		{name: "expired", headers: []string{"X-API-Key", old}, status: 401, want: "key " + expired.ID + " expired at 2026-03-01T13:00:00Z", reason: auth.ReasonExpired, auth: "invalid_token"},
		{name: "revoked", headers: []string{"X-API-Key", gone}, status: 401, want: "key " + revoked.ID + " was revoked", reason: auth.ReasonRevoked, auth: "invalid_token"},
		{name: "another scope", headers: []string{"X-API-Key", other}, status: 403, want: "may not send samples (its scopes: scores, traces)", reason: auth.ReasonScope, auth: `error="insufficient_scope", scope="samples"`},
		{name: "another feature", headers: []string{"X-API-Key", notes}, status: 403, want: `may not send for \"chat\" (it may for: notes)`, reason: auth.ReasonFeature},
	} {
		t.Run(tt.name, func(t *testing.T) {
			before := 0.0
			if tt.reason != "" {
				before = f.refused(t, tt.reason)
			}
			status, body, header := call(t, http.MethodPost, url+"/v1/samples", "chat", tt.headers...)
			if status != tt.status || !strings.Contains(body, tt.want) {
				t.Errorf("got %d %s, want %d and %q", status, body, tt.status, tt.want)
			}
			if got := header.Get("WWW-Authenticate"); !strings.Contains(got, tt.auth) || tt.auth == "" && got != "" {
				t.Errorf("got WWW-Authenticate %q, want %q", got, tt.auth)
			}
			if tt.reason != "" && f.refused(t, tt.reason) != before+1 {
				t.Errorf("%s was not counted", tt.reason)
			}
		})
	}
	for _, secret := range []string{good, wrong, gone, old} {
		if log := f.log.String(); strings.Contains(log, secret) || strings.Contains(log, secret[len("asgood_aaaaaaaaaa_"):]) {
			t.Errorf("the log holds the secret of a key: %s", log)
		}
	}
}

// On a loopback address a key is optional, but one that is sent must be good.
func TestGateWithoutAKey(t *testing.T) {
	f := keys(t, bucket(t))
	url := f.serve(t, auth.GateOptions{})
	_, notes := f.make(t, auth.Spec{Features: []string{"notes"}})
	for _, tt := range []struct {
		headers []string
		status  int
	}{
		{nil, 200}, {[]string{"Authorization", "Basic eDp5"}, 200}, {[]string{"X-API-Key", "x"}, 401}, {[]string{"X-API-Key", notes}, 403},
	} {
		if status, body, _ := call(t, http.MethodPost, url+"/v1/samples", "chat", tt.headers...); status != tt.status {
			t.Errorf("%q: got %d %s, want %d", tt.headers, status, body, tt.status)
		}
	}
}

func TestAudiences(t *testing.T) {
	f := keys(t, bucket(t))
	url := f.serve(t, auth.GateOptions{KeyRequired: true})
	for _, tt := range []struct {
		method, path string
		headers      []string
		status       int
	}{
		{"GET", "/page", nil, 200},
		{"POST", "/hook", nil, 200},
		{"POST", "/forgotten", nil, 403},
		{"GET", "/nothing", nil, 404},
		{"DELETE", "/page", nil, 405},
		{"POST", "/internal", nil, 200},
		{"POST", "/internal", []string{"Host", "localhost:8081"}, 200},
		{"POST", "/internal", []string{"Host", "[::1]:8081"}, 200},
		{"POST", "/internal", []string{"Host", "evil.example:8081"}, 403},
		{"POST", "/internal", []string{"Host", "localhost.evil.example"}, 403},
		{"POST", "/internal", []string{"Origin", "https://evil.example"}, 403},
		{"POST", "/internal", []string{"Sec-Fetch-Site", "cross-site"}, 403},
		{"POST", "/internal", []string{"Sec-Fetch-Site", "same-origin"}, 200},
	} {
		if status, body, _ := call(t, tt.method, url+tt.path, "", tt.headers...); status != tt.status {
			t.Errorf("%s %s %q: got %d %s, want %d", tt.method, tt.path, tt.headers, status, body, tt.status)
		}
	}
	if f.refused(t, auth.ReasonAudience) != 1 || f.refused(t, auth.ReasonOrigin) != 4 {
		t.Error("the refusals were not counted")
	}
}

// Who is signed in is held to their role also on this machine, and comes in from elsewhere with it.
func TestInternalFor(t *testing.T) {
	f := keys(t, bucket(t))
	url := f.serve(t, auth.GateOptions{People: people{}})
	elsewhere := []string{"X-Forwarded-For", "192.0.2.1"}
	for _, role := range append(quality.Roles(), quality.RoleNone) {
		for _, away := range [][]string{nil, elsewhere} {
			for _, method := range []string{"GET", "POST"} {
				for _, token := range []string{"", "token", "wrong"} {
					headers := append([]string{"X-CSRF-Token", token}, away...)
					open := away == nil // this machine
					if role != quality.RoleNone {
						headers = append(headers, "X-Test-Role", role.String())
						open = role >= auth.RoleEditor && (method == "GET" || token == "token")
					}
					status, body, _ := call(t, method, url+"/desk", "", headers...)
					if want := map[bool]int{true: 200, false: 403}[open]; status != want {
						t.Errorf("%s %q: got %d %s, want %d", method, headers, status, body, want)
					}
				}
			}
		}
	}
	for _, headers := range [][]string{{"Host", "evil.example"}, {"Origin", "https://evil.example", "X-Test-Role", "admin", "X-CSRF-Token", "token"}} {
		if status, body, _ := call(t, "POST", url+"/desk", "", headers...); status != 403 {
			t.Errorf("%q: got %d %s, want 403", headers, status, body)
		}
	}
	a := auth.InternalFor(auth.RoleEditor)
	if least, ok := a.Local(); !ok || least != auth.RoleEditor || a.String() != "internal, or person with role editor" {
		t.Errorf("got %s", a)
	}
	if _, ok := a.Role(); ok {
		t.Error("it is not for people alone")
	}
}

func TestTable(t *testing.T) {
	for route, want := range map[string]string{
		"POST /v1/samples": "machine with scope samples", "GET /v1/samples": "undeclared", "GET /page": "public",
		"PATCH /internal": "internal", "GET /assets/a/b.js": "public", "GET /assets/private/x": "internal", "GET /assets": "undeclared",
	} {
		tab := auth.Table{"* /assets/*": auth.Public, "GET /assets/private/*": auth.Internal}
		for k, v := range table {
			tab[k] = v
		}
		method, path, _ := strings.Cut(route, " ")
		a, ok := tab.Of(method, path)
		if a.String() != want || ok != (want != "undeclared") {
			t.Errorf("%s: got %s, want %s", route, a, want)
		}
	}
}

// Senders of OTLP get a google.rpc.Status in the form of their request.
func TestTracesAreRefusedInTheirForm(t *testing.T) {
	f := keys(t, bucket(t))
	url := f.serve(t, auth.GateOptions{KeyRequired: true})
	status, body, header := call(t, http.MethodPost, url+"/v1/traces", "x", "Content-Type", "application/x-protobuf")
	var got spb.Status
	if err := proto.Unmarshal([]byte(body), &got); err != nil {
		t.Fatal(err)
	}
	if status != 401 || header.Get("Content-Type") != "application/x-protobuf" || codes.Code(got.Code) != codes.Unauthenticated || !strings.Contains(got.Message, "a key is required") {
		t.Errorf("got %d %v %+v", status, header, &got)
	}
	_, samples := f.make(t, auth.Spec{})
	status, body, _ = call(t, http.MethodPost, url+"/v1/traces", "{}", "Content-Type", "application/json", "X-API-Key", samples)
	if status != 403 || !strings.Contains(body, `"code":7`) {
		t.Errorf("got %d %s", status, body)
	}
}

func TestRate(t *testing.T) {
	f := keys(t, bucket(t))
	url := f.serve(t, auth.GateOptions{KeyRequired: true})
	_, token := f.make(t, auth.Spec{Rate: 2})
	send := func(records int) (int, string, string) {
		status, body, header := call(t, http.MethodPost, url+"/v1/samples", strings.Repeat("chat ", records), "X-API-Key", token)
		return status, body, header.Get("Retry-After")
	}
	// A burst of ten seconds' worth, and the debt of one request behind it.
	if status, body, _ := send(30); status != 200 {
		t.Fatalf("got %d %s", status, body)
	}
	status, body, after := send(1)
	if status != 429 || after != "6" || !strings.Contains(body, "2 records per second") {
		t.Errorf("got %d %s, Retry-After %q, want 429 and 6", status, body, after)
	}
	f.clock.add(6 * time.Second)
	if status, body, _ = send(1); status != 200 {
		t.Errorf("after the time that was told: got %d %s", status, body)
	}
	// A request that is far too large is cut off, and a minute pays for it.
	f.clock.add(time.Hour)
	if status, _, after = send(200); status != 429 || after != "61" {
		t.Errorf("got %d, Retry-After %q, want 429 and 61", status, after)
	}
	if f.refused(t, auth.ReasonRate) != 2 {
		t.Errorf("got %v counted, want 2", f.refused(t, auth.ReasonRate))
	}
	_, free := f.make(t, auth.Spec{})
	if status, body, _ := call(t, http.MethodPost, url+"/v1/samples", "chat", "X-API-Key", free); status != 200 {
		t.Errorf("another key: got %d %s", status, body)
	}
}

func TestBytesAndBodies(t *testing.T) {
	f := keys(t, bucket(t))
	url := f.serve(t, auth.GateOptions{KeyRequired: true, MaxBody: 100 << 10})
	_, slow := f.make(t, auth.Spec{Bytes: 1 << 10})
	_, small := f.make(t, auth.Spec{MaxBody: 2 << 10})
	_, wide := f.make(t, auth.Spec{MaxBody: 1 << 30})
	send := func(token string, size int, chunked bool) int {
		t.Helper()
		body := strings.Repeat("x", size)
		if !chunked {
			status, _, _ := call(t, http.MethodPost, url+"/v1/samples", body, "X-API-Key", token)
			return status
		}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"/v1/samples", struct{ *strings.Reader }{strings.NewReader(body)})
		if err != nil {
			t.Fatal(err)
		}
		req.ContentLength = -1
		req.Header.Set("X-API-Key", token)
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		return res.StatusCode
	}
	for _, chunked := range []bool{false, true} {
		for _, tt := range []struct {
			token string
			size  int
			want  int
		}{{small, 2 << 10, 200}, {small, 2<<10 + 1, 413}, {wide, 100 << 10, 200}, {wide, 100<<10 + 1, 413}} {
			if got := send(tt.token, tt.size, chunked); got != tt.want {
				t.Errorf("%d bytes, chunked %v: got %d, want %d", tt.size, chunked, got, tt.want)
			}
		}
		f.clock.add(time.Hour)
		if got := send(slow, 20<<10, chunked); got != 200 {
			t.Errorf("got %d, want 200", got)
		}
		if got := send(slow, 1, chunked); got != 429 {
			t.Errorf("in debt: got %d, want 429", got)
		}
		f.clock.add(time.Hour)
		if got := send(slow, 90<<10, chunked); got != 429 {
			t.Errorf("far more than allowed: got %d, want 429", got)
		}
	}
}

// Who tries many keys is told to come later; a good key from the same address is not.
func TestAttempts(t *testing.T) {
	f := keys(t, bucket(t))
	url := f.serve(t, auth.GateOptions{KeyRequired: true})
	_, good := f.make(t, auth.Spec{})
	counts := map[int]int{}
	for i := range 50 {
		status, _, header := call(t, http.MethodPost, url+"/v1/samples", "chat", "X-API-Key", fmt.Sprintf("guess %d", i))
		counts[status]++
		if status == 429 && header.Get("Retry-After") == "" {
			t.Error("429 without Retry-After")
		}
	}
	if counts[401] != 20 || counts[429] != 30 || f.refused(t, auth.ReasonAttempts) != 30 || f.refused(t, auth.ReasonMalformed) != 20 {
		t.Errorf("got %v, want 20 times 401 and 30 times 429", counts)
	}
	if status, _, _ := call(t, http.MethodPost, url+"/v1/samples", "chat", "X-API-Key", good); status != 200 {
		t.Errorf("a good key: got %d", status)
	}
	if n := strings.Count(f.log.String(), "without a good key"); n != 1 {
		t.Errorf("got %d lines in the log, want 1", n)
	}
	f.clock.add(time.Minute)
	if status, _, _ := call(t, http.MethodPost, url+"/v1/samples", "chat"); status != 401 {
		t.Errorf("a minute later: got %d, want 401", status)
	}
	if log := f.log.String(); strings.Count(log, "without a good key") != 2 || !strings.Contains(log, "not_logged=49") {
		t.Errorf("got %s, want a second line that tells of 49 others", log)
	}
}

// stalling is the connection of a sender that stops in the middle of a body.
type stalling struct {
	http.ResponseWriter
	deadlines []time.Time
}

func (s *stalling) SetReadDeadline(t time.Time) error {
	s.deadlines = append(s.deadlines, t)
	return nil
}

type parts struct {
	list []string
	end  error
}

func (p *parts) Read(b []byte) (int, error) {
	if len(p.list) == 0 {
		return 0, p.end
	}
	n := copy(b, p.list[0])
	p.list = p.list[1:]
	return n, nil
}

func TestABodyThatStalls(t *testing.T) {
	f := keys(t, bucket(t))
	e := web.New(web.Options{})
	e.Use(f.Gate(auth.GateOptions{Table: table}))
	e.POST("/v1/samples", web.Handle(func(c *gin.Context) error {
		_, err := io.ReadAll(c.Request.Body)
		return err
	}))
	for _, tt := range []struct {
		end    error
		status int
		last   bool // the deadline is taken away
	}{{io.EOF, 200, true}, {os.ErrDeadlineExceeded, 400, false}} {
		w := &stalling{ResponseWriter: httptest.NewRecorder()}
		req := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/v1/samples", &parts{list: []string{strings.Repeat("x", 200), strings.Repeat("x", 200)}, end: tt.end})
		e.ServeHTTP(w, req)
		if got := w.ResponseWriter.(*httptest.ResponseRecorder).Code; got != tt.status {
			t.Errorf("%v: got %d, want %d", tt.end, got, tt.status)
		}
		if n := len(w.deadlines); n < 3 || !w.deadlines[1].After(w.deadlines[0]) || w.deadlines[n-1].IsZero() != tt.last {
			t.Errorf("%v: got deadlines %v", tt.end, w.deadlines)
		}
	}
	if f.refused(t, auth.ReasonSlow) != 1 {
		t.Error("the stalled body was not counted")
	}
}

// A request that is worked on for longer than its body may take is not cut.
func TestNoDeadlineAfterTheBody(t *testing.T) {
	f := keys(t, bucket(t))
	e := web.New(web.Options{})
	e.Use(f.Gate(auth.GateOptions{Table: table}))
	e.POST("/v1/samples", web.Handle(func(c *gin.Context) error {
		if err := http.NewResponseController(c.Writer).SetReadDeadline(time.Now().Add(50 * time.Millisecond)); err != nil {
			return err
		}
		if _, err := io.ReadAll(c.Request.Body); err != nil {
			return err
		}
		timer := time.NewTimer(100 * time.Millisecond)
		select {
		case <-timer.C:
			return nil
		case <-c.Request.Context().Done():
			return c.Request.Context().Err()
		}
	}))
	s := httptest.NewServer(e)
	defer s.Close()
	for range 3 { // on one connection
		if status, body, _ := call(t, http.MethodPost, s.URL+"/v1/samples", "chat"); status != 200 {
			t.Errorf("got %d %s", status, body)
		}
	}
}
