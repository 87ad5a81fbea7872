package clickhouse

import (
	"context"
	"errors"

	"github.com/ClickHouse/clickhouse-go/v2"
)

// Exec runs a statement.
func Exec(ctx context.Context, s *Store, statement string) error { return s.conn.Exec(ctx, statement) }

// Slow runs a query that would take minutes.
func Slow(ctx context.Context, s *Store) (n uint64, err error) {
	if err := s.conn.QueryRow(ctx, "SELECT count() FROM system.numbers WHERE NOT ignore(sipHash64(number))").Scan(&n); err != nil {
		return 0, failed(err, "counting for ever")
	}
	return n, nil
}

// Code is the engine's code of an error, 0 for none.
func Code(err error) int32 {
	var ex *clickhouse.Exception
	if errors.As(err, &ex) {
		return ex.Code
	}
	return 0
}

// Statements renders the first migration for a cluster.
func Statements(cluster string) ([]string, error) {
	all, err := migrations()
	if err != nil {
		return nil, err
	}
	return schema{Cluster: cluster, SampleSeconds: 1, ScoreSeconds: 2}.statements(all[0])
}
