package bus

import (
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/asgood-dev/asgood/internal/quality"
)

// What a follower may hold in memory of what is to come.
const (
	aheadMessages = 256
	aheadBytes    = 4 << 20
)

// follower reads a stream in order from a sequence on, for ever.
type follower struct {
	stream   string
	messages jetstream.MessagesContext
}

func (b *Bus) follow(ctx context.Context, stream string, from uint64) (*follower, error) {
	c, err := b.js.OrderedConsumer(ctx, stream, jetstream.OrderedConsumerConfig{
		DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: max(from, 1),
	})
	if err != nil {
		return nil, failed(err, "following stream %q", stream)
	}
	messages, err := c.Messages(jetstream.PullMaxMessagesWithBytesLimit(aheadMessages, aheadBytes))
	if err != nil {
		return nil, failed(err, "following stream %q", stream)
	}
	return &follower{stream: stream, messages: messages}, nil
}

func (f *follower) close() { f.messages.Stop() }

// next waits for the next message.
func (f *follower) next(ctx context.Context) (Message, error) {
	raw, err := f.messages.Next(jetstream.NextContext(ctx))
	if err != nil {
		if ctx.Err() != nil {
			return Message{}, ctx.Err()
		}
		return Message{}, failed(err, "reading stream %q", f.stream)
	}
	meta, err := raw.Metadata()
	if err != nil {
		return Message{}, quality.Errorf(quality.KindInternal, "reading stream %q: %w", f.stream, err)
	}
	return Message{
		Seq: meta.Sequence.Stream, ID: raw.Headers().Get(nats.MsgIdHdr), Source: source(raw.Headers()),
		Time: meta.Timestamp, Data: raw.Data(),
	}, nil
}

// ready returns a message that comes before ctx ends, and false when none does.
func (f *follower) ready(ctx context.Context) (Message, bool, error) {
	m, err := f.next(ctx)
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return m, false, nil
	}
	if err != nil {
		return m, false, fmt.Errorf("waiting for more: %w", err)
	}
	return m, true, nil
}
