package publish

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/asgood-dev/asgood/internal/markdown"
	"github.com/asgood-dev/asgood/internal/quality"
	"github.com/asgood-dev/asgood/internal/web"
	"github.com/asgood-dev/asgood/internal/wording"
)

// Register adds the routes of incidents and maintenances. Who may call them is decided before; what machines may
// not do is refused here as well.
func (d *Desk) Register(r gin.IRouter) {
	r.GET("/v1/incidents", web.Handle(d.serveList))
	r.POST("/v1/incidents", web.Handle(d.serveCreate))
	r.POST("/v1/incidents/backfill", web.Handle(d.serveBackfill))
	r.POST("/v1/incidents/import", web.Handle(d.serveImport))
	r.GET("/v1/incidents/:id", web.Handle(d.serveIncident))
	r.PATCH("/v1/incidents/:id", web.Handle(d.servePatch))
	r.POST("/v1/incidents/:id/updates", web.Handle(d.serveUpdate))
	r.PATCH("/v1/incidents/:id/updates/:update", web.Handle(d.serveCorrect))
	r.POST("/v1/incidents/:id/preview", web.Handle(d.servePreview))
	r.POST("/v1/incidents/:id/publish", web.Handle(d.servePublish))
	r.POST("/v1/incidents/:id/veto", web.Handle(d.serveVeto))
	r.GET("/v1/incidents/:id/postmortem", web.Handle(d.servePostmortem))
	r.PUT("/v1/incidents/:id/postmortem", web.Handle(d.serveWritePostmortem))
	r.POST("/v1/incidents/:id/postmortem/publish", web.Handle(d.servePublishPostmortem))
	r.GET("/v1/maintenances", web.Handle(d.serveMaintenances))
	r.POST("/v1/maintenances", web.Handle(d.servePlan))
	r.GET("/v1/maintenances/:id", web.Handle(d.serveMaintenance))
	r.PATCH("/v1/maintenances/:id", web.Handle(d.serveReplan))
	r.POST("/v1/maintenances/:id/updates", web.Handle(d.serveMaintenanceUpdate))
}

// shown is an incident as the routes answer it.
type shown struct {
	Incident quality.Incident `json:"incident"`
	Facts    wording.Facts    `json:"facts"`    // as measured or stated last
	Complete bool             `json:"complete"` // its public text says all that customers need
	Missing  []string         `json:"missing"`  // what it does not say
}

func show(r *Record) shown {
	s := shown{Incident: r.Incident, Facts: r.Facts, Missing: r.Missing()}
	s.Complete = len(s.Missing) == 0
	if s.Missing == nil {
		s.Missing = []string{}
	}
	return s
}

// answer writes an incident, or returns the error.
func answer(g *gin.Context, status int, r *Record, err error) error {
	if err != nil {
		return err
	}
	g.JSON(status, show(r))
	return nil
}

// Bounds of a page of the list.
const (
	listDefault = 50
	listMost    = 200
)

// query is what GET /v1/incidents filters by.
type query struct {
	open, public *bool
	feature      string
	after        string // id of the last one of the page before
	limit        int
}

func (d *Desk) serveList(g *gin.Context) error {
	q, err := readQuery(g)
	if err != nil {
		return err
	}
	all, err := d.incidents.all(g.Request.Context())
	if err != nil {
		return err
	}
	page, next := q.page(all)
	g.JSON(http.StatusOK, gin.H{"incidents": page, "next": next})
	return nil
}

func readQuery(g *gin.Context) (q query, err error) {
	q = query{feature: g.Query("feature"), after: g.Query("after"), limit: listDefault}
	for name, to := range map[string]**bool{"open": &q.open, "public": &q.public} {
		if s, given := g.GetQuery(name); given {
			v, err := strconv.ParseBool(s)
			if err != nil {
				return q, quality.Errorf(quality.KindInvalid, "%s: want true or false", name)
			}
			*to = &v
		}
	}
	if s, given := g.GetQuery("limit"); given {
		if q.limit, err = strconv.Atoi(s); err != nil || q.limit < 1 || q.limit > listMost {
			return q, quality.Errorf(quality.KindInvalid, "limit: want 1 to %d", listMost)
		}
	}
	return q, nil
}

func (q query) takes(r *Record) bool {
	return (q.open == nil || *q.open == r.Open()) && (q.public == nil || *q.public == r.Public()) &&
		(q.feature == "" || slices.Contains(r.Features, q.feature))
}

// page returns what is asked for, newest first, and the id after which the next page begins; empty at the end.
func (q query) page(all []Record) (page []shown, next string) {
	slices.SortFunc(all, func(a, b Record) int { return cmp.Or(b.CreatedAt.Compare(a.CreatedAt), cmp.Compare(b.ID, a.ID)) })
	if i := slices.IndexFunc(all, func(r Record) bool { return r.ID == q.after }); i >= 0 {
		all = all[i+1:]
	}
	page = []shown{}
	for i := range all {
		if !q.takes(&all[i]) {
			continue
		}
		if len(page) == q.limit {
			return page, page[len(page)-1].Incident.ID
		}
		page = append(page, show(&all[i]))
	}
	return page, ""
}

