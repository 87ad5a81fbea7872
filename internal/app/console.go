package app

import (
	"context"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/asgood-dev/asgood/collector/ledger"
	"github.com/asgood-dev/asgood/evaluator/baseline"
	"github.com/asgood-dev/asgood/internal/auth"
	"github.com/asgood-dev/asgood/internal/clickhouse"
	"github.com/asgood-dev/asgood/internal/quality"
	"github.com/asgood-dev/asgood/statuspage"
	"github.com/asgood-dev/asgood/statuspage/console"
)

var _ console.Store = (*clickhouse.Store)(nil)

func (r *rooms) buildConsole(_ context.Context, a *App) (err error) {
	r.console, err = console.New(a.consoleOptions(r))
	return err
}

// registerConsole adds the console pages. The root of the listener leads there unless the status page has it.
func (a *App) registerConsole(r gin.IRouter) {
	a.rooms.console.Register(r)
	if l := a.opts.Config.Listen; l.Internal != l.Public || strings.HasSuffix(l.Internal, ":0") {
		a.rooms.console.RegisterRoot(r)
	}
}

func (a *App) consoleOptions(r *rooms) console.Options {
	cfg := a.opts.Config
	return console.Options{
		Title: cfg.StatusPage.Title, PageURL: cfg.StatusPage.URL, Version: a.opts.Version, Features: cfg.Features, Location: cfg.Location(), Simulated: a.opts.Simulated,
		State: consoleState{r.reader, r.page}, Store: a.engines.store, Evaluator: consoleEvaluator{a, r},
		Ledger: consoleLedger{r.ledger, r.audit}, Baselines: consoleBaselines{r.baselines, r.audit}, Judges: consoleJudges{r},
		Desk: consoleDesk{r.alerts.Desk()}, Keys: consoleKeys{r.keys}, Subscribers: consoleSubscribers{r.subscribe}, Customers: consoleCustomers{r.links, a.publicURL}, Settings: a.settings,
		Audit: consoleAudit{a.engines.store}, Actor: auth.ActorOf, CSRF: auth.CSRF, May: mayPerson, Now: a.opts.Now, Logger: a.log,
	}
}

// mayPerson reports whether a person who is signed in has a role.
func mayPerson(ctx context.Context, least quality.Role) bool { return auth.RoleOf(ctx) >= least }

// consoleAudiences declares for whom the console pages are.
func consoleAudiences(t auth.Table) {
	t["GET /console/assets/*"] = auth.Person(auth.RoleViewer)
	for _, r := range console.Routes() {
		t[r.Method+" "+r.Path] = auth.Person(r.Role)
	}
}

// consoleState is what the console reads of the present.
type consoleState struct {
	*pageReader
	page *statuspage.Page
}

// Tiles returns the tiles of the status page.
func (s consoleState) Tiles() []console.Tiles {
	list := s.page.Tiles()
	out := make([]console.Tiles, len(list))
	for i, t := range list {
		share := t.Uptime.Share
		if share != "" {
			share += " %"
		}
		out[i] = console.Tiles{Feature: t.Name, Title: t.Title,
			Quality: console.Tile{Word: string(t.Quality.Word), Slug: t.Quality.Word.Slug(), Percent: t.Quality.Percent, Interval: t.Quality.Interval, Since: t.Quality.Since, Note: t.Quality.Note},
			Uptime:  console.Tile{Word: string(t.Uptime.Word), Slug: t.Uptime.Word.Slug(), Share: share, Since: t.Uptime.Since}}
	}
	return out
}

// consoleLedger is the ledger of changes as the console uses it.
type consoleLedger struct {
	*ledger.Ledger
	audit auditLog
}

func (l consoleLedger) List(q console.ChangeQuery) ([]quality.Change, string) {
	lq := ledger.Query{Feature: q.Feature, From: q.From, To: q.To, Limit: q.Limit, Cursor: q.Cursor}
	if q.Undeclared {
		lq.Undeclared = &q.Undeclared
	}
	page := l.Ledger.List(lq)
	return page.Changes, page.Next
}

func (l consoleLedger) Record(ctx context.Context, c quality.Change) (string, error) {
	if err := l.audit.Append(ctx, quality.Audited{Action: "change.recorded", Object: "change", Detail: c.Title}); err != nil {
		return "", err
	}
	result, err := l.Accept(ctx, []quality.Change{c})
	switch {
	case err != nil:
		return "", quality.Errorf(quality.KindUnavailable, "the ledger did not take the change: %w", err)
	case len(result.Rejected) > 0:
		return "", quality.Errorf(quality.KindInvalid, "%s", result.Rejected[0].Error)
	case len(result.IDs) != 1:
		return "", quality.Errorf(quality.KindUnavailable, "the ledger did not say what became of the change")
	}
	return result.IDs[0], nil
}

