// Package shelf keeps the small documents of a bucket in memory, as every process sees them: questions read
// memory only, changes go through the bucket, and what another process changes is seen at once. Accounts,
// sessions and links stand on shelves.
//
// It leaves out what the documents mean.
package shelf

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/asgood-dev/asgood/internal/auth"
	"github.com/asgood-dev/asgood/internal/quality"
)

// Options of a shelf.
type Options struct {
	Store  auth.Store
	Name   string       // of what stands there, in errors and logs
	Max    int          // documents; more are refused as a conflict
	Logger *slog.Logger // nil discards
}

// Shelf holds documents of one type by key. It is safe for concurrent use. Documents are not to be changed
// in place by who gets them.
type Shelf[T any] struct {
	opts Options

	mu   sync.RWMutex
	docs map[string]document[T]
	gone map[string]uint64 // revisions of removed documents until the bucket tells of the removal
}

type document[T any] struct {
	value T
	rev   uint64
}

// Open reads the documents that there are.
func Open[T any](ctx context.Context, o Options) (*Shelf[T], error) {
	if o.Store == nil {
		return nil, fmt.Errorf("opening the %s: a store is required", o.Name)
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	s := &Shelf[T]{opts: o, docs: map[string]document[T]{}, gone: map[string]uint64{}}
	return s, s.load(ctx)
}

// load reads all documents and forgets those that are no longer there.
func (s *Shelf[T]) load(ctx context.Context) error {
	keys, err := s.opts.Store.Keys(ctx)
	if err != nil {
		return fmt.Errorf("listing the %s: %w", s.opts.Name, err)
	}
	for _, key := range keys {
		data, rev, err := s.opts.Store.Get(ctx, key)
		if err != nil && quality.KindOf(err) == quality.KindNotFound {
			continue // removed meanwhile
		}
		if err != nil {
			return fmt.Errorf("reading %q of the %s: %w", key, s.opts.Name, err)
		}
		s.take(key, data, rev, false)
	}
	there := make(map[string]bool, len(keys))
	for _, key := range keys {
		there[key] = true
	}
	for _, key := range s.keys() {
		if there[key] {
			continue
		}
		if _, rev, err := s.opts.Store.Get(ctx, key); err != nil && quality.KindOf(err) == quality.KindNotFound {
			s.take(key, nil, rev, true)
		}
	}
	return nil
}

func (s *Shelf[T]) keys() []string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return slices.Sorted(maps.Keys(s.docs))
}

// take notes what the bucket says. A document that cannot be read is none.
func (s *Shelf[T]) take(key string, data []byte, rev uint64, deleted bool) {
	var v T
	if !deleted {
		if err := json.Unmarshal(data, &v); err != nil {
			s.opts.Logger.Error("a document is not readable and not taken", "of", s.opts.Name, "key", key, "err", err)
			deleted = true
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case deleted && rev > 0 && s.docs[key].rev > rev:
		// It was made again since.
	case deleted:
		delete(s.docs, key)
		delete(s.gone, key)
	case rev <= s.gone[key], s.docs[key].rev >= rev:
		// What is known is newer.
	default:
		s.docs[key] = document[T]{v, rev}
	}
}

// Get returns a document.
func (s *Shelf[T]) Get(key string) (T, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	d, ok := s.docs[key]
	return d.value, ok
}

// All returns the documents in the order of their keys.
func (s *Shelf[T]) All() []T {
	s.mu.RLock()
	defer s.mu.RUnlock()
	out := make([]T, 0, len(s.docs))
	for _, key := range slices.Sorted(maps.Keys(s.docs)) {
		out = append(out, s.docs[key].value)
	}
	return out
}

// Len is how many documents there are.
func (s *Shelf[T]) Len() int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return len(s.docs)
}

// Create adds a document; where the key is taken, or no more fit, it is a conflict.
func (s *Shelf[T]) Create(ctx context.Context, key string, v T) error {
	if n := s.Len(); n >= s.opts.Max {
		return quality.Errorf(quality.KindConflict, "there are %d %s already, at most %d", n, s.opts.Name, s.opts.Max)
	}
	data, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encoding %q of the %s: %w", key, s.opts.Name, err)
	}
	rev, err := s.opts.Store.Create(ctx, key, data)
	if err != nil {
		return fmt.Errorf("storing %q of the %s: %w", key, s.opts.Name, err)
	}
	s.take(key, data, rev, false)
	return nil
}

// reviseTries is how often a document that others change at the same time is tried again.
const reviseTries = 10

// ErrSame ends a change that changes nothing.
var ErrSame = errors.New("the document stays as it is")

// Revise changes the newest version of a document and returns the result. fn may be called again when others
// change it at the same time; an error of fn ends it, ErrSame without an error.
func (s *Shelf[T]) Revise(ctx context.Context, key string, fn func(*T) error) (T, error) {
	for try := 0; ; try++ {
		v, err := s.reviseOnce(ctx, key, fn)
		var c conflict
		if !errors.As(err, &c) || try == reviseTries {
			return v, err
		}
	}
}

// conflict is an error of the store, apart from one that fn returned.
type conflict struct{ error }

func (c conflict) Unwrap() error { return c.error }

func (s *Shelf[T]) reviseOnce(ctx context.Context, key string, fn func(*T) error) (v T, err error) {
	data, rev, err := s.opts.Store.Get(ctx, key)
	if err != nil {
		return v, fmt.Errorf("reading %q of the %s: %w", key, s.opts.Name, err)
	}
	if err := json.Unmarshal(data, &v); err != nil {
		return v, fmt.Errorf("decoding %q of the %s: %w", key, s.opts.Name, err)
	}
	if err := fn(&v); errors.Is(err, ErrSame) {
		return v, nil
	} else if err != nil {
		return v, err
	}
	if data, err = json.Marshal(v); err != nil {
		return v, fmt.Errorf("encoding %q of the %s: %w", key, s.opts.Name, err)
	}
	if rev, err = s.opts.Store.Update(ctx, key, data, rev); err != nil {
		err = fmt.Errorf("storing %q of the %s: %w", key, s.opts.Name, err)
		if quality.KindOf(err) == quality.KindConflict {
			return v, conflict{err}
		}
		return v, err
	}
	s.take(key, data, rev, false)
	return v, nil
}

// Delete removes a document, at once for who asks this process. One that is not there is no error.
func (s *Shelf[T]) Delete(ctx context.Context, key string) error {
	if err := s.opts.Store.Delete(ctx, key); err != nil {
		return fmt.Errorf("removing %q of the %s: %w", key, s.opts.Name, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if d, ok := s.docs[key]; ok {
		s.gone[key] = d.rev
		delete(s.docs, key)
	}
	return nil
}

// watchAgain is the pause before a bucket that was away is watched again.
const watchAgain = time.Second

// Run follows the bucket until ctx ends. It goes on with what is known while the bucket is away.
func (s *Shelf[T]) Run(ctx context.Context) error {
	for {
		err := s.opts.Store.Watch(ctx, s.take)
		if ctx.Err() != nil {
			return nil
		}
		s.opts.Logger.Warn("documents are not watched for a moment: what changes meanwhile is seen late", "of", s.opts.Name, "err", err)
		timer := time.NewTimer(watchAgain)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-timer.C:
		}
		if err := s.load(ctx); err != nil && ctx.Err() == nil {
			s.opts.Logger.Warn("documents are not read again", "of", s.opts.Name, "err", err)
		}
	}
}
