package console

import (
	"github.com/gin-gonic/gin"

	"github.com/asgood-dev/asgood/internal/quality"
)

// reportForm is what the form of an incident that goes on holds.
type reportForm struct{ Name, Kind, Features, Severity, Status, Began, Owner, Next, Body string }

// pastForm is what the form of an incident that is over holds.
type pastForm struct {
	Name, Kind, Features, Severity, Began, Resolved, Start, Body, Reason string
	Public                                                               bool
}

func (c *Console) reportIncident(g *gin.Context) (view, error) {
	if err := c.deskForm(g); err != nil {
		return view{}, err
	}
	f := reportForm{Name: field(g, "name"), Kind: field(g, "kind"), Features: field(g, "features"), Severity: field(g, "severity"), Status: field(g, "status"),
		Began: field(g, "started_at"), Owner: field(g, "owner"), Next: field(g, "next_update"), Body: text(g, "body")}
	id, err := c.report(g, f)
	if err == nil {
		return done(incidentURL(id), "reported")
	}
	forms := c.newForms()
	forms.Sent, forms.Report = "report", f
	v, shown := c.incidentsWith(g, forms)
	v, err = refused(v, shown, err, "name", "kind", "features", "severity", "status", "started_at", "owner", "next_update", "body")
	return scoped(v, "report"), err
}

func (c *Console) report(g *gin.Context, f reportForm) (string, error) {
	began, err := c.when("started_at", f.Began)
	if err != nil {
		return "", err
	}
	next, err := c.when("next_update", f.Next)
	if err != nil {
		return "", err
	}
	return c.o.Desk.Report(g.Request.Context(), Reported{Name: f.Name, Kind: quality.IncidentKind(f.Kind), Features: listOf(f.Features), Severity: quality.Severity(f.Severity),
		Status: quality.IncidentStatus(f.Status), Body: f.Body, Owner: f.Owner, StartedAt: began, Next: next})
}

func (c *Console) backfillIncident(g *gin.Context) (view, error) {
	if err := c.deskForm(g); err != nil {
		return view{}, err
	}
	f := pastForm{Name: field(g, "name"), Kind: field(g, "kind"), Features: field(g, "features"), Severity: field(g, "severity"), Began: field(g, "started_at"),
		Resolved: field(g, "resolved_at"), Start: text(g, "began"), Body: text(g, "body"), Reason: field(g, "reason"), Public: field(g, "public") != ""}
	id, err := c.backfill(g, f)
	if err == nil {
		return done(incidentURL(id), "entered")
	}
	forms := c.newForms()
	forms.Sent, forms.Past = "past", f
	v, shown := c.incidentsWith(g, forms)
	v, err = refused(v, shown, err, "name", "kind", "features", "severity", "started_at", "resolved_at", "began", "body", "reason")
	return scoped(v, "past"), err
}

func (c *Console) backfill(g *gin.Context, f pastForm) (string, error) {
	began, err := c.when("started_at", f.Began)
	if err != nil {
		return "", err
	}
	resolved, err := c.when("resolved_at", f.Resolved)
	if err != nil {
		return "", err
	}
	return c.o.Desk.Backfill(g.Request.Context(), PastIncident{Name: f.Name, Kind: quality.IncidentKind(f.Kind), Features: listOf(f.Features), Severity: quality.Severity(f.Severity),
		StartedAt: began, ResolvedAt: resolved, Began: f.Start, Ended: f.Body, Public: f.Public, Reason: f.Reason})
}
