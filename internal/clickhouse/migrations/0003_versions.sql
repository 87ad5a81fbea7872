-- Figures of one metric are apart by the version of its scorer, since those of two cannot be compared; and
-- the sum of squared weights says how much weighted scores tell.
DROP VIEW IF EXISTS score_quarters_view {{.OnCluster}};

ALTER TABLE {{.Local "score_quarters"}} {{.OnCluster}}
    ADD COLUMN IF NOT EXISTS version LowCardinality(String),
    ADD COLUMN IF NOT EXISTS ww SimpleAggregateFunction(sum, Float64) COMMENT 'sum of weight * weight',
    MODIFY ORDER BY (feature, metric, quarter, version);
{{if .Cluster}}
ALTER TABLE score_quarters {{.OnCluster}}
    ADD COLUMN IF NOT EXISTS version LowCardinality(String),
    ADD COLUMN IF NOT EXISTS ww SimpleAggregateFunction(sum, Float64);
{{end}}
CREATE MATERIALIZED VIEW IF NOT EXISTS score_quarters_view {{.OnCluster}} TO {{.Local "score_quarters"}} AS
SELECT feature, metric, toStartOfFifteenMinutes(toDateTime(time, 'UTC')) AS quarter, version,
       countIf(error = '') AS n, countIf(error != '') AS failed, sumIf(weight, error = '') AS w,
       sumIf(weight * value, error = '') AS wv, sumIf(weight * value * value, error = '') AS wvv, sumIf(weight * weight, error = '') AS ww
FROM {{.Local "scores"}} WHERE source = '' AND NOT aside GROUP BY feature, metric, quarter, version;
