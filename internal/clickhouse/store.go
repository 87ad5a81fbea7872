// Package clickhouse keeps what is many: samples, scores, traffic and availability checks. It is the only
// importer of clickhouse-go, and speaks to a server or to the engine in this process through one schema
// and one set of queries.
//
// It owns tables, inserts and queries. It leaves out what the rows mean and when they are read.
package clickhouse

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/asgood-dev/asgood/internal/clickhouse/embedded"
	"github.com/asgood-dev/asgood/internal/quality"
)

// Options configures a Store.
type Options struct {
	DSN             string        // such as clickhouse://user:password@host:9000/asgood; empty runs the engine in process
	Dir             string        // data directory of the one in process
	Library         string        // of the one in process; empty means that it is looked for
	Cluster         string        // of a server: the tables are replicated and distributed over it
	SampleRetention time.Duration // default 30 days
	ScoreRetention  time.Duration // of everything else, default 400 days
	Logger          *slog.Logger
	Registerer      prometheus.Registerer
}

const (
	defaultSampleRetention = 30 * 24 * time.Hour
	defaultScoreRetention  = 400 * 24 * time.Hour
	dialTime               = 10 * time.Second
)

// Store is an open database. It is safe for concurrent use.
type Store struct {
	opts    Options
	log     *slog.Logger
	conn    clickhouse.Conn
	engine  *embedded.Engine // nil with a server
	inserts *prometheus.HistogramVec
}

// Open connects and asks whether the database answers. It changes nothing: see Migrate.
func Open(ctx context.Context, o Options) (_ *Store, err error) {
	o.defaults()
	s := &Store{opts: o, log: o.Logger.With("component", "clickhouse"), inserts: prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "asgood_clickhouse_insert_seconds", Help: "Time of inserts that were stored, by table.",
		Buckets: prometheus.ExponentialBuckets(0.001, 4, 8)}, []string{"table"})}
	if err := o.Registerer.Register(s.inserts); err != nil {
		return nil, fmt.Errorf("registering the metrics of the store: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	options, err := s.options()
	if err != nil {
		return s, err
	}
	if s.conn, err = clickhouse.Open(options); err != nil {
		return s, quality.Errorf(quality.KindInvalid, "opening ClickHouse: %w", err)
	}
	return s, s.Ping(ctx)
}

func (o *Options) defaults() {
	if o.SampleRetention <= 0 {
		o.SampleRetention = defaultSampleRetention
	}
	if o.ScoreRetention <= 0 {
		o.ScoreRetention = defaultScoreRetention
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Registerer == nil {
		o.Registerer = prometheus.NewRegistry()
	}
}

// options are those of the driver.
func (s *Store) options() (*clickhouse.Options, error) {
	if s.opts.DSN != "" {
		o, err := clickhouse.ParseDSN(s.opts.DSN)
		if err != nil {
			// The text of the error may hold the password.
			return nil, quality.Errorf(quality.KindInvalid, "storage.clickhouse is not an address such as clickhouse://user:password@host:9000/asgood")
		}
		o.DialTimeout = dialTime
		return o, nil
	}
	engine, err := embedded.Open(embedded.Options{Dir: s.opts.Dir, Library: s.opts.Library})
	if err != nil {
		return nil, err
	}
	s.engine = engine
	return &clickhouse.Options{
		Protocol: clickhouse.HTTP, Addr: []string{"embedded:8123"}, Auth: clickhouse.Auth{Database: "default"},
		TransportFunc: func(*http.Transport) (http.RoundTripper, error) { return engine, nil },
	}, nil
}

// Close ends the connection and, when it runs in process, the engine.
func (s *Store) Close() error {
	var errs []error
	if s.conn != nil {
		errs = append(errs, s.conn.Close())
	}
	if s.engine != nil {
		errs = append(errs, s.engine.Close())
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("closing ClickHouse: %w", err)
	}
	return nil
}

// Ping asks whether the database answers.
func (s *Store) Ping(ctx context.Context) error {
	var one uint8
	if err := s.conn.QueryRow(ctx, "SELECT 1").Scan(&one); err != nil {
		return failed(err, "asking ClickHouse")
	}
	return nil
}

// The codes of errors that pass: time-outs, limits on load and memory, a full disk, lost connections.
// https://github.com/ClickHouse/ClickHouse/blob/master/src/Common/ErrorCodes.cpp
var passing = map[int32]bool{
	3: true, 32: true, 159: true, 160: true, 164: true, 198: true, 201: true, 202: true, 203: true, 209: true, 210: true,
	225: true, 236: true, 241: true, 242: true, 243: true, 252: true, 279: true, 285: true, 319: true, 394: true, 425: true, 439: true, 999: true,
}

// The codes of errors that lie in the rows.
var ofRows = map[int32]bool{6: true, 26: true, 27: true, 38: true, 41: true, 53: true, 69: true, 70: true, 72: true, 117: true, 131: true, 321: true, 349: true}

// failed gives an error of the database its kind. What comes from no database at all is the way to it.
func failed(err error, format string, args ...any) error {
	kind := quality.KindInternal
	var ex *clickhouse.Exception
	var ours *quality.Error
	switch {
	case errors.As(err, &ours):
		kind = ours.Kind
	case !errors.As(err, &ex), passing[ex.Code]:
		kind = quality.KindUnavailable
	case ofRows[ex.Code]:
		kind = quality.KindInvalid
	}
	return quality.Errorf(kind, format+": %w", append(args, err)...)
}
