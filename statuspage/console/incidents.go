package console

import (
	"cmp"
	"slices"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/asgood-dev/asgood/internal/quality"
)

// maxIncidents bounds a list.
const maxIncidents = 200

// incidentList is the page of incidents and maintenances.
type incidentList struct {
	Rows         []quality.Incident
	Left         int
	Maintenances []quality.Maintenance
	CanAct       bool // there is a desk
	Names        []string
	Forms        incidentForms
}

// incidentForms are the forms of the page of incidents, as they were sent.
type incidentForms struct {
	Sent   string // report, past or plan: the one that was refused
	Report reportForm
	Past   pastForm
	Plan   plannedForm
}

// newForms are they before anything was sent.
func (c *Console) newForms() incidentForms {
	return incidentForms{Report: reportForm{Kind: string(quality.IncidentQuality), Severity: string(quality.SeverityMinor), Status: string(quality.IncidentInvestigating)},
		Past: pastForm{Kind: string(quality.IncidentQuality), Severity: string(quality.SeverityMinor)}, Plan: plannedForm{Auto: true}}
}

// Kinds are the choices of the forms.
func (incidentList) Kinds() (out []string) {
	for _, k := range quality.IncidentKinds() {
		out = append(out, string(k))
	}
	return out
}

// Severities are the choices of the forms.
func (incidentList) Severities() []string {
	return []string{string(quality.SeverityNone), string(quality.SeverityMinor), string(quality.SeverityMajor), string(quality.SeverityCritical)}
}

// Statuses are the choices of an incident that goes on.
func (incidentList) Statuses() []string {
	return []string{string(quality.IncidentInvestigating), string(quality.IncidentIdentified), string(quality.IncidentMonitoring)}
}

func (c *Console) incidents(g *gin.Context) (view, error) {
	return c.incidentsWith(g, c.newForms())
}

func (c *Console) incidentsWith(g *gin.Context, forms incidentForms) (view, error) {
	ctx := g.Request.Context()
	v := view{name: "incidents", Title: "Incidents", Section: "incidents", Crumbs: []crumb{{"Overview", root}}}
	p := incidentList{CanAct: c.o.Desk != nil, Names: c.featureNames(), Forms: forms}
	all := c.read(ctx, &v).incidents
	p.Left = max(0, len(all)-maxIncidents)
	p.Rows = all[:len(all)-p.Left]
	var err error
	p.Maintenances, err = c.o.State.Maintenances(ctx)
	v.note("Maintenances", err)
	slices.SortFunc(p.Maintenances, func(a, b quality.Maintenance) int {
		return cmp.Or(b.From.Compare(a.From), cmp.Compare(a.ID, b.ID))
	})
	p.Maintenances = p.Maintenances[:min(len(p.Maintenances), maxShown)]
	v.Page = &p
	return v, nil
}

// incidentView is the page of one incident.
type incidentView struct {
	quality.Incident
	Desk       *DeskView // nil where nobody can act, or it cannot be read
	Postmortem string    // as it is, or a draft
	Written    bool      // it is no draft of ours
	Post       postForm
	Previewed  bool
	Lacks      []string // what the texts would lack with the previewed one
	Publish    struct {
		Override bool
		Reason   string
	}
	Veto  string
	Now   time.Time
	Notes string
}

// postForm is what the form of an update holds.
type postForm struct {
	Status, Body, Reason, Next string
	Internal                   bool
	Facts                      map[string]string
}

// Statuses are the choices of the form.
func (incidentView) Statuses() []string {
	return []string{string(quality.IncidentInvestigating), string(quality.IncidentIdentified), string(quality.IncidentMonitoring), string(quality.IncidentResolved)}
}

// Overdue reports whether a promised update has not come.
func (v incidentView) Overdue() bool {
	return v.NextUpdate != nil && v.Open() && v.NextUpdate.Before(v.Now)
}

// Waits reports whether a rule will publish it.
func (v incidentView) Waits() bool { return !v.Public() && v.PublishAt != nil && v.Vetoed == nil }

// FactText is a fact as it stands in the form: as it was sent, else as it is known.
func (v incidentView) FactText(f StatedFact) string {
	if t, ok := v.Post.Facts[f.Key]; ok {
		return t
	}
	return f.Text
}

func (c *Console) incidentPage(g *gin.Context) (view, error) {
	v, _, err := c.incidentOf(g)
	return v, err
}

// incidentOf shows the incident of a request.
func (c *Console) incidentOf(g *gin.Context) (v view, p incidentView, err error) {
	ctx, id := g.Request.Context(), g.Param("id")
	v = view{name: "incident", Title: "Incident", Section: "incidents", Crumbs: []crumb{{"Incidents", root + "/incidents"}}}
	all, err := c.o.State.Incidents(ctx)
	i := slices.IndexFunc(all, func(x quality.Incident) bool { return x.ID == id })
	if i < 0 {
		if err == nil {
			err = quality.Errorf(quality.KindNotFound, "no incident %.80q", id)
		}
		return v, p, err
	}
	v.note("Incidents", err)
	p = incidentView{Incident: all[i], Now: c.o.Now(), Post: postForm{Status: string(all[i].Status)}}
	v.Title = p.Name
	if c.o.Desk != nil {
		if d, err := c.o.Desk.Incident(ctx, id); v.note("Facts", err) {
			p.Desk = &d
		}
		if !p.Open() {
			p.Postmortem, p.Written, err = c.o.Desk.Postmortem(ctx, id)
			v.note("Postmortem", err)
		}
	}
	v.Page = &p
	return v, p, nil
}

// maintenanceView is the page of one maintenance.
type maintenanceView struct {
	quality.Maintenance
	CanAct bool
	Names  []string
	Form   struct{ Status, Body string }
	Plan   plannedForm
	Sent   string // advance or plan: the form that was refused
}

// Steps are the choices of the form.
func (maintenanceView) Steps() []string {
	return []string{string(quality.MaintenanceScheduled), string(quality.MaintenanceInProgress), string(quality.MaintenanceVerifying), string(quality.MaintenanceCompleted)}
}

func (c *Console) maintenancePage(g *gin.Context) (view, error) {
	all, err := c.o.State.Maintenances(g.Request.Context())
	i := slices.IndexFunc(all, func(m quality.Maintenance) bool { return m.ID == g.Param("id") })
	if i < 0 {
		return view{}, quality.Errorf(quality.KindNotFound, "no maintenance %.80q", g.Param("id"))
	}
	v := view{name: "maintenance", Title: all[i].Name, Section: "incidents", Crumbs: []crumb{{"Incidents", root + "/incidents"}}}
	v.note("Maintenances", err)
	p := maintenanceView{Maintenance: all[i], CanAct: c.o.Desk != nil, Names: c.featureNames(), Plan: c.planOf(&all[i])}
	p.Form.Status = string(all[i].Status)
	v.Page = &p
	return v, nil
}
