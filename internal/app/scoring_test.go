package app_test

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/asgood-dev/asgood/internal/app"
	"github.com/asgood-dev/asgood/internal/clickhouse"
	"github.com/asgood-dev/asgood/internal/config"
	"github.com/asgood-dev/asgood/internal/quality"
)

// TestScoreStored reads stored samples over several pages, some of one moment.
func TestScoreStored(t *testing.T) {
	needEngine(t)
	dir := t.TempDir()
	store, err := clickhouse.Open(t.Context(), clickhouse.Options{Dir: filepath.Join(dir, "clickhouse")})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := store.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	began := time.Now().Add(-time.Hour).Truncate(time.Second)
	var rows []quality.Sample
	for i := range 2500 { // 25 of each moment, so that pages end within one
		rows = append(rows, quality.Sample{ID: fmt.Sprintf("s-%04d", i), Feature: "bot", Time: began.Add(time.Duration(i/25) * time.Second), Output: quality.Text("good"), Weight: 1})
	}
	if err := store.InsertSamples(t.Context(), "token", rows); err != nil {
		t.Fatal(err)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Parse("asgood.yaml", fmt.Appendf(nil, "name: T\nstorage: {dir: %q}\nlisten: {public: '127.0.0.1:0', ingest: '127.0.0.1:0', grpc: '127.0.0.1:0', internal: '127.0.0.1:0'}\nfeatures: [{name: bot, scorers: [{name: good, type: regex, pattern: good}]}]", dir),
		func(string) (string, bool) { return "", false })
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	result, err := app.Score(t.Context(), app.ScoreOptions{Config: cfg, From: began.Add(time.Second), To: began.Add(time.Hour)}, func(v quality.Score) error {
		seen[v.SampleID] = true
		return nil
	})
	if err != nil || result.Samples != 2475 || len(seen) != 2475 || result.Failed != 0 {
		t.Errorf("got %+v, %d ids, %v, want 2475 samples once each", result, len(seen), err)
	}
	a, _ := start(t, cfg)
	served := map[string]bool{}
	o := app.ScoreOptions{Config: cfg, Server: a.Addr("internal"), From: began.Add(time.Second), To: began.Add(time.Hour)}
	result, err = app.Score(t.Context(), o, func(v quality.Score) error {
		served[v.SampleID] = true
		return nil
	})
	if err != nil || result.Samples != 2475 || len(served) != 2475 {
		t.Errorf("from the server: got %+v, %d ids, %v, want 2475 samples once each", result, len(served), err)
	}
}
