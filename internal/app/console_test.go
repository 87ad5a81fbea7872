package app_test

import (
	"encoding/json"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/asgood-dev/asgood/internal/app"
	"github.com/asgood-dev/asgood/internal/quality"
)

// form sends a form of the console as a browser does, and returns the page that it leads to.
func (m *member) form(t *testing.T, base, path string, form url.Values) (status int, page, at string) {
	t.Helper()
	form.Set("csrf", m.csrf)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, base+path, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Origin", base)
	res, err := m.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if at = res.Header.Get("Location"); res.StatusCode == http.StatusSeeOther {
		before, _, _ := strings.Cut(at, "#")
		status, page = m.do(t, http.MethodGet, base+before)
		return status, page, before
	}
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(body), ""
}

var (
	inConsole = regexp.MustCompile(`href="(/console[^"#]*)`)
	madeLink  = regexp.MustCompile(`<pre class="foreign">(http://[^<]+/private/[^<]+)</pre>`)
	linkID    = regexp.MustCompile(`/console/links/([^/"]+)/revoke`)
)

// Every page of the console that a page leads to is there, in a program that runs.
func TestConsolePagesAreThere(t *testing.T) {
	a := startGuarded(t)
	c := &crowd{t: t, url: "http://" + a.Addr("internal")}
	admin := c.member(quality.RoleAdmin, false)
	seen, todo := map[string]bool{}, []string{"/console"}
	for len(todo) > 0 && len(seen) < 200 {
		path := todo[0]
		todo = todo[1:]
		if seen[path] || strings.HasPrefix(path, "/console/assets/") {
			continue
		}
		seen[path] = true
		status, page := admin.do(t, http.MethodGet, c.url+path)
		if status != http.StatusOK || strings.Contains(page, `class="notice"`) {
			t.Errorf("%s: got %d %.300s", path, status, page)
		}
		for _, found := range inConsole.FindAllStringSubmatch(page, -1) {
			todo = append(todo, html.UnescapeString(found[1]))
		}
	}
	if len(seen) < 15 {
		t.Errorf("only %d pages were found", len(seen))
	}
}

// What people do by forms happens, and stands in the audit log in their name.
func TestConsoleForms(t *testing.T) {
	a := startGuarded(t)
	c := &crowd{t: t, url: "http://" + a.Addr("internal")}
	admin := c.member(quality.RoleAdmin, false)
	feature := firstFeature(t, admin, c.url)
	status, page, incident := admin.form(t, c.url, "/console/incidents", url.Values{"name": {"Wrong refunds"}, "kind": {"quality"}, "features": {feature}, "severity": {"major"},
		"status": {"investigating"}, "body": {"**Some** are wrong. <script>alert(1)</script>"}})
	if status != http.StatusOK || !strings.Contains(page, "<strong>Some</strong> are wrong.") || strings.Contains(page, "<script>alert") {
		t.Fatalf("the incident: got %d %.2000s", status, page)
	}
	incident, _, _ = strings.Cut(incident, "?")
	if status, page, _ := admin.form(t, c.url, incident+"/publish", url.Values{"override": {"1"}, "reason": {"all know"}}); status != http.StatusOK || !strings.Contains(page, "The incident is public.") {
		t.Errorf("publishing: got %d", status)
	}
	if status, page, _ := admin.form(t, c.url, incident+"/veto", url.Values{"reason": {"late"}}); status != http.StatusConflict || !strings.Contains(page, `class="wrong"`) {
		t.Errorf("a veto that is late: got %d", status)
	}
	status, page, _ = admin.form(t, c.url, "/console/customers", url.Values{"customer": {"acme"}, "expires": {time.Now().AddDate(0, 1, 0).Format("2006-01-02T15:04")}})
	link, id := madeLink.FindStringSubmatch(page), linkID.FindStringSubmatch(page)
	if status != http.StatusOK || link == nil || id == nil || !strings.HasPrefix(link[1], "http://") {
		t.Fatalf("the link: got %d %.1500s", status, page)
	}
	if status, page, _ := admin.form(t, c.url, "/console/links/"+id[1]+"/revoke", url.Values{"customer": {"acme"}}); status != http.StatusOK || !strings.Contains(page, "revoked") {
		t.Errorf("revoking: got %d", status)
	}
	if status, _, _ := c.member(quality.RoleViewer, false).form(t, c.url, "/console/customers", url.Values{"customer": {"acme"}}); status != http.StatusForbidden {
		t.Errorf("a viewer makes a link: got %d", status)
	}
	for _, action := range []string{"incident.created", "incident.published", "link.made", "link.revoked"} {
		wantAudited(t, c.url, action)
	}
}

func wantAudited(t *testing.T, base, action string) {
	t.Helper()
	eventually(t, "the entry of "+action, func() (string, bool) {
		_, body := (&caller{n: 223}).call(t, http.MethodGet, base+"/v1/audit?action="+action, "")
		var got struct{ Entries []quality.Audited }
		return body, json.Unmarshal([]byte(body), &got) == nil && len(got.Entries) == 1 && got.Entries[0].Actor.ID == "local:the admin"
	})
}

func firstFeature(t *testing.T, m *member, base string) string {
	t.Helper()
	_, page := m.do(t, http.MethodGet, base+"/console")
	found := regexp.MustCompile(`href="/console/features/([^"]+)"`).FindStringSubmatch(page)
	if found == nil {
		t.Fatalf("no feature on the overview: %.500s", page)
	}
	return found[1]
}

// The log is read page by page, and entries of one time are neither skipped nor told twice.
func TestAuditPages(t *testing.T) {
	a := startGuarded(t)
	c := &crowd{t: t, url: "http://" + a.Addr("internal")}
	admin := c.member(quality.RoleAdmin, false)
	want, at := 250, time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for n := range want {
		if err := app.Append(t.Context(), a, quality.Audited{ID: fmt.Sprintf("entry-%03d", n), At: at, Action: "test", Object: "test/x", Detail: fmt.Sprintf("detail-%03d", n)}); err != nil {
			t.Fatal(err)
		}
	}
	detail := regexp.MustCompile(`detail-\d{3}`)
	eventually(t, "all entries", func() (string, bool) {
		seen := map[string]int{}
		next := "/console/audit?object=test/x"
		for range 10 {
			_, page := admin.do(t, http.MethodGet, c.url+next)
			for _, d := range detail.FindAllString(page, -1) {
				seen[d]++
			}
			older := regexp.MustCompile(`<a href="(/console/audit\?[^"]+)">Older`).FindStringSubmatch(page)
			if older == nil {
				break
			}
			next = html.UnescapeString(older[1])
		}
		for d, n := range seen {
			if n != 1 {
				t.Errorf("%s stands %d times", d, n)
			}
		}
		return fmt.Sprintf("%d of %d", len(seen), want), len(seen) == want
	})
}
