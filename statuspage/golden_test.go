package statuspage_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares with a file of testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("reading the golden file (go test ./statuspage -update writes it): %v", err)
	}
	if got == string(want) {
		return
	}
	a, b := strings.Split(got, "\n"), strings.Split(string(want), "\n")
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			t.Fatalf("%s:%d differs (go test ./statuspage -update writes it anew, when the change is meant):\ngot  %s\nwant %s", path, i+1, a[i], b[i])
		}
	}
	t.Fatalf("%s: got %d lines, want %d (go test ./statuspage -update writes it anew, when the change is meant)", path, len(a), len(b))
}

var (
	hash = regexp.MustCompile(`[0-9a-f]{16}`)
	rect = regexp.MustCompile(`<rect class="([a-z-]+)"[^>]*><title>([^<]*)</title></rect>`)
)

// readable puts each bar on a line, and bars that are alike on one.
func readable(page string) string {
	page = hash.ReplaceAllString(page, "HASH")
	var out strings.Builder
	class, run := "", 0
	flush := func() {
		if run > 1 {
			fmt.Fprintf(&out, "  … %d more %s\n", run-1, class)
		}
		class, run = "", 0
	}
	at := 0
	for _, m := range rect.FindAllStringSubmatchIndex(page, -1) {
		if m[0] > at {
			flush()
			out.WriteString(page[at:m[0]] + "\n")
		}
		if c := page[m[2]:m[3]]; c != class {
			flush()
			class = c
			fmt.Fprintf(&out, "  %s\n", page[m[0]:m[1]])
		}
		run++
		at = m[1]
	}
	flush()
	return out.String() + page[at:]
}

var jsonDay = regexp.MustCompile(`(?s)\{\s*"date":.*?\n\s*\}(,?)`)

// indented puts each day on a line.
func indented(t *testing.T, data []byte) string {
	t.Helper()
	var b bytes.Buffer
	if err := json.Indent(&b, data, "", "  "); err != nil {
		t.Fatalf("not JSON: %v", err)
	}
	return jsonDay.ReplaceAllStringFunc(b.String(), func(s string) string { return strings.Join(strings.Fields(s), " ") }) + "\n"
}

func TestPages(t *testing.T) {
	for _, s := range states {
		t.Run(s.name, func(t *testing.T) {
			f := s.make(t).show(t)
			golden(t, s.name+".html", readable(f.get(t, "/")))
		})
	}
}

// The days are in components.json only, and in one golden file of it: they are the same elsewhere.
func TestSummaries(t *testing.T) {
	for _, s := range states {
		t.Run(s.name, func(t *testing.T) {
			f := s.make(t).show(t)
			w := f.do(http.MethodGet, "/api/v2/summary.json")
			if w.Code != http.StatusOK || w.Header().Get("Content-Type") != "application/json; charset=utf-8" {
				t.Fatalf("got status %d, %q", w.Code, w.Header().Get("Content-Type"))
			}
			text := indented(t, w.Body.Bytes())
			golden(t, s.name+".json", text)
			if s.name == "resolved" {
				golden(t, "components.json", indented(t, f.do(http.MethodGet, "/api/v2/components.json").Body.Bytes()))
			}
		})
	}
}

func TestIncidentPages(t *testing.T) {
	for _, name := range []string{"worse", "down", "resolved"} {
		t.Run(name, func(t *testing.T) {
			for _, s := range states {
				if s.name == name {
					w := s.make(t)
					golden(t, "incident-"+name+".html", readable(w.show(t).get(t, "/incidents/"+w.incidents[0].ID)))
				}
			}
		})
	}
}

func TestMissingPages(t *testing.T) {
	f := quiet(t).show(t)
	for _, path := range []string{"/incidents/inc-404", "/incidents/", "/no/such/page", "/index.php", "/assets/none.css", "/api/v2/nothing.json"} {
		w := f.do(http.MethodGet, path, "Accept", "text/html,application/xhtml+xml")
		if w.Code != http.StatusNotFound {
			t.Errorf("%s: got status %d, want 404", path, w.Code)
		}
		golden(t, "lost.html", readable(w.Body.String()))
		if csp := w.Header().Get("Content-Security-Policy"); !strings.HasPrefix(csp, "default-src 'none'") {
			t.Errorf("%s: policy %q", path, csp)
		}
	}
	w := f.do(http.MethodGet, "/no/such/page", "Accept", "application/json")
	if want := `{"error":{"kind":"not_found","message":"nothing at /no/such/page"}}`; w.Code != http.StatusNotFound || w.Body.String() != want {
		t.Errorf("got %d %s, want 404 %s", w.Code, w.Body, want)
	}
}
