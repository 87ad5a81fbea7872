package app_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/asgood-dev/asgood/internal/app"
	"github.com/asgood-dev/asgood/internal/config"
)

const customerConfig = `
storage: {dir: %q}
listen: {public: "127.0.0.1:0", ingest: "127.0.0.1:0", grpc: "127.0.0.1:0", internal: "127.0.0.1:0"}
customers: [{name: acme, title: Acme Corp, aliases: [acme-eu]}, {name: zenith, title: Zenith Ltd}]
features:
  - name: bot
    scorers: [{name: correct, type: external}]
    monitors: [{metric: correct, slices: [customer], baseline: {first: 100}}]
`

// Staff make a link, the customer reads their page by it, staff take it back, and all of it is written down.
func TestLinksOfCustomers(t *testing.T) {
	needEngine(t)
	cfg, err := config.Parse("test.yaml", fmt.Appendf(nil, customerConfig, t.TempDir()), func(string) (string, bool) { return "", false })
	if err != nil {
		t.Fatal(err)
	}
	a, _ := start(t, cfg)
	base := "http://" + a.Addr("internal") + "/v1/customers/"
	from := &caller{n: 230}
	make := func(customer string) (l app.CustomerLink) {
		status, body := from.call(t, http.MethodPost, base+customer+"/links", `{"expires":"30d"}`, "Content-Type", "application/json")
		if err := json.Unmarshal([]byte(body), &l); err != nil || status != http.StatusOK || l.State != "active" {
			t.Fatalf("a link for %s: got %d %s", customer, status, body)
		}
		return l
	}
	acme, zenith := make("acme"), make("zenith")
	read := func(url string) (int, string) {
		res, err := http.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		body, _ := io.ReadAll(res.Body)
		return res.StatusCode, string(body)
	}
	for url, want := range map[string]string{acme.URL: "Acme Corp", zenith.URL: "Zenith Ltd"} {
		status, page := read(url)
		if status != http.StatusOK || !strings.Contains(page, want) || strings.Contains(page, "Acme Corp") == strings.Contains(page, "Zenith Ltd") {
			t.Errorf("%s: got %d, want a page of %s alone: %s", url, status, want, page)
		}
	}
	for _, tt := range []struct {
		method, path, body, want string
		code                     int
	}{
		{http.MethodPost, "acme-eu/links", `{"expires":"30d"}`, `another name of customer`, 400},
		{http.MethodPost, "acme/links", `{"expires":"500d"}`, "at most 400 days", 400},
		{http.MethodPost, "acme/links", `{"expires":"-1h"}`, "expires", 400},
		{http.MethodPost, "acme/links", `{"until":"30d"}`, "until", 400},
		{http.MethodDelete, "zenith/links/" + acme.ID, "", "has no link with the id", 404},
		{http.MethodGet, "acme/links", "", `"state":"active"`, 200},
		{http.MethodDelete, "acme/links/" + acme.ID, "", `"state":"revoked"`, 200},
		{http.MethodGet, "acme/links", "", `"state":"revoked"`, 200},
	} {
		status, body := from.call(t, tt.method, base+tt.path, tt.body, "Content-Type", "application/json")
		token := acme.URL[strings.LastIndex(acme.URL, "/")+1:]
		if status != tt.code || !strings.Contains(body, tt.want) || strings.Contains(body, token) {
			t.Errorf("%s %s %s: got %d %s, want %d and %q", tt.method, tt.path, tt.body, status, body, tt.code, tt.want)
		}
	}
	if status, page := read(acme.URL); status != http.StatusForbidden || !strings.Contains(page, "The link was taken back") {
		t.Errorf("a link that was taken back: got %d %s", status, page)
	}
	if status, _ := read(zenith.URL[:len(zenith.URL)-3] + "abc"); status != http.StatusNotFound {
		t.Errorf("a token that nobody made: got %d", status)
	}
	eventually(t, "the entries", func() (string, bool) {
		_, body := from.call(t, http.MethodGet, "http://"+a.Addr("internal")+"/v1/audit?action=link", "")
		return body, strings.Contains(body, "link.made") && strings.Contains(body, "link.used") && strings.Contains(body, "link.revoked")
	})
}
