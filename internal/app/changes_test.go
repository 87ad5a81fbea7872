package app_test

import (
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/asgood-dev/asgood/internal/app"
	"github.com/asgood-dev/asgood/internal/quality"
)

// TestChanges goes the way of a change: declared to a running server, without an owner, so that somebody is told; and
// read and declared again from the data directory when the server has stopped.
func TestChanges(t *testing.T) {
	needEngine(t)
	outsideURL, pages := outside(t)
	dir := t.TempDir()
	cfg := parse(t, dir, outsideURL)
	a, stop := start(t, cfg)
	o := app.ChangeOptions{Config: cfg, Server: a.Addr("ingest"), Logger: slog.New(slog.DiscardHandler)}
	c := quality.Change{ID: "a", Layer: quality.LayerPrompt, Title: "Shorter", Features: []string{"bot"}}
	if id, added, err := app.AddChange(t.Context(), o, c); err != nil || !added || id != "a" {
		t.Fatal(id, added, err)
	}
	if got := <-pages; got != "change.unowned" {
		t.Errorf("got %q, want the change without an owner told of", got)
	}
	c.Features = []string{"tob"}
	c.ID = "b"
	if _, _, err := app.AddChange(t.Context(), o, c); quality.KindOf(err) != quality.KindInvalid || !strings.Contains(err.Error(), `no feature "tob"`) {
		t.Errorf("got %v", err)
	}
	res, err := http.Post("http://"+a.Addr("ingest")+"/v1/changes/github", "application/json", strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if data, _ := io.ReadAll(res.Body); res.StatusCode != http.StatusNotFound || !strings.Contains(string(data), "changes.github.secret") {
		t.Errorf("got %d %s", res.StatusCode, data)
	}
	o.Server = a.Addr("internal")
	if page, err := app.ListChanges(t.Context(), o, url.Values{"layer": {"prompt"}}); err != nil || len(page.Changes) != 1 {
		t.Errorf("got %+v, %v", page, err)
	}
	if _, err := app.ListChanges(t.Context(), o, url.Values{"layr": {"prompt"}}); quality.KindOf(err) != quality.KindInvalid {
		t.Errorf("got %v", err)
	}
	stop()
	cfg.Listen.Ingest, cfg.Listen.Internal = "127.0.0.1:1", "127.0.0.1:1"
	o.Server = ""
	if _, added, err := app.AddChange(t.Context(), o, quality.Change{ID: "a", Layer: quality.LayerPrompt, Title: "Shorter"}); err != nil || added {
		t.Errorf("got %t, %v for a change that is known", added, err)
	}
	page, err := app.ListChanges(t.Context(), o, nil)
	if err != nil || len(page.Changes) != 1 || page.Changes[0].Source != quality.ChangeCLI || page.Changes[0].ToldAt.IsZero() {
		t.Errorf("got %+v, %v", page, err)
	}
}
