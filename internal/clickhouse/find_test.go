package clickhouse_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/asgood-dev/asgood/internal/clickhouse"
	"github.com/asgood-dev/asgood/internal/quality"
)

func TestFindSamples(t *testing.T) { onBoth(t, testFindSamples) }

func testFindSamples(t *testing.T, s *clickhouse.Store) {
	var rows []quality.Sample
	var scores []quality.Score
	for i := range 4 {
		x := quality.Sample{ID: fmt.Sprint("f", i), Feature: "find", Time: day0.Add(time.Duration(i) * time.Minute), Output: quality.Text(fmt.Sprint("out ", i)), Weight: 1, Customer: []string{"acme", "delta"}[i%2]}
		sc := quality.Score{Feature: "find", SampleID: x.ID, Time: x.Time, Metric: "correct", Value: float64(3-i) / 4, Scorer: "regex", Version: "v1", Weight: 1, Customer: x.Customer}
		if i == 3 {
			sc.Value, sc.Error = 0, "broken"
		}
		rows, scores = append(rows, x), append(scores, sc)
	}
	if err := s.InsertSamples(t.Context(), "SAMPLES:find", rows); err != nil {
		t.Fatal(err)
	}
	if err := s.InsertScores(t.Context(), "SCORES:find", scores); err != nil {
		t.Fatal(err)
	}
	half := 0.5
	for name, tt := range map[string]struct {
		q    quality.SampleQuery
		want string
	}{
		"newest":      {quality.SampleQuery{Limit: 10}, "[f3 f2 f1 f0]"},
		"limit":       {quality.SampleQuery{Limit: 1}, "[f3]"},
		"customer":    {quality.SampleQuery{Customer: "acme", Limit: 10}, "[f2 f0]"},
		"lowest":      {quality.SampleQuery{Metric: "correct", Order: quality.LowestFirst, Limit: 10}, "[f2 f1 f0]"},
		"at most":     {quality.SampleQuery{Metric: "correct", Most: &half, Order: quality.HighestFirst, Limit: 10}, "[f1 f2]"},
		"at least":    {quality.SampleQuery{Metric: "correct", Least: &half, Limit: 10}, "[f1 f0]"},
		"only failed": {quality.SampleQuery{Metric: "correct", Failed: true, Limit: 10}, "[f3]"},
	} {
		tt.q.Feature, tt.q.From, tt.q.To = "find", day0, day0.Add(time.Hour)
		list, err := s.FindSamples(t.Context(), tt.q)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		var got []string
		for _, x := range list {
			if got = append(got, x.ID); x.Excerpt == "" || tt.q.Metric != "" && (x.Value == nil) != tt.q.Failed {
				t.Errorf("%s: got %+v", name, x)
			}
		}
		if fmt.Sprint(got) != tt.want {
			t.Errorf("%s: got %v, want %s", name, got, tt.want)
		}
	}
	if list, err := s.ScoresOf(t.Context(), &rows[1]); err != nil || len(list) != 1 || list[0].Value != .5 {
		t.Errorf("scores of a sample: %+v, %v", list, err)
	}
	if keys, err := s.SamplesNamed(t.Context(), "f1", 5); err != nil || len(keys) != 1 || keys[0].Feature != "find" {
		t.Errorf("samples of an id: %v, %v", keys, err)
	}
}
