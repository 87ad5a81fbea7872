package explain

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/asgood-dev/asgood/internal/quality"
)

// Message is one message of the stream of events: a quality.Event as JSON.
type Message struct {
	Seq  uint64
	Data []byte
}

// Batch is some messages that follow each other in the stream.
type Batch struct {
	First, Last uint64
	Messages    []Message
}

// Source is the durable stream of events. What is not committed comes again.
type Source interface {
	Next(ctx context.Context) (Batch, error)
	Commit(ctx context.Context, b Batch) error
}

// Documents stores values by the id of a regression. Get of a missing one is an error of kind not found.
type Documents[T any] interface {
	Get(ctx context.Context, key string) (v T, rev uint64, err error)
	Put(ctx context.Context, key string, v T) (rev uint64, err error)
	All(ctx context.Context) ([]T, error)
	Delete(ctx context.Context, key string) error
}

// Options configures a Service. All but the times, Now, Changed, Logger and Registerer are required.
type Options struct {
	Explainer    *Explainer
	Source       Source
	Regressions  Documents[quality.Regression] // read only
	Explanations Documents[quality.Explanation]
	Evidence     Documents[quality.Evidence]
	Settle       time.Duration    // from an event to its explanation, so that the scores are stored; default 3 s
	Every        time.Duration    // an open regression is explained anew; default 5 min
	Keep         time.Duration    // how long evidence is kept after its regression; default 400 days
	Now          func() time.Time // time of the samples and of explanations; nil means time.Now
	Logger       *slog.Logger
	Registerer   prometheus.Registerer
}

const (
	defaultSettle = 3 * time.Second
	defaultEvery  = 5 * time.Minute
	defaultKeep   = 400 * 24 * time.Hour
	againAfter    = 15 * time.Second // the first time, then twice as long each time
	longestAgain  = 5 * time.Minute
	lookEvery     = time.Second
	explainTime   = 2 * time.Minute // for one explanation
	complete      = 0.9             // share of the scores of a regression that the store should have
)

func (o *Options) defaults() error {
	if o.Explainer == nil || o.Source == nil || o.Regressions == nil || o.Explanations == nil || o.Evidence == nil {
		return errors.New("explain: Explainer, Source, Regressions, Explanations and Evidence are required")
	}
	for _, d := range []struct {
		to    *time.Duration
		value time.Duration
	}{{&o.Settle, defaultSettle}, {&o.Every, defaultEvery}, {&o.Keep, defaultKeep}} {
		if *d.to <= 0 {
			*d.to = d.value
		}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Registerer == nil {
		o.Registerer = prometheus.NewRegistry()
	}
	o.Logger = o.Logger.With("component", "explain")
	return nil
}

// Service keeps an explanation of every regression. What is due is known from the documents alone, so that a
// restart forgets nothing.
type Service struct {
	o       Options
	metrics *metrics
	plan    plan
	pruned  time.Time
	away    bool
}

// New returns a service.
func New(o Options) (*Service, error) {
	if err := o.defaults(); err != nil {
		return nil, err
	}
	m, err := newMetrics(o.Registerer)
	if err != nil {
		return nil, err
	}
	return &Service{o: o, metrics: m, plan: plan{due: map[string]turn{}}}, nil
}

// Run works until ctx ends.
func (s *Service) Run(ctx context.Context) error {
	events := make(chan Batch)
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.read(ctx, events)
	}()
	defer func() { <-done }()
	s.load(ctx)
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case b := <-events:
			s.take(ctx, b)
		case <-tick.C:
			s.step(ctx, time.Now())
		}
	}
}

// read hands over batches of events.
func (s *Service) read(ctx context.Context, out chan<- Batch) {
	for ctx.Err() == nil {
		var b Batch
		s.persist(ctx, "reading events", func(ctx context.Context) (err error) {
			b, err = s.o.Source.Next(ctx)
			return err
		})
		select {
		case out <- b:
		case <-ctx.Done():
		}
	}
}

// take notes durably that the regressions of a batch are to be explained, and commits it.
func (s *Service) take(ctx context.Context, b Batch) {
	for _, m := range b.Messages {
		var ev quality.Event
		if err := json.Unmarshal(m.Data, &ev); err != nil {
			// It was written by us; if it cannot be read now it never will be.
			s.metrics.bad.Inc()
			s.o.Logger.Error("event is not readable", "seq", m.Seq, "err", err)
			continue
		}
		if ev.Regression != nil {
			s.persist(ctx, "noting a regression", func(ctx context.Context) error { return s.note(ctx, ev.Regression.Regression) })
		}
	}
	s.persist(ctx, "committing events", func(ctx context.Context) error { return s.o.Source.Commit(ctx, b) })
}

// note stores that an explanation is awaited. The one before it stays readable.
func (s *Service) note(ctx context.Context, r quality.Regression) error {
	e, _, err := s.o.Explanations.Get(ctx, r.ID)
	if err != nil && quality.KindOf(err) != quality.KindNotFound {
		return err
	}
	e.Regression, e.Feature, e.Metric, e.Range, e.Worse, e.Material = r.ID, r.Feature, r.Metric, r.Range, r.Worse, r.Material
	e.Final, e.Pending = false, "it is being worked out"
	if _, err := s.o.Explanations.Put(ctx, r.ID, e); err != nil {
		return err
	}
	s.plan.event(r.ID, time.Now().Add(s.o.Settle))
	return nil
}

