-- Figures of one customer are asked for far more often than they are many: sorted by customer, a year of one is
-- read in milliseconds. What is stored already is summed once.
DROP VIEW IF EXISTS score_customers_view {{.OnCluster}};

CREATE TABLE IF NOT EXISTS {{.Local "score_customers"}} {{.OnCluster}} (
    customer LowCardinality(String),
    feature  LowCardinality(String),
    metric   LowCardinality(String),
    quarter  DateTime('UTC') CODEC(Delta, ZSTD),
    version  LowCardinality(String),
    n        SimpleAggregateFunction(sum, UInt64),
    failed   SimpleAggregateFunction(sum, UInt64),
    w        SimpleAggregateFunction(sum, Float64) COMMENT 'sum of weights',
    wv       SimpleAggregateFunction(sum, Float64) COMMENT 'sum of weight * value',
    wvv      SimpleAggregateFunction(sum, Float64) COMMENT 'sum of weight * value * value',
    ww       SimpleAggregateFunction(sum, Float64) COMMENT 'sum of weight * weight'
) ENGINE = {{.Engine "score_customers" "AggregatingMergeTree"}}
PARTITION BY toYYYYMM(quarter) ORDER BY (customer, feature, metric, quarter, version)
TTL quarter + toIntervalSecond({{.ScoreSeconds}})
SETTINGS {{.Window}};

TRUNCATE TABLE {{.Local "score_customers"}} {{.OnCluster}};

INSERT INTO {{.Local "score_customers"}}
SELECT customer, feature, metric, toStartOfFifteenMinutes(toDateTime(time, 'UTC')) AS quarter, version,
       countIf(error = '') AS n, countIf(error != '') AS failed, sumIf(weight, error = '') AS w,
       sumIf(weight * value, error = '') AS wv, sumIf(weight * value * value, error = '') AS wvv, sumIf(weight * weight, error = '') AS ww
FROM {{.Local "scores"}} WHERE customer != '' AND source = '' AND NOT aside GROUP BY customer, feature, metric, quarter, version;

CREATE MATERIALIZED VIEW IF NOT EXISTS score_customers_view {{.OnCluster}} TO {{.Local "score_customers"}} AS
SELECT customer, feature, metric, toStartOfFifteenMinutes(toDateTime(time, 'UTC')) AS quarter, version,
       countIf(error = '') AS n, countIf(error != '') AS failed, sumIf(weight, error = '') AS w,
       sumIf(weight * value, error = '') AS wv, sumIf(weight * value * value, error = '') AS wvv, sumIf(weight * weight, error = '') AS ww
FROM {{.Local "scores"}} WHERE customer != '' AND source = '' AND NOT aside GROUP BY customer, feature, metric, quarter, version;
{{if .Cluster}}
CREATE TABLE IF NOT EXISTS score_customers {{.OnCluster}} AS {{.Local "score_customers"}}
ENGINE = Distributed('{{.Cluster}}', currentDatabase(), {{.Local "score_customers"}}, cityHash64(feature));
{{end}}
