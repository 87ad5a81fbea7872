package bus

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
)

// BatchLimits bound a batch. At least one message is in it, however large.
type BatchLimits struct {
	Messages int           // 0 means 1
	Bytes    int           // 0 means no limit
	Linger   time.Duration // how long to wait for more after the first message; what is there is taken at once
}

// Batch is a run of messages of one stream.
type Batch struct {
	Stream      string
	First, Last uint64
	Messages    []Message
}

// Token names the batch: the same messages in the same batch have the same token for ever. The time of the
// first one is in it, because a stream that was lost, or brought back from a backup, counts its sequences
// once more, and a store that remembers the old ones would take the new messages for them.
func (b Batch) Token() string {
	at := int64(0)
	if len(b.Messages) > 0 {
		at = b.Messages[0].Time.UnixNano()
	}
	return fmt.Sprintf("%s:%d-%d@%x", b.Stream, b.First, b.Last, at)
}

// span is the boundary of a batch.
type span struct {
	First uint64 `json:"first"`
	Last  uint64 `json:"last"`
}

// position is what is remembered of a reader: a batch is in Open from before it is handed out until it
// is committed.
type position struct {
	Committed uint64 `json:"committed"`
	Open      []span `json:"open,omitempty"`
}

// Reader reads a stream in batches. Next may be called by one goroutine at a time, Commit by another.
type Reader struct {
	bus          *Bus
	stream, name string
	follower     *follower
	again        []span   // batches of before the restart, to be handed out first
	held         *Message // read ahead, for the next batch

	mu  sync.Mutex
	pos position
}

func readerKey(stream, name string) string { return stream + "/" + name }

// Reader returns the reader of a name, where it was. A new one begins with the oldest stored message.
func (b *Bus) Reader(ctx context.Context, stream, name string) (*Reader, error) {
	r := &Reader{bus: b, stream: stream, name: name}
	data, _, err := b.readers.Get(ctx, readerKey(stream, name))
	switch {
	case err == nil:
		if err := json.Unmarshal(data, &r.pos); err != nil {
			return nil, fmt.Errorf("decoding the position of reader %q of stream %q: %w", name, stream, err)
		}
	case quality.KindOf(err) == quality.KindNotFound:
		if err := r.store(ctx, r.pos); err != nil { // from here on nothing is purged that it has not seen
			return nil, err
		}
	default:
		return nil, err
	}
	r.again = slices.Clone(r.pos.Open)
	return r, nil
}

func (r *Reader) store(ctx context.Context, p position) error {
	data, err := json.Marshal(p)
	if err != nil {
		return fmt.Errorf("encoding the position of reader %q: %w", r.name, err)
	}
	if _, err := r.bus.readers.Put(ctx, readerKey(r.stream, r.name), data); err != nil {
		return fmt.Errorf("storing the position of reader %q of stream %q: %w", r.name, r.stream, err)
	}
	return nil
}

// Next waits for the next batch. After a restart the batches that were handed out and not committed
// come again first, with the same boundaries.
func (r *Reader) Next(ctx context.Context, limits BatchLimits) (Batch, error) {
	if err := r.begin(ctx); err != nil {
		return Batch{}, err
	}
	b, err := r.gather(ctx, limits)
	if err != nil {
		r.end()
		return Batch{}, err
	}
	return b, nil
}

func (r *Reader) begin(ctx context.Context) (err error) {
	if r.follower == nil {
		r.follower, err = r.bus.follow(ctx, r.stream, r.from())
	}
	return err
}

// end lets the follower go after an error; the next call begins behind the last batch handed out.
func (r *Reader) end() {
	if r.follower != nil {
		r.follower.close()
	}
	r.follower, r.held = nil, nil
}

// from is the sequence behind all that was handed out since the reader was made.
func (r *Reader) from() uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.again) > 0 {
		return r.again[0].First
	}
	if n := len(r.pos.Open); n > 0 {
		return r.pos.Open[n-1].Last + 1
	}
	return r.pos.Committed + 1
}

func (r *Reader) gather(ctx context.Context, limits BatchLimits) (Batch, error) {
	if len(r.again) > 0 {
		return r.repeat(ctx)
	}
	first, err := r.take(ctx)
	if err != nil {
		return Batch{}, err
	}
	b := Batch{Stream: r.stream, First: first.Seq, Last: first.Seq, Messages: []Message{first}}
	if err := r.fill(ctx, &b, limits); err != nil {
		return Batch{}, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	next := position{Committed: r.pos.Committed, Open: append(slices.Clone(r.pos.Open), span{b.First, b.Last})}
	if err := r.store(ctx, next); err != nil {
		return Batch{}, err
	}
	r.pos = next
	return b, nil
}

// repeat reads a batch of before the restart.
func (r *Reader) repeat(ctx context.Context) (Batch, error) {
	want := r.again[0]
	b := Batch{Stream: r.stream, First: want.First, Last: want.Last}
	for {
		m, err := r.take(ctx)
		if err != nil {
			return Batch{}, err
		}
		if m.Seq > want.Last { // the last ones of the batch are gone, which only a person could have done
			r.held = &m
			break
		}
		b.Messages = append(b.Messages, m)
		if m.Seq == want.Last {
			break
		}
	}
	r.again = r.again[1:]
	return b, nil
}

func (r *Reader) take(ctx context.Context) (Message, error) {
	if m := r.held; m != nil {
		r.held = nil
		return *m, nil
	}
	return r.follower.next(ctx)
}

// fill takes more until a limit or the linger time is reached.
func (r *Reader) fill(ctx context.Context, b *Batch, limits BatchLimits) error {
	wait, cancel := context.WithTimeout(ctx, max(limits.Linger, time.Millisecond))
	defer cancel()
	size := len(b.Messages[0].Data)
	for len(b.Messages) < limits.Messages {
		m, ok, err := r.follower.ready(wait)
		if err != nil {
			return err
		}
		if !ok {
			return ctx.Err()
		}
		if limits.Bytes > 0 && size+len(m.Data) > limits.Bytes {
			r.held = &m
			return nil
		}
		size += len(m.Data)
		b.Messages, b.Last = append(b.Messages, m), m.Seq
	}
	return nil
}

// Commit says that a batch need not come again. Batches are committed in the order they came in.
func (r *Reader) Commit(ctx context.Context, b Batch) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.pos.Open) == 0 || r.pos.Open[0] != (span{b.First, b.Last}) {
		return quality.Errorf(quality.KindConflict, "committing %s to reader %q: it is not the oldest batch under way", b.Token(), r.name)
	}
	next := position{Committed: b.Last, Open: slices.Clone(r.pos.Open[1:])}
	if err := r.store(ctx, next); err != nil {
		return err
	}
	r.pos = next
	return nil
}

// Lag returns how many messages are not committed.
func (r *Reader) Lag(ctx context.Context) (uint64, error) {
	r.mu.Lock()
	committed := r.pos.Committed
	r.mu.Unlock()
	s, err := r.bus.js.Stream(ctx, r.stream)
	if err != nil {
		return 0, failed(err, "looking up stream %q", r.stream)
	}
	last := s.CachedInfo().State.LastSeq
	if last <= committed {
		return 0, nil
	}
	return last - committed, nil
}
