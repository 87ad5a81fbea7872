package subscribe

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/asgood-dev/asgood/internal/quality"
)

// request is somebody's wish that an address be subscribed.
type request struct {
	ID      string    `json:"id"`
	Kind    Kind      `json:"kind"`
	Address string    `json:"address"` // normalised
	Choice  Choice    `json:"choice"`
	Lang    string    `json:"lang,omitempty"` // of the messages
	At      time.Time `json:"at"`
	Void    bool      `json:"void,omitempty"` // asked for too often: it costs the same work, and leads to nothing
}

const (
	askPrefix = "ask/"
	maxAsks   = 10_000
)

// asks are the requests that wait. They are stored before they are answered, and looked up after, by one
// goroutine, so that an answer tells nothing of what is there, also not by the time it takes.
type asks struct {
	s    *Service
	wake chan struct{}

	mu   sync.Mutex
	list []request
	size int // of the list and those that are being stored
}

func newAsks(s *Service) *asks { return &asks{s: s, wake: make(chan struct{}, 1)} }

// add stores a request. When too many wait it is an error of kind unavailable.
func (a *asks) add(ctx context.Context, r request) error {
	if !a.reserve() {
		return refuse(quality.KindUnavailable, time.Minute, "subscribe.wrong.waiting")
	}
	data, err := json.Marshal(r)
	if err == nil {
		_, err = a.s.o.Outbox.Create(ctx, askPrefix+r.ID, data)
	}
	a.mu.Lock()
	if err != nil {
		a.size--
	} else {
		a.list = append(a.list, r)
	}
	a.mu.Unlock()
	a.rouse()
	if err != nil {
		return fmt.Errorf("storing a request: %w", err)
	}
	return nil
}

func (a *asks) reserve() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.size >= maxAsks {
		return false
	}
	a.size++
	return true
}

func (a *asks) rouse() {
	select {
	case a.wake <- struct{}{}:
	default: // it is awake
	}
}

// keep takes up a request of before a restart.
func (a *asks) keep(r request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !slices.ContainsFunc(a.list, func(x request) bool { return x.ID == r.ID }) { // it may have come while the stored ones were read
		a.list, a.size = append(a.list, r), a.size+1
	}
}

func (a *asks) run(ctx context.Context) {
	for ctx.Err() == nil {
		for r, ok := a.next(); ok; r, ok = a.next() {
			if a.s.persist(ctx, "taking up a request", func(ctx context.Context) error { return a.s.takeUp(ctx, r) }) != nil {
				return
			}
		}
		select {
		case <-ctx.Done():
		case <-a.wake:
		}
	}
}

func (a *asks) next() (request, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.list) == 0 {
		a.list = nil
		return request{}, false
	}
	r := a.list[0]
	a.list, a.size = a.list[1:], a.size-1
	return r, true
}

// newRequest returns a request of a kind that is offered, with an address and a choice that are good.
func (s *Service) newRequest(k Kind, address string, c Choice, lang string) (request, error) {
	if !slices.Contains(s.offered(), k) {
		return request{}, wrong("subscribe.wrong.kind")
	}
	address, err := normalise(k, address)
	if err != nil {
		return request{}, err
	}
	if c, err = s.choice(c); err != nil {
		return request{}, err
	}
	if _, ok := s.tongues.set.Named(lang); !ok {
		return request{}, wrong("subscribe.wrong.language")
	}
	return request{ID: ulid.Make().String(), Kind: k, Address: address, Choice: c, Lang: lang, At: s.o.Now()}, nil
}

// choice checks what was chosen. All of them is the same as none named.
func (s *Service) choice(c Choice) (Choice, error) {
	if len(c.Features) > len(s.names) || len(c.Topics) > len(Topics()) {
		return c, wrong("subscribe.wrong.much")
	}
	for _, f := range c.Features {
		if _, ok := s.titles[f]; !ok {
			return c, wrong("subscribe.wrong.feature", "Name", strconv.Quote(clip(f, 80)))
		}
	}
	for _, t := range c.Topics {
		if !slices.Contains(Topics(), t) {
			return c, wrong("subscribe.wrong.topic", "Name", strconv.Quote(clip(string(t), 80)))
		}
	}
	slices.Sort(c.Features)
	slices.Sort(c.Topics)
	c.Features, c.Topics = slices.Compact(c.Features), slices.Compact(c.Topics)
	if len(c.Features) == len(s.names) {
		c.Features = nil
	}
	if len(c.Topics) == len(Topics()) {
		c.Topics = nil
	}
	return c, nil
}

// ask takes a request that a stranger made. The answer is the same whatever is subscribed; it differs only in how
// often this address was asked for, and that silently.
func (s *Service) ask(ctx context.Context, r request) error {
	r.Void = !s.limits.addresses.take(s.tokens.id(r.Kind, r.Address), s.o.Now())
	result := "taken"
	if r.Void {
		result = "limited"
	}
	s.metrics.requests.WithLabelValues(string(r.Kind), result).Inc()
	return s.asks.add(ctx, r)
}

// takeUp does what a request asks for, and forgets it. Somebody who is subscribed hears of it and keeps what was
// chosen: the request may come from anybody.
func (s *Service) takeUp(ctx context.Context, r request) error {
	if !r.Void {
		what, id, err := s.admit(ctx, r)
		if err != nil {
			return err
		}
		if err := s.lanes[r.Kind].later(ctx, id, item{ID: r.ID, What: what, At: s.o.Now()}); err != nil {
			return err
		}
	}
	return s.o.Outbox.Delete(ctx, askPrefix+r.ID)
}

// admit makes the subscriber where there is none, and says what it is to be told.
func (s *Service) admit(ctx context.Context, r request) (what told, id string, err error) {
	id = s.tokens.id(r.Kind, r.Address)
	err = s.store.create(ctx, Subscriber{ID: id, Kind: r.Kind, Address: r.Address, Choice: r.Choice, Lang: r.Lang, State: StateUnconfirmed,
		Nonce: newNonce(), CreatedAt: r.At})
	if err == nil {
		return tellConfirm, id, nil
	}
	if quality.KindOf(err) != quality.KindConflict {
		return "", "", fmt.Errorf("storing a subscriber: %w", err)
	}
	there, _, err := s.store.get(ctx, id)
	if err != nil {
		return "", "", fmt.Errorf("reading a subscriber: %w", err)
	}
	if there.State == StateActive {
		return tellManage, id, nil
	}
	return tellConfirm, id, nil
}

// loadAsk takes up one document of before a restart.
func (s *Service) loadAsk(ctx context.Context, key string, data []byte) error {
	var r request
	if err := json.Unmarshal(data, &r); err != nil || !slices.Contains(Kinds(), r.Kind) {
		return s.o.Outbox.Delete(ctx, key)
	}
	s.asks.keep(r)
	return nil
}
