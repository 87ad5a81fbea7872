package statuspage

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
)

// staleAfter is how old the last reading may be before the page says so.
const staleAfter = time.Minute

// input is all a view is made of.
type input struct {
	options *Options
	now     time.Time
	state   reading[stateData]
	days    reading[daysData]
}

// view is everything that is served, made at once so that all of it agrees.
type view struct {
	in      input
	page    pageView
	content string // names what is shown, but for the time of the figures
	html    document
	detail  map[string]func() (document, error) // pages of incidents, by id; each is drawn when it is first asked for
	api     *programs                           // what programs read
}

// pageView is the page as the template reads it.
type pageView struct {
	Title     string
	Simulated bool
	Notice    string // that figures are old or missing
	Stale     bool   // what holds now is not known
	AsOf      string `json:"-"`
	AsOfTime  string `json:"-"`
	Zone      string
	Overall   overall
	Features  []featureView
	Open      []incidentView
	MoreOpen  int
	History   []historyDay
	Content   string `json:"-"`
	Style     string
	Script    string
}

type featureView struct {
	Name, Title string
	Quality     tileView
	Uptime      tileView
	Days        span
	Notable     []string `json:"-"` // the days that stand out, for those who cannot see or point
	days        []QualityDay
	ups         []AvailabilityDay
	tile        QualityTile
	uptime      UptimeTile
}

// tileView is a tile with its strip.
type tileView struct {
	Word, Slug string
	Figure     string // such as "97 % of baseline"
	Interval   string // goes on from Figure, such as ", 95 % interval 95 to 99"
	Since      moment
	Note       string
	Scope      string
	Strip      strip
}

// notRead is said of what the page does not know because it has not read it.
const notRead = "Not read yet."

// span names the first and the last of the days that are drawn; it is empty when none are.
type span struct{ First, Last string }

// moment is a time for people and machines; both are empty when there is none.
type moment struct{ Text, ISO string }

// newView draws everything.
func newView(in input, r *renderer) (*view, error) {
	v := &view{in: in, page: pageOf(in)}
	v.page.Style, v.page.Script = r.style.path, r.script.path
	data, err := json.Marshal(v.page)
	if err != nil {
		return nil, fmt.Errorf("naming the view: %w", err)
	}
	sum := sha256.Sum256(data)
	v.content = hex.EncodeToString(sum[:8])
	v.page.Content = v.content
	if v.html, err = r.page(v.page); err != nil {
		return nil, err
	}
	v.detail = r.details(v.page, in)
	v.api = newPrograms(v)
	return v, nil
}

func pageOf(in input) pageView {
	o := in.options
	p := pageView{Title: o.Title, Simulated: o.Simulated, Zone: zoneName(o.Location, in.now)}
	p.age(in)
	index := indexOf(in)
	for _, f := range o.Features {
		p.Features = append(p.Features, featureOf(f, in, index))
	}
	if !in.state.at.IsZero() { // that no incident was read does not mean that there was none
		p.Open, p.MoreOpen, p.History = incidentsOf(in)
	}
	p.Overall = overallOf(p.Features, !in.state.at.IsZero(), p.Stale)
	return p
}

// zoneName is how people call the zone the days are of. An abbreviation would be wrong for half of the year.
func zoneName(loc *time.Location, now time.Time) string {
	if loc == time.Local {
		return now.In(loc).Format("MST")
	}
	return loc.String()
}

// age says of when the figures are, and when they are old or missing.
func (p *pageView) age(in input) {
	asOf := in.state.at
	if !in.days.at.IsZero() && in.days.at.Before(asOf) {
		asOf = in.days.at
	}
	when := momentOf(asOf, in.options.Location, in.now)
	p.AsOf, p.AsOfTime = when.Text, when.ISO
	switch {
	case in.state.old(in.now) && in.state.at.IsZero():
		p.Stale, p.Notice = true, "No figures can be read at the moment."
	case in.state.old(in.now):
		p.Stale, p.Notice = true, "What follows is of "+when.Text+". Newer figures cannot be read at the moment."
	case in.days.old(in.now) && in.days.at.IsZero():
		p.Notice = "The days cannot be read at the moment. What is said of now is not affected."
	case in.days.old(in.now):
		p.Notice = "The days are of " + when.Text + " and cannot be read at the moment. What is said of now is not affected."
	}
}

