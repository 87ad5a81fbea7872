package app_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/asgood-dev/asgood/internal/app"
	"github.com/asgood-dev/asgood/internal/quality"
)

const importCSV = "when,q,a\n2026-01-01T00:00:00Z,why,good\nnever,why,good\n2026-01-01T00:00:02Z,why,bad\n"

func importFile(t testing.TB, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// counts is what matters of a result in most tests.
func counts(r app.ImportResult) string {
	return fmt.Sprintf("%d rows, %d accepted, %d duplicates, %d refused", r.Rows, r.Accepted, r.Duplicates, r.Refused)
}

func TestImport(t *testing.T) {
	o := app.ImportOptions{Files: []string{"-"}, Format: "csv", Map: "time=when,input=q,output=a,id={when}", Feature: "bot"}
	var out bytes.Buffer
	o.Stdin, o.Output = strings.NewReader(importCSV), &out
	result, err := app.Import(t.Context(), o)
	if err != nil || result.Rows != 3 || result.Accepted != 2 || result.Refused != 1 || result.Rejected[0].Line != 3 || strings.Count(out.String(), "\n") != 2 {
		t.Errorf("to a file: got %+v (%v)\n%s", result, err, out.String())
	}
	needEngine(t)
	url, _ := outside(t)
	a, stop := start(t, parse(t, t.TempDir(), url))
	o.Output, o.Server, o.Files, o.Resume = nil, a.Addr("ingest"), []string{importFile(t, "a.csv", importCSV)}, true
	for round, want := range []string{"3 rows, 2 accepted, 0 duplicates, 1 refused", "3 rows, 0 accepted, 2 duplicates, 1 refused"} {
		result, err := app.Import(t.Context(), o)
		if err != nil || counts(result) != want {
			t.Errorf("to a server, round %d: got %+v (%v), want %s", round+1, result, err, want)
		}
	}
	stop()
	o.Server, o.Config = "", parse(t, t.TempDir(), url)
	o.Config.Listen.Ingest = a.Addr("ingest") // nothing answers there any more
	if result, err := app.Import(t.Context(), o); err != nil || result.Accepted != 2 {
		t.Errorf("to a directory: got %+v (%v)", result, err)
	}
}

func TestImportRefuses(t *testing.T) {
	good := importFile(t, "a.csv", importCSV)
	for name, tt := range map[string]struct {
		o    app.ImportOptions
		want string
	}{
		"no file":         {app.ImportOptions{}, "name a file"},
		"a missing file":  {app.ImportOptions{Files: []string{good, good + "x"}, Map: "output=a"}, "no such file"},
		"a wrong column":  {app.ImportOptions{Files: []string{good}, Map: "output=b"}, `no column "b"`},
		"a wrong mapping": {app.ImportOptions{Files: []string{good}, Map: "b"}, "field=column"},
		"a wrong format":  {app.ImportOptions{Files: []string{good}, Map: "output=a", Format: "xml"}, "xml"},
		"a file twice":    {app.ImportOptions{Files: []string{"-", "-"}, Map: "output=a"}, "twice"},
		"dry, and output": {app.ImportOptions{Files: []string{good}, Map: "output=a", Output: io.Discard, DryRun: true}, "dry run"},
	} {
		if tt.o.Output == nil {
			tt.o.DryRun = true
		}
		if _, err := app.Import(t.Context(), tt.o); quality.KindOf(err) != quality.KindInvalid || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want an invalid error with %q", name, err, tt.want)
		}
	}
}

