package conversation

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/asgood-dev/asgood/internal/quality"
)

// Bounds of the work.
const (
	longest   = 24 * time.Hour // turns further back than this before the last look are not found any more
	page      = 500            // conversations listed at once
	turnPage  = 16             // turns read at once: one may have 4 MiB
	maxBehind = 1000           // messages that the store may lack: less than its writer takes at once
	minPause  = time.Second
	maxPause  = time.Minute
)

// Store holds the turns.
type Store interface {
	// Conversations returns a feature's conversations whose latest turn is in [from, to), by id and customer
	// and at most limit, after one of them. Turns before begin are not looked at.
	Conversations(ctx context.Context, feature string, begin, from, to time.Time, after quality.ConversationKey, limit int) ([]quality.ConversationKey, error)
	// Turns returns a conversation's samples behind a time and an id, the oldest first, at most limit.
	Turns(ctx context.Context, feature string, k quality.ConversationKey, since time.Time, after string, limit int) ([]quality.Sample, error)
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
	for after := (quality.ConversationKey{}); ; {
		keys, err := k.opts.Store.Conversations(ctx, f.Name, from.Add(-longest), from, to, after, page)
		if err != nil || len(keys) == 0 {
			return err
		}
		for _, key := range keys {
			if err := k.join(ctx, f, key, from.Add(-longest)); err != nil {
				return fmt.Errorf("conversation %q of customer %q: %w", key.Conversation, key.Customer, err)
			}
		}
		after = keys[len(keys)-1]
	}
}

func (k *Keeper) join(ctx context.Context, f quality.Feature, key quality.ConversationKey, since time.Time) error {
	turns, err := k.turns(ctx, f.Name, key, since)
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

// turns reads the turns of a conversation a few at a time and keeps of each what Join needs.
func (k *Keeper) turns(ctx context.Context, feature string, key quality.ConversationKey, since time.Time) ([]quality.Sample, error) {
	var turns []quality.Sample
	after, size := "", 0
	for len(turns) < quality.MaxConversationTurns {
		limit := min(turnPage, quality.MaxConversationTurns-len(turns))
		list, err := k.opts.Store.Turns(ctx, feature, key, since, after, limit)
		if err != nil {
			return nil, err
		}
		for i := range list {
			turns = append(turns, slim(&list[i], &size))
		}
		if len(list) < limit {
			break
		}
		since, after = list[len(list)-1].Time, list[len(list)-1].ID
	}
	return turns, nil
}

// slim leaves out of a turn what is not joined, and the texts where there is no room for them any more.
func slim(t *quality.Sample, size *int) quality.Sample {
	s := *t
	s.Context, s.Tools, s.Reference, s.Params, s.Scores = nil, nil, nil, nil, nil
	s.Input, s.Output = quality.Content{}, quality.Content{}
	if *size <= maxText {
		in, out := said(t.Input, "user"), t.Output.Last()
		*size += len(in) + len(out)
		s.Input, s.Output = quality.Text(strings.Clone(in)), quality.Text(strings.Clone(out))
	}
	return s
}
