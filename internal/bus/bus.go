// Package bus carries what must not be lost on the way and keeps what is small and shared: durable
// streams with readers that come back to the same batches after a crash, key-value buckets, and
// broadcasts. It is the only importer of NATS; the server runs in process without a listener, or outside.
//
// It knows bytes, sequences and keys. It leaves out what they mean: rooms encode and decode.
package bus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/asgood-dev/asgood/internal/quality"
)

// The streams.
const (
	Samples  = "SAMPLES"
	Scores   = "SCORES"
	Events   = "EVENTS"
	Probes   = "PROBES"
	Feedback = "FEEDBACK" // scores whose samples are not looked up yet
	Spans    = "SPANS"    // records of spans that are not joined yet
	Held     = "HELD"     // samples about which feedback decides
	Notices  = "NOTICES"  // what subscribers are to be told of
)

// MaxMessage is the largest message and document, in bytes.
const MaxMessage = 8<<20 - 64<<10

const (
	defaultMaxBytes = 8 << 30
	dedupWindow     = 10 * time.Minute
	requestTime     = 10 * time.Second
	headerSource    = "Asgood-Source"
)

// Options configures a Bus.
type Options struct {
	URL        string // of a NATS server with JetStream; empty runs one in process
	Dir        string // data directory of the one in process, made when absent
	MaxBytes   int64  // of the stream of samples, default 8 GiB; the others take a part of it
	Logger     *slog.Logger
	Registerer prometheus.Registerer
}

// Message is one message of a stream.
type Message struct {
	Seq    uint64    // set on reading; the first of a stream is 1
	ID     string    // a message with an id that came within ten minutes stores nothing; may be empty
	Source uint64    // sequence of the message of another stream that this one was made from, 0 for none
	Time   time.Time // when it was stored; set on reading
	Data   []byte
}

// Bus is a connection to the streams and buckets. It is safe for concurrent use.
type Bus struct {
	log      *slog.Logger
	metrics  *metrics
	embedded *embedded // nil with a server outside
	nc       *nats.Conn
	js       jetstream.JetStream
	readers  *Bucket // positions of readers

	stop    context.CancelFunc
	stopped sync.WaitGroup

	mu    sync.Mutex
	holds map[string][]func() uint64
}

// Open connects, and makes the streams that are not there. A directory in use by another process is a
// conflict.
func Open(ctx context.Context, o Options) (_ *Bus, err error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.MaxBytes <= 0 {
		o.MaxBytes = defaultMaxBytes
	}
	m, err := newMetrics(o.Registerer)
	if err != nil {
		return nil, err
	}
	b := &Bus{log: o.Logger.With("component", "bus"), metrics: m, holds: map[string][]func() uint64{}}
	defer func() {
		if err != nil {
			err = errors.Join(err, b.Close())
		}
	}()
	if err := b.connect(o); err != nil {
		return b, err
	}
	if b.js, err = jetstream.New(b.nc, jetstream.WithDefaultTimeout(requestTime)); err != nil {
		return b, fmt.Errorf("opening JetStream: %w", err)
	}
	if err := b.makeStreams(ctx, o.MaxBytes); err != nil {
		return b, err
	}
	if b.readers, err = b.Bucket(ctx, "readers"); err != nil {
		return b, err
	}
	run, cancel := context.WithCancel(context.WithoutCancel(ctx))
	b.stop = cancel
	b.stopped.Go(func() { b.purge(run) })
	return b, nil
}

func (b *Bus) connect(o Options) (err error) {
	options := []nats.Option{nats.Name("asgood"), nats.MaxReconnects(-1), nats.ReconnectBufSize(-1),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { b.log.Warn("connection to NATS", "err", err) })}
	if o.URL == "" {
		if b.embedded, err = startEmbedded(o.Dir, b.log); err != nil {
			return err
		}
		options = append(options, nats.InProcessServer(b.embedded.server))
	}
	if b.nc, err = nats.Connect(o.URL, options...); err != nil {
		return quality.Errorf(quality.KindUnavailable, "connecting to NATS: %w", err)
	}
	if got := b.nc.MaxPayload(); got < MaxMessage {
		return quality.Errorf(quality.KindInvalid, "the NATS server takes messages of %d bytes, %d are needed: set max_payload: 8MB in its configuration", got, MaxMessage)
	}
	return nil
}

// makeStreams makes the streams. What is full refuses more: nothing that was acknowledged is thrown away.
func (b *Bus) makeStreams(ctx context.Context, maxBytes int64) error {
	for name, size := range map[string]int64{
		Samples: maxBytes, Scores: maxBytes / 2, Events: maxBytes / 16, Probes: maxBytes / 16,
		Feedback: maxBytes / 4, Spans: maxBytes / 2, Held: maxBytes, Notices: maxBytes / 64,
	} {
		_, err := b.js.CreateOrUpdateStream(ctx, jetstream.StreamConfig{
			Name: name, Subjects: []string{subject(name)}, Storage: jetstream.FileStorage, Discard: jetstream.DiscardNew,
			MaxBytes: size, Duplicates: dedupWindow, AllowDirect: true,
		})
		if err != nil {
			return quality.Errorf(quality.KindUnavailable, "making stream %q: %w", name, err)
		}
	}
	return nil
}

