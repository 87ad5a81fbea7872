package clickhouse_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/asgood-dev/asgood/internal/clickhouse"
	"github.com/asgood-dev/asgood/internal/clickhouse/embedded"
	"github.com/asgood-dev/asgood/internal/quality"
)

func needEngine(t testing.TB) {
	t.Helper()
	if _, err := embedded.Find(""); err != nil {
		t.Skipf("the embedded engine is not installed: run `make engine` (%v)", err)
	}
}

func open(t testing.TB, o clickhouse.Options) *clickhouse.Store {
	t.Helper()
	if o.DSN == "" {
		needEngine(t)
	}
	if o.Dir == "" {
		o.Dir = t.TempDir()
	}
	if o.SampleRetention == 0 { // the samples of the tests have fixed dates
		o.SampleRetention, o.ScoreRetention = 100*365*24*time.Hour, 60*365*24*time.Hour
	}
	s, err := clickhouse.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	if _, err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

var day0 = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)

func ref(s string) *string { return &s }

// full is a sample with everything.
func full(id string, at time.Time) quality.Sample {
	return quality.Sample{
		ID: id, Time: at, Feature: "bot", Customer: "acme", Conversation: "c1", Source: "canary", Trace: "4bf9", Input: quality.Text("why; 'so' \\ \x00 é"),
		Output:    quality.Content{Messages: []quality.Message{{Role: "assistant", Content: "because"}}},
		Reference: ref(""), Context: []quality.Document{{ID: "d", Text: "t"}}, Model: "m-1", Prompt: "p@2",
		Params: map[string]any{"temperature": 0.5}, Tools: []quality.ToolCall{{Name: "refund", Arguments: json.RawMessage(`{"a":1}`)}},
		Usage: &quality.Usage{InputTokens: 3, OutputTokens: 4}, LatencyMS: 12.5, Error: "late",
		Attributes: map[string]string{"language": "de"}, Scores: map[string]float64{"thumbs": 1}, Weight: 2,
	}
}

// onBoth runs a test with the engine in process and with a server over a socket: the same engine behind
// HTTP, or the one whose address ASGOOD_TEST_CLICKHOUSE holds.
func onBoth(t *testing.T, test func(*testing.T, *clickhouse.Store)) {
	t.Run("embedded", func(t *testing.T) { test(t, open(t, clickhouse.Options{})) })
	t.Run("server", func(t *testing.T) {
		if dsn := os.Getenv("ASGOOD_TEST_CLICKHOUSE"); dsn != "" {
			s := open(t, clickhouse.Options{DSN: dsn})
			for _, table := range []string{"samples", "scores", "traffic", "probes", "score_quarters", "probe_quarters", "score_customers"} {
				if err := clickhouse.Exec(t.Context(), s, "TRUNCATE TABLE "+table); err != nil {
					t.Fatal(err)
				}
			}
			test(t, s)
			return
		}
		needEngine(t)
		engine, err := embedded.Open(embedded.Options{Dir: t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = engine.Close() })
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			res, err := engine.RoundTrip(r)
			if err != nil {
				http.Error(w, err.Error(), http.StatusBadGateway)
				return
			}
			maps.Copy(w.Header(), res.Header)
			w.WriteHeader(res.StatusCode)
			_, _ = io.Copy(w, res.Body)
		}))
		t.Cleanup(server.Close)
		test(t, open(t, clickhouse.Options{DSN: server.URL + "/default"}))
	})
}

func TestSampleRoundTrip(t *testing.T) { onBoth(t, testSampleRoundTrip) }

func testSampleRoundTrip(t *testing.T, s *clickhouse.Store) {
	at := day0.Add(1234567 * time.Microsecond)
	plain := quality.Sample{ID: "b", Time: at.Add(time.Second), Feature: "bot", Output: quality.Text("hello"), Weight: 1,
		Attributes: map[string]string{}, Scores: map[string]float64{}}
	want := []quality.Sample{full("a", at), plain}
	if err := s.InsertSamples(t.Context(), "SAMPLES:1-2", want); err != nil {
		t.Fatal(err)
	}
	got, err := s.Samples(t.Context(), "bot", day0, day0.AddDate(0, 0, 1), 10)
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v (%v)\nwant %+v", got, err, want)
	}
	if one, err := s.Sample(t.Context(), "bot", "a"); err != nil || !reflect.DeepEqual(one, want[0]) {
		t.Errorf("got %+v (%v)", one, err)
	}
	if _, err := s.Sample(t.Context(), "bot", "nope"); quality.KindOf(err) != quality.KindNotFound {
		t.Errorf("got %v, want not found", err)
	}
	if got, err := s.Samples(t.Context(), "it's", day0, day0.AddDate(0, 0, 1), 10); err != nil || len(got) != 0 {
		t.Errorf("got %v (%v), want nothing of another feature", got, err)
	}
}

