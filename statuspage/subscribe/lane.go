package subscribe

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/asgood-dev/asgood/internal/quality"
	"github.com/asgood-dev/asgood/internal/retry"
)

// saveEvery bounds how much of the progress a crash can lose: what was handed over in this time is handed over
// again, under the same id.
const saveEvery = 10 * time.Millisecond

// workers is how many deliveries of a kind are under way at a time.
func workers(k Kind) int {
	if k == KindSlack || k == KindTeams {
		return 8
	}
	return 32
}

// lane sends to the subscribers of one kind, so that trouble with one kind holds up no other. New notices go
// through all subscribers in turn; who is not reached gets a list of their own, which is tried again in its order.
type lane struct {
	s        *Service
	kind     Kind
	hosts    *hosts
	wakeJobs chan struct{}
	wakeLate chan struct{}

	mu   sync.Mutex
	jobs []job

	lateMu sync.Mutex // held also while a list is stored, so that the stored one is the newest
	late   map[string]*backlog
	next   time.Time // when the list is looked through again
}

func newLane(s *Service, k Kind) *lane {
	return &lane{s: s, kind: k, hosts: newHosts(), wakeJobs: make(chan struct{}, 1), wakeLate: make(chan struct{}, 1), late: map[string]*backlog{}}
}

func (l *lane) rouse(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default: // it is awake
	}
}

func (l *lane) run(ctx context.Context) {
	var wg sync.WaitGroup
	wg.Go(func() { l.spread(ctx) })
	wg.Go(func() { l.tryAgain(ctx) })
	wg.Wait()
}

// each calls do for every id, some at a time, and ends with the first error.
func (l *lane) each(ctx context.Context, ids []string, do func(ctx context.Context, id string) error) error {
	g, working := errgroup.WithContext(ctx)
	g.SetLimit(workers(l.kind))
	for _, id := range ids {
		if working.Err() != nil {
			break
		}
		g.Go(func() error { return do(working, id) })
	}
	if err := g.Wait(); err != nil {
		return err
	}
	return ctx.Err()
}

// hand gives a notice to one subscriber: at once, or behind what it has not got yet. While the relay of mails does
// not work everybody waits: that is nobody's own trouble.
func (l *lane) hand(ctx context.Context, n quality.Notice, id string) error {
	it := item{ID: n.ID, What: tellNotice, Notice: &n, At: l.s.o.Now()}
	for attempt := 1; ; attempt++ {
		if l.behind(id) {
			return l.later(ctx, id, it)
		}
		out := l.attempt(ctx, id, it, true)
		if err := ctx.Err(); err != nil && out.verdict != verdictDone {
			return err
		}
		switch out.verdict {
		case verdictRelay:
			if l.s.o.Now().Sub(it.At) >= giveUpAfter {
				l.s.metrics.lost(l.kind, lostLate)
				return nil
			}
			if err := rest(ctx, retry.Backoff(min(attempt, 8), rand.Float64())); err != nil {
				return err
			}
			continue
		case verdictAgain:
			it.Attempts, it.NextAt = out.attempts(0), l.s.o.Now().Add(out.wait(1))
			return l.later(ctx, id, it)
		}
		return nil
	}
}

func rest(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// load takes up what was there before a restart.
func (s *Service) load(ctx context.Context) error {
	keys, err := s.o.Outbox.Keys(ctx)
	if err != nil {
		return fmt.Errorf("listing the outbox: %w", err)
	}
	for _, key := range keys {
		data, _, err := s.o.Outbox.Get(ctx, key)
		if err != nil && quality.KindOf(err) == quality.KindNotFound {
			continue
		}
		if err == nil {
			err = s.loadOne(ctx, key, data)
		}
		if err != nil {
			return fmt.Errorf("reading %q of the outbox: %w", key, err)
		}
	}
	return nil
}

func (s *Service) loadOne(ctx context.Context, key string, data []byte) error {
	switch {
	case strings.HasPrefix(key, askPrefix):
		return s.loadAsk(ctx, key, data)
	case strings.HasPrefix(key, jobPrefix):
		kind, _, _ := strings.Cut(strings.TrimPrefix(key, jobPrefix), "/")
		var j job
		if l := s.lanes[Kind(kind)]; l != nil && s.readable(key, data, &j) && j.Done == nil {
			l.keepJob(j)
		}
	case strings.HasPrefix(key, latePrefix):
		id := strings.TrimPrefix(key, latePrefix)
		var b backlog
		if l := s.lanes[kindOf(id)]; l != nil && s.readable(key, data, &b) && len(b.Items) > 0 {
			l.keepLate(id, &b)
		}
	}
	return nil
}

func (s *Service) readable(key string, data []byte, v any) bool {
	err := json.Unmarshal(data, v)
	if err != nil {
		s.metrics.unreadable.Inc()
		s.o.Logger.Error("a document of the outbox is not readable", "key", key, "err", err)
	}
	return err == nil
}
