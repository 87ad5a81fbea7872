-- What was done, by whom: only ever appended to, and kept longer than what it is about.
CREATE TABLE IF NOT EXISTS {{.Local "audit"}} {{.OnCluster}} (
    at         DateTime64(6, 'UTC') CODEC(Delta, ZSTD),
    id         String,
    actor_kind LowCardinality(String),
    actor      String COMMENT 'id',
    actor_name String,
    credential LowCardinality(String),
    action     LowCardinality(String),
    object     String,
    detail     String CODEC(ZSTD),
    source     String COMMENT 'address of the caller'
) ENGINE = {{.Engine "audit" "MergeTree"}}
PARTITION BY toYYYYMM(at) ORDER BY (at, id)
TTL toDateTime(at) + toIntervalDay(1100)
SETTINGS {{.Window}}, ttl_only_drop_parts = 1;
{{if .Cluster}}
CREATE TABLE IF NOT EXISTS audit {{.OnCluster}} AS audit_local ENGINE = Distributed('{{.Cluster}}', currentDatabase(), 'audit_local', cityHash64(id));
{{end}}
