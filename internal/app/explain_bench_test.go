package app_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/asgood-dev/asgood/evaluator/explain"
	"github.com/asgood-dev/asgood/internal/clickhouse"
	"github.com/asgood-dev/asgood/internal/quality"
)

// noChanges is a ledger without entries.
type noChanges struct{}

func (noChanges) Changes(context.Context, string) ([]quality.Change, error) { return nil, nil }

func (noChanges) Behaviours(context.Context, string) ([]quality.BehaviourHistory, error) {
	return nil, nil
}

// BenchmarkExplain explains a regression over a million scores and their samples.
func BenchmarkExplain(b *testing.B) {
	needEngine(b)
	store, err := clickhouse.Open(b.Context(), clickhouse.Options{Dir: b.TempDir(), SampleRetention: 1e5 * time.Hour, ScoreRetention: 1e5 * time.Hour})
	if err != nil {
		b.Fatal(err)
	}
	defer store.Close()
	if _, err := store.Migrate(b.Context()); err != nil {
		b.Fatal(err)
	}
	const n, part = 1_000_000, 50_000
	began := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	at := func(i int) time.Time { return began.Add(time.Duration(i) * time.Second / 4) }
	for first := 0; first < n; first += part {
		insertPart(b, store, first, part, n/2, at)
	}
	x, err := explain.NewExplainer(explain.ExplainerOptions{Store: store, Ledger: noChanges{}})
	if err != nil {
		b.Fatal(err)
	}
	start := at(n / 2)
	r := quality.Regression{ID: "r", Feature: "bot", Metric: "good", Range: [2]float64{0, 1}, StartedAt: &start, DetectedAt: start.Add(time.Hour)}
	for b.Loop() {
		e, ev, err := x.Explain(b.Context(), r, time.Time{}, at(n))
		if err != nil || len(ev.Examples) == 0 || e.Usual.N+e.Current.N < n*9/10 {
			b.Fatalf("got %v with %d examples (%v)", strings.Join(e.Sentences(), " "), len(ev.Examples), err)
		}
	}
}

func insertPart(b *testing.B, store *clickhouse.Store, first, n, turn int, at func(int) time.Time) {
	b.Helper()
	scores, samples := make([]quality.Score, 0, n), make([]quality.Sample, 0, n)
	for i := first; i < first+n; i++ {
		h := uint32(i) * 2654435761 >> 8
		language, customer, prompt, value := []string{"de", "en", "fr"}[h%3], fmt.Sprint("c", h%200), "v12", 1.0
		if i >= turn && h%2 == 0 {
			prompt = "v13"
		}
		if limit := uint32(8); h/7%100 < limit || prompt == "v13" && language == "de" && h/7%100 < 3*limit {
			value = 0
		}
		attributes := map[string]string{"language": language, "channel": []string{"web", "mail"}[h/3%2]}
		scores = append(scores, quality.Score{Feature: "bot", SampleID: fmt.Sprint(i), Time: at(i), Metric: "good", Value: value, Scorer: "regex", Version: "1",
			Weight: 1, Customer: customer, Model: "m", Prompt: prompt, Attributes: attributes})
		samples = append(samples, quality.Sample{ID: fmt.Sprint(i), Feature: "bot", Time: at(i), Customer: customer, Input: quality.Text(fmt.Sprint("question ", h%5000, " about orders")),
			Output: quality.Text(strings.Repeat("answer ", 30)), Model: "m", Prompt: prompt, Attributes: attributes})
	}
	token := fmt.Sprint("T:", first)
	if err := store.InsertScores(b.Context(), token, scores); err != nil {
		b.Fatal(err)
	}
	if err := store.InsertSamples(b.Context(), token, samples); err != nil {
		b.Fatal(err)
	}
}