// index holds what was read, by feature.
type index struct {
	statuses    map[string][]quality.MonitorStatus
	regressions map[string][]quality.Regression
	probes      map[string][]quality.ProbeStatus
	scores      map[string][]quality.ScoreDay
	uptime      map[string][]quality.UptimeDay
	severities  map[string]quality.Severity // of incidents, by id of their regression
}

func indexOf(in input) index {
	s, d := in.state.data, in.days.data
	return index{
		statuses:    group(s.statuses, func(m *quality.MonitorStatus) string { return m.Feature }),
		regressions: group(s.regressions, func(r *quality.Regression) string { return r.Feature }),
		probes:      group(s.probes, func(p *quality.ProbeStatus) string { return p.Feature }),
		scores:      group(d.scores, func(x *quality.ScoreDay) string { return x.Feature }),
		uptime:      group(d.uptime, func(x *quality.UptimeDay) string { return x.Feature }),
		severities:  severitiesOf(s.incidents),
	}
}

func group[T any](list []T, key func(*T) string) map[string][]T {
	out := map[string][]T{}
	for i := range list {
		k := key(&list[i])
		out[k] = append(out[k], list[i])
	}
	return out
}

// severitiesOf maps regressions to how their incidents were graded.
func severitiesOf(incidents []quality.Incident) map[string]quality.Severity {
	out := map[string]quality.Severity{}
	for _, i := range incidents {
		if i.Regression != nil {
			out[i.Regression.ID] = i.Severity
		}
	}
	return out
}

func featureOf(f quality.Feature, in input, x index) featureView {
	loc := in.options.Location
	days := calendar(in.now, loc)
	statuses, regressions := x.statuses[f.Name], x.regressions[f.Name]
	v := featureView{Name: f.Name, Title: f.Title, ups: AvailabilityDays(days, x.uptime[f.Name])}
	if v.Title == "" {
		v.Title = f.Name
	}
	v.days = QualityDays(days, x.scores[f.Name], monitorsOf(f, statuses), regressions, x.severities)
	v.tile = Tile(TileInput{Statuses: statuses, Regressions: regressions, Severities: x.severities, Now: in.now})
	if in.state.at.IsZero() {
		v.tile.Note = notRead
	}
	if in.days.at.IsZero() {
		v.days, v.ups = nil, nil // days that were not read are not days without data
	}
	v.uptime = Uptime(UptimeInput{Probes: x.probes[f.Name], Days: v.ups, Now: in.now, Silence: probeSilence(f, in.options.Simulated)})
	v.Quality = qualityTileView(v.tile, v.days, loc, in.now)
	v.Uptime = uptimeTileView(v.uptime, v.ups, len(f.Probes) > 0, loc, in.now)
	if in.state.at.IsZero() {
		v.Uptime.Note = notRead
	}
	if len(v.days) > 0 {
		v.Days = span{First: days[0].Format("2 Jan 2006"), Last: days[len(days)-1].Format("2 Jan 2006")}
	}
	v.Notable = append(v.Quality.Strip.notable("Quality"), v.Uptime.Strip.notable("Uptime")...)
	return v
}

// monitorsOf joins statuses with what is configured of their monitors.
func monitorsOf(f quality.Feature, statuses []quality.MonitorStatus) []DayMonitor {
	out := make([]DayMonitor, 0, len(statuses))
	for _, s := range statuses {
		m := DayMonitor{Status: s}
		for _, spec := range f.Monitors {
			if spec.Metric != s.Metric {
				continue
			}
			m.Adjusted = len(spec.Adjust) > 0 || spec.Season != ""
			if spec.Material != nil {
				m.Material = *spec.Material
			}
		}
		out = append(out, m)
	}
	return out
}

// momentOf leaves out what today makes plain.
func momentOf(t time.Time, loc *time.Location, now time.Time) moment {
	if t.IsZero() {
		return moment{}
	}
	local, today := t.In(loc), now.In(loc)
	layout := "2 Jan 2006, 15:04"
	switch {
	case local.Format(time.DateOnly) == today.Format(time.DateOnly):
		layout = "15:04"
	case local.Year() == today.Year() || today.Sub(local) < 180*24*time.Hour:
		layout = "Mon 2 Jan, 15:04"
	}
	return moment{Text: local.Format(layout), ISO: local.Format(time.RFC3339)}
}
