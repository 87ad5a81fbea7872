package app

import (
	"context"
	"fmt"

	"github.com/asgood-dev/asgood/internal/clickhouse"
	"github.com/asgood-dev/asgood/internal/quality"
	"github.com/asgood-dev/asgood/internal/wire"
)

// deliveryRow is one row that a delivery of the collector puts into the store: a sample or a count.
type deliveryRow struct {
	sample  *quality.Sample
	traffic *quality.Traffic
}

// unpackDelivery reads a message of the stream of samples. Scores in it are the evaluator's to store.
func unpackDelivery(message []byte) ([]deliveryRow, error) {
	var d quality.Delivery
	if err := wire.Unmarshal(message, &d); err != nil {
		return nil, fmt.Errorf("decoding a delivery: %w", err)
	}
	rows := make([]deliveryRow, 0, len(d.Samples)+len(d.Traffic))
	for i := range d.Samples {
		rows = append(rows, deliveryRow{sample: &d.Samples[i]})
	}
	for i := range d.Traffic {
		rows = append(rows, deliveryRow{traffic: &d.Traffic[i]})
	}
	return rows, nil
}

// insertDeliveries stores both kinds of rows under one token: each table remembers its own.
func insertDeliveries(store *clickhouse.Store) func(context.Context, string, []deliveryRow) error {
	return func(ctx context.Context, token string, rows []deliveryRow) error {
		var samples []quality.Sample
		var traffic []quality.Traffic
		for _, r := range rows {
			if r.sample != nil {
				samples = append(samples, *r.sample)
			} else {
				traffic = append(traffic, *r.traffic)
			}
		}
		return firstError(
			func() error { return store.InsertSamples(ctx, token, samples) },
			func() error { return store.InsertTraffic(ctx, token, traffic) },
		)
	}
}
