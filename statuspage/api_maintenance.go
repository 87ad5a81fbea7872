package statuspage

import (
	"slices"

	"github.com/asgood-dev/asgood/internal/quality"
)

// sortedMaintenances is the last planned first.
func sortedMaintenances(list []quality.Maintenance) []quality.Maintenance {
	out := slices.Clone(list)
	slices.SortStableFunc(out, func(a, b quality.Maintenance) int { return b.From.Compare(a.From) })
	return out
}

// active reports whether the work is going on.
func active(m quality.Maintenance) bool {
	return m.Status == quality.MaintenanceInProgress || m.Status == quality.MaintenanceVerifying
}

func upcoming(m quality.Maintenance) bool { return !active(m) && !m.Over() }

func notOver(m quality.Maintenance) bool { return !m.Over() }

func recentWork(quality.Maintenance) bool { return true }

// maintenancesOf lists the maintenances that are wanted; of those that are over only the newest.
func (b *apiBuilder) maintenancesOf(wanted func(quality.Maintenance) bool) []apiIncident {
	out := []apiIncident{}
	for _, m := range b.maintenances {
		if wanted(m) && (!m.Over() || len(out) < recentListed) {
			out = append(out, b.maintenance(m))
		}
	}
	return out
}

func (b *apiBuilder) maintenance(m quality.Maintenance) apiIncident {
	started := m.From
	if m.StartedAt != nil {
		started = *m.StartedAt
	}
	return apiIncident{
		ID: m.ID, Name: m.Name, Status: string(stage(m.Status)), CreatedAt: b.time(m.CreatedAt), UpdatedAt: b.time(m.UpdatedAt),
		ResolvedAt: b.optional(m.CompletedAt), Impact: indicatorMaintenance, Shortlink: b.link(maintenancePath(m.ID)),
		StartedAt: b.time(started), PageID: pageID, IncidentUpdates: b.workUpdates(m), Components: b.affected(m.Features),
		ScheduledFor: b.time(m.From), ScheduledUntil: b.time(m.To),
	}
}

// maintenancePath is where people read of a maintenance.
func maintenancePath(id string) string { return "/maintenances/" + id }

// stage keeps a status that clients have never heard of from them.
func stage(s quality.MaintenanceStatus) quality.MaintenanceStatus {
	switch s {
	case quality.MaintenanceInProgress, quality.MaintenanceVerifying, quality.MaintenanceCompleted:
		return s
	default:
		return quality.MaintenanceScheduled
	}
}

func (b *apiBuilder) workUpdates(m quality.Maintenance) []apiUpdate {
	out := []apiUpdate{}
	before := quality.Operational
	for _, u := range m.Updates {
		after := quality.Operational
		if stage(u.Status) == quality.MaintenanceInProgress || stage(u.Status) == quality.MaintenanceVerifying {
			after = quality.UnderMaintenance
		}
		at := b.time(u.At)
		out = append(out, apiUpdate{ID: u.ID, Status: string(stage(u.Status)), Body: u.Body, IncidentID: m.ID, CreatedAt: at, UpdatedAt: at,
			DisplayAt: at, AffectedComponents: b.changes(m.Features, always(before), always(after)), DeliverNotifications: true})
		before = after
	}
	slices.Reverse(out)
	return out
}

// always is the same for every feature.
func always(s quality.ComponentStatus) func(string) quality.ComponentStatus {
	return func(string) quality.ComponentStatus { return s }
}
