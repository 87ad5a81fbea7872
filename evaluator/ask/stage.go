package ask

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/asgood-dev/asgood/internal/quality"
	"github.com/asgood-dev/asgood/internal/wire"
)

// chunkSize is how many samples of a batch share one message of scores.
const chunkSize = 32

// Options configures a Stage.
type Options struct {
	Feature   string
	Spec      quality.ScorerSpec // with its defaults
	Build     func(spent func(quality.Spend)) (Scorer, error)
	Source    Source
	Sink      Sink
	Store     Store
	Published func(ctx context.Context) (func(id string) bool, error) // which scores are on the stream already; asked once, at the start
	Location  *time.Location                                          // of the days that budgets and sums are of; default UTC
	Now       func() time.Time                                        // default time.Now; periods are told by it
	Logger    *slog.Logger                                            // nil means silence
	Metrics   *Metrics                                                // nil means none
}

// Stage asks for the scores of one scorer. Its exported methods are safe for concurrent use.
type Stage struct {
	o       Options
	log     *slog.Logger
	scorer  Scorer
	purse   *purse
	circuit circuit
	meter   meter
	secrets *strings.Replacer // what an endpoint that repeats its request must not get into a score
}

// New builds a stage. Nothing is read before Run.
func New(o Options) (*Stage, error) {
	if o.Source == nil || o.Sink == nil || o.Store == nil || o.Build == nil {
		return nil, errors.New("ask: Source, Sink, Store and Build are required")
	}
	if o.Location == nil {
		o.Location = time.UTC
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Metrics == nil {
		var err error
		if o.Metrics, err = NewMetrics(nil); err != nil {
			return nil, err
		}
	}
	o.Spec = o.Spec.AskingDefaults()
	s := &Stage{o: o, secrets: secretsOf(&o.Spec), log: o.Logger.With("component", "ask", "feature", o.Feature, "scorer", o.Spec.Name),
		meter: meter{o.Metrics, []string{o.Feature, o.Spec.Name}}}
	s.purse = &purse{store: o.Store, loc: o.Location, now: o.Now, quota: o.Spec.Budget}
	var err error
	if s.scorer, err = o.Build(s.spent); err != nil {
		return nil, fmt.Errorf("feature %q: scorer %q: %w", o.Feature, o.Spec.Name, err)
	}
	s.purse.calls = max(1, s.scorer.Calls())
	return s, nil
}

func (s *Stage) spent(x quality.Spend) {
	s.meter.spent(x)
	s.purse.spent(x)
}

// Is reports whether the stage is that of a scorer of a feature.
func (s *Stage) Is(feature, scorer string) bool {
	return s.o.Feature == feature && s.o.Spec.Name == scorer
}

// SpentOnAnchors notes what the anchors of a judge took. It does not touch the budget of samples.
func (s *Stage) SpentOnAnchors(x quality.Spend) {
	s.meter.spent(x)
	s.purse.note(func(d *Day) { d.Anchors.Add(x) })
}

// Run works until the context ends. It returns nil when it was the context that ended it. What is away is
// tried again until it is back.
func (s *Stage) Run(ctx context.Context) (err error) {
	defer func() { err = errors.Join(err, s.scorer.Close()) }()
	err = s.run(ctx)
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		err = nil
	}
	if saveErr := s.purse.rest(last); saveErr != nil {
		s.log.Warn("the account of a scorer is not saved", "err", saveErr)
	}
	return err
}

func (s *Stage) run(ctx context.Context) error {
	err := s.retry(ctx, "reading the account of a scorer", func(ctx context.Context) error {
		return s.purse.load(ctx, s.o.Feature, s.o.Spec.Name)
	})
	if err != nil {
		return err
	}
	published := func(string) bool { return false }
	if s.o.Published != nil {
		err := s.retry(ctx, "reading which scores are published", func(ctx context.Context) (err error) {
			published, err = s.o.Published(ctx)
			return err
		})
		if err != nil {
			return err
		}
	}
	for again := true; ; again = false { // only the first batch can be one of before
		if err := s.next(ctx, published, again); err != nil {
			return err
		}
	}
}

func (s *Stage) next(ctx context.Context, published func(string) bool, again bool) error {
	var b Batch
	err := s.retry(ctx, "reading samples", func(ctx context.Context) (err error) {
		b, err = s.o.Source.Next(ctx)
		return err
	})
	if err != nil {
		return err
	}
	if err := s.work(ctx, b, published, again); err != nil {
		return err
	}
	return s.retry(ctx, "committing samples", func(ctx context.Context) error { return s.o.Source.Commit(ctx, b) })
}

// item is a sample of a batch, and until when it may be asked about.
type item struct {
	sample   quality.Sample
	deadline time.Time
}

