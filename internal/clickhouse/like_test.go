package clickhouse_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/asgood-dev/asgood/internal/clickhouse"
	"github.com/asgood-dev/asgood/internal/quality"
)

func TestFirstLike(t *testing.T) { onBoth(t, testFirstLike) }

func testFirstLike(t *testing.T, s *clickhouse.Store) {
	chat := quality.Content{Messages: []quality.Message{{Role: "user", Content: "hello"}}}
	golden := func(prompt string) map[string]string {
		return map[string]string{"canary": "golden", "prompt_id": prompt}
	}
	rows := []quality.Sample{
		{Error: "away", Input: quality.Text("hello")}, // no answer
		{Output: quality.Text("canary 1"), Input: quality.Text("hello"), Source: quality.SourceCanary, Attributes: golden("p1")},
		{Output: quality.Text("first"), Input: quality.Text("hello")},
		{Output: quality.Text("chat"), Input: chat},
		{Output: quality.Text("second"), Input: quality.Text("hello")},
		{Output: quality.Text("canary 2"), Input: quality.Text("hello"), Source: quality.SourceCanary, Attributes: golden("p2")},
	}
	for i := range rows {
		rows[i].ID, rows[i].Feature, rows[i].Time, rows[i].Weight = fmt.Sprint("s", i), "bot", day0.Add(time.Duration(i)*time.Minute), 1
	}
	if err := s.InsertSamples(t.Context(), "SAMPLES:1-6", rows); err != nil {
		t.Fatal(err)
	}
	all := quality.Period{To: day0.Add(time.Hour)}
	asks := quality.Sample{ID: "x", Feature: "bot", Input: quality.Text("hello")}
	canary := asks
	canary.Source, canary.Attributes = quality.SourceCanary, golden("p2")
	talks, self, unknown := asks, asks, asks
	talks.Input, self.ID, unknown.Input = chat, "s2", quality.Text("hi")
	for _, tt := range []struct {
		name string
		like quality.Sample
		in   quality.Period
		want string
	}{
		{"the earliest", asks, all, "first"}, {"of a period", asks, quality.Period{From: day0.Add(3 * time.Minute), To: all.To}, "second"},
		{"before it", asks, quality.Period{To: day0.Add(2 * time.Minute)}, ""}, {"a canary's prompt", canary, all, "canary 2"},
		{"chat", talks, all, "chat"}, {"not itself", self, all, "second"}, {"never asked", unknown, all, ""},
	} {
		got, err := s.FirstLike(t.Context(), &tt.like, tt.in)
		if got.Output.Last() != tt.want || (tt.want == "") != (quality.KindOf(err) == quality.KindNotFound) {
			t.Errorf("%s: got %q, %v, want %q", tt.name, got.Output.Last(), err, tt.want)
		}
	}
}
