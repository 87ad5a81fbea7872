-- What is many: wide rows that never change, one partition a day, sorted as they are asked for. A table
-- remembers the tokens of its latest inserts, so that a batch that comes again is stored once.
CREATE TABLE IF NOT EXISTS {{.Local "samples"}} {{.OnCluster}} (
    feature        LowCardinality(String),
    id             String,
    time           DateTime64(6, 'UTC') CODEC(Delta, ZSTD),
    customer       LowCardinality(String),
    conversation   String,
    input          String CODEC(ZSTD(3)),
    input_chat     Bool COMMENT 'input is a JSON list of chat messages',
    output         String CODEC(ZSTD(3)),
    output_chat    Bool COMMENT 'output is a JSON list of chat messages',
    reference      Nullable(String) CODEC(ZSTD(3)),
    context        String COMMENT 'JSON list of documents' CODEC(ZSTD(3)),
    model          LowCardinality(String),
    prompt         LowCardinality(String),
    params         String COMMENT 'JSON object' CODEC(ZSTD),
    tools          String COMMENT 'JSON list of calls' CODEC(ZSTD(3)),
    input_tokens   Nullable(UInt64),
    output_tokens  Nullable(UInt64),
    latency_ms     Float64,
    error          String,
    attributes     Map(LowCardinality(String), String),
    scores         Map(LowCardinality(String), Float64),
    weight         Float64,
    INDEX by_id id TYPE bloom_filter(0.01) GRANULARITY 1
) ENGINE = {{.Engine "samples" "MergeTree"}}
PARTITION BY toDate(time) ORDER BY (feature, time, id)
TTL time + toIntervalSecond({{.SampleSeconds}})
SETTINGS {{.Window}}, ttl_only_drop_parts = 1;

CREATE TABLE IF NOT EXISTS {{.Local "scores"}} {{.OnCluster}} (
    feature     LowCardinality(String),
    metric      LowCardinality(String),
    time        DateTime64(6, 'UTC') CODEC(Delta, ZSTD),
    sample_id   String,
    value       Float64,
    label       LowCardinality(String),
    explanation String CODEC(ZSTD(3)),
    scorer      LowCardinality(String),
    version     LowCardinality(String),
    error       String CODEC(ZSTD),
    weight      Float64,
    customer    LowCardinality(String),
    model       LowCardinality(String),
    prompt      LowCardinality(String),
    attributes  Map(LowCardinality(String), String)
) ENGINE = {{.Engine "scores" "MergeTree"}}
PARTITION BY toDate(time) ORDER BY (feature, metric, time, sample_id)
TTL time + toIntervalSecond({{.ScoreSeconds}})
SETTINGS {{.Window}}, ttl_only_drop_parts = 1;

CREATE TABLE IF NOT EXISTS {{.Local "traffic"}} {{.OnCluster}} (
    minute   DateTime('UTC') CODEC(Delta, ZSTD),
    feature  LowCardinality(String),
    customer LowCardinality(String),
    model    LowCardinality(String),
    total    UInt64,
    kept     UInt64,
    errors   UInt64
) ENGINE = {{.Engine "traffic" "MergeTree"}}
PARTITION BY toDate(minute) ORDER BY (feature, minute)
TTL minute + toIntervalSecond({{.ScoreSeconds}})
SETTINGS {{.Window}}, ttl_only_drop_parts = 1;

CREATE TABLE IF NOT EXISTS {{.Local "probes"}} {{.OnCluster}} (
    feature    LowCardinality(String),
    probe      LowCardinality(String),
    time       DateTime64(6, 'UTC') CODEC(Delta, ZSTD),
    up         Bool,
    latency_ns Int64,
    error      String CODEC(ZSTD)
) ENGINE = {{.Engine "probes" "MergeTree"}}
PARTITION BY toDate(time) ORDER BY (feature, probe, time)
TTL time + toIntervalSecond({{.ScoreSeconds}})
SETTINGS {{.Window}}, ttl_only_drop_parts = 1;

-- Quarter hours divide the days of every time zone there is.
CREATE TABLE IF NOT EXISTS {{.Local "score_quarters"}} {{.OnCluster}} (
    feature LowCardinality(String),
    metric  LowCardinality(String),
    quarter DateTime('UTC') CODEC(Delta, ZSTD),
    n       SimpleAggregateFunction(sum, UInt64),
    failed  SimpleAggregateFunction(sum, UInt64),
    w       SimpleAggregateFunction(sum, Float64) COMMENT 'sum of weights',
    wv      SimpleAggregateFunction(sum, Float64) COMMENT 'sum of weight * value',
    wvv     SimpleAggregateFunction(sum, Float64) COMMENT 'sum of weight * value * value'
) ENGINE = {{.Engine "score_quarters" "AggregatingMergeTree"}}
PARTITION BY toDate(quarter) ORDER BY (feature, metric, quarter)
TTL quarter + toIntervalSecond({{.ScoreSeconds}})
SETTINGS {{.Window}}, ttl_only_drop_parts = 1;

CREATE MATERIALIZED VIEW IF NOT EXISTS score_quarters_view {{.OnCluster}} TO {{.Local "score_quarters"}} AS
SELECT feature, metric, toStartOfFifteenMinutes(toDateTime(time, 'UTC')) AS quarter,
       countIf(error = '') AS n, countIf(error != '') AS failed,
       sumIf(weight, error = '') AS w, sumIf(weight * value, error = '') AS wv, sumIf(weight * value * value, error = '') AS wvv
FROM {{.Local "scores"}} GROUP BY feature, metric, quarter;

CREATE TABLE IF NOT EXISTS {{.Local "probe_quarters"}} {{.OnCluster}} (
    feature LowCardinality(String),
    quarter DateTime('UTC') CODEC(Delta, ZSTD),
    checks  SimpleAggregateFunction(sum, UInt64),
    up      SimpleAggregateFunction(sum, UInt64)
) ENGINE = {{.Engine "probe_quarters" "AggregatingMergeTree"}}
PARTITION BY toDate(quarter) ORDER BY (feature, quarter)
TTL quarter + toIntervalSecond({{.ScoreSeconds}})
SETTINGS {{.Window}}, ttl_only_drop_parts = 1;

CREATE MATERIALIZED VIEW IF NOT EXISTS probe_quarters_view {{.OnCluster}} TO {{.Local "probe_quarters"}} AS
SELECT feature, toStartOfFifteenMinutes(toDateTime(time, 'UTC')) AS quarter, count() AS checks, countIf(up) AS up
FROM {{.Local "probes"}} GROUP BY feature, quarter;
{{if .Cluster}}
{{range .Tables}}
CREATE TABLE IF NOT EXISTS {{.}} {{$.OnCluster}} AS {{$.Local .}}
ENGINE = Distributed('{{$.Cluster}}', currentDatabase(), {{$.Local .}}, cityHash64(feature));
{{end}}
{{end}}
