package subscribe

import (
	"context"
	"encoding/json"
	"strings"
	"sync"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
)

// How often what is over is forgotten, and how often the same trouble of a channel is logged.
const (
	sweepEvery   = 10 * time.Minute
	troubleEvery = 5 * time.Minute
)

// count is how many subscribers there are of a kind and state.
type count struct {
	Kind  Kind  `json:"kind"`
	State State `json:"state"`
	N     int   `json:"count"`
}

func (s *Service) sweepAll(ctx context.Context) {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		if err := s.sweep(ctx); err != nil && ctx.Err() == nil {
			s.o.Logger.Warn("what is over is not forgotten yet", "err", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// sweep removes who never confirmed or was long not reached, and notices that everybody has; and counts the rest.
func (s *Service) sweep(ctx context.Context) error {
	counts, err := s.count(ctx, func(sub Subscriber) error {
		if !sub.over(s.o.Now()) {
			return nil
		}
		err := s.store.remove(ctx, sub.ID, func(sub Subscriber) bool { return sub.over(s.o.Now()) })
		if err != nil && quality.KindOf(err) == quality.KindNotFound {
			err = s.store.kv.Delete(ctx, sub.ID) // it was marked, and then we were stopped
		}
		return err
	})
	if err != nil {
		return err
	}
	for _, c := range counts {
		s.metrics.subscribers.WithLabelValues(string(c.Kind), string(c.State)).Set(float64(c.N))
	}
	return s.sweepJobs(ctx)
}

// count counts the subscribers and shows each to fn.
func (s *Service) count(ctx context.Context, fn func(Subscriber) error) ([]count, error) {
	ids, err := s.store.ids(ctx, "")
	if err != nil {
		return nil, err
	}
	n := map[Kind]map[State]int{}
	for _, id := range ids {
		sub, _, err := s.store.raw(ctx, id)
		if err != nil && quality.KindOf(err) == quality.KindNotFound {
			continue
		}
		if err == nil {
			err = fn(sub)
		}
		if err != nil {
			return nil, err
		}
		if n[sub.Kind] == nil {
			n[sub.Kind] = map[State]int{}
		}
		n[sub.Kind][sub.State]++
	}
	var out []count
	for _, k := range Kinds() {
		for _, state := range []State{StateUnconfirmed, StateActive, StateQuarantined} {
			out = append(out, count{k, state, n[k][state]})
		}
	}
	return out, nil
}

func (s *Service) sweepJobs(ctx context.Context) error {
	keys, err := s.o.Outbox.Keys(ctx)
	if err != nil {
		return err
	}
	for _, key := range keys {
		if !strings.HasPrefix(key, jobPrefix) {
			continue
		}
		data, _, err := s.o.Outbox.Get(ctx, key)
		if err != nil && quality.KindOf(err) == quality.KindNotFound {
			continue
		}
		if err != nil {
			return err
		}
		var j job
		if json.Unmarshal(data, &j) != nil || j.Done == nil || s.o.Now().Sub(*j.Done) < keepJobs {
			continue
		}
		if err := s.o.Outbox.Delete(ctx, key); err != nil {
			return err
		}
	}
	return nil
}

// troubles remembers when the trouble of a channel was logged.
type troubles struct {
	mu sync.Mutex
	at map[Kind]time.Time
}

// trouble logs that a channel does not work, now and then.
func (s *Service) trouble(k Kind, err error) {
	s.troubles.mu.Lock()
	defer s.troubles.mu.Unlock()
	now := s.o.Now()
	if at, ok := s.troubles.at[k]; ok && now.Sub(at) < troubleEvery {
		return
	}
	s.troubles.at[k] = now
	s.o.Logger.Error("notices cannot be sent; trying again", "kind", string(k), "err", err)
}
