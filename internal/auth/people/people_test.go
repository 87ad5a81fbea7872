package people_test

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/asgood-dev/asgood/internal/auth"
	"github.com/asgood-dev/asgood/internal/auth/people"
	"github.com/asgood-dev/asgood/internal/quality"
)

func TestSignInByALink(t *testing.T) {
	w := newWorld(t)
	p := w.process(nil)
	l, err := p.Link(t.Context(), "Ada  Lovelace", quality.RoleEditor)
	if err != nil {
		t.Fatal(err)
	}
	b := newBrowser(t)
	if a := b.get(p.url + "/console?x=1"); a.status != http.StatusSeeOther || a.location != "/login?next=%2Fconsole%3Fx%3D1" {
		t.Errorf("nobody: got %d to %q", a.status, a.location)
	}
	for range 3 { // a preview does not use it up
		a := newBrowser(t).get(l.URL)
		if a.status != http.StatusOK || !strings.Contains(a.body, "Ada Lovelace") || !strings.Contains(a.body, "editor") {
			t.Fatalf("got %d %s", a.status, a.body)
		}
		if a.header.Get("Referrer-Policy") != "no-referrer" || a.header.Get("Cache-Control") != "no-store" || strings.Contains(a.header.Get("Content-Security-Policy"), "unsafe") {
			t.Errorf("got headers %v", a.header)
		}
	}
	a := b.post(l.URL, nil)
	if a.status != http.StatusSeeOther || a.location != "/console" {
		t.Fatalf("got %d %s to %q", a.status, a.body, a.location)
	}
	cookie := a.header.Get("Set-Cookie")
	for _, want := range []string{"asgood_session=", "HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=86400"} {
		if !strings.Contains(cookie, want) {
			t.Errorf("cookie %q lacks %s", cookie, want)
		}
	}
	if a := b.get(p.url + "/console"); !strings.HasPrefix(a.body, "local:ada lovelace editor") {
		t.Errorf("got %d %s", a.status, a.body)
	}
	if a := newBrowser(t).post(l.URL, nil); a.status != http.StatusNotFound || !strings.Contains(a.body, "asgood person link") {
		t.Errorf("used twice: got %d %s", a.status, a.body)
	}
	if got := w.actions(); got != "signin_link.made signin signin.failed" {
		t.Errorf("audited %q", got)
	}
}

func TestLinksThatAreNotGood(t *testing.T) {
	w := newWorld(t)
	p := w.process(nil)
	l, err := p.Link(t.Context(), "Ada", quality.RoleViewer)
	if err != nil {
		t.Fatal(err)
	}
	wrong := l.URL[:len(l.URL)-2] + "~~"
	first := newBrowser(t).post(wrong, nil)
	for _, url := range []string{wrong, p.url + "/login/link/aaaaaaaaaa_" + strings.Repeat("A", 43), p.url + "/login/link/x"} {
		if a := newBrowser(t).post(url, nil); a.status != http.StatusNotFound || a.body != first.body {
			t.Errorf("%s: got %d %s, want what all get", url, a.status, a.body)
		}
	}
	w.add(16 * time.Minute)
	if a := newBrowser(t).post(l.URL, nil); a.status != http.StatusNotFound || a.body != first.body {
		t.Errorf("expired: got %d", a.status)
	}
	for range 30 {
		first = newBrowser(t).post(wrong, nil)
	}
	if first.status != http.StatusTooManyRequests || first.header.Get("Retry-After") == "" {
		t.Errorf("after many: got %d %s", first.status, first.body)
	}
	if n := strings.Count(w.actions(), "signin.failed"); n < 1 || n > 3 {
		t.Errorf("%d failures audited, want few", n)
	}
	// A good link is good all the same: others may stand behind the address.
	p.signIn(t, "Bob", quality.RoleViewer)
}