func score(i int, at time.Time, v, w float64) quality.Score {
	return quality.Score{Feature: "bot", SampleID: fmt.Sprint(i), Time: at, Metric: "correct", Value: v, Scorer: "regex", Version: "1",
		Weight: w, Attributes: map[string]string{"language": "de"}}
}

func TestTheSameTokenStoresOnce(t *testing.T) { onBoth(t, testTheSameTokenStoresOnce) }

func testTheSameTokenStoresOnce(t *testing.T, s *clickhouse.Store) {
	var scores []quality.Score
	var probes []quality.ProbeResult
	for i := range 40 { // forty days, so that one insert touches many partitions
		at := day0.AddDate(0, 0, i)
		scores = append(scores, score(i, at, 1, 1))
		probes = append(probes, quality.ProbeResult{Feature: "bot", Probe: "p", Time: at, Up: i%2 == 0})
	}
	for range 3 {
		if err := s.InsertScores(t.Context(), "SCORES:1-9", scores); err != nil {
			t.Fatal(err)
		}
		if err := s.InsertProbes(t.Context(), "PROBES:1-9", probes); err != nil {
			t.Fatal(err)
		}
		if err := s.InsertTraffic(t.Context(), "TRAFFIC:1-9", []quality.Traffic{{Minute: day0, Feature: "bot", Total: 5}}); err != nil {
			t.Fatal(err)
		}
	}
	// The same rows with another token are other rows.
	if err := s.InsertTraffic(t.Context(), "TRAFFIC:10-10", []quality.Traffic{{Minute: day0, Feature: "bot", Total: 5}}); err != nil {
		t.Fatal(err)
	}
	if c, err := s.Counts(t.Context()); err != nil || c != (clickhouse.Counts{Scores: 40, Probes: 40, Traffic: 2}) {
		t.Errorf("got %+v (%v)", c, err)
	}
	days, err := s.ScoreDays(t.Context(), time.UTC, day0, day0.AddDate(0, 0, 100))
	if err != nil || len(days) != 40 {
		t.Fatalf("got %d days (%v), want 40", len(days), err)
	}
	for _, d := range days {
		if d.N != 1 {
			t.Errorf("%s: got %d scores in the roll-up, want 1", d.Day, d.N)
		}
	}
	ups, err := s.UptimeDays(t.Context(), time.UTC, day0, day0.AddDate(0, 0, 100))
	if err != nil || len(ups) != 40 || ups[0].Checks != 1 || ups[0].Up != 1 || ups[1].Up != 0 {
		t.Errorf("got %+v (%v)", ups, err)
	}
}

func TestYearsInOneInsert(t *testing.T) {
	s := open(t, clickhouse.Options{})
	var rows []quality.Sample
	for i := range 400 {
		rows = append(rows, full(fmt.Sprint(i), day0.AddDate(0, 0, -i)))
	}
	if err := s.InsertSamples(t.Context(), "SAMPLES:1-1", rows); err != nil {
		t.Fatal(err)
	}
	if c, err := s.Counts(t.Context()); err != nil || c.Samples != 400 {
		t.Errorf("got %+v (%v), want 400 samples", c, err)
	}
}

func TestDaysOfAZone(t *testing.T) { onBoth(t, testDaysOfAZone) }

