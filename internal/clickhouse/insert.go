package clickhouse

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/asgood-dev/asgood/internal/quality"
)

// column is one column of an insert: its name and type, so that the driver need not ask, and how it is filled.
type column[T any] struct {
	name, kind string
	fill       func(to driver.BatchColumn, rows []T) error
}

// of makes a column of values of one type. A column is filled at once: row by row each value would be put into an
// interface and its type looked up.
func of[T, V any](name, kind string, value func(*T) V) column[T] {
	return column[T]{name: name, kind: kind, fill: func(to driver.BatchColumn, rows []T) error {
		values := make([]V, len(rows))
		for i := range rows {
			values[i] = value(&rows[i])
		}
		return to.Append(values)
	}}
}

// kindOf is the type under which a column is sent. The engine in this process makes the dictionaries of strings
// itself, for less than the driver takes to look each value up; to a server across a network they save bytes.
func (s *Store) kindOf(kind string) string {
	if s.engine == nil {
		return kind
	}
	return strings.ReplaceAll(kind, "LowCardinality(String)", "String")
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
		names[i], types[i] = c.name, clickhouse.ColumnNameAndType{Name: c.name, Type: s.kindOf(c.kind)}
	}
	ctx = clickhouse.Context(ctx, clickhouse.WithSettings(s.insertSettings(token)), clickhouse.WithColumnNamesAndTypes(types))
	batch, err := s.conn.PrepareBatch(ctx, fmt.Sprintf("INSERT INTO %s (%s)", table, strings.Join(names, ", ")))
	if err != nil {
		return failed(err, "preparing an insert into %q", table)
	}
	defer func() { _ = batch.Close() }() // after Send there is nothing to close
	for i, c := range columns {
		if err := c.fill(batch.Column(i), rows); err != nil {
			return quality.Errorf(quality.KindInvalid, "column %q of an insert of %d rows into %q: %w", c.name, len(rows), table, err)
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
	of("feature", "LowCardinality(String)", func(s *quality.Sample) string { return s.Feature }),
	of("id", "String", func(s *quality.Sample) string { return s.ID }),
	of("time", "DateTime64(6, 'UTC')", func(s *quality.Sample) time.Time { return s.Time }),
	of("customer", "LowCardinality(String)", func(s *quality.Sample) string { return s.Customer }),
	of("conversation", "String", func(s *quality.Sample) string { return s.Conversation }),
	of("source", "LowCardinality(String)", func(s *quality.Sample) string { return s.Source }),
	of("trace", "String", func(s *quality.Sample) string { return s.Trace }),
	of("input", "String", func(s *quality.Sample) string { return contentText(s.Input) }),
	of("input_chat", "Bool", func(s *quality.Sample) bool { return s.Input.Messages != nil }),
	of("output", "String", func(s *quality.Sample) string { return contentText(s.Output) }),
	of("output_chat", "Bool", func(s *quality.Sample) bool { return s.Output.Messages != nil }),
	of("reference", "Nullable(String)", func(s *quality.Sample) *string { return s.Reference }),
	of("context", "String", func(s *quality.Sample) string { return jsonText(s.Context, len(s.Context)) }),
	of("model", "LowCardinality(String)", func(s *quality.Sample) string { return s.Model }),
	of("prompt", "LowCardinality(String)", func(s *quality.Sample) string { return s.Prompt }),
	of("params", "String", func(s *quality.Sample) string { return jsonText(s.Params, len(s.Params)) }),
	of("tools", "String", func(s *quality.Sample) string { return jsonText(s.Tools, len(s.Tools)) }),
	of("input_tokens", "Nullable(UInt64)", func(s *quality.Sample) *uint64 {
		return tokens(s, func(u *quality.Usage) uint64 { return u.InputTokens })
	}),
	of("output_tokens", "Nullable(UInt64)", func(s *quality.Sample) *uint64 {
		return tokens(s, func(u *quality.Usage) uint64 { return u.OutputTokens })
	}),
	of("latency_ms", "Float64", func(s *quality.Sample) float64 { return s.LatencyMS }),
	of("error", "String", func(s *quality.Sample) string { return s.Error }),
	of("attributes", "Map(LowCardinality(String), String)", func(s *quality.Sample) map[string]string { return s.Attributes }),
	of("scores", "Map(LowCardinality(String), Float64)", func(s *quality.Sample) map[string]float64 { return s.Scores }),
	of("weight", "Float64", func(s *quality.Sample) float64 { return s.KeptWeight() }),
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
	of("feature", "LowCardinality(String)", func(s *quality.Score) string { return s.Feature }),
	of("metric", "LowCardinality(String)", func(s *quality.Score) string { return s.Metric }),
	of("time", "DateTime64(6, 'UTC')", func(s *quality.Score) time.Time { return s.Time }),
	of("sample_id", "String", func(s *quality.Score) string { return s.SampleID }),
	of("value", "Float64", func(s *quality.Score) float64 { return s.Value }),
	of("label", "LowCardinality(String)", func(s *quality.Score) string { return s.Label }),
	of("explanation", "String", func(s *quality.Score) string { return s.Explanation }),
	of("scorer", "LowCardinality(String)", func(s *quality.Score) string { return s.Scorer }),
	of("version", "LowCardinality(String)", func(s *quality.Score) string { return s.Version }),
	of("error", "String", func(s *quality.Score) string { return s.Error }),
	of("weight", "Float64", func(s *quality.Score) float64 { return s.Weight }),
	of("customer", "LowCardinality(String)", func(s *quality.Score) string { return s.Customer }),
	of("source", "LowCardinality(String)", func(s *quality.Score) string { return s.Source }),
	of("by", "LowCardinality(String)", func(s *quality.Score) string { return s.By }),
	of("late", "Bool", func(s *quality.Score) bool { return s.Late }),
	of("aside", "Bool", func(s *quality.Score) bool { return s.Aside }),
	of("model", "LowCardinality(String)", func(s *quality.Score) string { return s.Model }),
	of("prompt", "LowCardinality(String)", func(s *quality.Score) string { return s.Prompt }),
	of("attributes", "Map(LowCardinality(String), String)", func(s *quality.Score) map[string]string { return s.Attributes }),
}

// InsertScores stores scores under a token.
func (s *Store) InsertScores(ctx context.Context, token string, rows []quality.Score) error {
	return insert(ctx, s, "scores", token, scoreColumns, rows)
}

var trafficColumns = []column[quality.Traffic]{
	of("minute", "DateTime('UTC')", func(t *quality.Traffic) time.Time { return t.Minute }),
	of("feature", "LowCardinality(String)", func(t *quality.Traffic) string { return t.Feature }),
	of("customer", "LowCardinality(String)", func(t *quality.Traffic) string { return t.Customer }),
	of("model", "LowCardinality(String)", func(t *quality.Traffic) string { return t.Model }),
	of("attributes", "Map(LowCardinality(String), String)", func(t *quality.Traffic) map[string]string { return t.Attributes }),
	of("total", "UInt64", func(t *quality.Traffic) uint64 { return t.Total }),
	of("kept", "UInt64", func(t *quality.Traffic) uint64 { return t.Kept }),
	of("errors", "UInt64", func(t *quality.Traffic) uint64 { return t.Errors }),
}

// InsertTraffic stores counts under a token.
func (s *Store) InsertTraffic(ctx context.Context, token string, rows []quality.Traffic) error {
	return insert(ctx, s, "traffic", token, trafficColumns, rows)
}

var probeColumns = []column[quality.ProbeResult]{
	of("feature", "LowCardinality(String)", func(p *quality.ProbeResult) string { return p.Feature }),
	of("probe", "LowCardinality(String)", func(p *quality.ProbeResult) string { return p.Probe }),
	of("time", "DateTime64(6, 'UTC')", func(p *quality.ProbeResult) time.Time { return p.Time }),
	of("up", "Bool", func(p *quality.ProbeResult) bool { return p.Up }),
	of("latency_ns", "Int64", func(p *quality.ProbeResult) int64 { return int64(p.Latency) }),
	of("error", "String", func(p *quality.ProbeResult) string { return p.Error }),
}

// InsertProbes stores availability checks under a token.
func (s *Store) InsertProbes(ctx context.Context, token string, rows []quality.ProbeResult) error {
	return insert(ctx, s, "probes", token, probeColumns, rows)
}
