package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/asgood-dev/asgood/internal/clickhouse/embedded"
)

var began = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)

// samples makes n samples a minute apart, after those that were made before with other outputs.
func samples(n int, output, language string) string {
	var b strings.Builder
	at := began
	if output != "good" {
		at = at.AddDate(0, 0, 1)
	}
	for i := range n {
		fmt.Fprintf(&b, `{"id":"%s%s%d","time":%q,"feature":"bot","output":%q,"attributes":{"language":%q}}`+"\n",
			output, language, i, at.Add(time.Duration(i)*time.Minute).Format(time.RFC3339), output, language)
	}
	return b.String()
}

// keys returns the keys of an object in their order in the text.
func keys(t *testing.T, data json.RawMessage) []string {
	t.Helper()
	dec := json.NewDecoder(strings.NewReader(string(data)))
	var out []string
	if _, err := dec.Token(); err != nil {
		t.Fatal(err)
	}
	for dec.More() {
		k, err := dec.Token()
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, k.(string))
		var v json.RawMessage
		if err := dec.Decode(&v); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

func object(t *testing.T, data []byte) map[string]json.RawMessage {
	t.Helper()
	var v map[string]json.RawMessage
	if err := json.Unmarshal(data, &v); err != nil {
		t.Fatalf("%v in %s", err, data)
	}
	return v
}

func same(t *testing.T, what string, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: got %q, want %q", what, got, want)
	}
}

// backtest returns the result as JSON of a file of samples.
func backtest(t *testing.T, code int, input string, args ...string) (map[string]json.RawMessage, []json.RawMessage) {
	t.Helper()
	got := run(t, input, append([]string{"backtest", "--json", "-c", write(t, "asgood.yaml", good), "-i", "-"}, args...)...)
	if got.code != code || got.err != "" {
		t.Fatalf("got %+v, want code %d", got, code)
	}
	same(t, "result", keys(t, []byte(got.out)), []string{"samples", "streams", "regressions"})
	result := object(t, []byte(got.out))
	var regressions []json.RawMessage
	if err := json.Unmarshal(result["regressions"], &regressions); err != nil {
		t.Fatal(err)
	}
	return result, regressions
}

func TestBacktestJSON(t *testing.T) {
	result, regressions := backtest(t, 3, samples(600, "good", "de")+samples(300, "bad", "de"), "--fail-on-regression")
	if string(result["samples"]) != "900" || len(regressions) != 1 {
		t.Fatalf("got %s", result)
	}
	r := object(t, regressions[0])
	same(t, "regression", keys(t, regressions[0]), []string{"feature", "metric", "slice", "baseline", "current", "change", "interval",
		"started_at", "started_sample", "detected_at", "detected_sample", "recovered_at", "started_between"})
	for _, k := range []string{"baseline", "current"} {
		same(t, k, keys(t, r[k]), []string{"n", "mean"})
	}
	for k, want := range map[string]string{"feature": `"bot"`, "metric": `"good"`, "slice": "{}", "recovered_at": "null", "change": "-1"} {
		if string(r[k]) != want {
			t.Errorf("%s: got %s, want %s", k, r[k], want)
		}
	}
	var v struct {
		Interval       [2]float64 `json:"interval"`
		StartedAt      time.Time  `json:"started_at"`
		StartedSample  int        `json:"started_sample"`
		DetectedAt     time.Time  `json:"detected_at"`
		DetectedSample int        `json:"detected_sample"`
	}
	if err := json.Unmarshal(regressions[0], &v); err != nil {
		t.Fatal(err)
	}
	// Positions in the file count from 1: sample 601 is the first that is bad.
	if v.Interval[0] > -1 || v.Interval[1] < -1 || v.StartedSample != 601 || v.DetectedSample <= 601 || v.DetectedSample > 650 ||
		!v.StartedAt.Equal(began.AddDate(0, 0, 1)) || !v.DetectedAt.Equal(began.AddDate(0, 0, 1).Add(time.Duration(v.DetectedSample-601)*time.Minute)) {
		t.Errorf("got %s", regressions[0])
	}
}

func TestBacktestJSONOfASlice(t *testing.T) {
	var b strings.Builder
	for i := range 4000 {
		// One of four answers is German. They get worse while the others get better, and then recover.
		language, output := "en", "good"
		switch before := i < 1600; {
		case i%4 == 0:
			language = "de"
			if !before && i < 2400 {
				output = "bad"
			}
		case before && i%2 == 1:
			output = "bad"
		}
		fmt.Fprintf(&b, `{"id":"s%d","time":%q,"feature":"bot","output":%q,"attributes":{"language":%q}}`+"\n",
			i, began.Add(time.Duration(i)*time.Minute).Format(time.RFC3339), output, language)
	}
	_, regressions := backtest(t, 0, b.String())
	if len(regressions) != 1 {
		t.Fatalf("got %s", regressions)
	}
	r := object(t, regressions[0])
	if slice := strings.Join(strings.Fields(string(r["slice"])), ""); slice != `{"language":"de"}` || !strings.Contains(string(r["recovered_at"]), "2026-03-0") {
		t.Errorf("got %s", regressions[0])
	}
}

