package config

import (
	"net/url"
	"strings"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
)

// Auth says how people sign in.
type Auth struct {
	URL     string  `yaml:"url"` // where people reach the internal listener; defaults to its address
	OIDC    *OIDC   `yaml:"oidc"`
	Session Session `yaml:"session"`
}

// OIDC is the service that people sign in by.
type OIDC struct {
	Issuer       string              `yaml:"issuer"` // URL, as the service itself writes it
	ClientID     string              `yaml:"client_id"`
	ClientSecret string              `yaml:"client_secret"` // empty for a public client
	Scopes       []string            `yaml:"scopes"`        // beside openid; profile and email where none are given
	GroupsClaim  string              `yaml:"groups_claim"`  // dots lead into objects
	Roles        map[string][]string `yaml:"roles"`         // the groups whose members have a role; the highest counts
	DefaultRole  string              `yaml:"default_role"`  // of who is in no such group; without it they may not come in
}

// Session bounds the sessions of people.
type Session struct {
	Idle     time.Duration `yaml:"idle"`     // after which one that is not used ends
	Lifetime time.Duration `yaml:"lifetime"` // after which it ends in any case
}

// open reports whether other machines may reach the internal listener: people sign in then, and what they send is
// encrypted on the way.
func (a Auth) open() bool { return a.OIDC != nil && strings.HasPrefix(a.URL, "https://") }

// Bounds of sessions.
const (
	minIdle     = 5 * time.Minute
	maxLifetime = 30 * day
	maxGroups   = 1000
)

func (d *decoder) checkAuth(a Auth) {
	if !d.failed("auth.url") && a.URL != "" && !isSite(a.URL) {
		d.bad("auth.url", "want a URL without a path, such as https://console.example.com")
	}
	if !d.failed("auth.session.idle") && (a.Session.Idle < minIdle || a.Session.Idle > maxLifetime) {
		d.bad("auth.session.idle", "want 5m to 30d")
	}
	switch {
	case d.failed("auth.session"):
	case a.Session.Lifetime > maxLifetime:
		d.bad("auth.session.lifetime", "want at most 30d")
	case a.Session.Lifetime < a.Session.Idle:
		d.bad("auth.session", "lifetime is less than idle: want at least as much")
	}
	if a.OIDC != nil && !d.failed("auth.oidc") {
		d.checkOIDC(*a.OIDC)
	}
}

func (d *decoder) checkOIDC(o OIDC) {
	if !isWebURL(o.Issuer) {
		d.bad("auth.oidc.issuer", "required: the URL of the sign-in service, such as https://login.example.com")
	}
	if o.ClientID == "" {
		d.bad("auth.oidc.client_id", "required: the name by which the sign-in service knows Asgood")
	}
	if o.DefaultRole != "" {
		d.checkRole("auth.oidc.default_role", o.DefaultRole)
	}
	if len(o.Roles) == 0 && o.DefaultRole == "" {
		d.bad("auth.oidc", "nobody could sign in: give roles, such as roles: {admin: [sre]}, or a default_role")
	}
	for name, groups := range o.Roles {
		path := "auth.oidc.roles." + name
		if _, ok := quality.ParseRole(name); !ok {
			d.bad(path, "no role %q (known: %s)", clip(name), quality.RoleNames())
		}
		if len(groups) == 0 || len(groups) > maxGroups {
			d.bad(path, "want 1 to %d groups", maxGroups)
		}
	}
}

func (d *decoder) checkRole(path, name string) {
	if _, ok := quality.ParseRole(name); !ok {
		d.bad(path, "no such role (known: %s)", quality.RoleNames())
	}
}

// isSite reports whether a text is a URL of http or https without a path.
func isSite(s string) bool {
	u, err := url.Parse(s)
	return err == nil && isWebURL(s) && (u.Path == "" || u.Path == "/") && u.RawQuery == "" && u.Fragment == "" && u.User == nil
}
