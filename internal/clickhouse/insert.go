package clickhouse

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"

	"github.com/asgood-dev/asgood/internal/quality"
)

// column is one column of an insert: its name and type, so that the driver need not ask, and its value.
type column[T any] struct {
	name, kind string
	value      func(*T) any
}

// insert stores rows under a token. The same token again stores nothing, in the table and in its roll-ups.
func insert[T any](ctx context.Context, s *Store, table, token string, columns []column[T], rows []T) error {
	if len(rows) == 0 {
		return nil
	}
	began := time.Now()
	names := make([]string, len(columns))
	types := make([]clickhouse.ColumnNameAndType, len(columns))
	for i, c := range columns {
		names[i], types[i] = c.name, clickhouse.ColumnNameAndType{Name: c.name, Type: c.kind}
	}
	ctx = clickhouse.Context(ctx, clickhouse.WithSettings(s.insertSettings(token)), clickhouse.WithColumnNamesAndTypes(types))
	batch, err := s.conn.PrepareBatch(ctx, fmt.Sprintf("INSERT INTO %s (%s)", table, strings.Join(names, ", ")))
	if err != nil {
		return failed(err, "preparing an insert into %q", table)
	}
	defer func() { _ = batch.Close() }() // after Send there is nothing to close
	values := make([]any, len(columns))
	for i := range rows {
		for j, c := range columns {
			values[j] = c.value(&rows[i])
		}
		if err := batch.Append(values...); err != nil {
			return quality.Errorf(quality.KindInvalid, "row %d of an insert into %q: %w", i+1, table, err)
		}
	}
	if err := batch.Send(); err != nil {
		return failed(err, "inserting %d rows into %q as %s", len(rows), table, token)
	}
	s.inserts.WithLabelValues(table).Observe(time.Since(began).Seconds())
	return nil
}

// insertSettings let an import of years through and make a repeated insert store nothing. The rows of an
// insert stay in one block, so that they have one token per partition.
func (s *Store) insertSettings(token string) clickhouse.Settings {
	settings := clickhouse.Settings{
		"insert_deduplication_token":                         token,
		"insert_deduplicate":                                 1,
		"deduplicate_blocks_in_dependent_materialized_views": 1,
		"max_partitions_per_insert_block":                    0,
		"max_insert_threads":                                 1,
		"max_block_size":                                     1 << 20,
		"min_insert_block_size_rows":                         1 << 20,
		"min_insert_block_size_bytes":                        1 << 30,
	}
	if s.opts.Cluster != "" {
		settings["distributed_foreground_insert"] = 1
	}
	return settings
}

var sampleColumns = []column[quality.Sample]{
	{"feature", "LowCardinality(String)", func(s *quality.Sample) any { return s.Feature }},
	{"id", "String", func(s *quality.Sample) any { return s.ID }},
	{"time", "DateTime64(6, 'UTC')", func(s *quality.Sample) any { return s.Time }},
	{"customer", "LowCardinality(String)", func(s *quality.Sample) any { return s.Customer }},
	{"conversation", "String", func(s *quality.Sample) any { return s.Conversation }},
	{"source", "LowCardinality(String)", func(s *quality.Sample) any { return s.Source }},
	{"trace", "String", func(s *quality.Sample) any { return s.Trace }},
	{"input", "String", func(s *quality.Sample) any { return contentText(s.Input) }},
	{"input_chat", "Bool", func(s *quality.Sample) any { return s.Input.Messages != nil }},
	{"output", "String", func(s *quality.Sample) any { return contentText(s.Output) }},
	{"output_chat", "Bool", func(s *quality.Sample) any { return s.Output.Messages != nil }},
	{"reference", "Nullable(String)", func(s *quality.Sample) any { return s.Reference }},
	{"context", "String", func(s *quality.Sample) any { return jsonText(s.Context, len(s.Context)) }},
	{"model", "LowCardinality(String)", func(s *quality.Sample) any { return s.Model }},
	{"prompt", "LowCardinality(String)", func(s *quality.Sample) any { return s.Prompt }},
	{"params", "String", func(s *quality.Sample) any { return jsonText(s.Params, len(s.Params)) }},
	{"tools", "String", func(s *quality.Sample) any { return jsonText(s.Tools, len(s.Tools)) }},
	{"input_tokens", "Nullable(UInt64)", func(s *quality.Sample) any { return tokens(s, func(u *quality.Usage) uint64 { return u.InputTokens }) }},
	{"output_tokens", "Nullable(UInt64)", func(s *quality.Sample) any { return tokens(s, func(u *quality.Usage) uint64 { return u.OutputTokens }) }},
	{"latency_ms", "Float64", func(s *quality.Sample) any { return s.LatencyMS }},
	{"error", "String", func(s *quality.Sample) any { return s.Error }},
	{"attributes", "Map(LowCardinality(String), String)", func(s *quality.Sample) any { return s.Attributes }},
	{"scores", "Map(LowCardinality(String), Float64)", func(s *quality.Sample) any { return s.Scores }},
	{"weight", "Float64", func(s *quality.Sample) any { return s.KeptWeight() }},
}

