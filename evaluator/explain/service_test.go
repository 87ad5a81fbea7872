package explain

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
)

// memory keeps documents.
type memory[T any] struct {
	mu   sync.Mutex
	docs map[string]T
	puts int
}

func newMemory[T any]() *memory[T] { return &memory[T]{docs: map[string]T{}} }

func (m *memory[T]) Get(_ context.Context, key string) (v T, rev uint64, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	v, ok := m.docs[key]
	if !ok {
		return v, 0, quality.Errorf(quality.KindNotFound, "no document %q", key)
	}
	return v, 1, nil
}

func (m *memory[T]) Put(_ context.Context, key string, v T) (uint64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.docs[key] = v
	m.puts++
	return 1, nil
}

func (m *memory[T]) All(context.Context) ([]T, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Collect(maps.Values(m.docs)), nil
}

func (m *memory[T]) Delete(_ context.Context, key string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.docs, key)
	return nil
}

// feed is a stream of events.
type feed struct {
	events    chan quality.Event
	committed int
}

func (f *feed) Next(ctx context.Context) (Batch, error) {
	select {
	case ev := <-f.events:
		data, err := json.Marshal(ev)
		return Batch{Messages: []Message{{Data: data}, {Data: []byte("{")}}}, err
	case <-ctx.Done():
		return Batch{}, ctx.Err()
	}
}

func (f *feed) Commit(context.Context, Batch) error { f.committed++; return nil }

// scores is a store that may be away.
type scores struct {
	mu    sync.Mutex
	away  error
	asked int
}

func (s *scores) set(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.away = err
}

func (s *scores) ScoreAttributes(context.Context, quality.ScoreQuery) ([]string, error) {
	return []string{"language"}, nil
}

func (s *scores) ScoreCells(context.Context, quality.ScoreQuery, []string, int) ([]quality.ScoreCell, error) {
	all := quality.ScoreCell{Before: sumsOf(1000, 0.9), After: sumsOf(1000, 0.8)}
	return []quality.ScoreCell{all, {Attribute: "language", Value: "de", Before: sumsOf(500, 0.9), After: sumsOf(500, 0.7)},
		{Attribute: "language", Value: "en", Before: sumsOf(500, 0.9), After: sumsOf(500, 0.9)}}, nil
}

func (s *scores) ScoreSplit(context.Context, quality.ScoreQuery, string, string, string, int) ([]quality.SplitCell, error) {
	return nil, nil
}

func (s *scores) ScoreSteps(context.Context, quality.ScoreQuery, quality.Period, int) ([]quality.ScoreStep, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked++
	return nil, s.away
}

func (s *scores) ExtremeScores(context.Context, quality.ScoreQuery, quality.Period, bool, int, int) ([]quality.ScoredSample, error) {
	return nil, nil
}

func (s *scores) SamplesOf(context.Context, string, []quality.ScoredSample) ([]quality.Sample, error) {
	return nil, nil
}

// nothing is a ledger without entries.
type nothing struct{}

func (nothing) Changes(context.Context, string) ([]quality.Change, error) { return nil, nil }

func (nothing) Behaviours(context.Context, string) ([]quality.BehaviourHistory, error) {
	return nil, nil
}

// world is a service and all around it.
type world struct {
	store        *scores
	feed         *feed
	regressions  *memory[quality.Regression]
	explanations *memory[quality.Explanation]
	evidence     *memory[quality.Evidence]
}

func newWorld() *world {
	return &world{&scores{}, &feed{events: make(chan quality.Event)}, newMemory[quality.Regression](), newMemory[quality.Explanation](), newMemory[quality.Evidence]()}
}

