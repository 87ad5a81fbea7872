package auth

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"github.com/asgood-dev/asgood/internal/quality"
)

// MaxKeys bounds how many keys there are, revoked and expired ones included.
const MaxKeys = 10_000

// forgetTime is how long revoked and expired keys are still listed.
const forgetTime = 90 * 24 * time.Hour

// Store keeps the documents of keys. Errors have kinds.
type Store interface {
	Get(ctx context.Context, key string) (data []byte, rev uint64, err error)
	Create(ctx context.Context, key string, data []byte) (rev uint64, err error)
	// Update stores a document if the revision is still the latest; else it is a conflict.
	Update(ctx context.Context, key string, data []byte, rev uint64) (uint64, error)
	Delete(ctx context.Context, key string) error
	Keys(ctx context.Context) ([]string, error)
	// Watch calls fn with what there is and with every change, until ctx ends.
	Watch(ctx context.Context, fn func(key string, data []byte, rev uint64, deleted bool)) error
}

// Options of Keys. Store is required.
type Options struct {
	Store      Store
	Features   []string              // that are configured
	Now        func() time.Time      // default time.Now
	Logger     *slog.Logger          // default discards
	Registerer prometheus.Registerer // nil means a private one

	// Audit writes down what happens before it does; what cannot be written down does not. Nil writes nothing.
	Audit func(ctx context.Context, e quality.Audited) error
}

// Keys are the keys of machines. Checks are answered from memory as soon as it is made; Run must be running
// for changes to be seen.
type Keys struct {
	opts     Options
	byID     atomic.Pointer[map[string]*Sender] // copied when keys come or go
	mu       sync.Mutex                         // held while byID is changed
	nobody   stored                             // compared with when no key has an id
	attempts *Attempts
	metrics  *metrics
}

