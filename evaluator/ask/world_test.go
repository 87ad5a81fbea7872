package ask_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/asgood-dev/asgood/evaluator/ask"
	"github.com/asgood-dev/asgood/internal/quality"
	"github.com/asgood-dev/asgood/internal/wire"
)

// store keeps accounts in memory.
type store struct {
	mu sync.Mutex
	a  ask.Account
	ok bool
}

func (s *store) Load(context.Context, string, string) (ask.Account, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.ok {
		return ask.Account{}, quality.Errorf(quality.KindNotFound, "no account")
	}
	return s.a, nil
}

func (s *store) Save(_ context.Context, a ask.Account) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.a, s.ok = a, true
	return nil
}

// sink collects scores by message.
type sink struct {
	mu     sync.Mutex
	scores map[string][]quality.Score
}

func (s *sink) PublishScores(_ context.Context, id string, scores []quality.Score) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.scores == nil {
		s.scores = map[string][]quality.Score{}
	}
	s.scores[id] = scores
	return nil
}

func (s *sink) all() (out []quality.Score) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, list := range s.scores {
		out = append(out, list...)
	}
	return out
}

// feed is a source that hands out what it is given.
type feed struct {
	batches chan ask.Batch
	done    chan uint64
}

func newFeed() *feed { return &feed{make(chan ask.Batch), make(chan uint64, 100_000)} }

func (f *feed) Next(ctx context.Context) (ask.Batch, error) {
	select {
	case b := <-f.batches:
		return b, nil
	case <-ctx.Done():
		return ask.Batch{}, ctx.Err()
	}
}

func (f *feed) Commit(_ context.Context, b ask.Batch) error {
	f.done <- b.Last
	return nil
}

func (f *feed) give(t *testing.T, seq uint64, n int) {
	t.Helper()
	f.batches <- batch(t, seq, n)
}

func batch(t *testing.T, seq uint64, n int) ask.Batch {
	t.Helper()
	return ask.Batch{First: seq, Last: seq, Messages: []ask.Message{{Time: time.Now(), Data: delivery(t, seq, n)}}}
}

func delivery(t *testing.T, seq uint64, n int) []byte {
	t.Helper()
	var d quality.Delivery
	for i := range n {
		d.Samples = append(d.Samples, quality.Sample{ID: fmt.Sprintf("s-%d-%d", seq, i), Feature: "support", Time: time.Now().UTC(),
			Output: quality.Text("x"), Weight: 2})
	}
	data, err := wire.Marshal(&d)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// scorer says what a function says.
type scorer struct {
	spent func(quality.Spend)
	score func(ctx context.Context, s *quality.Sample) (float64, error)
}

func (s *scorer) Score(ctx context.Context, x quality.Sample) ([]quality.Score, error) {
	s.spent(quality.Spend{Calls: 1, Cost: 0.01})
	v, err := s.score(ctx, &x)
	if err != nil {
		return nil, err
	}
	sc := quality.NewScore(&x, "faithful", "judge", "v1")
	sc.Value = v
	return []quality.Score{sc}, nil
}

func (s *scorer) Version() string { return "v1" }
func (s *scorer) Calls() int      { return 1 }
func (s *scorer) Close() error    { return nil }

func options(f ask.Source, out ask.Sink, st ask.Store, spec quality.ScorerSpec, score func(context.Context, *quality.Sample) (float64, error)) ask.Options {
	spec.Name, spec.Type = "faithful", quality.ScorerJudge
	return ask.Options{Feature: "support", Spec: spec, Source: f, Sink: out, Store: st,
		Build: func(spent func(quality.Spend)) (ask.Scorer, error) { return &scorer{spent, score}, nil }}
}

// start runs a stage until the returned function is called.
func start(t *testing.T, o ask.Options) (*ask.Stage, func()) {
	t.Helper()
	s, err := ask.New(o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	return s, func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("the stage ended with %v", err)
		}
	}
}
