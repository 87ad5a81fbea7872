package app

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/asgood-dev/asgood/collector"
	"github.com/asgood-dev/asgood/internal/bus"
	"github.com/asgood-dev/asgood/internal/config"
	"github.com/asgood-dev/asgood/internal/quality"
)

// Bounds of what is sent at a time.
const (
	importRows  = 1000
	importBytes = 4 << 20
)

// maxRejections is how many refused rows are listed; all are counted.
const maxRejections = 100

// ImportOptions say what to import and where to.
type ImportOptions struct {
	Input      io.Reader // CSV with a header line
	Map        string    // such as "time=timestamp,output=answer,id={model}/{id}"
	Feature    string    // of rows that name none
	TimeLayout string    // Go layout of the time column; empty tries the unambiguous ones
	Server     string    // ingest address; empty means the configuration's, or the data directory when nothing answers there
	Key        string    // for an ingest listener that asks for one
	Output     io.Writer // when set the samples are written here as NDJSON and stored nowhere
	Config     *config.Config
	Progress   func(rows int)
	Logger     *slog.Logger
}

// ImportResult says what became of the rows.
type ImportResult struct {
	Rows       int           `json:"rows"`
	Accepted   int           `json:"accepted"`
	Duplicates int           `json:"duplicates"`
	Refused    int           `json:"refused"`
	Rejected   []RejectedRow `json:"rejected"` // the first of them
}

// RejectedRow is a row that was refused.
type RejectedRow struct {
	Line  int    `json:"line"` // of the file, 1-based
	Error string `json:"error"`
}

func (r *ImportResult) reject(line int, reason string) {
	r.Refused++
	if len(r.Rejected) < maxRejections {
		r.Rejected = append(r.Rejected, RejectedRow{Line: line, Error: reason})
	}
}

// taker takes samples somewhere, in order.
type taker interface {
	take(ctx context.Context, samples []quality.Sample) (collector.Result, error)
	close() error
}

// Import brings the rows of a CSV file in. Rows that are wrong are refused one by one.
func Import(ctx context.Context, o ImportOptions) (result ImportResult, err error) {
	fields, err := collector.ParseMap(o.Map)
	if err != nil {
		return result, err
	}
	csv := collector.CSVOptions{Feature: o.Feature, Map: fields, TimeLayout: o.TimeLayout}
	if o.Config != nil {
		csv.Location = o.Config.Location()
	}
	to, err := destination(ctx, o)
	if err != nil {
		return result, err
	}
	defer func() { err = errors.Join(err, to.close()) }()
	im := importer{to: to, result: ImportResult{Rejected: []RejectedRow{}}}
	err = im.run(ctx, counted(collector.ReadCSV(o.Input, csv), o.Progress))
	return im.result, err
}

// importer gathers rows and hands them on.
type importer struct {
	to      taker
	result  ImportResult
	samples []quality.Sample
	rows    []int // line of each of samples
	size    int
}

func (im *importer) run(ctx context.Context, rows iter.Seq2[quality.Sample, error]) error {
	line := 1 // the header
	for s, err := range rows {
		im.result.Rows++
		line++
		var bad *collector.RowError
		switch {
		case errors.As(err, &bad):
			line = bad.Line
			im.result.reject(line, bad.Err.Error())
			continue
		case err != nil:
			return err
		}
		im.samples, im.rows = append(im.samples, s), append(im.rows, line)
		im.size += len(s.Output.All()) + len(s.Input.All())
		if len(im.samples) >= importRows || im.size >= importBytes {
			if err := im.flush(ctx); err != nil {
				return err
			}
		}
	}
	return im.flush(ctx)
}

func (im *importer) flush(ctx context.Context) error {
	if len(im.samples) == 0 {
		return nil
	}
	res, err := im.to.take(ctx, im.samples)
	if err != nil {
		return fmt.Errorf("rows from line %d: %w", im.rows[0], err)
	}
	im.result.Accepted += res.Accepted
	im.result.Duplicates += res.Duplicates
	for _, r := range res.Rejected {
		if i := position(r); i >= 0 && i < len(im.rows) {
			im.result.reject(im.rows[i], r.Error)
		}
	}
	im.result.Refused += res.Refused - len(res.Rejected)
	im.samples, im.rows, im.size = im.samples[:0], im.rows[:0], 0
	return nil
}

// position is the place of a rejection among what was sent.
func position(r collector.Rejection) int {
	if r.Index != nil {
		return *r.Index
	}
	return r.Line - 1
}

func destination(ctx context.Context, o ImportOptions) (taker, error) {
	switch {
	case o.Output != nil:
		return fileTaker{json.NewEncoder(o.Output)}, nil
	case o.Server != "":
		return newServerTaker(o.Server, o.Key), nil
	case answers(ctx, o.Config.Listen.Ingest):
		return newServerTaker(reachable(o.Config.Listen.Ingest), o.Key), nil
	default:
		return openDirectory(ctx, o)
	}
}

// answers reports whether something listens at an address.
func answers(ctx context.Context, addr string) bool {
	d := net.Dialer{Timeout: 2 * time.Second}
	conn, err := d.DialContext(ctx, "tcp", addr)
	if err != nil {
		return !errors.Is(err, syscall.ECONNREFUSED)
	}
	_ = conn.Close() // only its opening was of interest
	return true
}

