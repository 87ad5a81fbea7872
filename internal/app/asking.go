package app

import (
	"context"
	"fmt"
	"path"
	"strings"
	"sync"
	"time"

	asker "github.com/asgood-dev/asgood/evaluator/ask"
	"github.com/asgood-dev/asgood/internal/bus"
	"github.com/asgood-dev/asgood/internal/quality"
	"github.com/asgood-dev/asgood/internal/wire"
)

// The buckets of scorers that ask.
const (
	bucketAsking  = "asking"  // accounts by feature and scorer
	bucketAnswers = "answers" // what was answered before
)

// readerAsk begins the names of the readers of scorers that ask.
const readerAsk = "ask/"

// What is kept of answers, so that a sample that is asked about again costs nothing.
const (
	answersTime = 7 * 24 * time.Hour
	answersSize = 256 << 20
	answerTime  = 2 * time.Second // of one look into the cache
)

// askLimits make batches whose samples share the calls of a scorer that is under way.
var askLimits = bus.BatchLimits{Messages: 64, Bytes: 2 << 20}

// askSource feeds a scorer that asks.
type askSource struct{ reader *bus.Reader }

func (s askSource) Next(ctx context.Context) (asker.Batch, error) {
	b, err := s.reader.Next(ctx, askLimits)
	if err != nil {
		return asker.Batch{}, err
	}
	out := asker.Batch{First: b.First, Last: b.Last, Messages: make([]asker.Message, len(b.Messages))}
	for i, m := range b.Messages {
		out.Messages[i] = asker.Message{Time: m.Time, Data: m.Data}
	}
	return out, nil
}

func (s askSource) Commit(ctx context.Context, b asker.Batch) error {
	return s.reader.Commit(ctx, bus.Batch{Stream: bus.Samples, First: b.First, Last: b.Last})
}

// askSink puts scores onto the stream of samples, as later scores are.
type askSink struct{ bus *bus.Bus }

func (s askSink) PublishScores(ctx context.Context, id string, scores []quality.Score) error {
	data, err := wire.Marshal(quality.Delivery{Scores: scores})
	if err != nil {
		return fmt.Errorf("encoding scores: %w", err)
	}
	_, err = s.bus.Publish(ctx, bus.Samples, bus.Message{ID: id, Data: data})
	return err
}

// askStore keeps the accounts of scorers.
type askStore struct{ docs *bus.Documents[asker.Account] }

func (s askStore) Load(ctx context.Context, feature, scorer string) (asker.Account, error) {
	a, _, err := s.docs.Get(ctx, monitorKey(feature, scorer))
	return a, err
}

func (s askStore) Save(ctx context.Context, a asker.Account) error {
	_, err := s.docs.Put(ctx, monitorKey(a.Feature, a.Scorer), a)
	return err
}

// answerCache keeps answers in a bucket. What it cannot keep or find is asked again.
type answerCache struct{ bucket *bus.Bucket }

func (c answerCache) Get(ctx context.Context, key string) ([]byte, bool) {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	data, _, err := c.bucket.Get(ctx, key)
	return data, err == nil
}

func (c answerCache) Put(ctx context.Context, key string, data []byte) {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	_, _ = c.bucket.Put(ctx, key, data) // a full cache keeps what it has
}

// askedScores knows which scores are on the stream. A message that was made from uncommitted samples lies behind
// them, and nothing behind what a reader has not committed is purged: so the stream itself tells what was
// published before a crash, however long ago.
type askedScores struct {
	bus   *bus.Bus
	after uint64

	mu  sync.Mutex
	ids map[string]bool // nil until it was read
}

func (s *askedScores) published(ctx context.Context) (func(string) bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ids == nil {
		ids := map[string]bool{}
		err := s.bus.Range(ctx, bus.Samples, s.after, func(m bus.Message) error {
			if strings.HasPrefix(m.ID, asker.ScoresPrefix) {
				ids[m.ID] = true
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		s.ids = ids
	}
	ids := s.ids // is not changed from here on
	return func(id string) bool { return ids[id] }, nil
}

// asking are the scorers of the configuration that ask, by the names of their readers.
func asking(features []quality.Feature) map[string]bool {
	out := map[string]bool{}
	for _, f := range features {
		for i := range f.Scorers {
			if f.Scorers[i].Asks() {
				out[readerAsk+monitorKey(f.Name, f.Scorers[i].Name)] = true
			}
		}
	}
	return out
}

// buildAsking builds a stage for each scorer that asks. What was kept for others is let go.
func (r *rooms) buildAsking(ctx context.Context, a *App) error {
	cfg, b := a.opts.Config, a.engines.bus
	wanted := asking(cfg.Features)
	gone := func(name string) bool { return strings.HasPrefix(name, readerAsk) && !wanted[name] }
	if err := b.ForgetReaders(ctx, bus.Samples, gone); err != nil {
		return fmt.Errorf("forgetting the readers of scorers: %w", err)
	}
	if len(wanted) == 0 {
		return nil
	}
	docs, err := documents[asker.Account](ctx, b, bucketAsking)
	if err != nil {
		return err
	}
	answers, err := b.CacheBucket(ctx, bucketAnswers, answersTime, answersSize)
	if err != nil {
		return err
	}
	key, err := secretKey(cfg.Storage.Dir)
	if err != nil {
		return err
	}
	metrics, err := asker.NewMetrics(a.registry)
	if err != nil {
		return err
	}
	asked := &askedScores{bus: b}
	o := asker.Options{Sink: askSink{b}, Store: askStore{docs}, Published: asked.published, Location: cfg.Location(),
		Now: a.opts.Now, Logger: a.log, Metrics: metrics}
	tools := asker.Tools{Secret: key, Cache: answerCache{answers}}
	for _, f := range cfg.Features {
		for _, spec := range f.Scorers {
			if !spec.Asks() {
				continue
			}
			if tools.Baseline = nil; spec.Mode == quality.JudgePairwise {
				tools.Baseline = newBaselineAnswers(a.engines.store, r.baselinePeriod(f, spec.Name)).of
			}
			o.Feature, o.Spec, o.Build = f.Name, spec, tools.Build(spec)
			if err := r.addStage(ctx, b, o, asked); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *rooms) addStage(ctx context.Context, b *bus.Bus, o asker.Options, asked *askedScores) error {
	name := readerAsk + monitorKey(o.Feature, o.Spec.Name)
	reader, err := b.Reader(ctx, bus.Samples, name)
	if err != nil {
		return fmt.Errorf("reading stream %q: %w", bus.Samples, err)
	}
	if at := reader.Committed(); len(r.asking) == 0 || at < asked.after {
		asked.after = at
	}
	o.Source = askSource{reader}
	stage, err := asker.New(o)
	if err != nil {
		return err
	}
	r.asking = append(r.asking, stage)
	r.add("scorer "+path.Base(name)+" of "+o.Feature, stage.Run)
	return nil
}
