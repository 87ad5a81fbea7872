package evaluator_test

import (
	"encoding/csv"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/asgood-dev/asgood/evaluator"
	"github.com/asgood-dev/asgood/internal/quality"
)

// llmDrift reads the real answers by model. The folder is the shared test data beside the repository.
func llmDrift(t *testing.T) map[string][]quality.Sample {
	t.Helper()
	dir := os.Getenv("ASGOOD_TEST_DATA")
	if dir == "" {
		dir = filepath.Join("..", "..", "shared", "data")
	}
	path := filepath.Join(dir, "llmdrift", "PRIME_FULL_EVAL.csv")
	f, err := os.Open(path)
	if err != nil {
		t.Skipf("no LLMDrift data at %s: set ASGOOD_TEST_DATA to the folder that holds llmdrift/", path)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	col := func(name string) int { return slices.Index(rows[0], name) }
	model, id, query, ref, answer := col("model"), col("id"), col("query"), col("ref_answer"), col("answer")
	out := make(map[string][]quality.Sample)
	for _, r := range rows[1:] {
		m := r[model][strings.LastIndex(r[model], "/")+1:]
		want := r[ref]
		out[m] = append(out[m], quality.Sample{ID: m + "/" + r[id], Feature: "primes", Model: m,
			Input: quality.Text(r[query]), Output: quality.Text(r[answer]), Reference: &want})
	}
	return out
}

func primes() []quality.Feature {
	return []quality.Feature{{
		Name:     "primes",
		Scorers:  []quality.ScorerSpec{{Name: "correct", Type: "reference", Extract: `\[(Yes|No)\]`, IgnoreCase: true}},
		Monitors: []quality.MonitorSpec{{Metric: "correct", Worse: quality.WorseLower, Baseline: quality.BaselineSpec{First: 500}}},
	}}
}

// replay runs a silent upgrade from one model to the next in the shuffle of a seed.
func replay(t *testing.T, before, after []quality.Sample, seed uint64) []evaluator.BacktestRegression {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, 2023))
	var all []quality.Sample
	for _, part := range [][]quality.Sample{before, after} {
		part = slices.Clone(part)
		rng.Shuffle(len(part), func(i, j int) { part[i], part[j] = part[j], part[i] })
		all = append(all, part...)
	}
	for i := range all {
		all[i].Time = time.Date(2023, 6, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(i) * time.Minute)
	}
	r := backtest(t, evaluator.BacktestOptions{Features: primes(), FalseAlarms: quality.FalseAlarms{Samples: 100_000}}, all)
	if r.Samples != 2000 || r.Streams != 1 {
		t.Fatalf("seed %d: got %d samples and %d streams, want 2000 and 1", seed, r.Samples, r.Streams)
	}
	return r.Regressions
}

func TestLLMDriftGPT4(t *testing.T) {
	data := llmDrift(t)
	var delays []int
	early, starts := 0, 0
	for seed := range uint64(100) {
		found := replay(t, data["gpt-4-0314"], data["gpt-4-0613"], seed)
		if len(found) != 1 || found[0].Metric != "correct" || found[0].RecoveredAt != nil || found[0].Change == nil {
			t.Errorf("seed %d: got %d regressions, want one of metric correct that is open: %+v", seed, len(found), found)
			continue
		}
		r := found[0]
		if r.DetectedSample <= 1000 {
			early++
			continue
		}
		delays = append(delays, int(r.DetectedSample)-1000)
		if math.Abs(float64(r.StartedSample)-1001) <= 40 {
			starts++
		}
		if math.Abs(*r.Baseline.Mean-0.840) > 0.05 || math.Abs(*r.Current.Mean-0.502) > 0.05 {
			t.Errorf("seed %d: got means %.3f and %.3f, want 0.840 and 0.502 within 0.05", seed, *r.Baseline.Mean, *r.Current.Mean)
		}
		if r.Interval[0] > *r.Change || *r.Change > r.Interval[1] || r.Interval[1] >= 0 {
			t.Errorf("seed %d: got change %.3f with interval %v, want it below 0 and inside", seed, *r.Change, *r.Interval)
		}
	}
	slices.Sort(delays)
	late := 0
	for _, d := range delays {
		if d > 100 {
			late++
		}
	}
	if len(delays) < 99 {
		t.Fatalf("found after the swap in %d of 100", len(delays))
	}
	median := delays[len(delays)/2]
	t.Logf("median delay %d, 90 %% within %d, longest %d, over 100: %d; before the swap: %d; start within 40: %d",
		median, delays[len(delays)*9/10], delays[len(delays)-1], late, early, starts)
	if median > 45 || late > 3 || early > 1 || starts < 90 {
		t.Errorf("got median %d, %d over 100, %d early, %d starts within 40; want at most 45, 3, 1 and at least 90", median, late, early, starts)
	}
}

func TestLLMDriftGPT35GetsBetter(t *testing.T) {
	data := llmDrift(t)
	raised := 0
	for seed := range uint64(100) {
		if len(replay(t, data["gpt-3.5-turbo-0301"], data["gpt-3.5-turbo-0613"], seed)) > 0 {
			raised++
		}
	}
	t.Logf("regressions raised in %d of 100", raised)
	if raised > 1 {
		t.Errorf("got regressions in %d of 100 replays of a model that got better, want at most 1", raised)
	}
}
