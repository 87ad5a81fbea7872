package people_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/oauth2-proxy/mockoidc"

	"github.com/asgood-dev/asgood/internal/auth/people"
	"github.com/asgood-dev/asgood/internal/quality"
)

// withPasskey is a process with a person who has a passkey.
func withPasskey(t *testing.T) (*world, *process, *browser, *authenticator) {
	t.Helper()
	w := newWorld(t)
	p := w.process(nil)
	b, a := p.signIn(t, "Ada", quality.RoleEditor), (*authenticator)(nil)
	a = newAuthenticator(t, p)
	if got := b.enrol(p, a, "  My   phone "); got.status != http.StatusOK || !strings.Contains(got.body, `"next":"/account"`) {
		t.Fatalf("got %d %s", got.status, got.body)
	}
	return w, p, b, a
}

func TestSignInByAPasskey(t *testing.T) {
	w, p, b, a := withPasskey(t)
	if page := b.get(p.url + "/account").body; !strings.Contains(page, `value="My phone"`) {
		t.Errorf("got %s", page)
	}
	a.count = 1
	other := newBrowser(t)
	if got := other.enter(p, a); got.status != http.StatusOK || !strings.Contains(got.body, `"next":"/publish"`) || !strings.Contains(got.header.Get("Cache-Control"), "no-store") {
		t.Fatalf("got %d %s", got.status, got.body)
	}
	if got := other.get(p.url + "/publish"); !strings.HasPrefix(got.body, "local:ada editor") {
		t.Errorf("got %d %s", got.status, got.body)
	}
	if page := b.get(p.url + "/account").body; !strings.Contains(page, "last used") {
		t.Errorf("got %s", page)
	}
	if got := w.actions(); got != "signin_link.made signin passkey.made signin" {
		t.Errorf("audited %q", got)
	}
}

func TestWhatAPasskeyIsAsked(t *testing.T) {
	_, p, b, a := withPasskey(t)
	q := b.ask(p.url+"/account/passkeys/begin", "X-CSRF-Token", b.csrf(p).Get("csrf"))
	if q.RP.ID != "localhost" || q.Selection.Resident != "required" || q.Selection.Verification != "required" || q.User.Name != "Ada" {
		t.Errorf("got %+v", q)
	}
	if len(q.Exclude) != 1 || q.Exclude[0].ID != b64(a.id) || q.User.ID != b64(a.handle) {
		t.Errorf("got %+v, want the passkey that there is excluded and one handle", q)
	}
	if strings.Contains(string(a.handle), "ada") {
		t.Error("the handle tells who it is")
	}
	if q := newBrowser(t).ask(p.url + "/login/passkey/begin"); q.Verification != "required" || len(q.Challenge) < 43 {
		t.Errorf("got %+v", q)
	}
}

