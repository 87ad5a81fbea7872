package app_test

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/asgood-dev/asgood/internal/app"
	"github.com/asgood-dev/asgood/internal/quality"
)

// The page is written as the running server shows it, and from the stored data when none runs.
func TestExportOfServerAndData(t *testing.T) {
	needEngine(t)
	cfg := parse(t, t.TempDir(), "http://127.0.0.1:1")
	a, stop := start(t, cfg)
	o := app.ExportOptions{Config: cfg, Logger: slog.New(slog.DiscardHandler), Server: a.Addr("internal"), Dir: filepath.Join(t.TempDir(), "public")}
	counted := 0
	o.Progress = func(n int) { counted = n }
	of, err := app.Export(t.Context(), o)
	if err != nil || of.Server == "" || of.Files < 10 || of.Files != counted || of.Bytes == 0 {
		t.Errorf("of the server: got %+v, %v, counted %d", of, err, counted)
	}
	stop()
	o.Server = ""
	cfg.Listen.Internal = "127.0.0.1:1" // nothing answers there
	made, err := app.Export(t.Context(), o)
	if err != nil || made.Server != "" || made.Files != of.Files {
		t.Errorf("of the data: got %+v, %v, want %d files", made, err, of.Files)
	}
	for _, name := range []string{"index.html", "api/v2/summary.json"} {
		if data, err := os.ReadFile(filepath.Join(o.Dir, name)); err != nil || !strings.Contains(string(data), cfg.Features[0].Name) {
			t.Errorf("%s does not name %s: %v", name, cfg.Features[0].Name, err)
		}
	}
	o.Dir = t.TempDir()
	if err := os.WriteFile(filepath.Join(o.Dir, "mine"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := app.Export(t.Context(), o); quality.KindOf(err) != quality.KindConflict {
		t.Errorf("a folder of somebody else: got %v", err)
	}
}
