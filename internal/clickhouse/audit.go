package clickhouse

import (
	"context"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/asgood-dev/asgood/internal/quality"
)

var auditColumns = []column[quality.Audited]{
	of("at", "DateTime64(6, 'UTC')", func(e *quality.Audited) time.Time { return e.At }),
	of("id", "String", func(e *quality.Audited) string { return e.ID }),
	of("actor_kind", "LowCardinality(String)", func(e *quality.Audited) string { return string(e.Actor.Kind) }),
	of("actor", "String", func(e *quality.Audited) string { return e.Actor.ID }),
	of("actor_name", "String", func(e *quality.Audited) string { return e.Actor.Name }),
	of("credential", "LowCardinality(String)", func(e *quality.Audited) string { return e.Actor.Credential }),
	of("action", "LowCardinality(String)", func(e *quality.Audited) string { return e.Action }),
	of("object", "String", func(e *quality.Audited) string { return e.Object }),
	of("detail", "String", func(e *quality.Audited) string { return e.Detail }),
	of("source", "String", func(e *quality.Audited) string { return e.From }),
}

// InsertAudits stores entries of the audit log under a token.
func (s *Store) InsertAudits(ctx context.Context, token string, rows []quality.Audited) error {
	return insert(ctx, s, "audit", token, auditColumns, rows)
}

// Bounds of an answer from the audit log, in entries.
const (
	defaultAudits = 100
	maxAudits     = 1000
)

// Audits returns entries of the audit log, the newest first. An entry is there a moment after what it is about
// was answered.
func (s *Store) Audits(ctx context.Context, f quality.AuditFilter) ([]quality.Audited, error) {
	c := auditCondition(f)
	limit := f.Limit
	if limit <= 0 {
		limit = defaultAudits
	}
	return collect(ctx, s, "reading the audit log", `
		SELECT at, id, actor_kind, actor, actor_name, credential, action, object, detail, source FROM audit WHERE `+c.text+`
		ORDER BY at DESC, id DESC LIMIT 1 BY id LIMIT ?`,
		func(r driver.Rows) (e quality.Audited, err error) {
			var kind string
			err = r.Scan(&e.At, &e.ID, &kind, &e.Actor.ID, &e.Actor.Name, &e.Actor.Credential, &e.Action, &e.Object, &e.Detail, &e.From)
			e.Actor.Kind = quality.ActorKind(kind)
			return e, err
		}, append(c.args, min(limit, maxAudits))...)
}

func auditCondition(f quality.AuditFilter) condition {
	c := condition{text: "1"}
	add := func(set bool, text string, args ...any) {
		if set {
			c.text, c.args = c.text+" AND "+text, append(c.args, args...)
		}
	}
	add(!f.From.IsZero(), "at >= fromUnixTimestamp64Micro(?)", f.From.UnixMicro())
	add(!f.To.IsZero(), "at < fromUnixTimestamp64Micro(?)", f.To.UnixMicro())
	add(!f.After.At.IsZero(), "(at, id) < (fromUnixTimestamp64Micro(?), ?)", f.After.At.UnixMicro(), f.After.ID)
	add(f.Actor != "", "actor = ?", f.Actor)
	add(f.Action != "", "(action = ? OR startsWith(action, ?))", f.Action, f.Action+".")
	add(f.Object != "", "object = ?", f.Object)
	return c
}