// run runs a service until stop.
func (w *world) run(t *testing.T) (stop func()) {
	t.Helper()
	x, err := NewExplainer(ExplainerOptions{Store: w.store, Ledger: nothing{}})
	if err != nil {
		t.Fatal(err)
	}
	s, err := New(Options{Explainer: x, Source: w.feed, Regressions: w.regressions, Explanations: w.explanations, Evidence: w.evidence, Keep: 2 * time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- s.Run(ctx) }()
	return func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

func (w *world) tell(r quality.Regression, typ quality.RegressionEventType) {
	_, _ = w.regressions.Put(context.Background(), r.ID, r)
	w.feed.events <- quality.Event{Regression: &quality.RegressionEvent{Type: typ, Regression: r}}
}

func (w *world) explanation(id string) quality.Explanation {
	e, _, _ := w.explanations.Get(context.Background(), id)
	return e
}

// wait lets the bubble's time pass.
func wait(t *testing.T, d time.Duration) {
	t.Helper()
	<-time.After(d)
	synctest.Wait()
}

func regression(id string) quality.Regression {
	start := time.Now().Add(-time.Hour)
	return quality.Regression{ID: id, Feature: "bot", Metric: "good", Range: [2]float64{0, 1}, Worse: quality.WorseLower, StartedAt: &start, DetectedAt: time.Now()}
}

func TestExplainsAndKeepsUpToDate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		stop := w.run(t)
		r := regression("r1")
		w.tell(r, quality.RegressionOpened)
		wait(t, time.Second)
		if e := w.explanation("r1"); !strings.Contains(strings.Join(e.Sentences(), ""), "Not explained yet: it is being worked out.") {
			t.Errorf("got %v", e.Sentences())
		}
		wait(t, 10*time.Second)
		if e := w.explanation("r1"); e.Pending != "" || e.Change == nil || len(e.Slices) != 1 || e.Final || w.feed.committed != 1 {
			t.Errorf("got %+v", e)
		}
		wait(t, time.Hour)
		if w.store.asked < 12 || w.store.asked > 20 {
			t.Errorf("explained %d times in an hour, want about every 5 minutes", w.store.asked)
		}
		over := time.Now()
		r.RecoveredAt = &over
		w.tell(r, quality.RegressionRecovered)
		wait(t, 10*time.Second)
		asked := w.store.asked
		if e := w.explanation("r1"); !e.Final || !e.After.To.Equal(over) {
			t.Errorf("got %+v, want the last one", e)
		}
		if wait(t, time.Hour); w.store.asked != asked {
			t.Errorf("explained again %d times after it was over", w.store.asked-asked)
		}
		wait(t, 2*time.Hour)
		stop()
		stop = w.run(t) // old documents are looked for at the start and once a day
		wait(t, 10*time.Second)
		stop()
		if len(w.explanations.docs)+len(w.evidence.docs) != 0 {
			t.Error("the documents outlive what is kept")
		}
	})
}

func TestStoreAwayAndRestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		stop := w.run(t)
		w.store.set(quality.Errorf(quality.KindUnavailable, "connection refused"))
		r := regression("r1")
		over := time.Now()
		r.RecoveredAt = &over
		w.tell(r, quality.RegressionRecovered)
		wait(t, time.Minute)
		e := w.explanation("r1")
		if text := e.Sentences()[0]; text != "Not explained yet: store away." {
			t.Errorf("got %q", text)
		}
		if w.store.asked > 5 {
			t.Errorf("tried %d times in a minute", w.store.asked)
		}
		stop()
		w.store.set(nil)
		stop = w.run(t)
		wait(t, time.Minute)
		if e := w.explanation("r1"); !e.Final || e.Pending != "" {
			t.Errorf("got %+v after the restart", e)
		}
		w.store.set(errors.New("broken"))
		w.tell(regression("r2"), quality.RegressionOpened)
		wait(t, time.Minute)
		if e := w.explanation("r2"); strings.Contains(e.Pending, "broken") || e.Pending == "" {
			t.Errorf("got %q, want that it went wrong without the error's text", e.Pending)
		}
		stop()
	})
}

func TestManyAtOnceAreAllExplained(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		defer w.run(t)()
		for i := range 200 {
			w.tell(regression("r"+string(rune('a'+i/26))+string(rune('a'+i%26))), quality.RegressionOpened)
		}
		wait(t, 30*time.Minute)
		for id, e := range w.explanations.docs {
			if e.Change == nil {
				t.Errorf("%s is not explained", id)
			}
		}
	})
}

func TestUsualTimeBeginsAfterTheOneBefore(t *testing.T) {
	over := begin.Add(-time.Hour)
	start := begin
	r := quality.Regression{ID: "b", Feature: "bot", Metric: "good", StartedAt: &start, DetectedAt: begin.Add(time.Minute)}
	all := []quality.Regression{{ID: "a", Feature: "bot", Metric: "good", DetectedAt: begin.Add(-3 * time.Hour), RecoveredAt: &over}, r,
		{ID: "c", Feature: "bot", Metric: "other", RecoveredAt: &start}}
	if got := lastOver(all, r); !got.Equal(over) {
		t.Errorf("got %v, want %v", got, over)
	}
}
