package statuspage

import "github.com/asgood-dev/asgood/internal/quality"

// standing is how a component stands, and how much that weighs for the page.
type standing struct {
	status quality.ComponentStatus
	impact quality.Severity
}

// statusRank orders states from best to worst; one that is not known ranks as operational.
func statusRank(s quality.ComponentStatus) int {
	switch s {
	case quality.UnderMaintenance:
		return 1
	case quality.DegradedPerformance:
		return 2
	case quality.PartialOutage:
		return 3
	case quality.MajorOutage:
		return 4
	default:
		return 0
	}
}

// standingOf follows what people stated of an open incident, then a maintenance that is going on, then what
// was measured. What is measured during a maintenance is what was announced.
func (b *apiBuilder) standingOf(f *featureView) standing {
	stated, ok := b.stated[f.Name]
	switch {
	case ok && statusRank(stated) > statusRank(quality.UnderMaintenance):
		return standing{stated, impactOfStatus(stated)}
	case b.maintained[f.Name] || stated == quality.UnderMaintenance:
		return standing{quality.UnderMaintenance, quality.SeverityNone}
	case ok:
		return standing{quality.Operational, quality.SeverityNone}
	default:
		return standing{componentStatus(f), impactOf(f)}
	}
}

// componentStatus tells of uptime first; what is up and worse is degraded.
func componentStatus(f *featureView) quality.ComponentStatus {
	switch {
	case f.uptime.Word == UptimeDown:
		return quality.MajorOutage
	case f.uptime.Word == UptimePartly:
		return quality.PartialOutage
	case f.tile.Word.Worse():
		return quality.DegradedPerformance
	default:
		return quality.Operational
	}
}

// impactOfStatus is how much a state weighs that people stated.
func impactOfStatus(s quality.ComponentStatus) quality.Severity {
	switch s {
	case quality.MajorOutage:
		return quality.SeverityCritical
	case quality.PartialOutage:
		return quality.SeverityMajor
	case quality.DegradedPerformance:
		return quality.SeverityMinor
	default:
		return quality.SeverityNone
	}
}

// impactOf is how much a feature's state weighs by itself, before anybody has opened an incident.
func impactOf(f *featureView) quality.Severity {
	switch {
	case f.uptime.Word == UptimeDown || f.tile.Word == WordMuchWorse:
		return quality.SeverityCritical
	case f.uptime.Word == UptimePartly || f.tile.Word == WordWorse:
		return quality.SeverityMajor
	case f.tile.Word == WordSlightlyWorse:
		return quality.SeverityMinor
	default:
		return quality.SeverityNone
	}
}

// The descriptions of Statuspage, which clients compare, and one for what it has no word for.
const (
	allOperational    = "All Systems Operational"
	majorOutage       = "Major System Outage"
	partialOutage     = "Partial System Outage"
	minorOutage       = "Minor Service Outage"
	degradedSystem    = "Degraded System Service"
	partiallyDegraded = "Partially Degraded Service"
	underMaintenance  = "Service Under Maintenance"
	statusUnknown     = "Status Unknown"
)

// indicatorMaintenance is the indicator of a page on which nothing is wrong and work is going on.
const indicatorMaintenance = "maintenance"

// status takes the worst of the open incidents and of the features.
func (b *apiBuilder) status() apiStatus {
	worst := quality.SeverityNone
	take := func(s quality.Severity) {
		if s.Rank() > worst.Rank() {
			worst = s
		}
	}
	for _, i := range b.published {
		if i.Open() {
			take(impact(i.Severity))
		}
	}
	counts := map[quality.ComponentStatus]int{}
	for _, c := range b.components {
		if !c.Group {
			counts[c.standing.status]++
			take(c.standing.impact)
		}
	}
	s := apiStatus{Indicator: string(worst), Description: describe(counts, worst)}
	if worst == quality.SeverityNone && counts[quality.UnderMaintenance] > 0 {
		s.Indicator = indicatorMaintenance
	}
	if s.Description == allOperational && !b.seen() {
		s.Description = statusUnknown // that nothing is known is not that all is well
	}
	return s
}

// seen reports whether anything is known of any feature.
func (b *apiBuilder) seen() bool {
	if b.v.page.Stale || b.v.in.state.at.IsZero() {
		return false
	}
	for i := range b.v.page.Features {
		f := &b.v.page.Features[i]
		if f.uptime.Word == UptimeUp || f.tile.Word == WordUsual || f.tile.Word == WordBetter {
			return true
		}
	}
	return false
}

// describe chooses the description by what share of the components is in which state, and by the gravest
// incident where no component tells of it.
func describe(counts map[quality.ComponentStatus]int, worst quality.Severity) string {
	all := 0
	for _, n := range counts {
		all += n
	}
	whole := func(s quality.ComponentStatus) bool { return counts[s] == all }
	switch {
	case counts[quality.MajorOutage] > 0 && whole(quality.MajorOutage):
		return majorOutage
	case counts[quality.MajorOutage] > 0, counts[quality.PartialOutage] > 0 && whole(quality.PartialOutage):
		return partialOutage
	case counts[quality.PartialOutage] > 0:
		return minorOutage
	case counts[quality.DegradedPerformance] > 1 && whole(quality.DegradedPerformance):
		return degradedSystem
	case counts[quality.DegradedPerformance] > 0:
		return partiallyDegraded
	case worst == quality.SeverityCritical:
		return majorOutage
	case worst == quality.SeverityMajor:
		return partialOutage
	case worst == quality.SeverityMinor:
		return minorOutage
	case counts[quality.UnderMaintenance] > 0:
		return underMaintenance
	default:
		return allOperational
	}
}
