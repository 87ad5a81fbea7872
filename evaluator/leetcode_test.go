package evaluator_test

import (
	"encoding/csv"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/asgood-dev/asgood/evaluator"
	"github.com/asgood-dev/asgood/internal/quality"
)

// leetCode reads by model whether the real answers are code that runs as it is.
func leetCode(t *testing.T) map[string][]float64 {
	t.Helper()
	dir := os.Getenv("ASGOOD_TEST_DATA")
	if dir == "" {
		dir = filepath.Join("..", "..", "shared", "data")
	}
	path := filepath.Join(dir, "llmdrift", "LEETCODE_EASY_EVAL.csv")
	f, err := os.Open(path)
	if err != nil {
		t.Skipf("no LeetCode data at %s: set ASGOOD_TEST_DATA to the folder that holds llmdrift/", path)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	model, usable := slices.Index(rows[0], "model"), slices.Index(rows[0], "Directly Usable")
	out := map[string][]float64{}
	for _, r := range rows[1:] {
		v, err := strconv.ParseFloat(r[usable], 64)
		if err != nil {
			t.Fatal(err)
		}
		m := r[model][strings.LastIndex(r[model], "/")+1:]
		out[m] = append(out[m], v)
	}
	return out
}

// TestLeetCodeGPT4 replays the silent upgrade after which code came inside of a fence: 52 % ran as they were,
// then 10 %. There are 50 answers of each model, which is the smallest baseline; the answers of the later
// model come three times over, each in an order of its own.
func TestLeetCodeGPT4(t *testing.T) {
	data := leetCode(t)
	before, after := data["gpt-4-0314"], data["gpt-4-0613"]
	if len(before) != 50 || len(after) != 50 || mean(before) != 0.52 || mean(after) != 0.10 {
		t.Fatalf("got %d answers at %.2f and %d at %.2f, want 50 at 0.52 and 50 at 0.10", len(before), mean(before), len(after), mean(after))
	}
	var delays []int
	early := 0
	for seed := range uint64(100) {
		values := slices.Concat(shuffled(before, seed, 0), shuffled(after, seed, 1), shuffled(after, seed, 2), shuffled(after, seed, 3))
		samples := make([]quality.Sample, len(values))
		for i, v := range values {
			samples[i] = quality.Sample{ID: strconv.Itoa(i), Feature: "code", Output: quality.Text("x"), Scores: map[string]float64{"usable": v},
				Time: monday.Add(time.Duration(i) * time.Minute)}
		}
		r := backtest(t, evaluator.BacktestOptions{FalseAlarms: quality.FalseAlarms{Samples: 1000}, Features: []quality.Feature{{Name: "code",
			Scorers:  []quality.ScorerSpec{{Name: "usable", Type: "external"}},
			Monitors: []quality.MonitorSpec{{Metric: "usable", Baseline: quality.BaselineSpec{First: 50}}}}}}, samples)
		if len(r.Regressions) == 0 {
			continue
		}
		if d := int(r.Regressions[0].DetectedSample) - 50; d > 0 {
			delays = append(delays, d)
		} else {
			early++
		}
	}
	slices.Sort(delays)
	if len(delays) < 95 || early > 0 {
		t.Fatalf("found in %d of 100, %d early; want at least 95 and none", len(delays), early)
	}
	t.Logf("median delay %d, 90 %% within %d, longest %d", delays[len(delays)/2], delays[len(delays)*9/10], delays[len(delays)-1])
	if delays[len(delays)/2] > 50 {
		t.Errorf("median delay %d, want at most 50: one pass over the answers of the later model", delays[len(delays)/2])
	}
}

func mean(values []float64) float64 {
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return sum / float64(len(values))
}

func shuffled(values []float64, seed, part uint64) []float64 {
	out := slices.Clone(values)
	rand.New(rand.NewPCG(seed, part)).Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	return out
}