// New reads the keys that there are.
func New(ctx context.Context, o Options) (*Keys, error) {
	if o.Store == nil {
		return nil, errors.New("auth: a store of keys is required")
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
	if o.Audit == nil {
		o.Audit = func(context.Context, quality.Audited) error { return nil }
	}
	o.Logger = o.Logger.With("component", "auth")
	k := &Keys{opts: o, attempts: NewAttempts()}
	k.byID.Store(&map[string]*Sender{})
	var err error
	if k.metrics, err = newMetrics(o.Registerer, k); err != nil {
		return nil, fmt.Errorf("registering the metrics of keys: %w", err)
	}
	return k, k.load(ctx)
}

func (k *Keys) load(ctx context.Context) error {
	ids, err := k.opts.Store.Keys(ctx)
	if err != nil {
		return fmt.Errorf("listing the keys: %w", err)
	}
	for _, id := range ids {
		data, rev, err := k.opts.Store.Get(ctx, id)
		if quality.KindOf(err) == quality.KindNotFound && err != nil {
			continue // removed meanwhile
		}
		if err != nil {
			return fmt.Errorf("reading key %q: %w", id, err)
		}
		k.take(id, data, rev, false)
	}
	return nil
}

// take notes what the store says of a key. A document that cannot be read is no key: what it allowed is not known.
func (k *Keys) take(id string, data []byte, rev uint64, deleted bool) {
	var s *stored
	if !deleted {
		var err error
		if s, err = decodeStored(id, data, rev); err != nil {
			k.metrics.unreadable.Inc()
			k.opts.Logger.Error("a key is not readable and not taken", "id", id, "err", err)
		}
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	have := (*k.byID.Load())[id]
	switch {
	case s == nil && have == nil:
	case s != nil && have != nil:
		if have.key.Load().rev < rev {
			have.key.Store(s)
		}
	default:
		k.replace(id, s)
	}
}

// replace changes a copy of the map, so that checks need no lock.
func (k *Keys) replace(id string, s *stored) {
	next := maps.Clone(*k.byID.Load())
	if s == nil {
		// Requests under way hold the sender.
		gone := *next[id].key.Load()
		gone.Revoked = k.opts.Now()
		next[id].key.Store(&gone)
		delete(next, id)
	} else {
		next[id] = newSender(k, s)
	}
	k.byID.Store(&next)
}

func decodeStored(id string, data []byte, rev uint64) (*stored, error) {
	s := &stored{rev: rev}
	if err := json.Unmarshal(data, s); err != nil {
		return nil, fmt.Errorf("decoding key %q: %w", id, err)
	}
	if s.ID != id || len(s.Hash) != len(s.hash) {
		return nil, fmt.Errorf("decoding key %q: it has id %q and a hash of %d bytes", id, s.ID, len(s.Hash))
	}
	copy(s.hash[:], s.Hash)
	return s, nil
}

// check finds the sender of a token that may send data of a scope. An unknown id takes as long as a wrong
// secret, so that ids cannot be found out; the rest is told to who has the secret only.
func (k *Keys) check(token string, scope Scope, now time.Time) (*Sender, Reason) {
	id, secret, formed := splitToken(token)
	sender := (*k.byID.Load())[id]
	key := &k.nobody
	if sender != nil {
		key = sender.key.Load()
	}
	sum := hashOf(secret)
	same := subtle.ConstantTimeCompare(sum[:], key.hash[:]) == 1
	switch {
	case !formed:
		return nil, ReasonMalformed
	case !same || sender == nil:
		return nil, ReasonUnknown
	}
	if reason := sender.state(now); reason != "" {
		return sender, reason
	}
	if sec := now.Unix(); sender.used.Load() != sec {
		sender.used.Store(sec)
	}
	if !slices.Contains(key.Scopes, scope) {
		return sender, ReasonScope
	}
	return sender, sender.owes(now)
}

// Create makes a key and returns it with its token, which is not kept and cannot be shown again.
func (k *Keys) Create(ctx context.Context, spec Spec) (Key, string, error) {
	now := k.opts.Now().UTC()
	spec.Expires = spec.Expires.UTC()
	if err := spec.Validate(k.opts.Features, now); err != nil {
		return Key{}, "", err
	}
	if n := len(*k.byID.Load()); n >= MaxKeys {
		return Key{}, "", quality.Errorf(quality.KindConflict, "there are %d keys already, at most %d; revoked ones are forgotten after %d days", n, MaxKeys, forgetTime/(24*time.Hour))
	}
	id, token, h := newToken()
	s := stored{Key: Key{ID: id, Spec: spec, Created: now}, Hash: h[:]}
	data, err := json.Marshal(&s)
	if err != nil {
		return Key{}, "", fmt.Errorf("encoding key %q: %w", id, err)
	}
	detail := fmt.Sprintf("%s, scopes %s", spec.Name, scopeList(spec.Scopes))
	if err := k.opts.Audit(ctx, quality.Audited{Action: "key.created", Object: "key/" + id, Detail: detail}); err != nil {
		return Key{}, "", fmt.Errorf("writing down that key %q is created: %w", id, err)
	}
	rev, err := k.opts.Store.Create(ctx, id, data)
	if err != nil {
		return Key{}, "", fmt.Errorf("storing key %q: %w", id, err)
	}
	k.take(id, data, rev, false)
	k.opts.Logger.Info("key created", "id", id, "name", spec.Name, "scopes", scopeList(spec.Scopes), "features", strings.Join(spec.Features, ","))
	return s.Key, token, nil
}

// List returns all keys, the newest first.
func (k *Keys) List() []Key {
	out := make([]Key, 0, len(*k.byID.Load()))
	for _, s := range *k.byID.Load() {
		key := s.Key()
		if used := time.Unix(s.used.Load(), 0).UTC(); used.After(key.LastUsed) && s.used.Load() > 0 {
			key.LastUsed = used
		}
		out = append(out, key)
	}
	slices.SortFunc(out, func(a, b Key) int {
		if c := b.Created.Compare(a.Created); c != 0 {
			return c
		}
		return strings.Compare(a.ID, b.ID)
	})
	return out
}

// Revoke ends a key at once and for good. One that is revoked already stays as it is.
func (k *Keys) Revoke(ctx context.Context, id string) (Key, error) {
	if s := (*k.byID.Load())[id]; s != nil && s.Key().Revoked.IsZero() {
		if err := k.opts.Audit(ctx, quality.Audited{Action: "key.revoked", Object: "key/" + id, Detail: s.Key().Name}); err != nil {
			return Key{}, fmt.Errorf("writing down that key %q is revoked: %w", id, err)
		}
	}
	key, err := k.revise(ctx, id, func(s *stored) bool {
		if !s.Revoked.IsZero() {
			return false
		}
		s.Revoked = k.opts.Now().UTC()
		return true
	})
	if err == nil {
		k.opts.Logger.Info("key revoked", "id", id, "name", key.Name)
	}
	return key, err
}

// reviseTries is how often a document that others change at the same time is tried again.
const reviseTries = 10

// revise changes the document of a key; fn reports whether it did.
func (k *Keys) revise(ctx context.Context, id string, fn func(*stored) bool) (Key, error) {
	if len(id) != idLen {
		return Key{}, quality.Errorf(quality.KindNotFound, "no key has the id %.40q", id)
	}
	for try := 0; ; try++ {
		key, err := k.reviseOnce(ctx, id, fn)
		if err == nil || quality.KindOf(err) != quality.KindConflict || try == reviseTries {
			return key, err
		}
	}
}

func (k *Keys) reviseOnce(ctx context.Context, id string, fn func(*stored) bool) (Key, error) {
	data, rev, err := k.opts.Store.Get(ctx, id)
	if err != nil {
		return Key{}, fmt.Errorf("reading key %q: %w", id, err)
	}
	s, err := decodeStored(id, data, rev)
	if err != nil {
		return Key{}, err
	}
	if !fn(s) {
		return s.Key, nil
	}
	if data, err = json.Marshal(s); err != nil {
		return Key{}, fmt.Errorf("encoding key %q: %w", id, err)
	}
	if rev, err = k.opts.Store.Update(ctx, id, data, rev); err != nil {
		return Key{}, fmt.Errorf("storing key %q: %w", id, err)
	}
	k.take(id, data, rev, false)
	return s.Key, nil
}

// How often Run looks after the keys, and waits before it watches again.
const (
	noteEvery  = time.Minute
	watchAgain = time.Second
)

// Run follows the store, notes when keys were used and forgets old ones, until ctx ends.
func (k *Keys) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { k.watch(ctx); return nil })
	g.Go(func() error { k.note(ctx); return nil })
	return g.Wait()
}

