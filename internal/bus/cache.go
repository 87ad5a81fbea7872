package bus

import (
	"context"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// CacheBucket returns a bucket whose documents may be lost: each is gone after a time, and when the bucket has
// reached its size nothing is stored until older ones have gone.
func (b *Bus) CacheBucket(ctx context.Context, name string, keep time.Duration, size int64) (*Bucket, error) {
	kv, err := b.js.CreateOrUpdateKeyValue(ctx, jetstream.KeyValueConfig{
		Bucket: name, History: 1, Storage: jetstream.FileStorage, TTL: keep, MaxBytes: size,
	})
	if err != nil {
		return nil, failed(err, "making bucket %q", name)
	}
	return &Bucket{name: name, kv: kv}, nil
}

// Committed returns the sequence up to which everything is committed.
func (r *Reader) Committed() uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.pos.Committed
}

// ForgetReaders removes the positions of the readers of a stream that gone names, so that nothing is kept for
// readers that will not come again.
func (b *Bus) ForgetReaders(ctx context.Context, stream string, gone func(name string) bool) error {
	keys, err := b.readers.Keys(ctx)
	if err != nil {
		return err
	}
	for _, key := range keys {
		of, name, _ := strings.Cut(key, "/")
		if of != stream || !gone(name) {
			continue
		}
		if err := b.readers.Delete(ctx, key); err != nil {
			return err
		}
	}
	return nil
}
