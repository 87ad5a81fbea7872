package app_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/asgood-dev/asgood/internal/app"
	"github.com/asgood-dev/asgood/internal/config"
	"github.com/asgood-dev/asgood/internal/quality"
)

// A key that is made while no server runs is good when one does, and fails at once when the server is told to
// revoke it.
func TestKeysWithAndWithoutAServer(t *testing.T) {
	needEngine(t)
	cfg, err := config.Parse("test.yaml", fmt.Appendf(nil, guarded, t.TempDir()), func(string) (string, bool) { return "", false })
	if err != nil {
		t.Fatal(err)
	}
	o := app.KeyOptions{Config: cfg}
	created, err := app.CreateKey(t.Context(), o, app.KeySpec{Name: "bot", Scopes: []app.KeyScope{"samples", "changes"}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := app.CreateKey(t.Context(), o, app.KeySpec{Name: "bot", Scopes: []app.KeyScope{"all"}}); quality.KindOf(err) != quality.KindInvalid {
		t.Errorf("got %v, want invalid", err)
	}
	a, stop := start(t, cfg)
	o.Server = a.Addr("internal")
	for range 2 {
		if _, err := app.CreateKey(t.Context(), o, app.KeySpec{Name: "other", Scopes: []app.KeyScope{"scores"}}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := app.CreateKey(t.Context(), o, app.KeySpec{Name: "bot", Features: []string{"none"}, Scopes: []app.KeyScope{"samples"}}); quality.KindOf(err) != quality.KindInvalid ||
		!strings.Contains(err.Error(), "known: bot, other") {
		t.Errorf("got %v, want invalid", err)
	}
	keys, err := app.ListKeys(t.Context(), o)
	if err != nil || len(keys) != 3 || keys[2].ID != created.ID {
		t.Errorf("got %v, %v", keys, err)
	}
	change := quality.Change{Layer: quality.LayerPrompt, Title: "x"}
	changes := app.ChangeOptions{Config: cfg, Server: a.Addr("ingest")}
	if _, _, err := app.AddChange(t.Context(), changes, change); quality.KindOf(err) != quality.KindUnauthenticated {
		t.Errorf("a change without a key: got %v", err)
	}
	changes.Key = created.Token
	if _, added, err := app.AddChange(t.Context(), changes, change); err != nil || !added {
		t.Errorf("a change with a key: got %v, %v", added, err)
	}
	imported := app.ImportOptions{Files: []string{"-"}, Stdin: strings.NewReader("answer\nyes\n"), Format: "csv", Map: "output=answer", Feature: "bot", Config: cfg, Server: a.Addr("ingest"), Key: created.Token}
	if r, err := app.Import(t.Context(), imported); err != nil || r.Accepted != 1 {
		t.Errorf("an import with a key: got %+v, %v", r, err)
	}
	if _, err := app.RevokeKey(t.Context(), o, created.ID); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	status, body := (&caller{}).call(t, http.MethodPost, "http://"+a.Addr("ingest")+"/v1/samples", payloads["/v1/samples"], "X-API-Key", created.Token)
	if status != http.StatusUnauthorized || !strings.Contains(body, "was revoked") {
		t.Errorf("got %d %s after %s, want 401", status, body, time.Since(began))
	}
	if _, err := app.RevokeKey(t.Context(), o, "aaaaaaaaaa"); quality.KindOf(err) != quality.KindNotFound {
		t.Errorf("got %v, want not found", err)
	}
	if m := get("http://" + a.Addr("internal") + "/metrics"); !strings.Contains(m, `asgood_auth_refused_total{reason="revoked"} 1`) {
		t.Error("the refusal is not in the metrics")
	}
	stop()
	o.Server = ""
	if keys, err = app.ListKeys(t.Context(), o); err != nil || len(keys) != 3 || keys[2].State(time.Now()) != "revoked" {
		t.Errorf("got %v, %v", keys, err)
	}
}
