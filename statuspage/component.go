package statuspage

import (
	"math"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
)

func (b *apiBuilder) component(i int, f *featureView) apiComponent {
	first, known := firstDay(f)
	created := b.v.in.now
	c := apiComponent{
		ID: f.Name, Name: f.Title, Status: componentStatus(f), Position: i + 1, Showcase: true, PageID: pageID,
		Quality: b.quality(f), Uptime: b.uptime(f),
	}
	if known {
		date := first.Format(time.DateOnly)
		created, c.StartDate = first, &date
	}
	c.CreatedAt, c.UpdatedAt = b.time(created), b.time(b.changedAt(f, created))
	return c
}

// changedAt is the latest of the changes of a component that are known.
func (b *apiBuilder) changedAt(f *featureView, created time.Time) time.Time {
	at := created
	for _, t := range []*time.Time{f.tile.Since, f.uptime.Since} {
		if t != nil && t.After(at) {
			at = *t
		}
	}
	for _, i := range b.v.in.state.data.published() {
		for _, name := range i.Features {
			if name == f.Name && i.UpdatedAt.After(at) {
				at = i.UpdatedAt
			}
		}
	}
	return at
}

// firstDay is the first of the shown days that has data of either kind.
func firstDay(f *featureView) (time.Time, bool) {
	for i := range f.days {
		if f.days[i].State != DayNone || f.ups[i].Checks > 0 {
			return f.days[i].Day, true
		}
	}
	return time.Time{}, false
}

func (b *apiBuilder) quality(f *featureView) apiQuality {
	t := f.tile
	q := apiQuality{Word: string(t.Word), Status: t.Word.Slug(), Metric: t.Metric, Percent: hundredth(t.Percent),
		Interval: hundredths(t.Interval), Since: b.optional(t.Since), Scope: t.Scope, Note: t.Note}
	for _, d := range f.days {
		q.Days = append(q.Days, apiQualityDay{Date: d.Day.Format(time.DateOnly), Status: string(d.State),
			Percent: hundredth(d.Percent), Interval: hundredths(d.Interval), Answers: d.N})
	}
	return q
}

func (b *apiBuilder) uptime(f *featureView) apiUptime {
	u := apiUptime{Word: string(f.uptime.Word), Status: f.uptime.Word.Slug(), Since: b.optional(f.uptime.Since)}
	if f.uptime.Share != "" {
		u.Percent = &f.uptime.Share
	}
	for _, d := range f.ups {
		u.Days = append(u.Days, apiUptimeDay{Date: d.Day.Format(time.DateOnly), Status: string(d.State), Checks: d.Checks, Up: d.Up})
	}
	return u
}

// hundredth keeps two places, and never rounds what is below 100 up to it.
func hundredth(p *float64) *float64 {
	if p == nil {
		return nil
	}
	v := math.Round(*p*100) / 100
	if v >= 100 && *p < 100 {
		v = 99.99
	}
	return &v
}

func hundredths(i *[2]float64) *[2]float64 {
	if i == nil {
		return nil
	}
	return &[2]float64{*hundredth(&i[0]), *hundredth(&i[1])}
}

// componentStatus tells of uptime first; what is up and worse is degraded.
func componentStatus(f *featureView) string {
	switch {
	case f.uptime.Word == UptimeDown:
		return "major_outage"
	case f.uptime.Word == UptimePartly:
		return "partial_outage"
	case f.tile.Word.Worse():
		return "degraded_performance"
	default:
		return "operational"
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

// status takes the worst of the open incidents and of the features.
func (b *apiBuilder) status() apiStatus {
	worst := quality.SeverityNone
	take := func(s quality.Severity) {
		if s.Rank() > worst.Rank() {
			worst = s
		}
	}
	for _, i := range b.v.in.state.data.published() {
		if i.Open() {
			take(i.Severity)
		}
	}
	for i := range b.v.page.Features {
		take(impactOf(&b.v.page.Features[i]))
	}
	return apiStatus{Indicator: string(worst), Description: b.v.page.Overall.Text}
}
