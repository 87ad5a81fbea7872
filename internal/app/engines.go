package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/asgood-dev/asgood/internal/bus"
	"github.com/asgood-dev/asgood/internal/clickhouse"
	"github.com/asgood-dev/asgood/internal/config"
)

// The folders of the data directory.
const (
	dirClickHouse = "clickhouse"
	dirNATS       = "nats"
	dirIDs        = "ids"
)

// engines are the two stores everything rests on.
type engines struct {
	bus   *bus.Bus
	store *clickhouse.Store
}

// openEngines opens the bus first: its lock says at once when another process has the directory.
func openEngines(ctx context.Context, cfg *config.Config, logger *slog.Logger, r prometheus.Registerer) (*engines, error) {
	b, err := openBus(ctx, cfg, logger, r)
	if err != nil {
		return nil, err
	}
	store, err := openStore(ctx, cfg, logger, r)
	if err != nil {
		return nil, errors.Join(err, b.Close())
	}
	return &engines{bus: b, store: store}, nil
}

func openBus(ctx context.Context, cfg *config.Config, logger *slog.Logger, r prometheus.Registerer) (*bus.Bus, error) {
	o := bus.Options{URL: cfg.Storage.NATS, Logger: logger, Registerer: r}
	if cfg.Storage.EmbeddedNATS() {
		o.URL, o.Dir = "", filepath.Join(cfg.Storage.Dir, dirNATS)
	}
	b, err := bus.Open(ctx, o)
	if err != nil {
		return nil, fmt.Errorf("opening the bus: %w", err)
	}
	return b, nil
}

func openStore(ctx context.Context, cfg *config.Config, logger *slog.Logger, r prometheus.Registerer) (*clickhouse.Store, error) {
	o := clickhouse.Options{
		DSN: cfg.Storage.ClickHouse, Library: cfg.Storage.Library, Cluster: cfg.Storage.Cluster,
		SampleRetention: cfg.Retention.Samples, ScoreRetention: cfg.Retention.Scores, Logger: logger, Registerer: r,
	}
	if cfg.Storage.EmbeddedClickHouse() {
		o.DSN, o.Dir = "", filepath.Join(cfg.Storage.Dir, dirClickHouse)
	}
	store, err := clickhouse.Open(ctx, o)
	if err != nil {
		return nil, fmt.Errorf("opening ClickHouse: %w", err)
	}
	return store, nil
}

func (e *engines) close() error {
	return errors.Join(e.store.Close(), e.bus.Close())
}
