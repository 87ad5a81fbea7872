package collector_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/asgood-dev/asgood/collector"
	"github.com/asgood-dev/asgood/internal/quality"
)

// tape is a source that gives its batches once each, again when they were not committed.
type tape struct {
	mu        sync.Mutex
	batches   []collector.Batch
	committed []string
	fail      int // calls of Next and Commit that fail
}

func (s *tape) Next(ctx context.Context) (collector.Batch, error) {
	s.mu.Lock()
	if s.fail > 0 {
		s.fail--
		s.mu.Unlock()
		return collector.Batch{}, errors.New("bus away")
	}
	if n := len(s.committed); n < len(s.batches) {
		defer s.mu.Unlock()
		return s.batches[n], nil
	}
	s.mu.Unlock()
	<-ctx.Done()
	return collector.Batch{}, ctx.Err()
}

func (s *tape) Commit(_ context.Context, b collector.Batch) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail > 0 {
		s.fail--
		return errors.New("bus away")
	}
	s.committed = append(s.committed, b.Token)
	return nil
}

func batch(token string, messages ...string) collector.Batch {
	b := collector.Batch{Token: token}
	for _, m := range messages {
		b.Messages = append(b.Messages, []byte(m))
	}
	return b
}

func runWriter(t *testing.T, src collector.Source, insert func(context.Context, string, []quality.Score) error, until time.Duration) {
	t.Helper()
	w, err := collector.NewWriter(collector.WriterOptions[quality.Score]{Name: "scores", Source: src, Insert: insert})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), until)
	defer cancel()
	if err := w.Run(ctx); err != nil {
		t.Errorf("run: %v", err)
	}
}

func TestWriterWaitsForStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := &tape{fail: 2, batches: []collector.Batch{
			batch("s/1-2", `[{"metric":"a"},{"metric":"b"}]`, `{"metric":"c"}`), batch("s/3-3", `broken`), batch("s/4-4", `[]`), batch("s/5-5", `[{"metric":"d"}]`),
		}}
		began := time.Now()
		var got []string
		runWriter(t, src, func(_ context.Context, token string, rows []quality.Score) error {
			if time.Since(began) < time.Hour {
				return quality.Errorf(quality.KindUnavailable, "store away")
			}
			for _, r := range rows {
				got = append(got, token+" "+r.Metric)
			}
			return nil
		}, 2*time.Hour)
		if want := []string{"s/1-2 a", "s/1-2 b", "s/1-2 c", "s/5-5 d"}; !reflect.DeepEqual(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
		if want := []string{"s/1-2", "s/3-3", "s/4-4", "s/5-5"}; !reflect.DeepEqual(src.committed, want) {
			t.Errorf("got committed %q, want %q", src.committed, want)
		}
	})
}

func TestWriterKeepsOnlyTheInvalidRowOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var message string
		for i := range 10 {
			message += fmt.Sprintf(`,{"metric":"%d"}`, i)
		}
		src := &tape{batches: []collector.Batch{batch("s/1-1", "["+message[1:]+"]")}}
		stored := map[string]int{}
		tokens := map[string]bool{}
		runWriter(t, src, func(_ context.Context, token string, rows []quality.Score) error {
			for _, r := range rows {
				if r.Metric == "7" {
					return quality.Errorf(quality.KindInvalid, "bad row")
				}
			}
			if tokens[token] {
				t.Errorf("token %q is used for two runs of rows", token)
			}
			tokens[token] = true
			for _, r := range rows {
				stored[r.Metric]++
			}
			return nil
		}, time.Minute)
		if len(stored) != 9 || stored["7"] != 0 || len(src.committed) != 1 {
			t.Errorf("got %v stored, %v committed", stored, src.committed)
		}
	})
}

func TestWritersShareMetrics(t *testing.T) {
	reg := prometheus.NewRegistry()
	for _, name := range []string{"samples", "scores"} {
		_, err := collector.NewWriter(collector.WriterOptions[quality.Score]{Name: name, Source: &tape{}, Registerer: reg,
			Insert: func(context.Context, string, []quality.Score) error { return nil }})
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestBackoff(t *testing.T) {
	for _, tt := range []struct {
		attempt int
		chance  float64
		want    time.Duration
	}{
		{0, 0, 100 * time.Millisecond}, {0, 1, 50 * time.Millisecond}, {3, 0, 800 * time.Millisecond},
		{10, 0, 30 * time.Second}, {1000, 0, 30 * time.Second}, {1000, 1, 15 * time.Second},
	} {
		if got := collector.Backoff(tt.attempt, 30*time.Second, tt.chance); got != tt.want {
			t.Errorf("attempt %d, chance %v: got %s, want %s", tt.attempt, tt.chance, got, tt.want)
		}
	}
}
