package backtest_test

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/asgood-dev/asgood/evaluator"
	"github.com/asgood-dev/asgood/evaluator/backtest"
	"github.com/asgood-dev/asgood/internal/quality"
)

// passes gives scores of a pass rate, one each minute, in two languages.
func passes(t testing.TB, features []quality.Feature, n int, rate float64) []*backtest.Series {
	t.Helper()
	c := backtest.NewCollector(features)
	rng := rand.New(rand.NewPCG(3, 4))
	at := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
	for i := range n {
		sc := quality.Score{Feature: "bot", Metric: "good", SampleID: fmt.Sprint(i), Time: at.Add(time.Duration(i) * time.Minute), Weight: 1,
			Attributes: map[string]string{"language": []string{"de", "en"}[i%2]}}
		if rng.Float64() < rate {
			sc.Value = 1
		}
		if err := c.Add(&sc); err != nil {
			t.Fatal(err)
		}
	}
	return c.Series()
}

func bot(m quality.MonitorSpec) []quality.Feature {
	m.Metric = "good"
	if m.Baseline == (quality.BaselineSpec{}) {
		m.Baseline.First = 500
	}
	return []quality.Feature{{Name: "bot", Scorers: []quality.ScorerSpec{{Name: "good", Type: "regex", Pattern: "good"}}, Monitors: []quality.MonitorSpec{m}}}
}

func nothing(string, string) []backtest.Span { return nil }

func study(t testing.TB, o backtest.Options, m quality.MonitorSpec, n int) backtest.Monitor {
	t.Helper()
	f := bot(m)
	got, err := backtest.Run(t.Context(), o, evaluator.BacktestOptions{Features: f, FalseAlarms: quality.FalseAlarms{Samples: 10_000}}, passes(t, f, n, 0.9), nothing)
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 1 || got[0].Problem != "" {
		t.Fatalf("got %+v, want one monitor that was measured", got)
	}
	return got[0]
}

func TestLargerDropsAreFoundFaster(t *testing.T) {
	m := study(t, backtest.Options{Seed: 1, Shuffles: 10, Repeats: 10, Drops: []float64{20, 5, 10}}, quality.MonitorSpec{}, 6000)
	t.Logf("false alarms %+v", *m.FalseAlarms)
	last := 1e9
	for _, d := range m.Drops {
		if d.MedianScores == nil {
			t.Fatalf("a drop of %v points: found %d of %d, want most", d.Points, d.Found, d.Runs)
		}
		t.Logf("%v points: found %d of %d, median %v", d.Points, d.Found, d.Runs, *d.MedianScores)
		if *d.MedianScores >= last || *d.MedianSeconds != 60*(*d.MedianScores-1) {
			t.Errorf("a drop of %v points took %v scores and %v s, want fewer than %v, a minute each", d.Points, *d.MedianScores, *d.MedianSeconds, last)
		}
		last = *d.MedianScores
	}
	if f := m.FalseAlarms; f.Shuffle != backtest.ShuffleRecords || f.Scores != 10*5500 || f.Interval[0] > *f.Allowed {
		t.Errorf("got %+v, want what 10 shuffles of 5500 live scores allow", f)
	}
}

func TestASeedGivesTheSameStudy(t *testing.T) {
	o := backtest.Options{Seed: 7, Shuffles: 3, Repeats: 3}
	var first []byte
	for _, workers := range []int{1, 4} {
		o.Workers = workers
		data, err := json.Marshal(study(t, o, quality.MonitorSpec{Slices: []string{"language"}, Adjust: []string{"language"}}, 3000))
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = data
		}
		if string(first) != string(data) {
			t.Errorf("with %d workers: got\n%s, want\n%s", workers, data, first)
		}
	}
}

func TestASeasonIsShuffledByDays(t *testing.T) {
	for _, c := range []struct {
		days int
		want string
	}{{12, backtest.ShuffleDays}, {4, backtest.ShuffleStrata}} {
		m := study(t, backtest.Options{Shuffles: 1, Repeats: 1}, quality.MonitorSpec{Season: "hour", Baseline: quality.BaselineSpec{First: 2880}}, 1440*c.days)
		if m.FalseAlarms.Shuffle != c.want {
			t.Errorf("%d days: shuffled %q, want %q", c.days, m.FalseAlarms.Shuffle, c.want)
		}
	}
}

func TestOnlyTheLatestVersionOfAScorerCounts(t *testing.T) {
	c := backtest.NewCollector(bot(quality.MonitorSpec{}))
	for i := range 10 {
		if err := c.Add(&quality.Score{Feature: "bot", Metric: "good", Time: time.Unix(int64(i), 0), Version: []string{"old", "new"}[min(i/4, 1)]}); err != nil {
			t.Fatal(err)
		}
	}
	if n := c.Series()[0].Len(); n != 6 {
		t.Errorf("got %d scores, want the 6 of the latest version", n)
	}
}

func TestPlotOfTwoSides(t *testing.T) {
	m := study(t, backtest.Options{Shuffles: 2, Repeats: 4}, quality.MonitorSpec{}, 4000)
	other := m
	other.Drops = nil
	at := m.Trace[60].Time
	svg := backtest.Plot([]backtest.Side{
		{Name: "current <b>", Monitors: []backtest.Monitor{m}, Regressions: []evaluator.BacktestRegression{{Feature: "bot", Metric: "good", StartedAt: &at, DetectedAt: at.Add(8 * time.Hour)}}},
		{Name: "proposed", Monitors: []backtest.Monitor{m}},
	})
	if strings.Contains(svg, "<b>") || !strings.HasPrefix(svg, "<svg") || strings.Contains(svg, "NaN") || strings.Contains(svg, "Inf") {
		t.Errorf("got %.300s, want clean SVG", svg)
	}
	if path := os.Getenv("ASGOOD_TEST_PLOT"); path != "" {
		if err := os.WriteFile(path, []byte(svg), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// BenchmarkStudy is 100,000 scores in 20 shuffles, and 20 drops of each of four sizes.
func BenchmarkStudy(b *testing.B) {
	for b.Loop() {
		study(b, backtest.Options{}, quality.MonitorSpec{}, 100_000)
	}
}

// A proposed configuration may have other monitors, and names come from whoever wrote it.
func TestPlotOfOtherMonitorsAndHostileNames(t *testing.T) {
	at := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	points := []backtest.Point{{Time: at, N: 1, Mean: 0.9}, {Time: at.Add(time.Hour), N: 1, Mean: 0.8}}
	hostile := "</text><script>alert(1)</script>\x00\x1b\u202e\ufffe\xff&\"'"
	for _, sides := range [][]backtest.Side{
		{{Name: hostile, Monitors: []backtest.Monitor{{Feature: "b", Metric: "m", Trace: points}, {Feature: "a", Metric: "m", Trace: points}}}, {Name: "proposed"}},
		{{Name: "current"}, {Name: "proposed", Monitors: []backtest.Monitor{{Feature: hostile, Metric: hostile, Trace: points, Problem: hostile}}}},
		{{Name: "current", Monitors: []backtest.Monitor{{Feature: "a", Metric: "m"}}}, {Name: "proposed", Monitors: []backtest.Monitor{{Feature: "z", Metric: "m", Trace: points}}}},
	} {
		svg := backtest.Plot(sides)
		if strings.Contains(svg, "<script") || strings.Contains(svg, "NaN") {
			t.Errorf("got %.600s", svg)
		}
		for d := xml.NewDecoder(strings.NewReader(svg)); ; {
			if _, err := d.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Errorf("%v in %.300s", err, svg)
				break
			}
		}
	}
}