func TestDryRun(t *testing.T) {
	var text strings.Builder
	text.WriteString("a,n,f\n")
	for i := range 20 {
		fmt.Fprintf(&text, "x%d,%s,%s\n", i, []string{"1", "1", "many"}[i%3], []string{"bot", "bot", "bot", "cat"}[i%4])
	}
	cfg := parse(t, t.TempDir(), "http://127.0.0.1:1")
	result, err := app.Import(t.Context(), app.ImportOptions{
		Files: []string{importFile(t, "a.csv", text.String())}, Map: "output=a,input_tokens=n,feature=f", DryRun: true, Resume: true, Config: cfg,
	})
	if err != nil || result.Rows != 20 || len(result.Samples) != 3 || result.Samples[2].Output.Text != "x4" {
		t.Errorf("got %+v (%v)", result, err)
	}
	if want := map[string]int{`field "input_tokens"`: 6, `field "feature"`: 4}; fmt.Sprint(result.Errors) != fmt.Sprint(want) || result.Refused != 10 {
		t.Errorf("got %v, want %v", result.Errors, want)
	}
	if entries, err := os.ReadDir(cfg.Storage.Dir); err == nil && len(entries) > 0 {
		t.Errorf("a dry run left %v", entries)
	}
}

// fakeIngest takes samples as a server does, and counts how often each came.
type fakeIngest struct {
	mu       sync.Mutex
	seen     map[string]int
	first    string // of the outputs, since the last reset
	batches  int
	sampling map[string]int
	each     func(batch int, r *http.Request) // called before the answer, without the lock
}

func (f *fakeIngest) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	f.batches++
	f.sampling[r.Header.Get("Asgood-Sampling")]++
	accepted, duplicates := 0, 0
	for lines := bufio.NewScanner(r.Body); lines.Scan(); {
		var s quality.Sample
		if json.Unmarshal(lines.Bytes(), &s) != nil || s.ID == "" {
			continue
		}
		if f.first == "" {
			f.first = s.Output.Text
		}
		if f.seen[s.ID]++; f.seen[s.ID] == 1 {
			accepted++
		} else {
			duplicates++
		}
	}
	n, each := f.batches, f.each
	f.mu.Unlock()
	if each != nil {
		each(n, r)
	}
	fmt.Fprintf(w, `{"accepted":%d,"duplicates":%d,"refused":0,"rejected":[]}`, accepted, duplicates)
}

func newFakeIngest(t testing.TB) (*fakeIngest, string) {
	t.Helper()
	f := &fakeIngest{seen: map[string]int{}, sampling: map[string]int{}}
	s := httptest.NewServer(f)
	t.Cleanup(s.Close)
	return f, s.URL
}

const manyRows = 20_000

// manyRowsOf is a file of so many rows in a format, beside the state of its import.
func manyRowsOf(t testing.TB, format string) string {
	t.Helper()
	var b strings.Builder
	if format == "csv" {
		b.WriteString("o\n")
	}
	for i := range manyRows {
		if format == "csv" {
			fmt.Fprintf(&b, "row %d\n", i)
		} else {
			fmt.Fprintf(&b, `{"o":"row %d"}`+"\n", i)
		}
	}
	return importFile(t, "many."+format, b.String())
}

// TestImportKilled kills an import in its middle. The next one goes on there, and every row is stored once.
func TestImportKilled(t *testing.T) {
	for _, format := range []string{"csv", "ndjson"} {
		t.Run(format, func(t *testing.T) {
			ingest, url := newFakeIngest(t)
			path := manyRowsOf(t, format)
			reached, killed := make(chan struct{}), make(chan struct{})
			cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestImportChild$")
			cmd.Env = append(os.Environ(), "ASGOOD_IMPORT_FILE="+path, "ASGOOD_IMPORT_SERVER="+url)
			ingest.mu.Lock()
			ingest.each = func(batch int, _ *http.Request) {
				if batch == 8 {
					close(reached)
					<-killed // no answer reaches it
				}
			}
			ingest.mu.Unlock()
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			<-reached
			_ = cmd.Process.Kill()
			if err := cmd.Wait(); err == nil {
				t.Fatal("the import was not killed")
			}
			close(killed)
			if _, err := os.Stat(path + ".asgood-import"); err != nil {
				t.Fatalf("nothing is remembered of it: %v", err)
			}
			ingest.mu.Lock()
			ingest.each, ingest.first = nil, ""
			ingest.mu.Unlock()
			result, err := app.Import(t.Context(), app.ImportOptions{Files: []string{path}, Map: "output=o", Feature: "bot", Server: url, Resume: true})
			if err != nil || counts(result) != "20000 rows, 19000 accepted, 1000 duplicates, 0 refused" {
				t.Errorf("got %+v (%v)", result, err)
			}
			ingest.mu.Lock()
			defer ingest.mu.Unlock()
			if ingest.first != "row 7000" || len(ingest.seen) != manyRows {
				t.Errorf("it went on at %q with %d samples in the end, want row 7000 and %d", ingest.first, len(ingest.seen), manyRows)
			}
			if len(ingest.sampling) != 1 || ingest.sampling["off"] == 0 {
				t.Errorf("an import is sampled: %v", ingest.sampling)
			}
			if _, err := os.Stat(path + ".asgood-import"); !os.IsNotExist(err) {
				t.Errorf("a finished import is remembered: %v", err)
			}
		})
	}
}