func (d *Desk) serveIncident(g *gin.Context) error {
	r, err := d.incidents.get(g.Request.Context(), g.Param("id"))
	return answer(g, http.StatusOK, r, err)
}

func (d *Desk) serveCreate(g *gin.Context) error {
	var in newIncident
	if err := read(g, &in); err != nil {
		return err
	}
	key, err := d.idempotency(g)
	if err != nil {
		return err
	}
	r, err := d.create(g.Request.Context(), in, key)
	return answer(g, http.StatusCreated, r, err)
}

func (d *Desk) servePatch(g *gin.Context) error {
	var c changes
	if err := read(g, &c); err != nil {
		return err
	}
	r, err := d.patch(g.Request.Context(), g.Param("id"), c)
	return answer(g, http.StatusOK, r, err)
}

func (d *Desk) serveUpdate(g *gin.Context) error {
	var in newUpdate
	if err := read(g, &in); err != nil {
		return err
	}
	key, err := d.idempotency(g)
	if err != nil {
		return err
	}
	r, err := d.say(g.Request.Context(), g.Param("id"), in, key)
	return answer(g, http.StatusOK, r, err)
}

func (d *Desk) serveCorrect(g *gin.Context) error {
	var in text
	if err := firstOf(read(g, &in), checkBody(in.Body), in.Facts.Check()); err != nil {
		return err
	}
	update := g.Param("update")
	a := action{name: "incident.corrected", detail: update}
	r, err := d.act(g.Request.Context(), g.Param("id"), a, func(r *Record, by quality.Actor, now time.Time) error {
		return correct(r, update, in.Body, in.Facts, by, now)
	})
	return answer(g, http.StatusOK, r, err)
}

func (d *Desk) servePreview(g *gin.Context) error {
	var in newUpdate
	if err := read(g, &in); err != nil {
		return err
	}
	body, missing, err := d.preview(g.Request.Context(), g.Param("id"), in)
	if err != nil {
		return err
	}
	if missing == nil {
		missing = []string{}
	}
	g.JSON(http.StatusOK, gin.H{"body": body, "html": markdown.HTML(body), "text": markdown.Text(body), "missing": missing})
	return nil
}

// decide serves a decision with a reason.
func (d *Desk) decide(g *gin.Context, name string, change func(r *Record, in decided, by quality.Actor, now time.Time) error) error {
	var in decided
	if err := firstOf(readOptional(g, &in), checkShort("reason", in.Reason)); err != nil {
		return err
	}
	r, err := d.act(g.Request.Context(), g.Param("id"), action{name: name, detail: in.Reason}, func(r *Record, by quality.Actor, now time.Time) error {
		return change(r, in, by, now)
	})
	return answer(g, http.StatusOK, r, err)
}

func (d *Desk) servePublish(g *gin.Context) error {
	return d.decide(g, "incident.published", func(r *Record, in decided, by quality.Actor, now time.Time) error {
		if err := person(by, "publish"); err != nil {
			return err
		}
		if r.Public() {
			return errSame
		}
		return publishByPerson(r, by, in.Override, in.Reason, now)
	})
}

func (d *Desk) serveVeto(g *gin.Context) error {
	return d.decide(g, "incident.vetoed", func(r *Record, in decided, by quality.Actor, now time.Time) error {
		return veto(r, by, in.Reason, now)
	})
}

func (d *Desk) servePostmortem(g *gin.Context) error {
	r, err := d.incidents.get(g.Request.Context(), g.Param("id"))
	if err != nil {
		return err
	}
	p := r.Postmortem
	if p == nil { // a draft to begin with
		body, err := d.o.Templates.Fill(wording.Postmortem, d.fields(r, r.Facts))
		if err != nil {
			return err
		}
		p = &quality.Postmortem{Body: body}
	}
	g.JSON(http.StatusOK, gin.H{"postmortem": p, "written": r.Postmortem != nil})
	return nil
}

func (d *Desk) serveWritePostmortem(g *gin.Context) error {
	var in text
	if err := firstOf(read(g, &in), checkBody(in.Body)); err != nil {
		return err
	}
	r, err := d.act(g.Request.Context(), g.Param("id"), action{name: "incident.postmortem.written"}, func(r *Record, by quality.Actor, now time.Time) error {
		return writePostmortem(r, in.Body, by, now)
	})
	return answer(g, http.StatusOK, r, err)
}

func (d *Desk) servePublishPostmortem(g *gin.Context) error {
	return d.decide(g, "incident.postmortem.published", func(r *Record, in decided, by quality.Actor, now time.Time) error {
		if err := person(by, "publish a postmortem"); err != nil {
			return err
		}
		if r.Postmortem != nil && r.Postmortem.Published != nil {
			return errSame
		}
		return publishPostmortem(r, by, in.Reason, now)
	})
}
