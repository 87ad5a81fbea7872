package people_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/oauth2-proxy/mockoidc"

	"github.com/asgood-dev/asgood/internal/auth/oidc"
	"github.com/asgood-dev/asgood/internal/auth/people"
	"github.com/asgood-dev/asgood/internal/quality"
)

// withService is a process whose people sign in by a real service.
func withService(t *testing.T) (*world, *process, *mockoidc.MockOIDC) {
	t.Helper()
	m, err := mockoidc.Run()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.Shutdown(); err != nil {
			t.Error(err)
		}
	})
	w := newWorld(t)
	var p *process
	p = w.process(func(o *people.Options) {
		var err error
		o.Provider, err = oidc.New(oidc.Options{
			Issuer: m.Issuer(), ClientID: m.ClientID, ClientSecret: m.ClientSecret, Scopes: []string{"profile", "email", "groups"},
			RedirectURL: func() string { return p.url + people.CallbackPath }, Roles: map[quality.Role][]string{quality.RoleEditor: {"ml"}},
		})
		if err != nil {
			t.Fatal(err)
		}
	})
	return w, p, m
}

func TestSignInByAService(t *testing.T) {
	w, p, m := withService(t)
	m.QueueUser(&mockoidc.MockUser{Subject: "u1", PreferredUsername: "ada", Groups: []string{"ml"}})
	b := newBrowser(t)
	page := b.get(p.url + "/login?next=/publish")
	if page.status != http.StatusOK || !strings.Contains(page.body, "/login/oidc?next=%2Fpublish") {
		t.Fatalf("got %d %s", page.status, page.body)
	}
	begun := b.get(p.url + "/login/oidc?next=/publish")
	if begun.status != http.StatusSeeOther || !strings.HasPrefix(begun.location, m.Issuer()) || !strings.Contains(begun.location, "code_challenge_method=S256") {
		t.Fatalf("got %d to %q", begun.status, begun.location)
	}
	back := b.get(begun.location)
	// Another browser cannot use what this one brings back.
	if a := newBrowser(t).get(back.location); a.status != http.StatusBadRequest {
		t.Errorf("another browser: got %d %s", a.status, a.body)
	}
	if a := b.get(back.location); a.status != http.StatusSeeOther || a.location != "/publish" {
		t.Fatalf("got %d %s to %q", a.status, a.body, a.location)
	}
	if a := b.get(p.url + "/publish"); !strings.HasPrefix(a.body, "oidc:u1 editor") {
		t.Errorf("got %s", a.body)
	}
	// The same answer again is no sign-in, also with the cookie put back.
	if a := b.get(back.location, "Cookie", begun.header.Get("Set-Cookie")); a.status != http.StatusBadRequest {
		t.Errorf("the answer again: got %d %s", a.status, a.body)
	}
	if got := w.actions(); !strings.Contains(got, "signin") || !strings.Contains(got, "signin.failed") {
		t.Errorf("audited %q", got)
	}
}

func TestWhoHasNoRoleStaysOut(t *testing.T) {
	_, p, m := withService(t)
	m.QueueUser(&mockoidc.MockUser{Subject: "u2", Groups: []string{"x"}})
	b := newBrowser(t)
	a := b.get(b.get(b.get(p.url + "/login/oidc").location).location)
	if a.status != http.StatusForbidden || !strings.Contains(a.body, "auth.oidc.roles") || len(p.Accounts()) != 0 {
		t.Errorf("got %d %s", a.status, a.body)
	}
	if l, ok, err := p.FirstLink(t.Context()); ok || err != nil {
		t.Errorf("a first link beside a service: %+v %v", l, err)
	}
}

func TestASignInThatTakesTooLong(t *testing.T) {
	w, p, m := withService(t)
	m.QueueUser(&mockoidc.MockUser{Subject: "u1", Groups: []string{"ml"}})
	b := newBrowser(t)
	back := b.get(b.get(p.url + "/login/oidc").location)
	w.add(11 * time.Minute)
	if a := b.get(back.location); a.status != http.StatusBadRequest || !strings.Contains(a.body, "begin again") {
		t.Errorf("got %d %s", a.status, a.body)
	}
}
