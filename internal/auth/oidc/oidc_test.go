package oidc_test

import (
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/oauth2-proxy/mockoidc"

	"github.com/asgood-dev/asgood/internal/auth/oidc"
	"github.com/asgood-dev/asgood/internal/quality"
)

// service is a real sign-in service whose ID tokens a test may change.
type service struct {
	*mockoidc.MockOIDC
	change func(claims jwt.MapClaims) // nil leaves them
	other  bool                       // signs with a key that nobody knows
}

func startService(t testing.TB, ln net.Listener) *service {
	t.Helper()
	m, err := mockoidc.NewServer(nil)
	if err != nil {
		t.Fatal(err)
	}
	s := &service{MockOIDC: m}
	if err := m.AddMiddleware(s.tamper); err != nil {
		t.Fatal(err)
	}
	if err := m.Start(ln, nil); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.Shutdown(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func listen(t testing.TB) net.Listener {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return ln
}

// tamper signs the ID token of an answer again, with other claims.
func (s *service) tamper(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != mockoidc.TokenEndpoint || s.change == nil && !s.other {
			next.ServeHTTP(w, r)
			return
		}
		rec := httptest.NewRecorder()
		next.ServeHTTP(rec, r)
		var answer map[string]any
		claims := jwt.MapClaims{}
		if json.Unmarshal(rec.Body.Bytes(), &answer) == nil {
			raw, _ := answer["id_token"].(string)
			if _, _, err := jwt.NewParser().ParseUnverified(raw, claims); err == nil {
				answer["id_token"] = s.sign(claims)
			}
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(rec.Code)
		_ = json.NewEncoder(w).Encode(answer)
	})
}

func (s *service) sign(claims jwt.MapClaims) string {
	if s.change != nil {
		s.change(claims)
	}
	keys := s.Keypair
	if s.other {
		var err error
		if keys, err = mockoidc.RandomKeypair(2048); err != nil {
			return ""
		}
	}
	token, err := keys.SignJWT(claims)
	if err != nil {
		return ""
	}
	return token
}

func (s *service) options() oidc.Options {
	return oidc.Options{
		Issuer: s.Issuer(), ClientID: s.ClientID, ClientSecret: s.ClientSecret, Scopes: []string{"profile", "email", "groups"},
		RedirectURL: func() string { return "http://127.0.0.1:8081/login/callback" },
		Roles:       map[quality.Role][]string{quality.RoleAdmin: {"sre"}, quality.RoleViewer: {"staff", "all"}},
	}
}

func provider(t testing.TB, o oidc.Options) *oidc.Provider {
	t.Helper()
	p, err := oidc.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// browse goes where a flow leads and returns what the service sends back.
func browse(t testing.TB, f oidc.Flow) oidc.Answer {
	t.Helper()
	c := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := c.Get(f.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	back, err := url.Parse(res.Header.Get("Location"))
	if err != nil || res.StatusCode != http.StatusFound {
		t.Fatalf("got %d to %q (%v)", res.StatusCode, back, err)
	}
	return oidc.Answer{State: back.Query().Get("state"), Code: back.Query().Get("code")}
}

func signIn(t testing.TB, p *oidc.Provider, s *service, groups ...string) (oidc.Identity, error) {
	t.Helper()
	s.QueueUser(&mockoidc.MockUser{Subject: "u1", Email: "ada@example.com", PreferredUsername: "ada", Groups: groups})
	f, err := p.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return p.Finish(t.Context(), f, browse(t, f))
}

func TestSignIn(t *testing.T) {
	s := startService(t, listen(t))
	p := provider(t, s.options())
	for _, tt := range []struct {
		groups []string
		want   quality.Role
	}{{[]string{"sre", "staff"}, quality.RoleAdmin}, {[]string{"staff"}, quality.RoleViewer}, {[]string{"x", "all"}, quality.RoleViewer}} {
		who, err := signIn(t, p, s, tt.groups...)
		if err != nil || who.Subject != "u1" || who.Name != "ada" || who.Role != tt.want {
			t.Errorf("%v: got %+v %v, want %s", tt.groups, who, err, tt.want)
		}
	}
	for _, groups := range [][]string{nil, {"x"}, {"SRE"}} {
		if who, err := signIn(t, p, s, groups...); quality.KindOf(err) != quality.KindForbidden || !strings.Contains(err.Error(), "auth.oidc.roles") {
			t.Errorf("%v: got %+v %v, want nobody in", groups, who, err)
		}
	}
	o := s.options()
	o.DefaultRole = quality.RoleViewer
	if who, err := signIn(t, provider(t, o), s, "x"); err != nil || who.Role != quality.RoleViewer {
		t.Errorf("default role: got %+v %v", who, err)
	}
}

func TestTokensThatAreNotGood(t *testing.T) {
	s := startService(t, listen(t))
	for name, change := range map[string]func(jwt.MapClaims){
		"another nonce":    func(c jwt.MapClaims) { c["nonce"] = "x" },
		"no nonce":         func(c jwt.MapClaims) { delete(c, "nonce") },
		"another audience": func(c jwt.MapClaims) { c["aud"] = []string{"other"} },
		"another issuer":   func(c jwt.MapClaims) { c["iss"] = "https://evil.example" },
		"expired":          func(c jwt.MapClaims) { c["exp"] = time.Now().Add(-time.Hour).Unix() },
		"no subject":       func(c jwt.MapClaims) { c["sub"] = "" },
		"a long subject":   func(c jwt.MapClaims) { c["sub"] = strings.Repeat("a", 256) },
	} {
		s.change = change
		if who, err := signIn(t, provider(t, s.options()), s, "sre"); quality.KindOf(err) != quality.KindUnauthenticated {
			t.Errorf("%s: got %+v %v", name, who, err)
		}
	}
	s.change, s.other = nil, true
	if who, err := signIn(t, provider(t, s.options()), s, "sre"); quality.KindOf(err) != quality.KindUnauthenticated {
		t.Errorf("another key: got %+v %v", who, err)
	}
}

func TestAnswersThatAreNotGood(t *testing.T) {
	s := startService(t, listen(t))
	p := provider(t, s.options())
	s.QueueUser(&mockoidc.MockUser{Subject: "u1", Groups: []string{"sre"}})
	f, err := p.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	good := browse(t, f)
	other, err := p.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for name, try := range map[string]struct {
		flow   oidc.Flow
		answer oidc.Answer
	}{
		"no state":        {f, oidc.Answer{Code: good.Code}},
		"another state":   {f, oidc.Answer{State: other.State, Code: good.Code}},
		"no flow":         {oidc.Flow{}, oidc.Answer{Code: good.Code}},
		"another service": {f, oidc.Answer{State: f.State, Code: good.Code, Issuer: "https://evil.example"}},
		"an error":        {f, oidc.Answer{State: f.State, Error: "access_denied"}},
		"no code":         {f, oidc.Answer{State: f.State}},
		"a wrong code":    {f, oidc.Answer{State: f.State, Code: "x"}},
		// PKCE: whoever got hold of the code did not begin the sign-in.
		"the code of another flow": {other, oidc.Answer{State: other.State, Code: good.Code}},
	} {
		if who, err := p.Finish(t.Context(), try.flow, try.answer); quality.KindOf(err) != quality.KindUnauthenticated {
			t.Errorf("%s: got %+v %v", name, who, err)
		}
	}
}

// The service may be away when the program starts, and come back.
func TestTheServiceIsAway(t *testing.T) {
	ln := listen(t)
	addr := ln.Addr().String()
	ln.Close()
	now := time.Now()
	o := oidc.Options{Issuer: "http://" + addr + "/oidc", ClientID: "x", RedirectURL: func() string { return "http://127.0.0.1/" }, Now: func() time.Time { return now }}
	p := provider(t, o)
	for range 2 {
		if _, err := p.Begin(t.Context()); quality.KindOf(err) != quality.KindUnavailable || !strings.Contains(err.Error(), "auth.oidc.issuer") {
			t.Errorf("got %v, want what to check", err)
		}
	}
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		t.Skipf("the port was taken meanwhile: %v", err)
	}
	startService(t, ln)
	now = now.Add(time.Minute)
	if _, err := p.Begin(t.Context()); err != nil {
		t.Errorf("it is back: got %v", err)
	}
}