func TestBacktestJSONWhenAllIsWell(t *testing.T) {
	result, regressions := backtest(t, 0, samples(600, "good", ""), "--fail-on-regression")
	if len(regressions) != 0 || string(result["regressions"]) != "[]" {
		t.Errorf("got %s, want an empty list", result["regressions"])
	}
}

func TestBacktestOfABadFile(t *testing.T) {
	for name, input := range map[string]string{
		"nothing": "", "no JSON": samples(3, "good", "") + "{\n", "unknown field": `{"feature":"bot","outptu":"x"}`, "no feature": `{"output":"x"}`,
	} {
		got := run(t, input, "backtest", "--json", "-c", write(t, "asgood.yaml", good), "-i", "-")
		if got.code != 2 || got.out != "" || !strings.Contains(got.err, "line ") && name != "nothing" {
			t.Errorf("%s: got %+v, want code 2 and the place", name, got)
		}
	}
	if got := run(t, "", "backtest", "-c", write(t, "asgood.yaml", good), "-i", t.TempDir()); got.code == 0 {
		t.Errorf("a folder as input: got %+v", got)
	}
}

func TestCheckJSON(t *testing.T) {
	file := write(t, "asgood.yaml", good)
	want := fmt.Sprintf(`{"file":%q,"features":1,"scorers":1,"monitors":1,"probes":1,"canaries":0,"problems":[]}`+"\n", file)
	if got := run(t, "", "check", "--json", "-c", file); got.code != 0 || got.out != want || got.err != "" {
		t.Errorf("got %+v, want %s", got, want)
	}
	file = write(t, "asgood.yaml", bad)
	got := run(t, "", "check", "--json", "-c", file)
	var v struct {
		Problems []map[string]any `json:"problems"`
	}
	if err := json.Unmarshal([]byte(got.out), &v); err != nil || got.code != 2 || got.err != "" || len(v.Problems) != 3 {
		t.Fatalf("got %+v (%v)", got, err)
	}
	p := v.Problems[1]
	if p["file"] != file || p["line"] != 4.0 || p["column"] != 5.0 || p["path"] != "features[0]" || !strings.Contains(p["message"].(string), "scorers") {
		t.Errorf("got %v", p)
	}
	same(t, "keys", slices.Sorted(maps.Keys(p)), []string{"column", "file", "line", "message", "path"})
	if got := run(t, "", "check", "--json", "-c", file+".none"); got.code != 2 || got.out != "" || got.err == "" {
		t.Errorf("of no file: got %+v", got)
	}
}

func TestImport(t *testing.T) {
	const csv = "when,answer\n2026-03-01T12:00:00Z,good\nyesterday,good\n2026-03-01T12:01:00Z,bad\n"
	args := []string{"import", "--csv", "-", "--feature", "bot", "--map", "time=when,output=answer"}
	out := filepath.Join(t.TempDir(), "samples.ndjson")
	got := run(t, csv, append(args, "-o", out)...)
	if got.code != 4 || !strings.Contains(got.out, "3 rows: 2 taken, 0 already there, 1 refused") || !strings.Contains(got.out, "line 3: ") {
		t.Errorf("got %+v", got)
	}
	data, err := os.ReadFile(out)
	if err != nil || strings.Count(string(data), "\n") != 2 || !strings.Contains(string(data), `"feature":"bot"`) {
		t.Errorf("got %s (%v)", data, err)
	}
	// With - the samples are all that standard output holds.
	got = run(t, csv, append(args, "-o", "-", "--json")...)
	if got.code != 4 || got.out != string(data) {
		t.Errorf("got %+v, want the samples %s", got, data)
	}
	same(t, "report", keys(t, []byte(got.err)), []string{"rows", "accepted", "duplicates", "refused", "errors", "rejected"})
	for _, form := range [][]string{nil, {"--json"}} {
		got = run(t, "when,answer\nyesterday,x\n", append(append(args, "-o", out), form...)...)
		if got.code != 2 || !strings.Contains(got.err, "no row could be taken") || got.out == "" {
			t.Errorf("%v: got %+v, want that nothing was taken", form, got)
		}
	}
}

func TestMigrateJSON(t *testing.T) {
	if _, err := embedded.Find(""); err != nil {
		t.Skipf("the embedded engine is not installed: run `make engine` (%v)", err)
	}
	file := write(t, "asgood.yaml", good)
	first := run(t, "", "migrate", "--json", "-c", file)
	var v struct {
		Applied []string `json:"applied"`
	}
	if err := json.Unmarshal([]byte(first.out), &v); err != nil || first.code != 0 || len(v.Applied) == 0 {
		t.Fatalf("got %+v (%v), want the migrations that were applied", first, err)
	}
	if again := run(t, "", "migrate", "--json", "-c", file); again.code != 0 || again.out != `{"applied":[]}`+"\n" {
		t.Errorf("got %+v, want that nothing was to do", again)
	}
	if text := run(t, "", "migrate", "-c", file); text.code != 0 || text.out != "nothing to do\n" {
		t.Errorf("got %+v, want the same in words", text)
	}
}
