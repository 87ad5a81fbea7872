package clickhouse_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/asgood-dev/asgood/internal/clickhouse"
	"github.com/asgood-dev/asgood/internal/quality"
)

// plainSums are the sums of a customer's scores by day, metric by metric, made without the store.
func plainSums(scores []quality.Score, names map[string]bool, loc *time.Location, from, to time.Time) map[string]quality.ScoreDay {
	type sums struct{ w, wv, wvv float64 }
	days, of := map[string]quality.ScoreDay{}, map[string]sums{}
	for _, s := range scores {
		if !names[s.Customer] || s.Aside || s.Source != "" || s.Time.Before(from) || !s.Time.Before(to) {
			continue
		}
		key := s.Metric + s.Time.In(loc).Format(time.DateOnly)
		d, x := days[key], of[key]
		if s.Error != "" {
			d.Failed++
		} else {
			d.N++
			x = sums{x.w + s.Weight, x.wv + s.Weight*s.Value, x.wvv + s.Weight*s.Value*s.Value}
		}
		if x.w > 0 {
			d.Mean = x.wv / x.w
		}
		if d.N > 1 {
			d.SD = math.Sqrt(max(0, x.wvv/x.w-d.Mean*d.Mean) * float64(d.N) / float64(d.N-1))
		}
		days[key], of[key] = d, x
	}
	return days
}

// customerScores are some of several customers, with all that does not count among them.
func customerScores(r *rand.Rand, from time.Time, days int) (out []quality.Score) {
	for i := range 400 {
		s := score(i, from.Add(time.Duration(r.IntN(days*24*3600))*time.Second), r.Float64(), 1+4*r.Float64())
		s.Customer = []string{"", "acme", "acme-eu", "zenith", "O'Neil \\ \"co\""}[r.IntN(5)]
		s.Metric = []string{"correct", "polite"}[r.IntN(2)]
		switch r.IntN(10) {
		case 0:
			s.Error = "judge away"
		case 1:
			s.Aside = true
		case 2:
			s.Source = "canary"
		}
		out = append(out, s)
	}
	return out
}

func checkCustomerDays(t *testing.T, s *clickhouse.Store, scores []quality.Score, loc *time.Location, from, to time.Time) {
	t.Helper()
	for _, names := range [][]string{{"acme"}, {"acme", "acme-eu"}, {"O'Neil \\ \"co\""}, {"nobody"}} {
		set := map[string]bool{}
		for _, n := range names {
			set[n] = true
		}
		want := plainSums(scores, set, loc, from, to)
		got, err := s.CustomerDays(t.Context(), names, loc, from, to)
		if err != nil || len(got) != len(want) {
			t.Errorf("%q: got %d days (%v), want %d", names, len(got), err, len(want))
		}
		for _, d := range got {
			w := want[d.Metric+d.Day.In(loc).Format(time.DateOnly)]
			if d.Feature != "bot" || d.N != w.N || d.Failed != w.Failed || math.Abs(d.Mean-w.Mean) > 1e-9 || math.Abs(d.SD-w.SD) > 1e-6 {
				t.Errorf("%q: got %+v, want %+v", names, d, w)
			}
		}
	}
}

func TestCustomerDays(t *testing.T) { onBoth(t, testCustomerDays) }

func testCustomerDays(t *testing.T, s *clickhouse.Store) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	// The days around the one of 23 hours; what is before and after them does not count.
	from, to := time.Date(2026, 3, 27, 0, 0, 0, 0, berlin), time.Date(2026, 3, 31, 0, 0, 0, 0, berlin)
	scores := customerScores(rand.New(rand.NewPCG(1, 2)), from.AddDate(0, 0, -1), 7)
	for i := range 2 { // a batch that comes again counts once
		for part := range 4 {
			if err := s.InsertScores(t.Context(), fmt.Sprintf("SCORES:%d-%d", part*100+1, part*100+100), scores[part*100:part*100+100]); err != nil {
				t.Fatal(i, err)
			}
		}
	}
	checkCustomerDays(t, s, scores, berlin, from, to)
}

// A database that was filled before there were sums of customers gets them once, also when the step was cut short.
func TestCustomerDaysOfAnOlderDatabase(t *testing.T) {
	s := open(t, clickhouse.Options{})
	from := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	scores := customerScores(rand.New(rand.NewPCG(3, 4)), from, 5)
	older := func() {
		for _, statement := range []string{"DROP VIEW IF EXISTS score_customers_view", "DROP TABLE IF EXISTS score_customers", "DELETE FROM schema_migrations WHERE version >= 5"} {
			if err := clickhouse.Exec(t.Context(), s, statement); err != nil {
				t.Fatal(err)
			}
		}
	}
	older()
	if err := s.InsertScores(t.Context(), "SCORES:1-300", scores[:300]); err != nil {
		t.Fatal(err)
	}
	if applied, err := s.Migrate(t.Context()); err != nil || fmt.Sprint(applied) != "[0005_customers]" {
		t.Fatalf("got %v %v", applied, err)
	}
	if err := clickhouse.Exec(t.Context(), s, "DELETE FROM schema_migrations WHERE version >= 5"); err != nil { // cut short before it was noted
		t.Fatal(err)
	}
	if _, err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := s.InsertScores(t.Context(), "SCORES:301-400", scores[300:]); err != nil {
		t.Fatal(err)
	}
	checkCustomerDays(t, s, scores, time.UTC, from, from.AddDate(0, 0, 5))
}

// Sums of customers go when their scores do.
func TestCustomerDaysAreRetainedAsScores(t *testing.T) {
	dir := t.TempDir()
	needEngine(t)
	for i, o := range []clickhouse.Options{{Dir: dir}, {Dir: dir, ScoreRetention: 100 * 24 * time.Hour}} {
		s, err := clickhouse.Open(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		applied, err := s.Migrate(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(applied); i == 1 && got != "[retention of scores retention of traffic retention of probes retention of score_quarters retention of probe_quarters retention of score_customers]" {
			t.Errorf("got %s", got)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