// Each answer is good but for one thing.
func TestAttacksOnPasskeys(t *testing.T) {
	w, p, b, a := withPasskey(t)
	bob := p.signIn(t, "Bob", quality.RoleAdmin)
	bobs := newAuthenticator(t, p)
	if got := bob.enrol(p, bobs, "key"); got.status != http.StatusOK {
		t.Fatalf("got %d %s", got.status, got.body)
	}
	finish := p.url + "/login/passkey/finish"
	try := func(a authenticator, change func(*authenticator)) answer {
		change(&a)
		return newBrowser(t).enter(p, &a)
	}
	replay := func() answer {
		c := newBrowser(t)
		q := c.ask(p.url + "/login/passkey/begin")
		a.count++
		proof := map[string]any{"credential": a.show(q.Challenge)}
		if got := c.json(finish, proof); got.status != http.StatusOK {
			t.Fatalf("the first time: got %d %s", got.status, got.body)
		}
		return c.json(finish, proof)
	}
	answers := map[string]answer{
		"the same answer again":       replay(),
		"a page of another origin":    try(*a, func(a *authenticator) { a.count++; a.origin = "https://evil.example" }),
		"another port":                try(*a, func(a *authenticator) { a.count++; a.origin = "http://localhost:1" }),
		"another site":                try(*a, func(a *authenticator) { a.count++; a.site = "evil.example" }),
		"nobody asked who holds it":   try(*a, func(a *authenticator) { a.count++; a.flags = flagPresent }),
		"nobody touched it":           try(*a, func(a *authenticator) { a.count++; a.flags = flagVerified }),
		"the handle of somebody else": try(*a, func(a *authenticator) { a.count++; a.handle = bobs.handle }),
		"the key of somebody else":    try(*a, func(a *authenticator) { a.count++; a.key = bobs.key }),
		"no handle":                   try(*a, func(a *authenticator) { a.count++; a.handle = nil }),
		"a passkey nobody has":        try(*a, func(a *authenticator) { a.id = []byte("xxxxxxxxxxxxxxxx") }),
		"the challenge of another browser": func() answer {
			a.count++
			q := newBrowser(t).ask(p.url + "/login/passkey/begin")
			c := newBrowser(t)
			c.ask(p.url + "/login/passkey/begin")
			return c.json(finish, map[string]any{"credential": a.show(q.Challenge)})
		}(),
		"no cookie": func() answer {
			a.count++
			q := newBrowser(t).ask(p.url + "/login/passkey/begin")
			return newBrowser(t).json(finish, map[string]any{"credential": a.show(q.Challenge)})
		}(),
		"a challenge for making one": func() answer {
			a.count++
			q := b.ask(p.url+"/account/passkeys/begin", "X-CSRF-Token", b.csrf(p).Get("csrf"))
			return b.json(finish, map[string]any{"credential": a.show(q.Challenge)})
		}(),
		"too late": func() answer {
			a.count++
			c := newBrowser(t)
			q := c.ask(p.url + "/login/passkey/begin")
			w.add(5 * time.Minute)
			return c.json(finish, map[string]any{"credential": a.show(q.Challenge)})
		}(),
	}
	for name, got := range answers {
		if got.status != http.StatusUnauthorized || strings.Contains(got.header.Get("Set-Cookie"), "asgood_session") || !strings.Contains(got.body, "this passkey is not good here") {
			t.Errorf("%s: got %d %s", name, got.status, got.body)
		}
	}
	a.count++
	if got := newBrowser(t).enter(p, a); got.status != http.StatusOK {
		t.Errorf("the right answer after all of these: got %d %s", got.status, got.body)
	}
}

// A counter that stands or goes back tells of a copy.
func TestACopiedPasskey(t *testing.T) {
	_, p, _, a := withPasskey(t)
	for _, tt := range []struct {
		count uint32
		want  int
	}{{0, 200}, {0, 200}, {5, 200}, {5, 401}, {4, 401}, {0, 401}, {6, 200}} {
		a.count = tt.count
		if got := newBrowser(t).enter(p, a); got.status != tt.want || tt.want == 401 && !strings.Contains(got.body, "a copy of it") {
			t.Errorf("counter %d: got %d %s, want %d", tt.count, got.status, got.body, tt.want)
		}
	}
}

// Of answers with one counter that come at once, one is good.
func TestACounterIsGoodOnce(t *testing.T) {
	w, p, _, a := withPasskey(t)
	other := w.process(func(o *people.Options) { o.URL = func() string { return p.url } })
	wait(t, "the passkey in the other process", func() bool {
		a.count++
		return newBrowser(t).enter(other, a).status == http.StatusOK
	})
	a.count++
	var wg sync.WaitGroup
	in := make(chan int, 6)
	for i := range cap(in) {
		at := []*process{p, other}[i%2]
		b, mine := newBrowser(t), *a
		wg.Go(func() { in <- b.enter(at, &mine).status })
	}
	wg.Wait()
	n := 0
	for range cap(in) {
		if <-in == http.StatusOK {
			n++
		}
	}
	if n != 1 {
		t.Errorf("%d came in with one counter", n)
	}
}