// items are the samples of the feature in a batch.
func (s *Stage) items(b Batch) (out []item) {
	for _, m := range b.Messages {
		d, err := wire.ReadDelivery(m.Data)
		if err != nil {
			s.meter.lost.WithLabelValues(s.meter.labels...).Inc()
			s.log.Error("message of samples is not readable", "err", err)
			continue
		}
		for i := range d.Samples {
			if d.Samples[i].Feature == s.o.Feature && s.o.Spec.Takes(&d.Samples[i]) {
				out = append(out, item{d.Samples[i], m.Time.Add(s.o.Spec.Patience)})
			}
		}
	}
	return out
}

// chunk is some samples whose scores share a message.
type chunk struct {
	id     string
	scores [][]quality.Score
	done   sync.WaitGroup
}

// work asks about the samples of a batch, many at a time, and publishes their scores in their order.
func (s *Stage) work(ctx context.Context, b Batch, published func(string) bool, again bool) error {
	items := s.items(b)
	if len(items) == 0 {
		return nil
	}
	var rate float64
	at := b.Messages[len(b.Messages)-1].Time
	err := s.retry(ctx, "saving the rate of a scorer", func(ctx context.Context) (err error) {
		rate, err = s.purse.plan(ctx, *s.o.Spec.Rate, len(items), at, again)
		return err
	})
	if err != nil {
		return err
	}
	s.meter.rate.WithLabelValues(s.meter.labels...).Set(rate)
	chunks := s.chunks(b, len(items))
	group, both := errgroup.WithContext(ctx)
	group.Go(func() error { return s.publish(both, chunks) })
	group.Go(func() error {
		s.askAll(both, items, chunks, rate, published)
		return nil
	})
	if err := group.Wait(); err != nil {
		return err
	}
	s.purse.arrived(len(items), at)
	return s.retry(ctx, "saving the account of a scorer", s.purse.save)
}

func (s *Stage) chunks(b Batch, n int) []*chunk {
	out := make([]*chunk, 0, (n+chunkSize-1)/chunkSize)
	for from := 0; from < n; from += chunkSize {
		size := min(chunkSize, n-from)
		c := &chunk{scores: make([][]quality.Score, size), id: ScoresID(s.o.Feature, s.o.Spec.Name, b.First, b.Last, len(out))}
		c.done.Add(size)
		out = append(out, c)
	}
	return out
}

// ScoresPrefix begins the id of each message of scores that were asked for.
const ScoresPrefix = "ask/"

// ScoresID names a message of scores by the batch that its samples came in. Batches keep their boundaries over
// a restart, so the same samples have the same id.
func ScoresID(feature, scorer string, first, last uint64, chunk int) string {
	return fmt.Sprintf("%s%s/%s/%d-%d/%d", ScoresPrefix, feature, scorer, first, last, chunk)
}

// askAll asks about the chosen samples, a bounded number at a time. Chunks that are published are passed.
func (s *Stage) askAll(ctx context.Context, items []item, chunks []*chunk, rate float64, published func(string) bool) {
	var group errgroup.Group
	group.SetLimit(s.o.Spec.Concurrency)
	for i := range items {
		c := chunks[i/chunkSize]
		if published(c.id) {
			c.done.Done()
			continue
		}
		s.seen()
		if draw(s.o.Feature, items[i].sample.ID) >= rate || ctx.Err() != nil {
			c.done.Done()
			continue
		}
		group.Go(func() error {
			defer c.done.Done()
			c.scores[i%chunkSize] = s.one(ctx, &items[i], rate)
			return nil
		})
	}
	_ = group.Wait() // no function of it fails
}

func (s *Stage) seen() {
	s.meter.seen.WithLabelValues(s.meter.labels...).Inc()
	s.purse.note(func(d *Day) { d.Seen++ })
}

// publish publishes the scores of each chunk when its samples are done.
func (s *Stage) publish(ctx context.Context, chunks []*chunk) error {
	for _, c := range chunks {
		c.done.Wait()
		if ctx.Err() != nil {
			return ctx.Err()
		}
		var scores []quality.Score
		for _, list := range c.scores {
			scores = append(scores, list...)
		}
		if len(scores) == 0 {
			continue
		}
		err := s.retry(ctx, "publishing scores", func(ctx context.Context) error { return s.o.Sink.PublishScores(ctx, c.id, scores) })
		if err != nil {
			return err
		}
	}
	return nil
}

const (
	retryFirst   = 100 * time.Millisecond
	retryLongest = 10 * time.Second
)

// retry tries until it succeeds or the context ends. A failure is logged when it begins and when it is over.
func (s *Stage) retry(ctx context.Context, what string, try func(context.Context) error) error {
	for wait, failed := retryFirst, false; ; wait = min(2*wait, retryLongest) {
		err := try(ctx)
		switch {
		case err == nil && failed:
			s.log.Info("works again", "what", what)
			return nil
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		case !failed:
			s.log.Error("does not work, trying again", "what", what, "err", err)
		}
		failed = true
		if !pause(ctx, wait) {
			return ctx.Err()
		}
	}
}

// pause waits and reports whether ctx did not end meanwhile.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
