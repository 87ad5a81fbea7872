package clickhouse

import (
	"bytes"
	"context"
	"embed"
	"fmt"
	"io/fs"
	"regexp"
	"strconv"
	"strings"
	"text/template"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

// migration is one step of the schema.
type migration struct {
	version uint32
	name    string // such as 0001_schema
	text    string
}

func migrations() ([]migration, error) {
	names, err := fs.Glob(migrationFiles, "migrations/*.sql")
	if err != nil {
		return nil, fmt.Errorf("listing migrations: %w", err)
	}
	var out []migration
	for _, path := range names { // in the order of their names
		text, err := migrationFiles.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("reading migration %q: %w", path, err)
		}
		name := strings.TrimSuffix(strings.TrimPrefix(path, "migrations/"), ".sql")
		version, err := strconv.ParseUint(name[:4], 10, 32)
		if err != nil || int(version) != len(out)+1 {
			return nil, fmt.Errorf("migration %q is out of order", name)
		}
		out = append(out, migration{version: uint32(version), name: name, text: string(text)})
	}
	return out, nil
}

// schema fills in the migrations.
type schema struct {
	Cluster                     string
	SampleSeconds, ScoreSeconds int64
}

// Tables are those that the first migration makes.
func (schema) Tables() []string {
	return []string{"samples", "scores", "traffic", "probes", "score_quarters", "probe_quarters"}
}

// retained are the tables whose rows go after a time of the configuration.
func (s schema) retained() []string { return append(s.Tables(), "score_customers") }

// Local names the table that holds the rows of this server.
func (s schema) Local(table string) string {
	if s.Cluster == "" {
		return table
	}
	return table + "_local"
}

// Both names the table that holds the rows, and on a cluster also the one that spreads them.
func (s schema) Both(table string) []string {
	if s.Cluster == "" {
		return []string{table}
	}
	return []string{s.Local(table), table}
}

// OnCluster makes a statement run on every server.
func (s schema) OnCluster() string {
	if s.Cluster == "" {
		return ""
	}
	return "ON CLUSTER '" + s.Cluster + "'"
}

// Engine is the table engine, replicated on a cluster.
func (s schema) Engine(table, engine string) string {
	if s.Cluster == "" {
		return engine
	}
	return fmt.Sprintf("Replicated%s('/clickhouse/tables/{shard}/{database}/%s', '{replica}')", engine, table)
}

// Window sets how long the tokens of inserts are remembered. It must outlive what the bus may hold.
func (s schema) Window() string {
	if s.Cluster == "" {
		return "non_replicated_deduplication_window = 100000"
	}
	return "replicated_deduplication_window = 100000, replicated_deduplication_window_seconds = 2592000"
}

// statements renders a migration.
func (s schema) statements(m migration) ([]string, error) {
	t, err := template.New(m.name).Option("missingkey=error").Parse(m.text)
	if err != nil {
		return nil, fmt.Errorf("reading migration %q: %w", m.name, err)
	}
	var b bytes.Buffer
	if err := t.Execute(&b, s); err != nil {
		return nil, fmt.Errorf("rendering migration %q: %w", m.name, err)
	}
	var out []string
	for _, part := range strings.Split(b.String(), ";\n") {
		if part = strings.TrimSpace(comment.ReplaceAllString(part, "")); part != "" {
			out = append(out, part)
		}
	}
	return out, nil
}

var comment = regexp.MustCompile(`(?m)^--.*$`)

func (s *Store) schema() schema {
	return schema{Cluster: s.opts.Cluster, SampleSeconds: int64(s.opts.SampleRetention / time.Second), ScoreSeconds: int64(s.opts.ScoreRetention / time.Second)}
}

// Migrate brings the schema to this program's version, and the retention to the configured one. It
// returns what it did. Every statement may run again, so a migration that was cut short is finished by
// the next. A database of a newer program is a conflict.
func (s *Store) Migrate(ctx context.Context) ([]string, error) {
	all, err := migrations()
	if err != nil {
		return nil, err
	}
	at, err := s.version(ctx)
	if err != nil {
		return nil, err
	}
	if at > uint32(len(all)) {
		return nil, quality.Errorf(quality.KindConflict, "the database has schema version %d, this program knows %d: use a newer asgood", at, len(all))
	}
	var applied []string
	for _, m := range all[at:] {
		if err := s.apply(ctx, m); err != nil {
			return applied, err
		}
		applied = append(applied, m.name)
	}
	retained, err := s.retain(ctx)
	return append(applied, retained...), err
}

// version returns that of the database, 0 for a new one.
func (s *Store) version(ctx context.Context) (uint32, error) {
	sc := s.schema()
	err := s.conn.Exec(ctx, `CREATE TABLE IF NOT EXISTS schema_migrations `+sc.OnCluster()+` (
		version UInt32, name String, applied_at DateTime64(3, 'UTC') DEFAULT now64(3)
	) ENGINE = `+sc.Engine("schema_migrations", "MergeTree")+` ORDER BY version`)
	if err != nil {
		return 0, failed(err, "making the table of migrations")
	}
	var v uint32
	if err := s.conn.QueryRow(ctx, "SELECT max(version) FROM schema_migrations").Scan(&v); err != nil {
		return 0, failed(err, "reading the schema's version")
	}
	return v, nil
}

func (s *Store) apply(ctx context.Context, m migration) error {
	list, err := s.schema().statements(m)
	if err != nil {
		return err
	}
	for i, statement := range list {
		if err := s.conn.Exec(ctx, statement); err != nil {
			return failed(err, "migration %q, statement %d", m.name, i+1)
		}
	}
	if err := s.conn.Exec(ctx, "INSERT INTO schema_migrations (version, name) SELECT ?, ?", m.version, m.name); err != nil {
		return failed(err, "noting migration %q", m.name)
	}
	s.log.Info("schema migrated", "migration", m.name)
	return nil
}

var ttlSeconds = regexp.MustCompile(`TTL (.+?) \+ toIntervalSecond\((\d+)\)`)

// retain changes the retention of tables that have another one.
func (s *Store) retain(ctx context.Context) ([]string, error) {
	sc := s.schema()
	var changed []string
	for _, table := range sc.retained() {
		want := sc.ScoreSeconds
		if table == "samples" {
			want = sc.SampleSeconds
		}
		var engine string
		err := s.conn.QueryRow(ctx, "SELECT engine_full FROM system.tables WHERE database = currentDatabase() AND name = ?", sc.Local(table)).Scan(&engine)
		if err != nil {
			return changed, failed(err, "reading the retention of table %q", table)
		}
		m := ttlSeconds.FindStringSubmatch(engine)
		if m == nil || m[2] == strconv.FormatInt(want, 10) {
			continue // a person changed the form of the rule: it is theirs now
		}
		statement := fmt.Sprintf("ALTER TABLE %s %s MODIFY TTL %s + toIntervalSecond(%d)", sc.Local(table), sc.OnCluster(), m[1], want)
		if err := s.conn.Exec(ctx, statement); err != nil {
			return changed, failed(err, "changing the retention of table %q", table)
		}
		changed = append(changed, "retention of "+table)
	}
	return changed, nil
}