func TestMakingPasskeysNeedsTheSameSession(t *testing.T) {
	w, p, b, _ := withPasskey(t)
	bob := p.signIn(t, "Bob", quality.RoleViewer)
	token := b.csrf(p).Get("csrf")
	begin, finish := p.url+"/account/passkeys/begin", p.url+"/account/passkeys/finish"
	fresh := func() *authenticator { return newAuthenticator(t, p) }
	if got := b.json(begin, struct{}{}); got.status != http.StatusForbidden || !strings.Contains(got.body, "token") {
		t.Errorf("without the form's token: got %d %s", got.status, got.body)
	}
	if got := newBrowser(t).json(begin, struct{}{}); got.status != http.StatusUnauthorized {
		t.Errorf("nobody: got %d %s", got.status, got.body)
	}
	// The cookie of Ada's question in the browser of Bob.
	q := b.ask(begin, "X-CSRF-Token", token)
	for _, c := range b.client.Jar.Cookies(mustURL(t, p.url)) {
		if c.Name == "asgood_passkey" {
			bob.client.Jar.SetCookies(mustURL(t, p.url), []*http.Cookie{c})
		}
	}
	if got := bob.json(finish, map[string]any{"credential": fresh().make(q.Challenge)}, "X-CSRF-Token", bob.csrf(p).Get("csrf")); got.status != http.StatusUnauthorized {
		t.Errorf("another person: got %d %s", got.status, got.body)
	}
	q = b.ask(begin, "X-CSRF-Token", token)
	w.add(5 * time.Minute)
	if got := b.json(finish, map[string]any{"credential": fresh().make(q.Challenge)}, "X-CSRF-Token", token); got.status != http.StatusUnauthorized {
		t.Errorf("too late: got %d %s", got.status, got.body)
	}
	bad := fresh()
	bad.origin = "https://evil.example"
	if got := b.enrol(p, bad, "x"); got.status != http.StatusUnauthorized {
		t.Errorf("another origin: got %d %s", got.status, got.body)
	}
	if got := b.enrol(p, fresh(), "<b>"); got.status != http.StatusBadRequest {
		t.Errorf("a bad name: got %d %s", got.status, got.body)
	}
	for range 9 {
		if got := b.enrol(p, fresh(), ""); got.status != http.StatusOK {
			t.Errorf("got %d %s", got.status, got.body)
		}
	}
	if got := b.json(begin, struct{}{}, "X-CSRF-Token", token); got.status != http.StatusConflict {
		t.Errorf("the eleventh: got %d %s", got.status, got.body)
	}
}

// ownID is the id of the first passkey on the page of a person.
func (b *browser) ownID(p *process) string {
	_, rest, _ := strings.Cut(b.get(p.url+"/account").body, `action="/account/passkeys/remove/`)
	id, _, _ := strings.Cut(rest, `"`)
	return id
}

