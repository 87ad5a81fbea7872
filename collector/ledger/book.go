package ledger

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
)

// maxGone bounds what is remembered of removed entries.
const maxGone = 10_000

// page is an entry as it is stored.
type page struct {
	change quality.Change
	rev    uint64
}

// book holds all entries in memory, as they are in the store. What another process writes is followed.
type book struct {
	store Store

	mu     sync.RWMutex
	pages  map[string]page
	gone   map[string]uint64 // revision at which an entry was removed, lest an older one bring it back
	sorted []*quality.Change // newest first; nil when it must be made anew
}

func newBook(s Store) *book {
	return &book{store: s, pages: map[string]page{}, gone: map[string]uint64{}}
}

// load reads what is stored.
func (b *book) load(ctx context.Context, unreadable func(string, error)) error {
	keys, err := b.store.Keys(ctx)
	if err != nil {
		return fmt.Errorf("listing changes: %w", err)
	}
	for _, key := range keys {
		data, rev, err := b.store.Get(ctx, key)
		if err != nil && quality.KindOf(err) == quality.KindNotFound {
			continue // removed meanwhile
		}
		if err != nil {
			return fmt.Errorf("reading change %q: %w", key, err)
		}
		b.take(key, data, rev, unreadable)
	}
	return nil
}

// follow keeps up with what others write, until ctx ends.
func (b *book) follow(ctx context.Context, log *slog.Logger, unreadable func(string, error)) error {
	for {
		err := b.store.Watch(ctx, func(key string, data []byte, rev uint64, deleted bool) {
			if deleted {
				b.drop(key, rev)
				return
			}
			b.take(key, data, rev, unreadable)
		})
		if ctx.Err() != nil {
			return nil
		}
		log.Warn("changes made elsewhere are not followed; trying again", "err", err)
		timer := time.NewTimer(time.Second)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-timer.C:
		}
	}
}

func (b *book) take(key string, data []byte, rev uint64, unreadable func(string, error)) {
	b.mu.RLock()
	known := b.pages[key].rev >= rev
	b.mu.RUnlock()
	if known {
		return
	}
	var c quality.Change
	if err := json.Unmarshal(data, &c); err != nil {
		unreadable(key, err)
		return
	}
	b.keep(c, rev)
}

func (b *book) keep(c quality.Change, rev uint64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.pages[c.ID].rev >= rev || b.gone[c.ID] >= rev {
		return
	}
	delete(b.gone, c.ID)
	b.pages[c.ID] = page{c, rev}
	b.sorted = nil
}

func (b *book) drop(id string, rev uint64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if p, ok := b.pages[id]; !ok || p.rev > rev {
		return
	}
	if len(b.gone) >= maxGone {
		clear(b.gone) // what is late by then is not late by much
	}
	delete(b.pages, id)
	b.gone[id] = rev
	b.sorted = nil
}

func (b *book) size() int {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return len(b.pages)
}

func (b *book) get(id string) (quality.Change, bool) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	p, ok := b.pages[id]
	return p.change, ok
}

// newest returns all entries, the newest first. They must not be changed.
func (b *book) newest() []*quality.Change {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.sorted == nil {
		b.sorted = make([]*quality.Change, 0, len(b.pages))
		for _, p := range b.pages {
			b.sorted = append(b.sorted, &p.change)
		}
		slices.SortFunc(b.sorted, newerFirst)
	}
	return b.sorted
}

func newerFirst(x, y *quality.Change) int {
	return cmp.Or(y.At.Compare(x.At), cmp.Compare(y.ID, x.ID))
}

// filter returns copies of the entries that are wanted, the newest first.
func (b *book) filter(want func(*quality.Change) bool) []quality.Change {
	var out []quality.Change
	for _, c := range b.newest() {
		if want(c) {
			out = append(out, *c)
		}
	}
	return out
}

// create stores a new entry; it reports false when there is one of this id.
func (b *book) create(ctx context.Context, c quality.Change) (bool, error) {
	data, err := json.Marshal(c)
	if err != nil {
		return false, fmt.Errorf("encoding change %q: %w", c.ID, err)
	}
	rev, err := b.store.Create(ctx, c.ID, data)
	if err != nil && quality.KindOf(err) == quality.KindConflict {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("storing change %q: %w", c.ID, err)
	}
	b.keep(c, rev)
	return true, nil
}

// tries is how often an entry that others write at the same time is read again.
const tries = 5

// revise stores an entry as fn changes it. fn may be called again with a newer one; it reports false to
// leave it as it is. An entry that another process has removed is removed here too.
func (b *book) revise(ctx context.Context, id string, fn func(*quality.Change) bool) error {
	for range tries {
		data, rev, err := b.store.Get(ctx, id)
		if err != nil && quality.KindOf(err) == quality.KindNotFound {
			b.drop(id, b.revision(id))
			return nil
		}
		if err != nil {
			return fmt.Errorf("reading change %q: %w", id, err)
		}
		var c quality.Change
		if err := json.Unmarshal(data, &c); err != nil {
			return fmt.Errorf("decoding change %q: %w", id, err)
		}
		if !fn(&c) {
			b.keep(c, rev)
			return nil
		}
		if data, err = json.Marshal(c); err != nil {
			return fmt.Errorf("encoding change %q: %w", id, err)
		}
		newRev, err := b.store.Update(ctx, id, data, rev)
		if err != nil && quality.KindOf(err) == quality.KindConflict {
			continue
		}
		if err != nil {
			return fmt.Errorf("storing change %q: %w", id, err)
		}
		b.keep(c, newRev)
		return nil
	}
	return quality.Errorf(quality.KindUnavailable, "change %q is written by others at the same time", id)
}

func (b *book) revision(id string) uint64 {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.pages[id].rev
}

func (b *book) remove(ctx context.Context, id string) error {
	rev := b.revision(id)
	if err := b.store.Delete(ctx, id); err != nil {
		return fmt.Errorf("removing change %q: %w", id, err)
	}
	b.drop(id, rev)
	return nil
}