// load takes up what is due after a restart: regressions that are open, and those that ended unexplained.
func (s *Service) load(ctx context.Context) {
	s.persist(ctx, "reading regressions", func(ctx context.Context) error {
		regressions, err := s.o.Regressions.All(ctx)
		if err != nil {
			return err
		}
		explanations, err := s.o.Explanations.All(ctx)
		if err != nil {
			return err
		}
		final := map[string]bool{}
		for _, e := range explanations {
			final[e.Regression] = e.Final
		}
		for _, r := range regressions {
			if r.Open() || !final[r.ID] && s.o.Now().Sub(r.DetectedAt) < s.o.Keep {
				s.plan.event(r.ID, time.Now().Add(s.o.Settle))
			}
		}
		return nil
	})
}

// step explains the regression that is due longest, if any.
func (s *Service) step(ctx context.Context, now time.Time) {
	if now.Sub(s.pruned) > 24*time.Hour {
		s.pruned = now
		if err := s.prune(ctx); err != nil && ctx.Err() == nil {
			s.o.Logger.Warn("old explanations are kept", "err", err)
		}
	}
	s.metrics.waiting.Set(float64(s.plan.waiting(now)))
	id, ok := s.plan.next(now)
	if !ok {
		return
	}
	again, err := s.explain(ctx, id, s.plan.patient(id))
	switch {
	case ctx.Err() != nil:
	case err != nil:
		s.failed(ctx, id, err)
	default:
		if s.away {
			s.o.Logger.Info("explains again")
		}
		s.away = false
		s.plan.done(id, time.Now(), again)
	}
}

// failed says so in the document, and tries again later.
func (s *Service) failed(ctx context.Context, id string, err error) {
	s.metrics.failed.Inc()
	if !s.away {
		s.away = true
		s.o.Logger.Error("does not work, trying again", "what", "explaining a regression", "id", id, "err", err)
	}
	s.plan.failed(id, time.Now())
	why := "something went wrong, see the log"
	if quality.KindOf(err) == quality.KindUnavailable || errors.Is(err, context.DeadlineExceeded) {
		why = "store away"
	}
	e, _, gerr := s.o.Explanations.Get(ctx, id)
	if gerr != nil || e.Pending == why {
		return // it is said, or the bus is away too
	}
	e.Pending = why
	_, _ = s.o.Explanations.Put(ctx, id, e) // said at the next try
}

// explain explains one regression and stores it. It returns when to do so again at the latest, 0 for never.
// While it is patient it awaits scores that the store does not have yet.
func (s *Service) explain(ctx context.Context, id string, patient bool) (again time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, explainTime)
	defer cancel()
	r, _, err := s.o.Regressions.Get(ctx, id)
	if err != nil {
		// The evaluator stores it a moment after its event.
		return 0, err
	}
	all, err := s.o.Regressions.All(ctx)
	if err != nil {
		return 0, err
	}
	began := time.Now()
	e, ev, err := s.o.Explainer.Explain(ctx, r, lastOver(all, r), s.o.Now())
	if err != nil {
		return 0, err
	}
	s.metrics.seconds.Observe(time.Since(began).Seconds())
	waits := patient && float64(e.Current.N) < complete*float64(r.Current.N) && len(r.Slice) == 0
	if old, _, err := s.o.Evidence.Get(ctx, id); err == nil && len(old.Examples) > len(ev.Examples) {
		ev = old // texts are gone from the store meanwhile
	}
	if _, err := s.o.Evidence.Put(ctx, id, ev); err != nil {
		return 0, err
	}
	e.Final = e.Final && !waits
	if _, err := s.o.Explanations.Put(ctx, id, e); err != nil {
		return 0, err
	}
	if waits || r.Open() {
		return s.o.Every, nil
	}
	return 0, nil
}

// lastOver is when the latest regression of the same metric before this one was over.
func lastOver(all []quality.Regression, r quality.Regression) (at time.Time) {
	for _, o := range all {
		if o.ID == r.ID || o.Feature != r.Feature || o.Metric != r.Metric || o.RecoveredAt == nil {
			continue
		}
		if o.RecoveredAt.Before(r.DetectedAt) && (r.StartedAt == nil || o.RecoveredAt.Before(*r.StartedAt)) {
			at = later(at, *o.RecoveredAt)
		}
	}
	return at
}

// prune removes what is older than is kept.
func (s *Service) prune(ctx context.Context) error {
	all, err := s.o.Explanations.All(ctx)
	if err != nil {
		return err
	}
	for _, e := range all {
		if !e.Final || e.After.To.IsZero() || s.o.Now().Sub(e.After.To) < s.o.Keep {
			continue
		}
		if err := errors.Join(s.o.Evidence.Delete(ctx, e.Regression), s.o.Explanations.Delete(ctx, e.Regression)); err != nil {
			return err
		}
	}
	return nil
}

// persist tries until it works or ctx ends, and tells once that it does not.
func (s *Service) persist(ctx context.Context, what string, try func(context.Context) error) {
	wait := 100 * time.Millisecond
	for failures := 0; ctx.Err() == nil; failures++ {
		err := try(ctx)
		if err == nil || ctx.Err() != nil {
			return
		}
		if failures == 0 {
			s.o.Logger.Error("does not work, trying again", "what", what, "err", err)
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
		case <-timer.C:
		}
		wait = min(2*wait, 10*time.Second)
	}
}