func subject(stream string) string { return "asgood." + stream }

// Close ends what is under way and, when it runs in process, the server.
func (b *Bus) Close() error {
	if b.stop != nil {
		b.stop()
		b.stopped.Wait()
	}
	if b.nc != nil {
		b.nc.Close()
	}
	if b.embedded != nil {
		return b.embedded.close()
	}
	return nil
}

// Ping asks whether JetStream answers.
func (b *Bus) Ping(ctx context.Context) error {
	if _, err := b.js.AccountInfo(ctx); err != nil {
		return quality.Errorf(quality.KindUnavailable, "asking JetStream: %w", err)
	}
	return nil
}

// Publish stores a message and returns its sequence when it is on disk. A repeated id returns the sequence
// of the first. A full stream or disk, and a server that is away, are errors of kind unavailable.
func (b *Bus) Publish(ctx context.Context, stream string, m Message) (uint64, error) {
	if len(m.Data) > MaxMessage {
		return 0, quality.Errorf(quality.KindTooLarge, "message of %d bytes for stream %q, at most %d", len(m.Data), stream, MaxMessage)
	}
	msg := &nats.Msg{Subject: subject(stream), Data: m.Data, Header: nats.Header{}}
	if m.ID != "" {
		msg.Header.Set(nats.MsgIdHdr, m.ID)
	}
	if m.Source > 0 {
		msg.Header.Set(headerSource, strconv.FormatUint(m.Source, 10))
	}
	ack, err := b.js.PublishMsg(ctx, msg)
	b.metrics.published(stream, len(m.Data), err)
	if err != nil {
		return 0, failed(err, "publishing to stream %q", stream)
	}
	return ack.Sequence, nil
}

// failed gives an error of NATS its kind. Nearly all that goes wrong between here and a disk passes.
func failed(err error, format string, args ...any) error {
	kind := quality.KindUnavailable
	var api *jetstream.APIError
	switch {
	case errors.Is(err, jetstream.ErrMsgNotFound), errors.Is(err, jetstream.ErrKeyNotFound), errors.Is(err, jetstream.ErrStreamNotFound):
		kind = quality.KindNotFound
	case errors.Is(err, jetstream.ErrKeyExists), errors.As(err, &api) && api.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequence:
		kind = quality.KindConflict
	case errors.Is(err, nats.ErrMaxPayload):
		kind = quality.KindTooLarge
	case errors.Is(err, jetstream.ErrInvalidKey):
		kind = quality.KindInvalid
	}
	return quality.Errorf(kind, format+": %w", append(args, err)...)
}

// Last returns the newest message of a stream, or an error of kind not found when there never was one.
func (b *Bus) Last(ctx context.Context, stream string) (Message, error) {
	s, err := b.js.Stream(ctx, stream)
	if err != nil {
		return Message{}, failed(err, "looking up stream %q", stream)
	}
	raw, err := s.GetLastMsgForSubject(ctx, subject(stream))
	if err != nil {
		return Message{}, failed(err, "reading the newest message of stream %q", stream)
	}
	return Message{Seq: raw.Sequence, ID: raw.Header.Get(nats.MsgIdHdr), Source: source(raw.Header), Time: raw.Time, Data: raw.Data}, nil
}

func source(h nats.Header) uint64 {
	n, err := strconv.ParseUint(h.Get(headerSource), 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// Range calls fn with every stored message behind a sequence, in order, up to the newest at the time of
// the call. It ends early with fn's error.
func (b *Bus) Range(ctx context.Context, stream string, after uint64, fn func(Message) error) error {
	s, err := b.js.Stream(ctx, stream)
	if err != nil {
		return failed(err, "looking up stream %q", stream)
	}
	last := s.CachedInfo().State.LastSeq
	if last <= after || s.CachedInfo().State.Msgs == 0 {
		return nil
	}
	f, err := b.follow(ctx, stream, after+1)
	if err != nil {
		return err
	}
	defer f.close()
	for {
		m, err := f.next(ctx)
		if err != nil {
			return err
		}
		if err := fn(m); err != nil {
			return err
		}
		if m.Seq >= last {
			return nil
		}
	}
}

// logAdapter passes on what the server warns of.
type logAdapter struct{ log *slog.Logger }

var _ server.Logger = logAdapter{}

func (l logAdapter) Noticef(string, ...any) {}
func (l logAdapter) Debugf(string, ...any)  {}
func (l logAdapter) Tracef(string, ...any)  {}
func (l logAdapter) Warnf(format string, v ...any) {
	l.log.Warn("NATS server", "msg", fmt.Sprintf(format, v...))
}
func (l logAdapter) Errorf(format string, v ...any) {
	l.log.Error("NATS server", "msg", fmt.Sprintf(format, v...))
}
func (l logAdapter) Fatalf(format string, v ...any) {
	l.log.Error("NATS server gives up", "msg", fmt.Sprintf(format, v...))
}
