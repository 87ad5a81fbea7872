package app

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	asker "github.com/asgood-dev/asgood/evaluator/ask"
	"github.com/asgood-dev/asgood/internal/bus"
	"github.com/asgood-dev/asgood/internal/quality"
	"github.com/asgood-dev/asgood/internal/wire"
)

// fixedScorer gives every sample the same score.
type fixedScorer struct{ spent func(quality.Spend) }

func (s fixedScorer) Score(_ context.Context, x quality.Sample) ([]quality.Score, error) {
	s.spent(quality.Spend{Calls: 1})
	sc := quality.NewScore(&x, "faithful", "judge", "v1")
	sc.Value = 3
	return []quality.Score{sc}, nil
}

func (fixedScorer) Version() string { return "v1" }
func (fixedScorer) Calls() int      { return 1 }
func (fixedScorer) Close() error    { return nil }

// dying lets a number of steps happen and then ends the life of a process: nothing is published or committed
// any more.
type dying struct {
	asker.Source
	asker.Sink
	kill context.CancelFunc

	mu        sync.Mutex
	steps     int
	published map[string]int
}

var errDead = errors.New("dead")

func (d *dying) step() error {
	if d.steps--; d.steps < 0 {
		d.kill()
		return errDead
	}
	return nil
}

func (d *dying) PublishScores(ctx context.Context, id string, scores []quality.Score) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.step(); err != nil {
		return err
	}
	err := d.Sink.PublishScores(ctx, id, scores)
	if err == nil {
		d.published[id]++
	}
	return err
}

func (d *dying) Commit(ctx context.Context, b asker.Batch) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.step(); err != nil {
		return err
	}
	return d.Source.Commit(ctx, b)
}

const askedSamples = 400

// Whenever a scorer dies, each sample has one score in the end, and no message is published a second time: the
// stream itself tells what is on it, not only the bus's memory of ids.
func TestAskedOnceWhenKilledAtAnyStep(t *testing.T) {
	dir := t.TempDir()
	published := map[string]int{}
	for life := 0; ; life++ {
		if life > 200 {
			t.Fatal("it does not end")
		}
		if liveOnce(t, dir, life, published) {
			break
		}
	}
	for id, n := range published {
		if n != 1 {
			t.Errorf("%s was published %d times", id, n)
		}
	}
	checkAskedOnce(t, dir)
}

// liveOnce runs a scorer until it dies, and reports whether nothing was left to do.
func liveOnce(t *testing.T, dir string, life int, published map[string]int) bool {
	t.Helper()
	b, err := bus.Open(t.Context(), bus.Options{Dir: dir, Registerer: prometheus.NewRegistry()})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	}()
	reader, err := b.Reader(t.Context(), bus.Samples, "ask/support/faithful")
	if err != nil {
		t.Fatal(err)
	}
	if life == 0 {
		publishSamples(t, b)
	}
	docs, err := documents[asker.Account](t.Context(), b, bucketAsking)
	if err != nil {
		t.Fatal(err)
	}
	ctx, kill := context.WithTimeout(t.Context(), 3*time.Second)
	defer kill()
	asked := &askedScores{bus: b, after: reader.Committed()}
	d := &dying{Source: askSource{reader}, Sink: askSink{b}, kill: kill, steps: 1 + life%4, published: published}
	stage, err := asker.New(asker.Options{
		Feature: "support", Source: d, Sink: d, Store: askStore{docs}, Published: asked.published,
		Spec:  quality.ScorerSpec{Name: "faithful", Type: quality.ScorerJudge, Rate: new(0.7)},
		Build: func(spent func(quality.Spend)) (asker.Scorer, error) { return fixedScorer{spent}, nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := stage.Run(ctx); err != nil {
		t.Fatal(err)
	}
	lag, err := reader.Lag(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return lag == 0
}

func publishSamples(t *testing.T, b *bus.Bus) {
	t.Helper()
	for i := range askedSamples / 4 {
		var d quality.Delivery
		for k := range 4 {
			d.Samples = append(d.Samples, quality.Sample{ID: fmt.Sprintf("s-%d", 4*i+k), Feature: "support", Output: quality.Text("x"), Time: time.Now().UTC()})
		}
		data, err := wire.Marshal(&d)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := b.Publish(t.Context(), bus.Samples, bus.Message{Data: data}); err != nil {
			t.Fatal(err)
		}
	}
}

func checkAskedOnce(t *testing.T, dir string) {
	t.Helper()
	b, err := bus.Open(t.Context(), bus.Options{Dir: dir, Registerer: prometheus.NewRegistry()})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = b.Close() }()
	scores := map[string]int{}
	err = b.Range(t.Context(), bus.Samples, 0, func(m bus.Message) error {
		var d quality.Delivery
		if err := wire.Unmarshal(m.Data, &d); err != nil {
			return err
		}
		for _, sc := range d.Scores {
			scores[sc.SampleID]++
			if sc.Weight != 1/0.7 {
				t.Errorf("weight %v", sc.Weight)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if n := len(scores); n < 230 || n > 330 {
		t.Errorf("%d of %d samples have scores, want about seven in ten", n, askedSamples)
	}
	for id, n := range scores {
		if n != 1 {
			t.Errorf("sample %s has %d scores", id, n)
		}
	}
}
