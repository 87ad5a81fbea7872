package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

const scoring = `
name: Test
features:
  - name: bot
    scorers:
      - {name: good, type: regex, pattern: '%s'}
      - {name: size, type: %s}
      - {name: steady, type: contains, any: [o]}
  - name: other
`

func scoringFile(t *testing.T, pattern, size string) string {
	t.Helper()
	return write(t, "asgood.yaml", fmt.Sprintf(scoring, pattern, size))
}

func TestScore(t *testing.T) {
	file := scoringFile(t, "^good", "length")
	input := samples(2, "good", "de") + "{\n" + samples(1, "bad", "de") + `{"feature":"other","output":"x"}` + "\n"
	got := run(t, input, "score", "-c", file, "--feature", "bot", "-")
	lines := strings.Split(strings.TrimSpace(got.out), "\n")
	if got.code != 0 || len(lines) != 9 || !strings.Contains(got.err, "line 3: ") || !strings.Contains(got.err, "1 sample of other features") {
		t.Fatalf("got %+v, want nine scores, the bad line and the other feature", got)
	}
	var sc struct {
		SampleID string `json:"sample_id"`
		Metric   string
		Value    float64
		Version  string
	}
	if err := json.Unmarshal([]byte(lines[0]), &sc); err != nil || sc.SampleID != "goodde0" || sc.Metric != "good" || sc.Value != 1 || len(sc.Version) != 12 {
		t.Errorf("got %s (%v)", lines[0], err)
	}
	got = run(t, input, "score", "-c", file, "--feature", "bot", "--metric", "size", "--table", "-")
	if got.code != 0 || strings.Count(got.out, "\n") != 4 || !strings.Contains(got.out, "goodde0  size    4") {
		t.Errorf("got %+v", got)
	}
}

func TestScoreRefuses(t *testing.T) {
	file := scoringFile(t, "^good", "length")
	for want, args := range map[string][]string{
		"nothing to score":       {},
		"name one with":          {"-"},
		`no feature "x"`:         {"--feature", "x", "-"},
		`the metric "x"`:         {"--feature", "bot", "--metric", "x", "-"},
		"not both":               {"--feature", "bot", "--from", "2026-03-01", "-"},
		"--to needs":             {"--feature", "bot", "--to", "2026-03-01", "-"},
		"want a date":            {"--feature", "bot", "--from", "yesterday"},
		"must be before":         {"--feature", "bot", "--from", "2026-03-02", "--to", "2026-03-01"},
		"one of --table":         {"--feature", "bot", "--table", "--json", "-"},
		"no row could be scored": {"--feature", "bot", "-"},
	} {
		if got := run(t, "{\n", append([]string{"score", "-c", file}, args...)...); got.code != 2 || !strings.Contains(got.err, want) {
			t.Errorf("%v: got %+v, want code 2 and %q", args, got, want)
		}
	}
}

func TestScoreOverlap(t *testing.T) {
	before, after := scoringFile(t, "^(good|bad)", "length"), scoringFile(t, "^good", "readability")
	input := samples(30, "good", "de") + samples(10, "bad", "de")
	got := run(t, input, "score", "-c", after, "--overlap", before, "--feature", "bot", "--json", "-")
	var result struct {
		Same  []string
		Steps []struct {
			Metric    string
			From, To  string
			Step      float64
			Interval  [2]float64
			N         int
			Agreement float64
			OnlyOld   int `json:"only_old"`
			Worst     []struct{ Sample string }
			Error     string
		}
	}
	if err := json.Unmarshal([]byte(got.out), &result); err != nil || got.code != 0 || len(result.Steps) != 2 || strings.Join(result.Same, " ") != "steady" {
		t.Fatalf("got %+v (%v)", got, err)
	}
	good := result.Steps[0]
	if good.Metric != "good" || good.Step != -0.25 || good.N != 40 || good.Agreement != 0.75 || good.From == good.To || len(good.Worst) != 10 ||
		good.Interval[0] < -1 || good.Interval[1] < -0.25 || good.Worst[0].Sample != "badde0" {
		t.Errorf("got %+v", good)
	}
	// The answers are too short for the new scorer: no pair, and that is said.
	if size := result.Steps[1]; size.OnlyOld != 40 || size.N != 0 || !strings.Contains(size.Error, "0 samples") {
		t.Errorf("got %+v", size)
	}
	got = run(t, input, "score", "-c", after, "--overlap", before, "--feature", "bot", "--metric", "good", "-")
	if got.code != 0 || !strings.Contains(got.out, "-0.25") || !strings.Contains(got.out, "badde0: 0, was 1") {
		t.Errorf("got %+v", got)
	}
	if got = run(t, "", "score", "-c", after, "--overlap", after, "--feature", "bot", "-"); got.code != 0 || !strings.Contains(got.out, "no scorer has another version") {
		t.Errorf("the same configuration: got %+v", got)
	}
}
