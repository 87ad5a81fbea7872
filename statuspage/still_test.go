package statuspage_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/asgood-dev/asgood/statuspage/speech"
)

// The whole page stands as files, replaces only what was exported, and keeps the old one when it cannot.
func TestExport(t *testing.T) {
	f := everything(t).show(t)
	dir := filepath.Join(t.TempDir(), "public")
	for range 2 {
		if err := f.page.Export(dir); err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range map[string]string{
		"index.html": `href="/features/support/#days"`, "de/index.html": `lang="de"`, "features/support/index.html": "Day by day",
		"history/2026-03/index.html": "March 2026", "incidents/inc-support/index.html": "Timeline", "de/about/index.html": "So werden diese Zahlen gerechnet",
		"maintenances/mnt-1/index.html": "Search may be slower.", "404.html": "There is no such page", "api/v2/summary.json": `"page"`, "history.atom": "<feed",
	} {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil || !strings.Contains(string(data), want) {
			t.Errorf("%s does not hold %q: %v", name, want, err)
		}
	}
	other := t.TempDir()
	if err := os.WriteFile(filepath.Join(other, "mine"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := f.page.Export(other); err == nil || !strings.Contains(err.Error(), "is not replaced") {
		t.Errorf("a folder of somebody else: got %v", err)
	}
}

// A page is in the language that is asked for, then in the one that the browser prefers.
func TestLanguages(t *testing.T) {
	f := everything(t).show(t)
	for _, tt := range []struct{ path, accept, want string }{
		{"/", "", `lang="en"`}, {"/", "de-AT,de;q=0.9", `lang="de"`}, {"/?lang=en", "de", `lang="en"`}, {"/?lang=xx", "fr", `lang="en"`}, {"/about?lang=de", "", `lang="de"`},
	} {
		if got := f.do("GET", tt.path, "Accept-Language", tt.accept).Body.String(); !strings.Contains(got, "<html "+tt.want) {
			t.Errorf("%s with %q is not %s: %.60s", tt.path, tt.accept, tt.want, got)
		}
	}
	golden(t, "everything-german.html", readable(f.get(t, "/?lang=de")))
}

// Every language has every text.
func TestTextsAreComplete(t *testing.T) {
	all, err := speech.New(speech.Tags())
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range all.All() {
		for _, problem := range speech.Missing(l.Tag) {
			t.Errorf("%s: %s", l.Tag, problem)
		}
	}
}
