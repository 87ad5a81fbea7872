package app_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/asgood-dev/asgood/internal/app"
	"github.com/asgood-dev/asgood/internal/auth"
	"github.com/asgood-dev/asgood/internal/quality"
)

// What people do is in the audit log, with who did it and where from, and it survives a restart.
func TestWhatPeopleDoIsWrittenDown(t *testing.T) {
	a := startGuarded(t)
	first, err := a.FirstLink(t.Context())
	if err != nil || !strings.HasPrefix(first, "http://"+a.Addr("internal")+"/login/link/") {
		t.Fatalf("got %q %v", first, err)
	}
	c := &crowd{t: t, url: "http://" + a.Addr("internal")}
	c.member(quality.RoleEditor, false)
	if link, err := a.FirstLink(t.Context()); link != "" || err != nil {
		t.Errorf("somebody has signed in, and there is a first link: %q %v", link, err)
	}
	if _, err := a.CreateKey(t.Context(), app.KeySpec{Name: "bot", Scopes: []app.KeyScope{auth.ScopeSamples}}); err != nil {
		t.Fatal(err)
	}
	var got struct{ Entries []quality.Audited }
	eventually(t, "the entries", func() (string, bool) {
		_, body := (&caller{n: 220}).call(t, http.MethodGet, c.url+"/v1/audit?limit=50", "")
		return body, json.Unmarshal([]byte(body), &got) == nil && len(got.Entries) >= 4
	})
	by := map[string]quality.Audited{}
	for _, e := range got.Entries {
		by[e.Action] = e
	}
	if e := by["signin"]; !e.Actor.Human() || e.Actor.ID != "local:the editor" || e.Actor.Credential != "link" || e.From != "127.0.0.1" || e.At.IsZero() {
		t.Errorf("signin: got %+v", e)
	}
	if e := by["key.created"]; e.Actor.Credential != "loopback" || !strings.HasPrefix(e.Object, "key/") || !strings.Contains(e.Detail, "bot") {
		t.Errorf("key.created: got %+v", e)
	}
	for query, want := range map[string]int{"action=key": 1, "action=key.created": 1, "action=ke": 0, "actor=local:the%20editor": 1, "to=2020-01-01T00:00:00Z": 0, "object=person/local:the%20editor": 2} {
		_, body := (&caller{n: 221}).call(t, http.MethodGet, c.url+"/v1/audit?"+query, "")
		if err := json.Unmarshal([]byte(body), &got); err != nil || len(got.Entries) != want {
			t.Errorf("%s: got %s (%v), want %d", query, body, err, want)
		}
	}
	for _, query := range []string{"limit=0", "limit=x", "from=yesterday"} {
		if status, body := (&caller{n: 222}).call(t, http.MethodGet, c.url+"/v1/audit?"+query, ""); status != http.StatusBadRequest {
			t.Errorf("%s: got %d %s", query, status, body)
		}
	}
}

// The first link is told to who starts the program, and to nobody else.
func TestTheFirstLinkIsAnnounced(t *testing.T) {
	a := startGuarded(t)
	var out bytes.Buffer
	if err := app.Announce(t.Context(), a, &out); err != nil || !strings.Contains(out.String(), "/login/link/") {
		t.Errorf("got %q %v", out.String(), err)
	}
}
