package app_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/asgood-dev/asgood/alerts/past"
	"github.com/asgood-dev/asgood/internal/app"
	"github.com/asgood-dev/asgood/internal/config"
	"github.com/asgood-dev/asgood/internal/quality"
)

// Past incidents of every source come into a running server by the command, once, and are internal.
func TestImportIncidentsIntoAServer(t *testing.T) {
	a := startGuarded(t)
	c := &config.Config{}
	server := "http://" + a.Addr("internal")
	total := 0
	for _, from := range past.Sources() {
		dir := t.TempDir()
		file := map[string]string{past.Statuspage: "statuspage.json", past.CState: "cstate.md", past.Gatus: "gatus.json"}[from]
		data, err := os.ReadFile("../../alerts/past/testdata/" + file)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, file), data, 0o600); err != nil {
			t.Fatal(err)
		}
		o := app.IncidentImport{Config: c, Server: server, From: from, Files: []string{dir}, Map: map[string]string{"API": "bot", "api": "bot"}}
		first, err := app.ImportIncidents(t.Context(), o)
		if err != nil || first.Imported == 0 || first.Known != 0 {
			t.Errorf("%s: got %+v, %v", from, first, err)
		}
		if again, err := app.ImportIncidents(t.Context(), o); err != nil || again.Imported != 0 || again.Known != first.Imported {
			t.Errorf("%s again: got %+v, %v", from, again, err)
		}
		total += first.Imported
		o.Public = true
		if _, err := app.ImportIncidents(t.Context(), o); quality.KindOf(err) == quality.KindNotFound || err == nil || !strings.Contains(err.Error(), "machine") {
			t.Errorf("%s for customers by a machine: got %v", from, err)
		}
	}
	from := &caller{n: 100}
	if status, body := from.call(t, "GET", server+"/v1/incidents?limit=200", ""); status != 200 || strings.Count(body, `"backfilled":true`) != total || strings.Contains(body, `"visibility":"public"`) {
		t.Errorf("got %d %.500s, want %d incidents", status, body, total)
	}
	if status, body := from.call(t, "GET", "http://"+a.Addr("public")+"/api/v2/incidents.json", ""); status != 200 || !strings.Contains(body, `"incidents":[]`) {
		t.Errorf("customers see what was imported: got %d %.500s", status, body)
	}
	if _, err := app.ImportIncidents(t.Context(), app.IncidentImport{Config: c, Server: server, From: "pagerduty", Files: []string{"."}}); quality.KindOf(err) != quality.KindInvalid {
		t.Errorf("got %v", err)
	}
	if _, err := app.ImportIncidents(t.Context(), app.IncidentImport{Config: c, Server: server, From: past.Gatus, Files: []string{t.TempDir()}}); quality.KindOf(err) != quality.KindInvalid {
		t.Errorf("an empty folder: got %v", err)
	}
}
