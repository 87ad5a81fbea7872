package statuspage

import (
	"html/template"
	"slices"
	"time"

	"github.com/asgood-dev/asgood/internal/markdown"
	"github.com/asgood-dev/asgood/internal/quality"
	"github.com/asgood-dev/asgood/statuspage/speech"
)

// incidentPage is the page of one incident.
type incidentPage struct {
	frame
	Incident   incidentView
	Affected   []nameView
	Figure     string // of the regression, in percent of baseline
	Chart      chartView
	Postmortem template.HTML
	Published  moment
	Backfilled bool
}

// nameView is a link to a feature.
type nameView struct {
	Name, Title string
	Known       bool // it has a page
}

func (v *view) incidentPage(d *drawer, path string, i quality.Incident) incidentPage {
	t := v.in.told(d.language)
	p := incidentPage{frame: v.frame(d, path), Incident: v.incident(t, i), Backfilled: i.Backfilled}
	p.Summary = i.Name
	for _, name := range i.Features {
		known := slices.ContainsFunc(v.in.options.Features, func(f quality.Feature) bool { return f.Name == name })
		p.Affected = append(p.Affected, nameView{Name: name, Title: v.titleOf(name), Known: known})
	}
	if i.Postmortem != nil {
		p.Postmortem = markdown.HTML(i.Postmortem.Body)
		p.Published = t.moment(i.Postmortem.Published.At)
	}
	if r := i.Regression; r != nil {
		p.Figure = v.figure(t, *r)
		p.Chart = v.incidentChart(t, i)
	}
	return p
}

// figure is the size of a regression as a tile tells it; empty where it is not known.
func (v *view) figure(t told, r quality.Regression) string {
	q := figures(quality.MonitorStatus{
		Metric: r.Metric, Worse: r.Worse, Range: r.Range, Unbounded: r.Range[0] == r.Range[1], Baseline: r.Baseline, Change: r.Change, Interval: r.Interval,
	}, QualityTile{})
	if q.Percent == nil {
		return ""
	}
	text := t.Say("tile.percent", "P", t.percent(*q.Percent))
	if q.Interval != nil {
		text += t.Say("tile.interval", "Interval", t.interval(*q.Interval))
	}
	return text
}

// maintenancePage is the page of one maintenance.
type maintenancePage struct {
	frame
	Maintenance maintenanceView
}

// featurePage is the page of one feature, day by day.
type featurePage struct {
	frame
	Feature featureView
	Chart   chartView
	Days    []dayRow // newest first
}

// dayRow is a day with its numbers.
type dayRow struct {
	Date, Day    string
	Quality      string // the state
	QualityClass string
	Percent      string
	Interval     string
	Answers      string
	Uptime       string // the share
	UptimeClass  string
	Checks       string
	Incidents    []incidentView
	Answered     bool // there are answers
	Checked      bool
}

func (v *view) featurePage(d *drawer, path string, x facts) featurePage {
	t := v.in.told(d.language)
	p := featurePage{frame: v.frame(d, path), Feature: v.feature(t, x, false)}
	p.Summary = p.Feature.Title
	p.Chart = v.featureChart(t, x)
	touching := v.touching(x.spec.Name)
	for n := len(x.days) - 1; n >= 0; n-- {
		p.Days = append(p.Days, t.row(x.days[n], x.ups[n], touching[x.days[n].Day.Format(time.DateOnly)]))
	}
	return p
}

func (t told) row(q QualityDay, u AvailabilityDay, incidents []quality.Incident) dayRow {
	r := dayRow{
		Date: q.Day.Format(time.DateOnly), Day: t.day(speech.ShortDay, q.Day), Quality: title(t.Say("quality.day." + string(q.State))), QualityClass: string(q.State),
		Answers: t.Number(q.N), Checks: t.Number(u.Checks), Answered: q.N > 0, Checked: u.Checks > 0, UptimeClass: string(u.State),
	}
	if q.Percent != nil && q.State != DayFew {
		r.Percent = t.percent(*q.Percent)
		if q.Interval != nil {
			r.Interval = t.interval(*q.Interval)
		}
	}
	r.Uptime = t.share(u.Up, u.Checks)
	for _, i := range incidents {
		r.Incidents = append(r.Incidents, incidentView{ID: i.ID, Name: i.Name})
	}
	return r
}

// touching are the public incidents of a feature by the days they lasted, as far as days are shown.
func (v *view) touching(feature string) map[string][]quality.Incident {
	out := map[string][]quality.Incident{}
	days := calendar(v.in.now, v.in.options.Location)
	for _, i := range v.public {
		if !slices.Contains(i.Features, feature) {
			continue
		}
		for _, day := range days {
			over := i.ResolvedAt != nil && !i.ResolvedAt.After(day) && i.ResolvedAt.After(i.StartedAt)
			if i.StartedAt.Before(nextDay(day)) && !over {
				key := day.Format(time.DateOnly)
				out[key] = append(out[key], i)
			}
		}
	}
	return out
}

// aboutPage says how the figures are computed.
type aboutPage struct {
	frame
	Least       int // scores of which anything is said
	ByIncidents bool
	Weights     []weightView
	Silence     string
}

type weightView struct{ State, Weight string }

func (v *view) aboutPage(d *drawer, path string) aboutPage {
	t := v.in.told(d.language)
	u := v.in.options.Uptime
	p := aboutPage{frame: v.frame(d, path), Least: minScores, ByIncidents: u.By == quality.UptimeByIncidents}
	p.Summary = t.Say("about.title")
	p.Silence = t.Number(uint64(maxSilence / time.Hour))
	for _, s := range []quality.ComponentStatus{quality.MajorOutage, quality.PartialOutage, quality.DegradedPerformance, quality.UnderMaintenance} {
		p.Weights = append(p.Weights, weightView{t.Say("component." + string(s)), t.Say("percent", "P", t.Decimal(trimmed(u.Weight(s)*100)))})
	}
	return p
}
