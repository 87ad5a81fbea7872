package bus

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/asgood-dev/asgood/internal/quality"
)

const (
	maxKey     = 1024      // bytes of a key
	markerTime = time.Hour // how long a watcher that was away can still learn of a deletion
)

// Bucket stores small documents by key. Any string of 1 to 1024 bytes is a key.
type Bucket struct {
	name string
	kv   jetstream.KeyValue
}

// Bucket returns the bucket of a name, made when absent.
func (b *Bus) Bucket(ctx context.Context, name string) (*Bucket, error) {
	kv, err := b.js.CreateOrUpdateKeyValue(ctx, jetstream.KeyValueConfig{
		Bucket: name, History: 1, Storage: jetstream.FileStorage, LimitMarkerTTL: markerTime,
	})
	if err != nil {
		return nil, failed(err, "making bucket %q", name)
	}
	return &Bucket{name: name, kv: kv}, nil
}

// encodeKey writes what a subject cannot hold as =XX.
func encodeKey(key string) (string, error) {
	if key == "" || len(key) > maxKey {
		return "", quality.Errorf(quality.KindInvalid, "key of %d bytes: want 1 to %d", len(key), maxKey)
	}
	var b strings.Builder
	for i := range len(key) {
		c := key[i]
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_' {
			b.WriteByte(c)
			continue
		}
		b.WriteByte('=')
		b.WriteString(hex.EncodeToString([]byte{c}))
	}
	return b.String(), nil
}

func decodeKey(s string) (string, error) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '=' {
			b.WriteByte(s[i])
			continue
		}
		if i+2 >= len(s) {
			return "", quality.Errorf(quality.KindInternal, "%q is not a key of ours", s)
		}
		c, err := hex.DecodeString(s[i+1 : i+3])
		if err != nil {
			return "", quality.Errorf(quality.KindInternal, "%q is not a key of ours", s)
		}
		b.WriteByte(c[0])
		i += 2
	}
	return b.String(), nil
}

// Get returns a document and its revision, or an error of kind not found.
func (b *Bucket) Get(ctx context.Context, key string) ([]byte, uint64, error) {
	k, err := encodeKey(key)
	if err != nil {
		return nil, 0, err
	}
	e, err := b.kv.Get(ctx, k)
	if err != nil {
		return nil, 0, failed(err, "reading %q of bucket %q", key, b.name)
	}
	return e.Value(), e.Revision(), nil
}

// Put stores a document in the place of the one before and returns its revision.
func (b *Bucket) Put(ctx context.Context, key string, data []byte) (uint64, error) {
	return b.write(key, data, "storing", func(k string) (uint64, error) { return b.kv.Put(ctx, k, data) })
}

// Create stores a document where there is none; where there is one it is a conflict.
func (b *Bucket) Create(ctx context.Context, key string, data []byte) (uint64, error) {
	return b.write(key, data, "creating", func(k string) (uint64, error) { return b.kv.Create(ctx, k, data) })
}

// Update stores a document if the revision is still the latest; else it is a conflict.
func (b *Bucket) Update(ctx context.Context, key string, data []byte, rev uint64) (uint64, error) {
	return b.write(key, data, "updating", func(k string) (uint64, error) { return b.kv.Update(ctx, k, data, rev) })
}

func (b *Bucket) write(key string, data []byte, doing string, do func(string) (uint64, error)) (uint64, error) {
	k, err := encodeKey(key)
	if err != nil {
		return 0, err
	}
	if len(data) > MaxMessage {
		return 0, quality.Errorf(quality.KindTooLarge, "document %q of %d bytes, at most %d", key, len(data), MaxMessage)
	}
	rev, err := do(k)
	if err != nil {
		return 0, failed(err, "%s %q of bucket %q", doing, key, b.name)
	}
	return rev, nil
}

// Delete removes a document; one that is not there is no error. Its mark is gone after an hour.
func (b *Bucket) Delete(ctx context.Context, key string) error {
	k, err := encodeKey(key)
	if err != nil {
		return err
	}
	if err := b.kv.Purge(ctx, k, jetstream.PurgeTTL(markerTime)); err != nil {
		return failed(err, "removing %q of bucket %q", key, b.name)
	}
	return nil
}

// Keys returns all keys, in no order.
func (b *Bucket) Keys(ctx context.Context) ([]string, error) {
	list, err := b.kv.Keys(ctx)
	if errors.Is(err, jetstream.ErrNoKeysFound) {
		return nil, nil
	}
	if err != nil {
		return nil, failed(err, "listing bucket %q", b.name)
	}
	out := make([]string, 0, len(list))
	for _, k := range list {
		key, err := decodeKey(k)
		if err != nil {
			return nil, err
		}
		out = append(out, key)
	}
	return out, nil
}

// Watch calls fn with the documents there are and then with every change, until ctx ends.
func (b *Bucket) Watch(ctx context.Context, fn func(key string, data []byte, rev uint64, deleted bool)) error {
	w, err := b.kv.WatchAll(ctx)
	if err != nil {
		return failed(err, "watching bucket %q", b.name)
	}
	defer func() { _ = w.Stop() }() // the connection may be gone already
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case e, ok := <-w.Updates():
			if !ok {
				return quality.Errorf(quality.KindUnavailable, "watching bucket %q: the connection ended", b.name)
			}
			if e == nil {
				continue // all there was has been told
			}
			key, err := decodeKey(e.Key())
			if err != nil {
				return err
			}
			fn(key, e.Value(), e.Revision(), e.Operation() != jetstream.KeyValuePut)
		}
	}
}

// Documents stores values of one type in a bucket, as JSON.
type Documents[T any] struct{ bucket *Bucket }

// NewDocuments returns the documents of a bucket.
func NewDocuments[T any](b *Bucket) *Documents[T] { return &Documents[T]{b} }

// Get returns a document and its revision, or an error of kind not found.
func (d *Documents[T]) Get(ctx context.Context, key string) (v T, rev uint64, err error) {
	data, rev, err := d.bucket.Get(ctx, key)
	if err != nil {
		return v, 0, err
	}
	if err := json.Unmarshal(data, &v); err != nil {
		return v, 0, fmt.Errorf("decoding %q of bucket %q: %w", key, d.bucket.name, err)
	}
	return v, rev, nil
}

// Put stores a document in the place of the one before.
func (d *Documents[T]) Put(ctx context.Context, key string, v T) (uint64, error) {
	data, err := json.Marshal(v)
	if err != nil {
		return 0, fmt.Errorf("encoding %q of bucket %q: %w", key, d.bucket.name, err)
	}
	return d.bucket.Put(ctx, key, data)
}

// All returns every document, in no order.
func (d *Documents[T]) All(ctx context.Context) ([]T, error) {
	keys, err := d.bucket.Keys(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]T, 0, len(keys))
	for _, key := range keys {
		v, _, err := d.Get(ctx, key)
		if err != nil && quality.KindOf(err) == quality.KindNotFound {
			continue // removed meanwhile
		}
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}
