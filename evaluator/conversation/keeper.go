package conversation

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/asgood-dev/asgood/internal/quality"
)

// Bounds of the work.
const (
	longest   = 24 * time.Hour // turns further back than this before the last look are not found any more
	page      = 500            // conversations listed at once
	maxBehind = 1000           // messages that the store may lack: less than its writer takes at once
	minPause  = time.Second
	maxPause  = time.Minute
)

// Store holds the turns.
type Store interface {
	// Conversations returns the ids of a feature's conversations whose latest turn is in [from, to), by id
	// and at most limit, after one id. Turns before begin are not looked at.
	Conversations(ctx context.Context, feature string, begin, from, to time.Time, after string, limit int) ([]string, error)
	// Turns returns a conversation's samples since a time, the oldest first, at most limit.
	Turns(ctx context.Context, feature, conversation string, since time.Time, limit int) ([]quality.Sample, error)
}

// Taker takes samples in. It takes each id of a feature once.
type Taker interface {
	Take(ctx context.Context, samples []quality.Sample) error
}

// Progress says up to when the conversations of a feature were looked at.
type Progress struct {
	Until time.Time `json:"until"`
}

// State keeps how far the work has come, by feature.
type State interface {
	Load(ctx context.Context, feature string) (Progress, bool, error)
	Save(ctx context.Context, feature string, p Progress) error
}

// Options configures a Keeper. All but Logger and Registerer are required.
type Options struct {
	Features []quality.Feature
	Store    Store
	Taker    Taker
	State    State
	// Behind returns how many messages the store lacks of what was taken in. While it lacks many, a
	// conversation that seems to be over may not be, so the work waits.
	Behind     func(ctx context.Context) (uint64, error)
	Now        func() time.Time
	Logger     *slog.Logger // nil means silence
	Registerer prometheus.Registerer
}

// Keeper watches for conversations that are over.
type Keeper struct {
	opts     Options
	features []quality.Feature // that score conversations
	joined   *prometheus.CounterVec
	failures prometheus.Counter
	until    *prometheus.GaugeVec
}

// New makes a keeper.
func New(o Options) (*Keeper, error) {
	if o.Store == nil || o.Taker == nil || o.State == nil || o.Behind == nil || o.Now == nil {
		return nil, errors.New("conversation: Store, Taker, State, Behind and Now are required")
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	k := &Keeper{opts: o,
		joined: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "asgood_conversations_total",
			Help: "Conversations that were over and were joined."}, []string{"feature"}),
		failures: prometheus.NewCounter(prometheus.CounterOpts{Name: "asgood_conversation_rounds_failed_total",
			Help: "Looks for conversations that failed and are made again."}),
		until: prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "asgood_conversations_until_seconds",
			Help: "Time up to which conversations were looked at, in seconds since 1970."}, []string{"feature"}),
	}
	for _, f := range o.Features {
		if f.Conversations() {
			f.Conversation = f.Conversation.WithDefaults()
			k.features = append(k.features, f)
			k.joined.WithLabelValues(f.Name)
		}
	}
	if o.Registerer != nil {
		if err := errors.Join(o.Registerer.Register(k.joined), o.Registerer.Register(k.failures), o.Registerer.Register(k.until)); err != nil {
			return nil, err
		}
	}
	return k, nil
}

// Run looks again and again until the context ends.
func (k *Keeper) Run(ctx context.Context) error {
	if len(k.features) == 0 {
		<-ctx.Done()
		return nil
	}
	tick := time.NewTicker(k.pause())
	defer tick.Stop()
	for {
		if err := k.Round(ctx); err != nil && ctx.Err() == nil {
			k.failures.Inc()
			k.opts.Logger.Warn("conversations are looked at later", "err", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// pause is a tenth of the shortest time after which a conversation is over, within bounds.
func (k *Keeper) pause() time.Duration {
	p := maxPause
	for _, f := range k.features {
		p = min(p, f.Conversation.Idle/10)
	}
	return max(p, minPause)
}

// Round looks once at every feature.
func (k *Keeper) Round(ctx context.Context) error {
	now := k.opts.Now()
	behind, err := k.opts.Behind(ctx)
	if err != nil {
		return fmt.Errorf("asking how far the store is behind: %w", err)
	}
	if behind > maxBehind {
		return quality.Errorf(quality.KindUnavailable, "the store is %d messages behind", behind)
	}
	for _, f := range k.features {
		if err := k.feature(ctx, f, now.Add(-f.Conversation.Idle).UTC()); err != nil {
			return fmt.Errorf("joining the conversations of feature %q: %w", f.Name, err)
		}
	}
	return nil
}

// feature joins what was over before a time and is not joined yet.
func (k *Keeper) feature(ctx context.Context, f quality.Feature, to time.Time) error {
	p, known, err := k.opts.State.Load(ctx, f.Name)
	if err != nil {
		return err
	}
	if known && to.After(p.Until) {
		if err := k.period(ctx, f, p.Until, to); err != nil {
			return err
		}
	}
	if known && !to.After(p.Until) {
		return nil
	}
	if err := k.opts.State.Save(ctx, f.Name, Progress{Until: to}); err != nil {
		return err
	}
	k.until.WithLabelValues(f.Name).Set(float64(to.Unix()))
	return nil
}

func (k *Keeper) period(ctx context.Context, f quality.Feature, from, to time.Time) error {
	for after := ""; ; {
		ids, err := k.opts.Store.Conversations(ctx, f.Name, from.Add(-longest), from, to, after, page)
		if err != nil || len(ids) == 0 {
			return err
		}
		for _, id := range ids {
			if err := k.join(ctx, f, id, from.Add(-longest)); err != nil {
				return fmt.Errorf("conversation %q: %w", id, err)
			}
		}
		after = ids[len(ids)-1]
	}
}

func (k *Keeper) join(ctx context.Context, f quality.Feature, id string, since time.Time) error {
	turns, err := k.opts.Store.Turns(ctx, f.Name, id, since, quality.MaxConversationTurns)
	if err != nil || len(turns) == 0 {
		return err
	}
	err = k.opts.Taker.Take(ctx, []quality.Sample{Join(turns, f.Conversation.MaxTurns)})
	if quality.KindOf(err) == quality.KindInvalid {
		// It will never be taken, and must not hold up the others.
		k.opts.Logger.Warn("a conversation was not taken", "feature", f.Name, "err", err)
		return nil
	}
	if err == nil {
		k.joined.WithLabelValues(f.Name).Inc()
	}
	return err
}