func TestNamingAndRemovingAPasskey(t *testing.T) {
	w, p, b, a := withPasskey(t)
	id, bob := b.ownID(p), p.signIn(t, "Bob", quality.RoleAdmin)
	form := bob.csrf(p)
	form.Set("name", "Mine")
	for _, path := range []string{"name/", "remove/"} {
		if got := bob.post(p.url+"/account/passkeys/"+path+id, form); got.status != http.StatusNotFound {
			t.Errorf("%s of somebody else: got %d %s", path, got.status, got.body)
		}
	}
	form = b.csrf(p)
	form.Set("name", "Old phone")
	if got := b.post(p.url+"/account/passkeys/name/"+id, form); got.status != http.StatusSeeOther || !strings.Contains(b.get(p.url+"/account").body, `value="Old phone"`) {
		t.Errorf("got %d %s", got.status, got.body)
	}
	thief := newBrowser(t)
	if got := thief.enter(p, a); got.status != http.StatusOK {
		t.Fatalf("got %d %s", got.status, got.body)
	}
	if got := b.post(p.url+"/account/passkeys/remove/"+id, form); got.status != http.StatusSeeOther || b.ownID(p) != "" {
		t.Errorf("got %d %s", got.status, got.body)
	}
	if got := thief.get(p.url + "/console"); got.status != http.StatusSeeOther {
		t.Errorf("the session that began with it: got %d", got.status)
	}
	if got := newBrowser(t).enter(p, a); got.status != http.StatusUnauthorized {
		t.Errorf("after it was removed: got %d", got.status)
	}
	if got := b.get(p.url + "/console"); got.status != http.StatusOK {
		t.Errorf("the session that removed it: got %d", got.status)
	}
	if got := w.actions(); !strings.Contains(got, "passkey.named signin passkey.removed signin.failed") {
		t.Errorf("audited %q", got)
	}
}

// Who comes again under a name has nothing of whoever had it before.
func TestAPasskeyEndsWithItsAccount(t *testing.T) {
	_, p, _, a := withPasskey(t)
	if _, err := p.Remove(t.Context(), "local:ada"); err != nil {
		t.Fatal(err)
	}
	if got := newBrowser(t).enter(p, a); got.status != http.StatusUnauthorized {
		t.Errorf("after the account was removed: got %d", got.status)
	}
	b := p.signIn(t, "Ada", quality.RoleAdmin)
	if got := newBrowser(t).enter(p, a); got.status != http.StatusUnauthorized || b.ownID(p) != "" {
		t.Errorf("after another Ada came: got %d", got.status)
	}
}

func TestPasskeysWhileTheAuditLogIsAway(t *testing.T) {
	w, p, b, a := withPasskey(t)
	a.count = 1
	w.breakAudit(quality.Errorf(quality.KindUnavailable, "the disk is full"))
	if got := newBrowser(t).enter(p, a); got.status != http.StatusServiceUnavailable || strings.Contains(got.header.Get("Set-Cookie"), "asgood_session") {
		t.Errorf("signing in: got %d %s", got.status, got.body)
	}
	if got := b.enrol(p, newAuthenticator(t, p), ""); got.status != http.StatusServiceUnavailable {
		t.Errorf("making one: got %d %s", got.status, got.body)
	}
	w.breakAudit(nil)
	if got := newBrowser(t).enter(p, a); got.status != http.StatusOK {
		t.Errorf("the counter was used up: got %d %s", got.status, got.body)
	}
}

// A sign-in service decides at each sign-in what somebody may do; a passkey would go past it.
func TestNoPasskeysBesideAService(t *testing.T) {
	_, p, m := withService(t)
	m.QueueUser(&mockoidc.MockUser{Subject: "u1", PreferredUsername: "ada", Groups: []string{"ml"}})
	b := newBrowser(t)
	b.get(b.get(b.get(p.url + "/login/oidc").location).location)
	if got := b.json(p.url+"/account/passkeys/begin", struct{}{}, "X-CSRF-Token", b.csrf(p).Get("csrf")); got.status != http.StatusForbidden || !strings.Contains(got.body, "make a passkey there") {
		t.Errorf("got %d %s", got.status, got.body)
	}
	if page := b.get(p.url + "/account").body; strings.Contains(page, "Passkeys") {
		t.Errorf("got %s", page)
	}
}

func TestPagesOfElsewhereSignNobodyIn(t *testing.T) {
	_, p, _, _ := withPasskey(t)
	for _, path := range []string{"/login/passkey/begin", "/login/passkey/finish"} {
		if got := newBrowser(t).json(p.url+path, struct{}{}, "Origin", "https://evil.example"); got.status != http.StatusForbidden {
			t.Errorf("%s: got %d %s", path, got.status, got.body)
		}
	}
}
