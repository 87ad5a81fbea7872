package collector

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/asgood-dev/asgood/internal/quality"
)

// Batch is a run of messages of one stream.
type Batch struct {
	Token    string      // the same for the same messages, also after a crash
	Messages [][]byte    // in the stream's order
	Times    []time.Time // when each was stored
	Seqs     []uint64    // where each stands in the stream
	Ref      any         // what the source needs to know it again
}

// Message is one message of a batch.
type Message struct {
	Seq  uint64
	Time time.Time // when it was stored
	Data []byte
}

// message returns one message; a source that does not say where and when leaves those zero.
func (b *Batch) message(i int) Message {
	m := Message{Data: b.Messages[i]}
	if i < len(b.Seqs) {
		m.Seq = b.Seqs[i]
	}
	if i < len(b.Times) {
		m.Time = b.Times[i]
	}
	return m
}

// Source gives batches. A batch that was not committed comes again, with the same token and messages.
type Source interface {
	// Next waits for the next batch.
	Next(ctx context.Context) (Batch, error)
	// Commit says that a batch is done with.
	Commit(ctx context.Context, b Batch) error
}

// WriterOptions of a Writer. Name, Source and Insert are required.
type WriterOptions[T any] struct {
	Name   string // of what is written, such as "samples": a label of the metrics
	Source Source
	// Insert stores rows. The same token again stores nothing.
	Insert     func(ctx context.Context, token string, rows []T) error
	Decode     func(m Message) ([]T, error) // default: a JSON array of rows, or one row
	MaxBackoff time.Duration                // longest pause between attempts; default 30 s
	Logger     *slog.Logger
	Registerer prometheus.Registerer
}

// Writer carries batches of rows from a source to a store. It never skips a batch that the store
// cannot take now: it tries again for as long as it takes. Only what no store could take (a message that is not
// rows, a row that is invalid) is kept out, logged and counted.
type Writer[T any] struct {
	opts    WriterOptions[T]
	rows    prometheus.Counter
	skipped prometheus.Counter
	retries prometheus.Counter
	last    prometheus.Gauge
}

// NewWriter returns a writer.
func NewWriter[T any](o WriterOptions[T]) (*Writer[T], error) {
	if o.Name == "" || o.Source == nil || o.Insert == nil {
		return nil, errors.New("collector: a writer needs a name, a source and an insert")
	}
	if o.Decode == nil {
		o.Decode = decodeRows[T]
	}
	if o.MaxBackoff <= 0 {
		o.MaxBackoff = 30 * time.Second
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Registerer == nil {
		o.Registerer = prometheus.NewRegistry()
	}
	o.Logger = o.Logger.With("component", "writer", "of", o.Name)
	rows, err1 := shared(o.Registerer, writerCounter("rows_total", "Rows given to the store."))
	skipped, err2 := shared(o.Registerer, writerCounter("skipped_total", "Messages and rows kept out because no store could take them."))
	retries, err3 := shared(o.Registerer, writerCounter("retries_total", "Attempts that failed and were made again."))
	last, err4 := shared(o.Registerer, prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "asgood_writer_last_success_timestamp_seconds", Help: "When the last batch was stored."}, []string{"of"}))
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		return nil, fmt.Errorf("registering the metrics of the writer of %s: %w", o.Name, err)
	}
	return &Writer[T]{
		opts: o, rows: rows.WithLabelValues(o.Name), skipped: skipped.WithLabelValues(o.Name),
		retries: retries.WithLabelValues(o.Name), last: last.WithLabelValues(o.Name),
	}, nil
}

func writerCounter(name, help string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Name: "asgood_writer_" + name, Help: help}, []string{"of"})
}

// decodeRows reads an array of rows, or a single one.
func decodeRows[T any](m Message) ([]T, error) {
	message := m.Data
	if len(message) > 0 && message[0] == '[' {
		var rows []T
		err := json.Unmarshal(message, &rows)
		return rows, err
	}
	var row T
	if err := json.Unmarshal(message, &row); err != nil {
		return nil, err
	}
	return []T{row}, nil
}

// Run writes until ctx ends.
func (w *Writer[T]) Run(ctx context.Context) error {
	for {
		var b Batch
		err := w.persist(ctx, "reading", func() (err error) {
			b, err = w.opts.Source.Next(ctx)
			return err
		})
		if err != nil {
			return nil // only the end of ctx ends persist
		}
		if err := w.write(ctx, b.Token, w.decode(b)); err != nil {
			return nil
		}
		if err := w.persist(ctx, "committing", func() error { return w.opts.Source.Commit(ctx, b) }); err != nil {
			return nil
		}
		w.last.SetToCurrentTime()
	}
}

func (w *Writer[T]) decode(b Batch) []T {
	parts, n := make([][]T, 0, len(b.Messages)), 0
	for i := range b.Messages {
		got, err := w.opts.Decode(b.message(i))
		if err != nil {
			w.skipped.Inc()
			w.opts.Logger.Error("message is kept out: it cannot be read", "batch", b.Token, "message", i, "err", err)
			continue
		}
		parts, n = append(parts, got), n+len(got)
	}
	if len(parts) == 1 {
		return parts[0]
	}
	rows := make([]T, 0, n) // at once: rows are large, and growing would copy them again and again
	for _, part := range parts {
		rows = append(rows, part...)
	}
	return rows
}

// write stores rows. When the store calls them invalid they are halved until the bad ones are alone;
// the halves' tokens follow from the batch's, so that they too are the same after a crash.
func (w *Writer[T]) write(ctx context.Context, token string, rows []T) error {
	if len(rows) == 0 {
		return nil
	}
	var invalid error
	err := w.persist(ctx, "storing", func() error {
		err := w.opts.Insert(ctx, token, rows)
		if k := quality.KindOf(err); k == quality.KindInvalid || k == quality.KindTooLarge {
			invalid = err
			return nil
		}
		return err
	})
	switch {
	case err != nil:
		return err
	case invalid == nil:
		w.rows.Add(float64(len(rows)))
		return nil
	case len(rows) == 1:
		w.skipped.Inc()
		w.opts.Logger.Error("row is kept out: the store refuses it", "batch", token, "err", invalid)
		return nil
	}
	half := len(rows) / 2
	if err := w.write(ctx, token+".0", rows[:half]); err != nil {
		return err
	}
	return w.write(ctx, token+".1", rows[half:])
}

func (w *Writer[T]) persist(ctx context.Context, what string, do func() error) error {
	return persist(ctx, w.opts.Logger, what, w.opts.MaxBackoff, w.retries.Inc, func(context.Context) error { return do() })
}