func testDaysOfAZone(t *testing.T, s *clickhouse.Store) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	// 29 March 2026 has 23 hours in Berlin: from 28th 23:00 UTC to 29th 22:00 UTC.
	midnight := time.Date(2026, 3, 29, 0, 0, 0, 0, berlin)
	next := time.Date(2026, 3, 30, 0, 0, 0, 0, berlin)
	rows := []quality.Score{
		score(1, midnight.Add(-time.Microsecond), 0, 1), // the day before
		score(2, midnight, 1, 1), score(3, next.Add(-time.Microsecond), 0, 3),
		score(4, next, 1, 1),
	}
	broken := score(5, midnight, 0, 1)
	broken.Error = "judge away"
	if err := s.InsertScores(t.Context(), "SCORES:1-1", append(rows, broken)); err != nil {
		t.Fatal(err)
	}
	days, err := s.ScoreDays(t.Context(), berlin, midnight, next)
	if err != nil || len(days) != 1 {
		t.Fatalf("got %+v (%v), want one day", days, err)
	}
	d := days[0]
	if !d.Day.Equal(midnight) || d.N != 2 || d.Failed != 1 || math.Abs(d.Mean-0.25) > 1e-9 || math.Abs(d.SD-math.Sqrt(.1875*2)) > 1e-9 {
		t.Errorf("got %+v", d)
	}
	all, err := s.Scores(t.Context(), "bot", "correct", midnight, next, 10)
	if err != nil || len(all) != 3 || all[0].SampleID != "2" || !all[2].Time.Equal(rows[2].Time) || all[2].Value != 0 || all[2].Attributes["language"] != "de" {
		t.Errorf("got %+v (%v)", all, err)
	}
}

func TestMigrateAgain(t *testing.T) {
	dir := t.TempDir()
	needEngine(t)
	for i, o := range []clickhouse.Options{{Dir: dir}, {Dir: dir}, {Dir: dir, SampleRetention: 240 * time.Hour}, {Dir: dir, SampleRetention: 240 * time.Hour}} {
		s, err := clickhouse.Open(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		applied, err := s.Migrate(t.Context())
		want := []string{"[0001_schema 0002_provenance 0003_versions 0004_audit 0005_customers]", "[]", "[retention of samples]", "[]"}[i]
		if err != nil || fmt.Sprint(applied) != want {
			t.Errorf("start %d: got %v (%v), want %s", i+1, applied, err, want)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestNewerDatabaseIsRefused(t *testing.T) {
	s := open(t, clickhouse.Options{})
	if err := clickhouse.Exec(t.Context(), s, "INSERT INTO schema_migrations (version, name) SELECT 99, 'future'"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Migrate(t.Context()); quality.KindOf(err) != quality.KindConflict || !strings.Contains(err.Error(), "99") {
		t.Errorf("got %v, want a conflict that names version 99", err)
	}
}

func TestErrors(t *testing.T) { onBoth(t, testErrors) }

func testErrors(t *testing.T, s *clickhouse.Store) {
	if err := clickhouse.Exec(t.Context(), s, "DROP TABLE nope"); err == nil || !strings.Contains(err.Error(), "UNKNOWN_TABLE") || clickhouse.Code(err) != 60 {
		t.Errorf("got %v with code %d, want the engine's own with code 60", err, clickhouse.Code(err))
	}
}

func TestDeadline(t *testing.T) {
	s := open(t, clickhouse.Options{})
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, err := clickhouse.Slow(ctx, s)
	if quality.KindOf(err) != quality.KindUnavailable {
		t.Errorf("a query beyond its deadline: got %v, want unavailable", err)
	}
	if err := s.Ping(t.Context()); err != nil {
		t.Errorf("after a query was given up: %v", err)
	}
}

// The engine brings signal handlers of its own; with them a nil pointer would end the process.
func TestPanicsStayPanics(t *testing.T) {
	open(t, clickhouse.Options{})
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	var nothing *quality.Sample
	t.Log(nothing.Feature)
}

func TestAtOnce(t *testing.T) {
	s := open(t, clickhouse.Options{})
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 5 {
				id := fmt.Sprintf("%d-%d", g, i)
				if err := s.InsertSamples(context.Background(), id, []quality.Sample{full(id, day0)}); err != nil {
					t.Error(err)
				}
				if _, err := s.Sample(context.Background(), "bot", id); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if c, err := s.Counts(t.Context()); err != nil || c.Samples != 40 {
		t.Errorf("got %+v (%v)", c, err)
	}
}