func (l consoleLedger) Own(ctx context.Context, id, owner string) error {
	if err := l.audit.Append(ctx, quality.Audited{Action: "change.owned", Object: "change/" + id, Detail: owner}); err != nil {
		return err
	}
	return l.Ledger.Own(ctx, id, owner)
}

// consoleBaselines are the baselines, changed in the name of who acts.
type consoleBaselines struct {
	*baseline.Keeper
	audit auditLog
}

func (b consoleBaselines) Promote(ctx context.Context, feature, metric string, p console.Promotion) error {
	if err := b.audit.Append(ctx, quality.Audited{Action: "baseline.promoted", Object: "baseline/" + feature + "/" + metric, Detail: p.Reason}); err != nil {
		return err
	}
	_, err := b.Keeper.Promote(ctx, feature, metric, baseline.Promotion{From: p.From, To: p.To, Name: p.Name, By: auth.ActorOf(ctx).String(), Reason: p.Reason, Accept: p.Accept})
	return err
}

func (b consoleBaselines) Pin(ctx context.Context, feature, metric string, version int, reason string) error {
	if err := b.audit.Append(ctx, quality.Audited{Action: "baseline.pinned", Object: "baseline/" + feature + "/" + metric, Detail: reason}); err != nil {
		return err
	}
	_, err := b.Keeper.Pin(ctx, feature, metric, quality.BaselinePin{Version: version, By: auth.ActorOf(ctx).String(), Reason: reason})
	return err
}

// consoleKeys are the keys of machines as the console shows them.
type consoleKeys struct{ keys *auth.Keys }

func consoleKey(k auth.Key) console.Key {
	out := console.Key{ID: k.ID, Name: k.Name, State: k.State(time.Now()), Features: k.Features, Created: k.Created, Expires: k.Expires, LastUsed: k.LastUsed}
	for _, s := range k.Scopes {
		out.Scopes = append(out.Scopes, string(s))
	}
	return out
}

func (k consoleKeys) List() []console.Key {
	var out []console.Key
	for _, x := range k.keys.List() {
		out = append(out, consoleKey(x))
	}
	return out
}

func (k consoleKeys) Scopes() []string {
	var out []string
	for _, s := range auth.Scopes() {
		out = append(out, string(s))
	}
	return out
}

func (k consoleKeys) Create(ctx context.Context, s console.KeySpec) (console.Key, string, error) {
	spec := auth.Spec{Name: s.Name, Features: s.Features, Expires: s.Expires}
	for _, x := range s.Scopes {
		spec.Scopes = append(spec.Scopes, auth.Scope(x))
	}
	key, token, err := k.keys.Create(ctx, spec)
	return consoleKey(key), token, err
}

func (k consoleKeys) Revoke(ctx context.Context, id string) error {
	_, err := k.keys.Revoke(ctx, id)
	return err
}

// settings is the configuration in force and the health of the process.
func (a *App) settings(ctx context.Context) (s console.Settings) {
	for _, l := range a.opts.Config.Lines() {
		s.Lines = append(s.Lines, console.Setting{Key: l.Key, Value: l.Value, Secret: l.Secret})
	}
	for _, c := range a.health().Checks {
		ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
		start := time.Now()
		err := c.Run(ctx)
		cancel()
		h := console.HealthCheck{Name: c.Name, Took: time.Since(start)}
		if err != nil {
			h.Error = err.Error()
		}
		s.Checks = append(s.Checks, h)
	}
	return s
}

// consoleAudit reads the audit log.
type consoleAudit struct{ store *clickhouse.Store }

// Entries returns a page of the log. Its cursor is the time and the id of the last entry: several may be of one time.
func (l consoleAudit) Entries(ctx context.Context, object, cursor string, limit int) ([]quality.Audited, string, error) {
	f := quality.AuditFilter{Object: object, Limit: limit}
	if cursor != "" {
		var err error
		if f.After, err = auditPlace(cursor); err != nil {
			return nil, "", err
		}
	}
	list, err := l.store.Audits(ctx, f)
	if err != nil || len(list) < limit {
		return list, "", err
	}
	last := list[len(list)-1]
	return list, last.At.UTC().Format(time.RFC3339Nano) + " " + last.ID, nil
}

// auditPlace reads a cursor.
func auditPlace(cursor string) (p quality.AuditPlace, err error) {
	at, id, ok := strings.Cut(cursor, " ")
	if p.At, err = time.Parse(time.RFC3339Nano, at); err != nil || !ok || len(id) > maxAuditWord {
		return p, quality.Errorf(quality.KindInvalid, "parameter %q: not one that was given here", "cursor")
	}
	p.ID = id
	return p, nil
}