// TestImportChild is the import that TestImportKilled kills.
func TestImportChild(t *testing.T) {
	path := os.Getenv("ASGOOD_IMPORT_FILE")
	if path == "" {
		t.Skip("it is run by TestImportKilled")
	}
	_, err := app.Import(t.Context(), app.ImportOptions{
		Files: []string{path}, Map: "output=o", Feature: "bot", Server: os.Getenv("ASGOOD_IMPORT_SERVER"), Resume: true})
	if err != nil {
		t.Fatal(err)
	}
}

func TestImportOfAChangedFileStartsAnew(t *testing.T) {
	broken := importFile(t, "a.csv", "o\n"+strings.Repeat("x\n", 5000))
	ingest, url := newFakeIngest(t)
	var notes []string
	o := app.ImportOptions{Files: []string{broken}, Map: "output=o", Feature: "bot", Server: url, Resume: true, Note: func(s string) { notes = append(notes, s) }}
	stop := func() {
		ctx, cancel := cancelAt(t, ingest, 3)
		defer cancel()
		if _, err := app.Import(ctx, o); err == nil {
			t.Fatal("it was not stopped")
		}
	}
	stop()
	if err := os.WriteFile(broken, []byte("o\n"+strings.Repeat("y\n", 6000)), 0o600); err != nil {
		t.Fatal(err)
	}
	stop()
	o.Map = "output=o,input=o"
	stop()
	result, err := app.Import(t.Context(), o)
	if err != nil || result.Rows != 6000 {
		t.Errorf("got %+v (%v)", result, err)
	}
	want := []string{"has changed", "in another way", "goes on behind row 2000"}
	for i, text := range want {
		if i >= len(notes) || !strings.Contains(notes[i], text) {
			t.Fatalf("got %q, want %q", notes, want)
		}
	}
}

func TestImportWhereNothingCanBeWrittenBeside(t *testing.T) {
	if os.Getuid() == 0 {
		t.Skip("root may write everywhere")
	}
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	path := importFile(t, "a.csv", "o\n"+strings.Repeat("x\n", 3000))
	if err := os.Chmod(filepath.Dir(path), 0o500); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Chmod(filepath.Dir(path), 0o700) }) // or it cannot be removed
	ingest, url := newFakeIngest(t)
	o := app.ImportOptions{Files: []string{path}, Map: "output=o", Feature: "bot", Server: url, Resume: true}
	ctx, cancel := cancelAt(t, ingest, 2)
	defer cancel()
	if _, err := app.Import(ctx, o); err == nil {
		t.Fatal("it was not stopped")
	}
	result, err := app.Import(t.Context(), o)
	ingest.mu.Lock()
	defer ingest.mu.Unlock()
	if err != nil || result.Rows != 3000 || len(ingest.seen) != 3000 {
		t.Errorf("got %+v (%v)", result, err)
	}
}

// cancelAt gives a context that ends when so many batches have come.
func cancelAt(t testing.TB, ingest *fakeIngest, batch int) (context.Context, context.CancelFunc) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ingest.mu.Lock()
	defer ingest.mu.Unlock()
	ingest.batches = 0
	ingest.each = func(n int, r *http.Request) {
		if n == batch {
			cancel()
			<-r.Context().Done() // no answer reaches it
		}
	}
	return ctx, cancel
}
