package statuspage

import (
	"math"
	"strconv"
	"time"
)

// apiUptimeReport has the shape of the uptime of a component in Statuspage's other interface.
type apiUptimeReport struct {
	ID               string           `json:"id"`
	Name             string           `json:"name"`
	RangeStart       string           `json:"range_start"`
	RangeEnd         string           `json:"range_end"`
	UptimePercentage *float64         `json:"uptime_percentage"` // floored to two places; nil without checks
	MajorOutage      int              `json:"major_outage"`      // seconds, by the share of checks that were not answered
	PartialOutage    int              `json:"partial_outage"`    // always 0: the sums of a day do not tell partial outages apart
	Warnings         []string         `json:"warnings"`
	RelatedEvents    apiRelatedEvents `json:"related_events"`
}

type apiRelatedEvents struct {
	Incidents []string `json:"incidents"` // ids, newest first
}

// uptimeReport sums the days that the page shows. A day without checks counts neither way.
func (b *apiBuilder) uptimeReport(f *featureView) apiUptimeReport {
	days := calendar(b.v.in.now, b.v.in.options.Location)
	out := apiUptimeReport{ID: f.Name, Name: f.Title, RangeStart: b.time(days[0]), RangeEnd: b.time(b.v.in.now),
		Warnings: []string{}, RelatedEvents: apiRelatedEvents{Incidents: []string{}}}
	down, unknown := 0.0, 0
	for _, d := range f.ups {
		if d.Checks == 0 {
			unknown++
			continue
		}
		length := min(nextDay(d.Day).Sub(d.Day), b.v.in.now.Sub(d.Day))
		down += length.Seconds() * (1 - float64(min(d.Up, d.Checks))/float64(d.Checks))
	}
	out.MajorOutage = int(math.Round(down))
	if p, err := strconv.ParseFloat(f.uptime.Share, 64); err == nil {
		out.UptimePercentage = &p
	}
	switch {
	case len(f.ups) == 0:
		out.Warnings = append(out.Warnings, "the days have not been read yet")
	case unknown > 0:
		out.Warnings = append(out.Warnings, strconv.Itoa(unknown)+" days have no checks and count neither as up nor as down")
	}
	out.RelatedEvents.Incidents = append(out.RelatedEvents.Incidents, b.incidentsSince(f.Name, days[0])...)
	return out
}

// incidentsSince are those of a feature that were not over at a time.
func (b *apiBuilder) incidentsSince(feature string, from time.Time) []string {
	var out []string
	for _, i := range b.published {
		for _, name := range i.Features {
			if name == feature && (i.Open() || i.ResolvedAt.After(from)) && len(out) < recentListed {
				out = append(out, i.ID)
			}
		}
	}
	return out
}