// Whoever has a good link must not sign somebody else's browser in by a page of their own.
func TestALinkIsNotForPagesOfElsewhere(t *testing.T) {
	p := newWorld(t).process(nil)
	l, err := p.Link(t.Context(), "Ada", quality.RoleViewer)
	if err != nil {
		t.Fatal(err)
	}
	if a := newBrowser(t).post(l.URL, nil, "Origin", "http://evil.example", "Sec-Fetch-Site", "cross-site"); a.status != http.StatusForbidden || a.header.Get("Set-Cookie") != "" {
		t.Errorf("got %d with cookie %q, want 403 without one", a.status, a.header.Get("Set-Cookie"))
	}
	if a := newBrowser(t).post(l.URL, nil); a.status != http.StatusSeeOther {
		t.Errorf("the link after that: got %d, want it good", a.status)
	}
}

func TestOneOfManyUsesALink(t *testing.T) {
	p := newWorld(t).process(nil)
	l, err := p.Link(t.Context(), "Ada", quality.RoleViewer)
	if err != nil {
		t.Fatal(err)
	}
	in := make(chan bool, 8)
	for range cap(in) {
		b := newBrowser(t)
		go func() { in <- b.post(l.URL, nil).status == http.StatusSeeOther }()
	}
	n := 0
	for range cap(in) {
		if <-in {
			n++
		}
	}
	if n != 1 {
		t.Errorf("%d came in by one link", n)
	}
}

