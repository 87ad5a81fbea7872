package publish

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/asgood-dev/asgood/internal/quality"
)

// KV stores documents by key. Get of a missing key is an error of kind not found; Create of a present one, and
// Update of an old revision, are conflicts.
type KV interface {
	Get(ctx context.Context, key string) (data []byte, rev uint64, err error)
	Create(ctx context.Context, key string, data []byte) (rev uint64, err error)
	Update(ctx context.Context, key string, data []byte, rev uint64) (newRev uint64, err error)
	Keys(ctx context.Context) ([]string, error)
}

// maxTries bounds how often an edit is made anew because somebody else was faster.
const maxTries = 50

// errUnreadable is a document that no program of ours wrote.
var errUnreadable = errors.New("the document is not readable")

// book holds the documents of a kind. Every change is a compare-and-swap: of two at a time one is made anew on
// what the other left.
type book[T any] struct {
	kv   KV
	what string                     // incident or maintenance
	kept func()                     // called after every store; may be nil
	seen func(doc *T, rev uint64)   // called for every document that is read or stored; may be nil
	bad  func(id string, err error) // called for what cannot be read
}

// read returns a document and its revision; nil where there is none, with errUnreadable and the revision where it
// cannot be read.
func (b *book[T]) read(ctx context.Context, id string) (*T, uint64, error) {
	data, rev, err := b.kv.Get(ctx, id)
	if err != nil && quality.KindOf(err) == quality.KindNotFound {
		return nil, 0, nil
	}
	if err != nil {
		return nil, 0, fmt.Errorf("reading %s %q: %w", b.what, id, err)
	}
	doc := new(T)
	if err := json.Unmarshal(data, doc); err != nil {
		b.bad(id, err)
		return nil, rev, fmt.Errorf("reading %s %q: %w: %w", b.what, id, errUnreadable, err)
	}
	b.see(doc, rev)
	return doc, rev, nil
}

func (b *book[T]) see(doc *T, rev uint64) {
	if b.seen != nil {
		b.seen(doc, rev)
	}
}

// get returns a document that must be there.
func (b *book[T]) get(ctx context.Context, id string) (*T, error) {
	doc, _, err := b.must(ctx, id)
	return doc, err
}

// must returns a document that must be there, and its revision.
func (b *book[T]) must(ctx context.Context, id string) (*T, uint64, error) {
	doc, rev, err := b.read(ctx, id)
	if err == nil && doc == nil {
		err = quality.Errorf(quality.KindNotFound, "no %s %q", b.what, id)
	}
	return doc, rev, err
}

// edit changes a document. change gets what is stored now, nil where there is nothing readable, and returns what to
// store in its place, nil to leave it. It may be called again, so it does nothing but decide.
func (b *book[T]) edit(ctx context.Context, id string, change func(old *T) (*T, error)) (*T, error) {
	for range maxTries {
		old, rev, err := b.read(ctx, id)
		if err != nil && !errors.Is(err, errUnreadable) {
			return nil, err
		}
		doc, err := change(old)
		if err != nil || doc == nil {
			return old, err
		}
		err = b.store(ctx, id, doc, rev)
		if err == nil {
			if b.kept != nil {
				b.kept()
			}
			return doc, nil
		}
		if quality.KindOf(err) != quality.KindConflict || ctx.Err() != nil {
			return nil, err
		}
	}
	return nil, quality.Errorf(quality.KindUnavailable, "%s %q changes too fast: try again", b.what, id)
}

func (b *book[T]) store(ctx context.Context, id string, doc *T, rev uint64) error {
	data, err := json.Marshal(doc)
	if err != nil {
		return fmt.Errorf("encoding %s %q: %w", b.what, id, err)
	}
	if rev == 0 {
		rev, err = b.kv.Create(ctx, id, data)
	} else {
		rev, err = b.kv.Update(ctx, id, data, rev)
	}
	if err != nil {
		return fmt.Errorf("storing %s %q: %w", b.what, id, err)
	}
	b.see(doc, rev)
	return nil
}

// all returns every readable document, in the order of their ids.
func (b *book[T]) all(ctx context.Context) ([]T, error) {
	keys, err := b.kv.Keys(ctx)
	if err != nil {
		return nil, fmt.Errorf("listing every %s: %w", b.what, err)
	}
	slices.Sort(keys)
	out := make([]T, 0, len(keys))
	for _, key := range keys {
		doc, _, err := b.read(ctx, key)
		if err != nil && !errors.Is(err, errUnreadable) {
			return nil, err
		}
		if doc != nil {
			out = append(out, *doc)
		}
	}
	return out, nil
}