func tokens(s *quality.Sample, of func(*quality.Usage) uint64) *uint64 {
	if s.Usage == nil {
		return nil
	}
	n := of(s.Usage)
	return &n
}

// contentText is plain text as it is, and chat messages as JSON.
func contentText(c quality.Content) string {
	if c.Messages == nil {
		return c.Text
	}
	return jsonText(c.Messages, 1)
}

// jsonText is empty for what is empty. What came as JSON can be written as JSON.
func jsonText(v any, n int) string {
	if n == 0 {
		return ""
	}
	data, err := json.Marshal(v)
	if err != nil {
		return ""
	}
	return string(data)
}

// InsertSamples stores samples under a token.
func (s *Store) InsertSamples(ctx context.Context, token string, rows []quality.Sample) error {
	return insert(ctx, s, "samples", token, sampleColumns, rows)
}

var scoreColumns = []column[quality.Score]{
	{"feature", "LowCardinality(String)", func(s *quality.Score) any { return s.Feature }},
	{"metric", "LowCardinality(String)", func(s *quality.Score) any { return s.Metric }},
	{"time", "DateTime64(6, 'UTC')", func(s *quality.Score) any { return s.Time }},
	{"sample_id", "String", func(s *quality.Score) any { return s.SampleID }},
	{"value", "Float64", func(s *quality.Score) any { return s.Value }},
	{"label", "LowCardinality(String)", func(s *quality.Score) any { return s.Label }},
	{"explanation", "String", func(s *quality.Score) any { return s.Explanation }},
	{"scorer", "LowCardinality(String)", func(s *quality.Score) any { return s.Scorer }},
	{"version", "LowCardinality(String)", func(s *quality.Score) any { return s.Version }},
	{"error", "String", func(s *quality.Score) any { return s.Error }},
	{"weight", "Float64", func(s *quality.Score) any { return s.Weight }},
	{"customer", "LowCardinality(String)", func(s *quality.Score) any { return s.Customer }},
	{"source", "LowCardinality(String)", func(s *quality.Score) any { return s.Source }},
	{"by", "LowCardinality(String)", func(s *quality.Score) any { return s.By }},
	{"late", "Bool", func(s *quality.Score) any { return s.Late }},
	{"aside", "Bool", func(s *quality.Score) any { return s.Aside }},
	{"model", "LowCardinality(String)", func(s *quality.Score) any { return s.Model }},
	{"prompt", "LowCardinality(String)", func(s *quality.Score) any { return s.Prompt }},
	{"attributes", "Map(LowCardinality(String), String)", func(s *quality.Score) any { return s.Attributes }},
}

// InsertScores stores scores under a token.
func (s *Store) InsertScores(ctx context.Context, token string, rows []quality.Score) error {
	return insert(ctx, s, "scores", token, scoreColumns, rows)
}

var trafficColumns = []column[quality.Traffic]{
	{"minute", "DateTime('UTC')", func(t *quality.Traffic) any { return t.Minute }},
	{"feature", "LowCardinality(String)", func(t *quality.Traffic) any { return t.Feature }},
	{"customer", "LowCardinality(String)", func(t *quality.Traffic) any { return t.Customer }},
	{"model", "LowCardinality(String)", func(t *quality.Traffic) any { return t.Model }},
	{"attributes", "Map(LowCardinality(String), String)", func(t *quality.Traffic) any { return t.Attributes }},
	{"total", "UInt64", func(t *quality.Traffic) any { return t.Total }},
	{"kept", "UInt64", func(t *quality.Traffic) any { return t.Kept }},
	{"errors", "UInt64", func(t *quality.Traffic) any { return t.Errors }},
}

// InsertTraffic stores counts under a token.
func (s *Store) InsertTraffic(ctx context.Context, token string, rows []quality.Traffic) error {
	return insert(ctx, s, "traffic", token, trafficColumns, rows)
}

var probeColumns = []column[quality.ProbeResult]{
	{"feature", "LowCardinality(String)", func(p *quality.ProbeResult) any { return p.Feature }},
	{"probe", "LowCardinality(String)", func(p *quality.ProbeResult) any { return p.Probe }},
	{"time", "DateTime64(6, 'UTC')", func(p *quality.ProbeResult) any { return p.Time }},
	{"up", "Bool", func(p *quality.ProbeResult) any { return p.Up }},
	{"latency_ns", "Int64", func(p *quality.ProbeResult) any { return int64(p.Latency) }},
	{"error", "String", func(p *quality.ProbeResult) any { return p.Error }},
}

// InsertProbes stores availability checks under a token.
func (s *Store) InsertProbes(ctx context.Context, token string, rows []quality.ProbeResult) error {
	return insert(ctx, s, "probes", token, probeColumns, rows)
}