func TestTheFirstLink(t *testing.T) {
	w := newWorld(t)
	p := w.process(nil)
	old, ok, err := p.FirstLink(t.Context())
	if err != nil || !ok || old.Role != quality.RoleAdmin {
		t.Fatalf("got %+v %v %v", old, ok, err)
	}
	l, _, err := p.FirstLink(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if a := newBrowser(t).post(old.URL, nil); a.status != http.StatusNotFound {
		t.Errorf("the one before: got %d", a.status)
	}
	b := newBrowser(t)
	if a := b.post(l.URL, nil); a.status != http.StatusSeeOther {
		t.Fatalf("got %d %s", a.status, a.body)
	}
	if a := b.get(p.url + "/publish"); !strings.HasPrefix(a.body, "local:admin admin") {
		t.Errorf("got %s", a.body)
	}
	if l, ok, err := p.FirstLink(t.Context()); ok || err != nil {
		t.Errorf("somebody has signed in, and there is a link again: %+v %v", l, err)
	}
}

func TestWhoMayAndWhoMayNot(t *testing.T) {
	w := newWorld(t)
	p := w.process(nil)
	_, key, err := p.keys.Create(t.Context(), auth.Spec{Name: "bot", Scopes: auth.Scopes()})
	if err != nil {
		t.Fatal(err)
	}
	viewer, editor := p.signIn(t, "Vera", quality.RoleViewer), p.signIn(t, "Edgar", quality.RoleEditor)
	token := editor.csrf(p)
	for _, tt := range []struct {
		name string
		got  answer
		want int
		text string
	}{
		{"a program without a session", newBrowser(t).get(p.url+"/publish", "Accept", "application/json"), 401, "role editor"},
		{"a form without a session", newBrowser(t).post(p.url+"/publish", token), 401, "sign in at /login"},
		{"a key", newBrowser(t).get(p.url+"/console", "Authorization", "Bearer "+key), 403, "needs a person"},
		{"a key beside a session", editor.get(p.url+"/console", "X-API-Key", key), 403, "needs a person"},
		{"a viewer", viewer.get(p.url + "/publish"), 403, "you have role viewer"},
		{"an editor", editor.get(p.url + "/publish"), 200, "editor"},
		{"a form without the token", editor.post(p.url+"/publish", url.Values{"title": {"x"}}), 403, "token is missing"},
		{"a form with the token of another session", editor.post(p.url+"/publish", viewer.csrf(p)), 403, "token is missing"},
		{"a form with the token", editor.post(p.url+"/publish", url.Values{"csrf": token["csrf"], "title": {"hello"}}), 200, "hello"},
		{"a script with the token", editor.post(p.url+"/publish", nil, "X-CSRF-Token", token.Get("csrf")), 200, "editor"},
		{"a page of elsewhere", editor.post(p.url+"/publish", token, "Sec-Fetch-Site", "cross-site"), 403, "other origins"},
		{"an origin of elsewhere", editor.post(p.url+"/publish", token, "Origin", "https://evil.example"), 403, "other origins"},
		{"a proxy that calls for somebody", newBrowser(t).get(p.url+"/v1/people", "X-Forwarded-For", "192.0.2.1"), 403, "role admin"},
		{"this machine", newBrowser(t).get(p.url + "/v1/people"), 200, "Vera"},
	} {
		if tt.got.status != tt.want || !strings.Contains(tt.got.body, tt.text) {
			t.Errorf("%s: got %d %.300s, want %d with %q", tt.name, tt.got.status, tt.got.body, tt.want, tt.text)
		}
	}
}

// A browser is shown why, and the way out.
func TestRefusalsAreReadable(t *testing.T) {
	p := newWorld(t).process(nil)
	viewer := p.signIn(t, "Vera", quality.RoleViewer)
	a := viewer.get(p.url + "/publish?x=1")
	for _, want := range []string{"You may not", "this needs role editor, you have role viewer", "Sign in with another account", `action="/logout"`, `value="/publish?x=1"`, `href="/console"`} {
		if !strings.Contains(a.body, want) {
			t.Errorf("got %s, want %s", a.body, want)
		}
	}
	if a.status != http.StatusForbidden || a.header.Get("Cache-Control") != "no-store" || !strings.Contains(a.header.Get("Content-Security-Policy"), "frame-ancestors 'none'") {
		t.Errorf("got %d %v", a.status, a.header)
	}
	if a := viewer.get(p.url+"/publish", "Accept", "application/json"); a.status != http.StatusForbidden || !strings.HasPrefix(a.body, "{") {
		t.Errorf("a program: got %d %s", a.status, a.body)
	}
	if a := viewer.get(p.url+"/v1/people", "X-Forwarded-For", "192.0.2.1"); a.status != http.StatusForbidden || !strings.HasPrefix(a.body, "{") {
		t.Errorf("a route for this machine: got %d %s", a.status, a.body)
	}
	if a := newBrowser(t).post(p.url+"/publish", nil); a.status != http.StatusUnauthorized || !strings.Contains(a.body, "Sign in first") || !strings.Contains(a.body, `href="/login?next=%2Fconsole"`) {
		t.Errorf("nobody: got %d %s", a.status, a.body)
	}
	form := viewer.csrf(p)
	form.Set("next", "/publish?x=1")
	if a := viewer.post(p.url+"/logout", form); a.status != http.StatusSeeOther || a.location != "/login?next=%2Fpublish%3Fx%3D1" {
		t.Errorf("got %d to %s", a.status, a.location)
	}
	other := p.signIn(t, "Vera", quality.RoleViewer)
	form = other.csrf(p)
	form.Set("next", "https://evil.example/")
	if a := other.post(p.url+"/logout", form); a.location != "/login" {
		t.Errorf("another site: got %d to %s", a.status, a.location)
	}
}

// Whoever may do everything may do from elsewhere what this machine may.
func TestAnAdminBehindAProxy(t *testing.T) {
	p := newWorld(t).process(nil)
	admin, editor := p.signIn(t, "Ann", quality.RoleAdmin), p.signIn(t, "Edgar", quality.RoleEditor)
	if a := admin.get(p.url+"/v1/people", "X-Forwarded-For", "192.0.2.1"); a.status != http.StatusOK {
		t.Errorf("got %d %s", a.status, a.body)
	}
	if a := editor.get(p.url+"/v1/people", "X-Forwarded-For", "192.0.2.1"); a.status != http.StatusForbidden {
		t.Errorf("got %d %s", a.status, a.body)
	}
	if a := admin.post(p.url+"/v1/people/links", nil, "X-Forwarded-For", "192.0.2.1"); a.status != http.StatusForbidden || !strings.Contains(a.body, "token") {
		t.Errorf("without the form's token: got %d %s", a.status, a.body)
	}
}

func TestSessionsEnd(t *testing.T) {
	for _, tt := range []struct {
		name string
		do   func(t *testing.T, w *world, p *process, b *browser)
	}{
		{"idle", func(_ *testing.T, w *world, _ *process, _ *browser) { w.add(people.DefaultIdle) }},
		{"at the end of their life", func(_ *testing.T, w *world, p *process, b *browser) {
			for range 4 {
				w.add(6*time.Hour + time.Minute)
				b.get(p.url + "/console")
			}
		}},
		{"when signed out", func(t *testing.T, _ *world, p *process, b *browser) {
			if a := b.post(p.url+"/logout", b.csrf(p)); a.status != http.StatusSeeOther || a.location != "/login" {
				t.Errorf("got %d %s", a.status, a.body)
			}
		}},
		{"when the person is removed", func(t *testing.T, _ *world, p *process, _ *browser) {
			if _, err := p.Remove(t.Context(), "local:ada"); err != nil {
				t.Error(err)
			}
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			p, other := w.process(nil), w.process(nil)
			b := p.signIn(t, "Ada", quality.RoleEditor)
			cookies := b.client.Jar.Cookies(mustURL(t, p.url))
			stolen := newBrowser(t)
			stolen.client.Jar.SetCookies(mustURL(t, p.url), cookies)
			stolen.client.Jar.SetCookies(mustURL(t, other.url), cookies)
			wait(t, "the session in the other process", func() bool { return stolen.get(other.url+"/console").status == http.StatusOK })
			w.add(people.DefaultIdle / 2)
			if a := stolen.get(p.url + "/console"); a.status != http.StatusOK {
				t.Fatalf("before: got %d", a.status)
			}
			tt.do(t, w, p, b)
			if a := stolen.get(p.url + "/console"); a.status != http.StatusSeeOther {
				t.Errorf("got %d %s, want it to be over", a.status, a.body)
			}
			wait(t, "its end in the other process", func() bool { return stolen.get(other.url+"/console").status == http.StatusSeeOther })
		})
	}
}

func mustURL(t testing.TB, s string) *url.URL {
	t.Helper()
	u, err := url.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// Signing in makes a new session: one that somebody put into the browser is not taken over.
func TestSessionsAreNewAfterSigningIn(t *testing.T) {
	w := newWorld(t)
	p := w.process(nil)
	b := p.signIn(t, "Ada", quality.RoleViewer)
	planted := b.client.Jar.Cookies(mustURL(t, p.url))
	l, err := p.Link(t.Context(), "Bob", quality.RoleAdmin)
	if err != nil {
		t.Fatal(err)
	}
	b.post(l.URL, nil)
	other := newBrowser(t)
	other.client.Jar.SetCookies(mustURL(t, p.url), planted)
	if a := other.get(p.url + "/console"); a.status != http.StatusSeeOther {
		t.Errorf("the planted session: got %d %s", a.status, a.body)
	}
	if a := b.get(p.url + "/console"); !strings.HasPrefix(a.body, "local:bob admin") {
		t.Errorf("got %s", a.body)
	}
}

func TestSessionsAreBoundedAndListed(t *testing.T) {
	w := newWorld(t)
	p := w.process(nil)
	var all []*browser
	for range 12 {
		all = append(all, p.signIn(t, "Ada", quality.RoleViewer))
		w.add(time.Second)
	}
	if a := all[0].get(p.url + "/console"); a.status != http.StatusSeeOther {
		t.Errorf("the oldest of twelve: got %d", a.status)
	}
	me := all[11]
	page := me.get(p.url + "/account")
	if n := strings.Count(page.body, "/end\""); n != 9 {
		t.Errorf("got %d other sessions: %s", n, page.body)
	}
	_, rest, _ := strings.Cut(page.body, `action="/account/sessions/`)
	id, _, _ := strings.Cut(rest, "/end")
	if a := me.post(p.url+"/account/sessions/"+id+"/end", me.csrf(p)); a.status != http.StatusSeeOther {
		t.Errorf("got %d %s", a.status, a.body)
	}
	if n := strings.Count(me.get(p.url+"/account").body, "/end\""); n != 8 {
		t.Errorf("got %d other sessions after one ended", n)
	}
	bob := p.signIn(t, "Bob", quality.RoleAdmin)
	_, rest, _ = strings.Cut(me.get(p.url+"/account").body, `action="/account/sessions/`)
	id, _, _ = strings.Cut(rest, "/end")
	if a := bob.post(p.url+"/account/sessions/"+id+"/end", bob.csrf(p)); a.status != http.StatusNotFound {
		t.Errorf("ending somebody else's: got %d %s", a.status, a.body)
	}
}

// What cannot be written down does not happen; signing out does.
func TestTheAuditLogIsAway(t *testing.T) {
	w := newWorld(t)
	p := w.process(nil)
	b := p.signIn(t, "Ada", quality.RoleViewer)
	l, err := p.Link(t.Context(), "Bob", quality.RoleViewer)
	if err != nil {
		t.Fatal(err)
	}
	token := b.csrf(p)
	w.breakAudit(quality.Errorf(quality.KindUnavailable, "the disk is full"))
	other := newBrowser(t)
	defer func() { // the link was not used up
		w.breakAudit(nil)
		if a := other.post(l.URL, nil); a.status != http.StatusSeeOther {
			t.Errorf("once the log is back: got %d %s", a.status, a.body)
		}
	}()
	if a := other.post(l.URL, nil); a.status != http.StatusServiceUnavailable || a.header.Get("Set-Cookie") != "" {
		t.Errorf("signing in: got %d %s", a.status, a.body)
	}
	if _, err := p.Link(t.Context(), "Cy", quality.RoleViewer); quality.KindOf(err) != quality.KindUnavailable {
		t.Errorf("making a link: got %v", err)
	}
	if a := b.post(p.url+"/logout", token); a.status != http.StatusServiceUnavailable {
		t.Errorf("signing out: got %d", a.status)
	}
	if a := b.get(p.url + "/console"); a.status != http.StatusSeeOther {
		t.Errorf("after signing out: got %d", a.status)
	}
}

func TestBadSpecs(t *testing.T) {
	p := newWorld(t).process(nil)
	for _, tt := range []struct {
		name string
		role quality.Role
	}{{"", quality.RoleAdmin}, {"<b>", quality.RoleAdmin}, {strings.Repeat("a", 1000), quality.RoleAdmin}, {"Ada", quality.RoleNone}, {"Ada", 99}} {
		if _, err := p.Link(t.Context(), tt.name, tt.role); quality.KindOf(err) != quality.KindInvalid {
			t.Errorf("%.20q with role %v: got %v", tt.name, tt.role, err)
		}
	}
	if _, err := people.New(t.Context(), people.Options{}); err == nil {
		t.Error("no stores: want an error")
	}
	if _, err := p.Remove(t.Context(), "local:nobody"); quality.KindOf(err) != quality.KindNotFound {
		t.Errorf("removing nobody: got %v", errors.Unwrap(err))
	}
}

// Behind https cookies hold for the host alone.
func TestCookiesBehindHTTPS(t *testing.T) {
	w := newWorld(t)
	p := w.process(func(o *people.Options) { o.URL = func() string { return "https://console.example" } })
	l, err := p.Link(t.Context(), "Ada", quality.RoleViewer)
	if err != nil {
		t.Fatal(err)
	}
	path, ok := strings.CutPrefix(l.URL, "https://console.example")
	if !ok {
		t.Fatalf("got %s", l.URL)
	}
	a := newBrowser(t).post(p.url+path, nil)
	if c := a.header.Get("Set-Cookie"); !strings.HasPrefix(c, "__Host-asgood_session=") || !strings.Contains(c, "Secure") || strings.Contains(c, "Domain") {
		t.Errorf("got %q", c)
	}
}
