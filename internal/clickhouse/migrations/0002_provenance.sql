-- Who asked for an output, by what trace, and who gave a score. What canaries brought, and scores that
-- stand beside a metric's own, stay out of the figures that customers see.
{{range .Both "samples"}}
ALTER TABLE {{.}} {{$.OnCluster}}
    ADD COLUMN IF NOT EXISTS source LowCardinality(String) AFTER conversation,
    ADD COLUMN IF NOT EXISTS trace String AFTER source;
{{end}}
{{range .Both "scores"}}
ALTER TABLE {{.}} {{$.OnCluster}}
    ADD COLUMN IF NOT EXISTS source LowCardinality(String) AFTER customer,
    ADD COLUMN IF NOT EXISTS by LowCardinality(String) COMMENT 'labeller or evaluator of a score from outside',
    ADD COLUMN IF NOT EXISTS late Bool COMMENT 'it came apart from its sample',
    ADD COLUMN IF NOT EXISTS aside Bool COMMENT 'the metric has scores of its own; this one is not counted';
{{end}}
{{range .Both "traffic"}}
ALTER TABLE {{.}} {{$.OnCluster}}
    ADD COLUMN IF NOT EXISTS attributes Map(LowCardinality(String), String) AFTER model;
{{end}}
DROP VIEW IF EXISTS score_quarters_view {{.OnCluster}};

CREATE MATERIALIZED VIEW IF NOT EXISTS score_quarters_view {{.OnCluster}} TO {{.Local "score_quarters"}} AS
SELECT feature, metric, toStartOfFifteenMinutes(toDateTime(time, 'UTC')) AS quarter,
       countIf(error = '') AS n, countIf(error != '') AS failed,
       sumIf(weight, error = '') AS w, sumIf(weight * value, error = '') AS wv, sumIf(weight * value * value, error = '') AS wvv
FROM {{.Local "scores"}} WHERE source = '' AND NOT aside GROUP BY feature, metric, quarter;
