package console

import (
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/asgood-dev/asgood/internal/quality"
)

// plannedForm is what the form of a maintenance holds.
type plannedForm struct {
	Name, Features, From, To, Body string
	Auto                           bool
}

func readPlanned(g *gin.Context) plannedForm {
	return plannedForm{Name: field(g, "name"), Features: field(g, "features"), From: field(g, "from"), To: field(g, "to"), Body: text(g, "body"), Auto: field(g, "auto") != ""}
}

// planOf is the form that holds a maintenance as it is planned.
func (c *Console) planOf(m *quality.Maintenance) plannedForm {
	return plannedForm{Name: m.Name, Features: strings.Join(m.Features, ", "), From: c.formTime(m.From), To: c.formTime(m.To), Auto: m.Auto}
}

// formTime writes a time for a field of a form.
func (c *Console) formTime(t time.Time) string { return t.In(c.o.Location).Format(timeLayouts[1]) }

// planned reads the times of a form.
func (c *Console) planned(f plannedForm) (Planned, error) {
	from, err := c.when("from", f.From)
	if err != nil {
		return Planned{}, err
	}
	to, err := c.when("to", f.To)
	return Planned{Name: f.Name, Features: listOf(f.Features), From: from, To: to, Auto: f.Auto, Body: f.Body}, err
}

// deskForm reads a form that needs the desk.
func (c *Console) deskForm(g *gin.Context) error {
	if err := c.noDesk(); err != nil {
		return err
	}
	return parseForm(g)
}

func (c *Console) scheduleMaintenance(g *gin.Context) (view, error) {
	if err := c.deskForm(g); err != nil {
		return view{}, err
	}
	f := readPlanned(g)
	p, err := c.planned(f)
	var id string
	if err == nil {
		id, err = c.o.Desk.Schedule(g.Request.Context(), p)
	}
	if err == nil {
		return done(root+"/maintenances/"+id, "scheduled")
	}
	forms := c.newForms()
	forms.Sent, forms.Plan = "plan", f
	v, shown := c.incidentsWith(g, forms)
	return refused(v, shown, err, "name", "features", "from", "to", "body")
}

func (c *Console) advanceMaintenance(g *gin.Context) (view, error) {
	if err := c.deskForm(g); err != nil {
		return view{}, err
	}
	status, body := field(g, "status"), text(g, "body")
	err := c.o.Desk.Advance(g.Request.Context(), g.Param("id"), quality.MaintenanceStatus(status), body)
	if err == nil {
		return done(root+"/maintenances/"+g.Param("id"), "advanced")
	}
	v, shown := c.maintenancePage(g)
	if p, ok := v.Page.(*maintenanceView); ok {
		p.Form.Status, p.Form.Body, p.Sent = status, body, "advance"
	}
	v, err = refused(v, shown, err, "status", "body")
	return scoped(v, "advance"), err
}

func (c *Console) replanMaintenance(g *gin.Context) (view, error) {
	if err := c.deskForm(g); err != nil {
		return view{}, err
	}
	v, err := c.maintenancePage(g)
	if err != nil {
		return v, err
	}
	m := v.Page.(*maintenanceView)
	f := readPlanned(g)
	p, err := c.planned(f)
	// A field holds whole seconds: what was not touched must not move the maintenance by the rest.
	if f.From == m.Plan.From {
		p.From = time.Time{}
	}
	if f.To == m.Plan.To {
		p.To = time.Time{}
	}
	if err == nil {
		err = c.o.Desk.Replan(g.Request.Context(), m.ID, p)
	}
	if err == nil {
		return done(root+"/maintenances/"+m.ID, "replanned")
	}
	m.Plan, m.Sent = f, "plan"
	v, err = refused(v, nil, err, "name", "features", "from", "to")
	return scoped(v, "plan"), err
}
