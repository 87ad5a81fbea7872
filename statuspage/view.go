package statuspage

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
	"github.com/asgood-dev/asgood/statuspage/speech"
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

func (in input) told(l *speech.Language) told {
	return told{Language: l, loc: in.options.Location, now: in.now}
}

// view is everything that is served, made at once so that all of it agrees.
type view struct {
	in      input
	page    pageView // in English, of which the interfaces for machines are made
	content string   // names what is shown, but for the time of the figures
	facts   []facts  // of the features, in their order
	public  []quality.Incident
	byID    map[string]int // places in public
	api     *programs      // what programs read

	render *renderer

	mu    sync.RWMutex
	drawn map[pageKey]func() (document, error) // a page is drawn when it is first asked for
}

// pageView is the first page as the template reads it.
type pageView struct {
	frame
	Overall  overall
	Groups   []groupView `json:"-"`
	Features []featureView
	Open     []incidentView
	MoreOpen int
	Active   []maintenanceView
	Planned  []maintenanceView
	History  []historyDay
	Touched  string // when the incidents and maintenances changed last, and how many there are
}

// groupView is a heading with its features. Features of no group come first, under no heading.
type groupView struct {
	Name, Title, Description string
	Features                 []featureView
}

// facts is what is known of a feature, in no language.
type facts struct {
	spec   quality.Feature
	days   []QualityDay
	ups    []AvailabilityDay
	tile   QualityTile
	uptime UptimeTile
}

type featureView struct {
	Name, Title string
	Description string
	Quality     tileView
	Uptime      tileView
	Days        span
	Work        string   // the maintenance that goes on
	Notable     []string `json:"-"` // the days that stand out, for those who cannot see or point
	facts
}

// span names the first and the last of the days that are drawn; it is empty when none are.
type span struct {
	First, Last string
	Date        string // the first, for machines
}

// newView makes what is the same in all languages, and draws nothing but the interfaces for machines.
func newView(in input, r *renderer) (v *view, err error) {
	v = &view{in: in, render: r, drawn: map[pageKey]func() (document, error){}, public: sortedIncidents(in.state.data.published())}
	v.byID = make(map[string]int, len(v.public))
	for i := range v.public {
		v.byID[v.public[i].ID] = i
	}
	index := indexOf(in)
	for _, f := range in.options.Features {
		v.facts = append(v.facts, factsOf(f, in, index))
	}
	english := r.english()
	v.page = v.pageIn(english)
	data, err := json.Marshal(v.page)
	if err != nil {
		return nil, fmt.Errorf("naming the view: %w", err)
	}
	sum := sha256.Sum256(data)
	v.content = hex.EncodeToString(sum[:8])
	v.api = newPrograms(v)
	return v, nil
}

// pageIn is the first page in a language.
func (v *view) pageIn(d *drawer) pageView {
	in, t := v.in, v.in.told(d.language)
	p := pageView{frame: v.frame(d, "/"), Touched: v.touched()}
	if !in.state.at.IsZero() { // that no incident was read does not mean that there was none
		p.Open, p.MoreOpen, p.History = v.incidents(t)
		p.Active, p.Planned = v.maintenances(t)
	}
	for _, x := range v.facts {
		p.Features = append(p.Features, v.feature(t, x, len(v.facts) > labelled))
	}
	p.Groups = groupsOf(p.Features, in.options.Groups)
	p.Overall = overallOf(t, p.Features, !in.state.at.IsZero(), p.Stale)
	p.Summary = p.Overall.Text
	return p
}

// touched names the state of all that has a page of its own.
func (v *view) touched() string {
	var last time.Time
	for i := range v.public {
		last = later(last, v.public[i].UpdatedAt)
	}
	for i := range v.in.state.data.maintenances {
		last = later(last, v.in.state.data.maintenances[i].UpdatedAt)
	}
	return fmt.Sprintf("%d %d %d", last.UnixNano(), len(v.public), len(v.in.state.data.maintenances))
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// groupsOf puts the features under their headings, in the order of the groups.
func groupsOf(features []featureView, groups []quality.FeatureGroup) []groupView {
	place := map[string]int{}
	out := make([]groupView, 1, len(groups)+1)
	for _, g := range groups {
		x := groupView{Name: g.Name, Title: g.Title, Description: g.Description}
		if x.Title == "" {
			x.Title = g.Name
		}
		for _, name := range g.Features {
			place[name] = len(out)
		}
		out = append(out, x)
	}
	for i := range features {
		n := place[features[i].Name]
		out[n].Features = append(out[n].Features, features[i])
	}
	return slicesKept(out, func(g groupView) bool { return len(g.Features) > 0 })
}

func slicesKept[T any](list []T, keep func(T) bool) (out []T) {
	for _, x := range list {
		if keep(x) {
			out = append(out, x)
		}
	}
	return out
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

func factsOf(f quality.Feature, in input, x index) facts {
	days := calendar(in.now, in.options.Location)
	statuses, regressions := x.statuses[f.Name], x.regressions[f.Name]
	v := facts{spec: f, ups: AvailabilityDays(days, x.uptime[f.Name])}
	v.days = QualityDays(days, x.scores[f.Name], monitorsOf(f, statuses), regressions, x.severities)
	v.tile = Tile(TileInput{Statuses: statuses, Regressions: regressions, Severities: x.severities, Now: in.now})
	if in.state.at.IsZero() {
		v.tile.Note = noteUnread
	}
	if in.days.at.IsZero() {
		v.days, v.ups = nil, nil // days that were not read are not days without data
	}
	v.uptime = Uptime(UptimeInput{Probes: x.probes[f.Name], Days: v.ups, Now: in.now, Silence: probeSilence(f, in.options.Simulated)})
	if in.options.Uptime.By == quality.UptimeByIncidents {
		v.uptime.Share = shareOfTime(v.ups, effectsOn(f.Name, in.state.data, in.options.Uptime), in.now)
	}
	return v
}

// feature tells of a feature; lean leaves out what its bars say.
func (v *view) feature(t told, x facts, lean bool) featureView {
	f := featureView{Name: x.spec.Name, Title: x.spec.Title, Description: x.spec.Description, facts: x}
	if f.Title == "" {
		f.Title = f.Name
	}
	f.Quality = qualityTileView(t, x.tile, x.days)
	f.Uptime = uptimeTileView(t, x.uptime, x.ups, len(x.spec.Probes) > 0, v.in.options.Uptime)
	if v.in.state.at.IsZero() {
		f.Uptime.Note = t.Say("note.unread")
	}
	if n := len(x.days); n > 0 {
		f.Days = span{First: t.day(speech.ShortYear, x.days[0].Day), Last: t.day(speech.ShortYear, x.days[n-1].Day), Date: x.days[0].Day.Format(time.DateOnly)}
	}
	f.Work = v.workOn(t, f.Name)
	f.Notable = append(f.Quality.Strip.notable(t, t.Say("tile.quality")), f.Uptime.Strip.notable(t, t.Say("tile.uptime"))...)
	if lean {
		f.Quality.Strip.lean()
		f.Uptime.Strip.lean()
	}
	return f
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
