package app

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/oklog/ulid/v2"

	"github.com/asgood-dev/asgood/internal/auth"
	"github.com/asgood-dev/asgood/internal/bus"
	"github.com/asgood-dev/asgood/internal/quality"
	"github.com/asgood-dev/asgood/internal/web"
)

// auditLog is the log of who did what. Its time is real, also where that of samples is simulated.
type auditLog struct{ bus *bus.Bus }

// Bounds of the texts of an entry, in bytes.
const (
	maxAuditWord   = 500
	maxAuditDetail = 4000
)

// Append puts an entry on disk before it returns, from where it goes into the database. Who acts and where from
// are those of the context, unless the entry says it; a missing time is now.
func (l auditLog) Append(ctx context.Context, e quality.Audited) error {
	e = completeAudited(ctx, e, time.Now())
	return publish(ctx, l.bus, bus.Audit, e.ID, e)
}

func completeAudited(ctx context.Context, e quality.Audited, now time.Time) quality.Audited {
	if e.At.IsZero() {
		e.At = now
	}
	e.At = e.At.UTC().Truncate(time.Microsecond)
	if e.ID == "" {
		e.ID = ulid.Make().String()
	}
	if e.Actor == (quality.Actor{}) {
		e.Actor = auth.ActorOf(ctx)
	}
	if e.From == "" {
		e.From = auth.FromOf(ctx)
	}
	for _, s := range []*string{&e.Actor.ID, &e.Actor.Name, &e.Action, &e.Object, &e.From} {
		*s = bounded(*s, maxAuditWord)
	}
	e.Detail = bounded(e.Detail, maxAuditDetail)
	return e
}

func bounded(s string, most int) string { return strings.ToValidUTF8(s[:min(len(s), most)], "") }

// audits is the answer to a question for entries of the log.
type audits struct {
	Entries []quality.Audited `json:"entries"` // the newest first
}

// getAudit answers with entries of the audit log: ?from= and ?to= as RFC 3339, ?actor=, ?action=, ?object=, ?limit=.
func (a *App) getAudit(c *gin.Context) error {
	f := quality.AuditFilter{Actor: c.Query("actor"), Action: c.Query("action"), Object: c.Query("object")}
	for name, to := range map[string]*time.Time{"from": &f.From, "to": &f.To} {
		text := c.Query(name)
		if text == "" {
			continue
		}
		at, err := time.Parse(time.RFC3339, text)
		if err != nil {
			return quality.Errorf(quality.KindInvalid, "parameter %q: want a time such as 2026-03-01T00:00:00Z, got %.40q", name, text)
		}
		*to = at
	}
	if text := c.Query("limit"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > 1000 {
			return quality.Errorf(quality.KindInvalid, "parameter %q: want 1 to 1000, got %.40q", "limit", text)
		}
		f.Limit = n
	}
	list, err := a.engines.store.Audits(c.Request.Context(), f)
	if err != nil {
		return err
	}
	c.Header("Cache-Control", "no-store")
	c.JSON(http.StatusOK, audits{Entries: append([]quality.Audited{}, list...)})
	return nil
}

func (a *App) registerAudit(r gin.IRouter) { r.GET("/v1/audit", web.Handle(a.getAudit)) }
