package clickhouse_test

import (
	"context"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/asgood-dev/asgood/internal/clickhouse"
	"github.com/asgood-dev/asgood/internal/quality"
)

func TestScoreSums(t *testing.T) { onBoth(t, testScoreSums) }

// Sums of the store are those of the scores one by one.
func testScoreSums(t *testing.T, s *clickhouse.Store) {
	q, scores := explained(1000)
	if err := s.InsertScores(t.Context(), "SCORES:1-1", scores); err != nil {
		t.Fatal(err)
	}
	cells, err := s.ScoreCells(t.Context(), q, []string{"language", "prompt", quality.AttributeVersion}, 10)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]*quality.ScoreCell{}
	for _, x := range scores {
		for _, pair := range [][2]string{{"", ""}, {"language", x.Attributes["language"]}, {"prompt", x.Prompt}, {quality.AttributeVersion, "regex 1"}} {
			key := pair[0] + "=" + pair[1]
			if want[key] == nil {
				want[key] = &quality.ScoreCell{First: x.Time}
			}
			switch {
			case x.Source == quality.SourceCanary:
			case x.Time.Before(q.Before.To):
				want[key].Before.Add(x.Value, x.Weight)
			case !x.Time.Before(q.After.From):
				want[key].After.Add(x.Value, x.Weight)
			}
		}
	}
	if len(cells) != len(want) {
		t.Errorf("got %d cells, want %d: %+v", len(cells), len(want), cells)
	}
	for _, c := range cells {
		w := want[c.Attribute+"="+c.Value]
		if w == nil || w.Before.N != c.Before.N || w.After.N != c.After.N || math.Abs(w.After.WWVV-c.After.WWVV) > 1e-6 || !w.First.Equal(c.First) {
			t.Errorf("got %+v, want %+v", c, w)
		}
	}
	if names, err := s.ScoreAttributes(t.Context(), q); err != nil || fmt.Sprint(names) != "[language]" {
		t.Errorf("got attributes %v (%v), want language alone: ids have too many values", names, err)
	}
	split, err := s.ScoreSplit(t.Context(), q, "language", "prompt", "v2", 100)
	if err != nil || len(split) != 4 {
		t.Fatalf("got %+v (%v), want two languages with and without", split, err)
	}
	for _, c := range split {
		if c.With && (c.Before.N != 0 || c.After.N == 0) {
			t.Errorf("got %+v, want the new prompt after the start only", c)
		}
	}
	steps, err := s.ScoreSteps(t.Context(), q, quality.Period{From: q.Before.From, To: q.After.To}, 10)
	if err != nil || len(steps) != 10 || !steps[0].From.Equal(q.Before.From) {
		t.Errorf("got %+v (%v)", steps, err)
	}
}

// explained makes scores of two languages: one prompt, and after the middle also another, worse in German.
func explained(n int) (quality.ScoreQuery, []quality.Score) {
	at := func(i int) time.Time { return day0.Add(time.Duration(i) * time.Second) }
	q := quality.ScoreQuery{Feature: "bot", Metric: "correct", Worse: quality.WorseLower,
		Before: quality.Period{From: day0, To: at(n / 2)}, After: quality.Period{From: at(n/2 + 10), To: at(n)}}
	var scores []quality.Score
	for i := range n {
		x := score(i, at(i), float64((i*7919%100)/30%2), 1+float64(i%3))
		x.Prompt, x.Customer = "v1", fmt.Sprint("c", i%5)
		x.Attributes = map[string]string{"language": []string{"de", "en"}[i%2], "id": fmt.Sprint(i)}
		if i > n/2 && i%4 < 2 {
			x.Prompt = "v2"
		}
		if i%50 == 7 {
			x.Source = quality.SourceCanary
		}
		scores = append(scores, x)
	}
	return q, scores
}

func TestExtremeScores(t *testing.T) { onBoth(t, testExtremeScores) }

func testExtremeScores(t *testing.T, s *clickhouse.Store) {
	q, scores := explained(400)
	q.Slice = quality.Slice{"language": "de"}
	if err := s.InsertScores(t.Context(), "SCORES:1-1", scores); err != nil {
		t.Fatal(err)
	}
	var samples []quality.Sample
	for _, x := range scores {
		samples = append(samples, quality.Sample{ID: x.SampleID, Feature: "bot", Time: x.Time, Output: quality.Text("o"), Input: quality.Text("in " + x.SampleID)})
	}
	if err := s.InsertSamples(t.Context(), "SAMPLES:1-1", samples); err != nil {
		t.Fatal(err)
	}
	worst, err := s.ExtremeScores(t.Context(), q, q.After, false, 3, 10)
	if err != nil || len(worst) != 10 {
		t.Fatalf("got %d (%v), want 10", len(worst), err)
	}
	each := map[string]int{}
	for _, w := range worst {
		each[w.Customer]++
		if w.Value != 0 || w.Attributes["language"] != "de" || w.Input != "in "+w.ID || each[w.Customer] > 3 {
			t.Errorf("got %+v", w)
		}
	}
	full, err := s.SamplesOf(t.Context(), "bot", append(worst[:2:2], quality.ScoredSample{ID: "gone", Time: worst[0].Time}))
	if err != nil || len(full) != 2 {
		t.Errorf("got %d samples (%v), want 2", len(full), err)
	}
}

// BenchmarkScoreCells sums a million scores by five attributes.
func BenchmarkScoreCells(b *testing.B) {
	s := open(b, clickhouse.Options{})
	q := fillMillion(b, s)
	for b.Loop() {
		if _, err := s.ScoreCells(context.Background(), q, []string{"customer", "language", "model", "prompt", quality.AttributeVersion}, 100); err != nil {
			b.Fatal(err)
		}
	}
}

func fillMillion(b *testing.B, s *clickhouse.Store) quality.ScoreQuery {
	b.Helper()
	const part = 100_000
	var q quality.ScoreQuery
	var scores []quality.Score
	for i := range 10 {
		q, scores = explained(part)
		for j := range scores {
			scores[j].SampleID = fmt.Sprint(i, "-", j)
			delete(scores[j].Attributes, "id")
		}
		if err := s.InsertScores(b.Context(), fmt.Sprint("SCORES:", i), scores); err != nil {
			b.Fatal(err)
		}
	}
	return q
}
