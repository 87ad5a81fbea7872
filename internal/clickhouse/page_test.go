package clickhouse_test

import (
	"strings"
	"testing"
	"time"

	"github.com/asgood-dev/asgood/internal/clickhouse"
	"github.com/asgood-dev/asgood/internal/quality"
)

func TestSamplesPage(t *testing.T) { onBoth(t, testSamplesPage) }

// testSamplesPage goes through samples of 10 kB, three of which fit into a page, at one moment and later ones.
func testSamplesPage(t *testing.T, s *clickhouse.Store) {
	var rows []quality.Sample
	for i, id := range []string{"a", "b", "c", "d", "e", "f", "g"} {
		at := day0
		if i > 4 {
			at = day0.Add(time.Duration(i) * time.Minute)
		}
		rows = append(rows, quality.Sample{ID: id, Feature: "large", Time: at, Output: quality.Text(strings.Repeat("x", 10_000)), Weight: 1})
	}
	if err := s.InsertSamples(t.Context(), "SAMPLES:page", rows); err != nil {
		t.Fatal(err)
	}
	var seen []string
	from, after := day0, ""
	for more := true; more; {
		list, next, err := s.SamplesPage(t.Context(), "large", from, after, day0.AddDate(0, 0, 1), 100, 30_000)
		if err != nil || len(list) == 0 && next || len(list) > 3 {
			t.Fatalf("got %d samples, %v, %v", len(list), next, err)
		}
		for _, x := range list {
			seen = append(seen, x.ID)
			from, after = x.Time, x.ID
		}
		more = next
	}
	if got := strings.Join(seen, ""); got != "abcdefg" {
		t.Errorf("got %s", got)
	}
	if list, more, err := s.SamplesPage(t.Context(), "large", day0, "", day0.AddDate(0, 0, 1), 100, 1); err != nil || len(list) != 1 || !more {
		t.Errorf("got %d samples, %v, %v; want one that is larger than a page", len(list), more, err)
	}
	for _, feature := range []string{`' OR 1=1 --`, `\' OR 1=1 --`, "large\x00", "大きい", "", "?", "{x:String}", "$1"} {
		if list, _, err := s.SamplesPage(t.Context(), feature, day0, `' OR '1'='1`, day0.AddDate(0, 0, 1), 10, 1000); err != nil || len(list) != 0 {
			t.Errorf("%q: got %d samples, %v", feature, len(list), err)
		}
		if list, err := s.Scores(t.Context(), feature, feature, time.Unix(0, 0), time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC), 10); err != nil || len(list) != 0 {
			t.Errorf("%q: got %d scores, %v", feature, len(list), err)
		}
	}
}