// fileTaker writes NDJSON.
type fileTaker struct{ enc *json.Encoder }

func (f fileTaker) take(_ context.Context, samples []quality.Sample) (collector.Result, error) {
	var r collector.Result
	for i := range samples {
		if err := samples[i].Validate(); err != nil {
			r.Refused++
			r.Rejected = append(r.Rejected, collector.Rejection{Index: &i, Error: err.Error()})
			continue
		}
		if err := f.enc.Encode(&samples[i]); err != nil {
			return r, fmt.Errorf("writing a sample: %w", err)
		}
		r.Accepted++
	}
	return r, nil
}

func (fileTaker) close() error { return nil }

// serverTaker posts to a running server.
type serverTaker struct {
	url    string
	key    string // empty sends none
	client *http.Client
}

func newServerTaker(addr, key string) *serverTaker {
	if !strings.Contains(addr, "://") {
		addr = "http://" + addr
	}
	return &serverTaker{url: strings.TrimSuffix(addr, "/") + "/v1/samples", key: key, client: &http.Client{Timeout: time.Minute}}
}

func (s *serverTaker) close() error {
	s.client.CloseIdleConnections()
	return nil
}

func (s *serverTaker) take(ctx context.Context, samples []quality.Sample) (collector.Result, error) {
	var body bytes.Buffer
	enc := json.NewEncoder(&body)
	for i := range samples {
		if err := enc.Encode(&samples[i]); err != nil {
			return collector.Result{}, fmt.Errorf("encoding a sample: %w", err)
		}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url, &body)
	if err != nil {
		return collector.Result{}, quality.Errorf(quality.KindInvalid, "server address: %w", err)
	}
	req.Header.Set("Content-Type", "application/x-ndjson")
	req.Header.Set("Asgood-Sampling", "off")
	if s.key != "" {
		req.Header.Set("Authorization", "Bearer "+s.key)
	}
	res, err := s.client.Do(req)
	if err != nil {
		return collector.Result{}, fmt.Errorf("sending samples: %w", err)
	}
	defer res.Body.Close()
	return readReply(res)
}

// readReply takes 200, and the refusal of single rows, as answers; anything else is an error.
func readReply(res *http.Response) (collector.Result, error) {
	data, err := io.ReadAll(io.LimitReader(res.Body, 8<<20))
	if err != nil {
		return collector.Result{}, fmt.Errorf("reading the answer of the server: %w", err)
	}
	var reply collector.Result
	err = json.Unmarshal(data, &reply)
	refusal := res.StatusCode == http.StatusBadRequest || res.StatusCode == http.StatusRequestEntityTooLarge
	if res.StatusCode == http.StatusOK && err == nil || refusal && err == nil && reply.Refused > 0 {
		return reply, nil
	}
	return collector.Result{}, fmt.Errorf("the server answered %s: %.300s", res.Status, data)
}

// directoryTaker puts samples into the data directory of a server that does not run. They are durable
// then, and scored when it runs.
type directoryTaker struct {
	collector *collector.Collector
	bus       *bus.Bus
	cancel    context.CancelFunc
	done      chan error
}

func openDirectory(ctx context.Context, o ImportOptions) (_ *directoryTaker, err error) {
	b, err := openBus(ctx, o.Config, o.Logger, prometheus.NewRegistry())
	if err != nil {
		return nil, err
	}
	key, err := secretKey(o.Config.Storage.Dir)
	if err != nil {
		return nil, errors.Join(err, b.Close())
	}
	room, err := newDiskRoom(o.Config.Storage.Dir, int64(o.Config.Storage.MinFree), o.Logger)
	if err != nil {
		return nil, errors.Join(err, b.Close())
	}
	c, err := collector.New(collector.Options{
		Features: unsampled(o.Config.Features), Handoff: handoff{b}, Key: key, Room: room.Room,
		Dir: filepath.Join(o.Config.Storage.Dir, dirIDs), Retention: o.Config.Retention.Samples, Logger: o.Logger,
	})
	if err != nil {
		return nil, errors.Join(err, b.Close())
	}
	run, cancel := context.WithCancel(context.WithoutCancel(ctx))
	d := &directoryTaker{collector: c, bus: b, cancel: cancel, done: make(chan error, 1)}
	go func() { d.done <- c.Run(run) }()
	select {
	case <-c.Ready():
		return d, nil
	case <-ctx.Done():
		return nil, errors.Join(ctx.Err(), d.close())
	}
}

// unsampled are the features without their sampling: a file that a person brings is wanted whole.
func unsampled(features []quality.Feature) []quality.Feature {
	out := slices.Clone(features)
	for i := range out {
		out[i].Sampling = nil
	}
	return out
}

func (d *directoryTaker) take(ctx context.Context, samples []quality.Sample) (collector.Result, error) {
	return d.collector.Accept(ctx, samples)
}

func (d *directoryTaker) close() error {
	d.cancel()
	return errors.Join(<-d.done, d.bus.Close())
}
