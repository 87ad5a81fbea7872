package config_test

import (
	"strings"
	"testing"
	"time"

	"github.com/asgood-dev/asgood/internal/config"
)

func TestAuth(t *testing.T) {
	text := `
auth:
  url: https://console.example.com/
  session: {idle: 10m, lifetime: 2d}
  oidc: {issuer: "https://login.example.com", client_id: asgood, roles: {admin: [sre], viewer: [all, staff]}}
`
	c, err := config.Parse("a.yaml", []byte(text), noEnv)
	if err != nil {
		t.Fatal(err)
	}
	if a := c.Auth; a.URL != "https://console.example.com" || a.Session != (config.Session{Idle: 10 * time.Minute, Lifetime: 48 * time.Hour}) || a.OIDC.GroupsClaim != "groups" || len(a.OIDC.Roles["viewer"]) != 2 {
		t.Errorf("got %+v %+v", a, a.OIDC)
	}
	if a := config.Defaults().Auth; a.OIDC != nil || a.URL != "" || a.Session != (config.Session{Idle: 8 * time.Hour, Lifetime: 24 * time.Hour}) {
		t.Errorf("got defaults %+v", a)
	}
}

func TestAuthThatIsWrong(t *testing.T) {
	for _, c := range []struct{ yaml, want string }{
		{"{url: console}", `a.yaml:1:13: auth.url "console": want a URL without a path`},
		{"{url: 'https://console.example.com/x'}", "want a URL without a path"},
		{"{url: 'https://console.example.com?x=1'}", "want a URL without a path"},
		{"{url: 'https://ada@console.example.com'}", "want a URL without a path"},
		{"{url: 'ftp://console.example.com'}", "want a URL without a path"},
		{"{url: 'javascript:alert(1)'}", "want a URL without a path"},
		{"{session: {idle: 4m}}", `auth.session.idle "4m": want 5m to 30d`},
		{"{session: {idle: 31d, lifetime: 31d}}", "auth.session.idle"},
		{"{session: {lifetime: 31d}}", `auth.session.lifetime "31d": want at most 30d`},
		{"{session: {idle: 2h, lifetime: 1h}}", "lifetime is less than idle"},
		{"{session: {idle: soon}}", "auth.session.idle"},
		{"{oidc: {client_id: a, default_role: viewer}}", "auth.oidc.issuer"},
		{"{oidc: {issuer: login, client_id: a, default_role: viewer}}", "auth.oidc.issuer"},
		{"{oidc: {issuer: 'https://l.example', default_role: viewer}}", "auth.oidc.client_id"},
		{"{oidc: {issuer: 'https://l.example', client_id: a}}", "nobody could sign in"},
		{"{oidc: {issuer: 'https://l.example', client_id: a, default_role: boss}}", "auth.oidc.default_role"},
		{"{oidc: {issuer: 'https://l.example', client_id: a, roles: {boss: [x]}}}", `no role "boss"`},
		{"{oidc: {issuer: 'https://l.example', client_id: a, roles: {admin: []}}}", "want 1 to 1000 groups"},
		{"{oidc: {issuer: 'https://l.example', client_idd: a}}", `did you mean "client_id"?`},
		{"{url: 'https://c.example'}\nlisten: {internal: '0.0.0.0:8081'}", "listen.internal"},
		{"{url: 'http://c.example', oidc: {issuer: 'https://l.example', client_id: a, default_role: viewer}}\nlisten: {internal: '0.0.0.0:8081'}", "listen.internal"},
	} {
		_, err := config.Parse("a.yaml", []byte("auth: "+c.yaml+"\n"), noEnv)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", c.yaml, err, c.want)
		}
	}
	good := "auth: {url: 'https://c.example', oidc: {issuer: 'https://l.example', client_id: a, default_role: viewer}}\nlisten: {internal: '0.0.0.0:8081'}\n"
	if _, err := config.Parse("a.yaml", []byte(good), noEnv); err != nil {
		t.Errorf("others may come by https and a sign-in service: got %v", err)
	}
}