// watch goes on with what is known while the store is away: nothing can be handed off then either.
func (k *Keys) watch(ctx context.Context) {
	for ctx.Err() == nil {
		err := k.opts.Store.Watch(ctx, k.take)
		if ctx.Err() != nil {
			return
		}
		k.opts.Logger.Warn("keys are not watched for a moment: those revoked meanwhile are still good", "err", err)
		timer := time.NewTimer(watchAgain)
		select {
		case <-ctx.Done():
			timer.Stop()
		case <-timer.C:
		}
	}
}

func (k *Keys) note(ctx context.Context) {
	tick := time.NewTicker(noteEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			k.noteUsed(ctx)
			k.forget(ctx, k.opts.Now())
		}
	}
}

// noteUsed stores when keys were used, of each at most once a minute.
func (k *Keys) noteUsed(ctx context.Context) {
	for id, s := range *k.byID.Load() {
		used := time.Unix(s.used.Load(), 0).UTC()
		if s.used.Load() == 0 || used.Sub(s.key.Load().LastUsed) < noteEvery {
			continue
		}
		_, err := k.revise(ctx, id, func(s *stored) bool {
			later := used.After(s.LastUsed)
			s.LastUsed = used
			return later
		})
		if err != nil && ctx.Err() == nil && quality.KindOf(err) != quality.KindNotFound {
			k.opts.Logger.Warn("not noted when a key was used", "id", id, "err", err)
			return // the store is away; the others would fare no better
		}
	}
}

func (k *Keys) forget(ctx context.Context, now time.Time) {
	before := now.Add(-forgetTime)
	for id, s := range *k.byID.Load() {
		key := s.key.Load()
		old := !key.Revoked.IsZero() && key.Revoked.Before(before) || key.expired(before)
		if !old {
			continue
		}
		if err := k.opts.Store.Delete(ctx, id); err != nil {
			k.opts.Logger.Warn("an old key was not forgotten", "id", id, "err", err)
			return
		}
		k.take(id, nil, 0, true)
	}
}
