package statuspage

import (
	"html/template"
	"slices"
	"time"

	"github.com/asgood-dev/asgood/internal/markdown"
	"github.com/asgood-dev/asgood/internal/quality"
)

// plannedListed is how many maintenances that have not begun are listed, the soonest first.
const plannedListed = 10

type maintenanceView struct {
	ID, Name string
	Status   string
	Features string
	From, To moment
	Updates  []maintenanceUpdateView // newest first
}

type maintenanceUpdateView struct {
	Status string
	Body   template.HTML
	At     moment
}

// maintenances are those that go on, and those to come.
func (v *view) maintenances(t told) (active, planned []maintenanceView) {
	list := slices.Clone(v.in.state.data.maintenances)
	slices.SortStableFunc(list, func(a, b quality.Maintenance) int { return a.From.Compare(b.From) })
	for _, m := range list {
		switch {
		case m.Over():
		case underway(m):
			active = append(active, v.maintenance(t, m))
		case len(planned) < plannedListed:
			planned = append(planned, v.maintenance(t, m))
		}
	}
	return active, planned
}

func underway(m quality.Maintenance) bool {
	return m.Status == quality.MaintenanceInProgress || m.Status == quality.MaintenanceVerifying
}

func (v *view) maintenance(t told, m quality.Maintenance) maintenanceView {
	from, to := began(m), ended(m)
	x := maintenanceView{
		ID: m.ID, Name: m.Name, Status: t.known("status.", string(m.Status)), Features: v.titles(t, m.Features),
		From: t.moment(from), To: t.end(from, to),
	}
	for _, u := range slices.Backward(m.Updates) {
		x.Updates = append(x.Updates, maintenanceUpdateView{Status: t.known("status.", string(u.Status)), Body: markdown.HTML(u.Body), At: t.moment(u.At)})
	}
	return x
}

// began is when it really began, or is planned to.
func began(m quality.Maintenance) time.Time {
	if m.StartedAt != nil {
		return *m.StartedAt
	}
	return m.From
}

func ended(m quality.Maintenance) time.Time {
	if m.CompletedAt != nil {
		return *m.CompletedAt
	}
	return m.To
}

// workOn says which maintenance of a feature goes on; empty when none does.
func (v *view) workOn(t told, feature string) string {
	for _, m := range v.in.state.data.maintenances {
		if underway(m) && slices.Contains(m.Features, feature) {
			return t.Say("feature.work", "Name", m.Name, "To", t.end(v.in.now, m.To).Text)
		}
	}
	return ""
}
