package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/asgood-dev/asgood/internal/app"
)

// runTool runs a command line and returns its exit status and what it printed.
func runTool(t *testing.T, stdin string, args ...string) (code int, out, errs string) {
	t.Helper()
	cmd := root()
	var stdout, stderr bytes.Buffer
	cmd.SetIn(strings.NewReader(stdin))
	cmd.SetOut(&stdout)
	cmd.SetErr(&stderr)
	cmd.SetArgs(args)
	code = exitCode(&stderr, cmd.ExecuteContext(t.Context()))
	return code, stdout.String(), stderr.String()
}

func TestImportCommand(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile("a.csv", []byte("o,n\nx,1\ny,2\nz,many\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	sample := `{"id":"1","feature":"f","output":"x","usage":{"input_tokens":1}}` + "\n"
	mapping := []string{"--feature", "f", "--map", "output=o,id=n,input_tokens=n"}
	for name, tt := range map[string]struct {
		stdin string
		args  []string
		code  int
		out   string
	}{
		"file":              {"", append([]string{"a.csv", "-o", "-"}, mapping...), 4, sample},
		"the older flag":    {"", append([]string{"--csv", "a.csv", "-o", "-"}, mapping...), 4, sample},
		"standard input":    {"o,n\nx,1\n", append([]string{"-", "-o", "-"}, mapping...), 0, sample},
		"older, from stdin": {"o,n\nx,1\n", append([]string{"--csv", "-", "-o", "-"}, mapping...), 0, sample},
		"native":            {sample, []string{"-", "-o", "-"}, 0, sample},
		"dry run":           {"", append([]string{"a.csv", "--dry-run"}, mapping...), 4, "would be taken, 1 refused; nothing was stored"},
		"dry run, kinds":    {"", append([]string{"a.csv", "--dry-run"}, mapping...), 4, `1  field "input_tokens"`},
		"dry run, place":    {"", append([]string{"a.csv", "--dry-run"}, mapping...), 4, "a.csv, line 4: "},
		"as JSON":           {"", append([]string{"a.csv", "--dry-run", "--json"}, mapping...), 4, `"rows":3,"accepted":2,"duplicates":0,"refused":1`},
		"nothing taken":     {"o,n\nx,many\n", append([]string{"-", "--dry-run"}, mapping...), 2, "0 would be taken"},
		"none, as JSON":     {"o,n\nx,many\n", append([]string{"-", "--dry-run", "--json"}, mapping...), 2, `"refused":1`},
		"an empty table":    {"o,n\n", append([]string{"-", "--dry-run"}, mapping...), 0, "0 rows"},
		"no file":           {"", mapping, 2, ""},
		"two ways":          {"", append([]string{"a.csv", "--csv", "a.csv"}, mapping...), 2, ""},
		"no configuration":  {"", append([]string{"a.csv"}, mapping...), 2, ""},
		"no such format":    {"", append([]string{"a.csv", "--dry-run", "--format", "xlsx"}, mapping...), 2, ""},
		"a wrong delimiter": {"", append([]string{"a.csv", "--dry-run", "--delimiter", "--"}, mapping...), 2, ""},
		"without a mapping": {"", []string{"a.csv", "--dry-run"}, 2, ""},
	} {
		code, out, errs := runTool(t, tt.stdin, append([]string{"import"}, tt.args...)...)
		if code != tt.code || !strings.Contains(out, tt.out) {
			t.Errorf("%s: got status %d, %s%s, want %d and %q", name, code, out, errs, tt.code, tt.out)
		}
	}
	if leftovers, err := filepath.Glob("*"); err != nil || len(leftovers) != 1 {
		t.Errorf("it left %v (%v)", leftovers, err)
	}
}

func TestDryRunPrintsSamples(t *testing.T) {
	code, out, _ := runTool(t, strings.Repeat(`{"feature":"f","output":"x"}`+"\n", 9), "import", "-", "--dry-run")
	dec := json.NewDecoder(strings.NewReader(out))
	n := 0
	for ; dec.More(); n++ {
		var sample map[string]any
		if err := dec.Decode(&sample); err != nil {
			break
		}
	}
	if code != 0 || n != 3 || !strings.Contains(out, "9 rows: 9 would be taken") {
		t.Errorf("got status %d and %d samples\n%s", code, n, out)
	}
}

func TestProgressText(t *testing.T) {
	for _, tt := range []struct {
		p       app.ImportProgress
		elapsed time.Duration
		want    string
	}{
		{app.ImportProgress{File: "a", Rows: 256, Fraction: 0.01}, 100 * time.Millisecond, "a: 256 rows, 1 %"},
		{app.ImportProgress{File: "a", Rows: 50_000, Fraction: 0.25}, 10 * time.Second, "a: 50000 rows, 5000 rows/s, 25 %, 30s left"},
		{app.ImportProgress{File: "a", Rows: 50_000, From: 0.5, Fraction: 0.75}, 10 * time.Second, "a: 50000 rows, 5000 rows/s, 75 %, 10s left"},
		{app.ImportProgress{File: "a", Rows: 50_000, Fraction: -1}, 10 * time.Second, "a: 50000 rows, 5000 rows/s"},
		{app.ImportProgress{File: "a", Rows: 1, Fraction: 0}, 10 * time.Second, "a: 1 rows, 0 rows/s, 0 %"},
		{app.ImportProgress{File: "a", Rows: 1, Fraction: 1}, 0, "a: 1 rows, 100 %"},
	} {
		if got := progressText(tt.p, tt.elapsed); got != tt.want {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
}
