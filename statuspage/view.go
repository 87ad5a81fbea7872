package statuspage

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"sort"
	"strings"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
)

// historyDays is how many days of past incidents the page lists.
const historyDays = 14

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
	detail  map[string]document // pages of incidents, by id
	api     map[string]document // by path under /api/v2
}

// pageView is the page as the template reads it.
type pageView struct {
	Title     string
	URL       string
	Simulated bool
	Stale     bool
	AsOf      string `json:"-"`
	AsOfTime  string `json:"-"`
	Zone      string
	Overall   overall
	Features  []featureView
	Open      []incidentView
	History   []historyDay
	Content   string `json:"-"`
	Style     string
	Script    string
}

// overall is the page in one sentence.
type overall struct {
	Slug string
	Text string
}

type featureView struct {
	Name, Title string
	Quality     tileView
	Uptime      tileView
	days        []QualityDay
	tile        QualityTile
	uptime      UptimeTile
}

// tileView is a tile with its strip.
type tileView struct {
	Word, Slug string
	Figure     string // such as "97 % of baseline"
	Interval   string // such as "95 % interval 95 to 99"
	Since      moment
	Note       string
	Scope      string
	Strip      strip
}

// strip is a row of daily bars.
type strip struct {
	Summary string // the bars in words
	Bars    []bar
	Notable []bar // the bars that stand out, for those who cannot see or point
}

type bar struct {
	X      int
	Y, H   int
	Class  string
	Label  string
	stands bool
}

// moment is a time for people and machines; both are empty when there is none.
type moment struct{ Text, ISO string }

type incidentView struct {
	ID, Name, Slug   string
	Status, Severity string
	Kind             string
	Features         string
	Started, Ended   moment
	Updates          []updateView // newest first
	open             bool
	at               time.Time
}

type updateView struct {
	Status, Body string
	At           moment
}

type historyDay struct {
	Day       string
	Incidents []incidentView
}

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
	if v.detail, err = r.details(v.page, in); err != nil {
		return nil, err
	}
	v.api, err = apiDocuments(v)
	return v, err
}

func pageOf(in input) pageView {
	o := in.options
	p := pageView{Title: o.Title, URL: o.URL, Simulated: o.Simulated, Zone: in.now.In(o.Location).Format("MST")}
	asOf := in.state.at
	if in.days.at.Before(asOf) {
		asOf = in.days.at
	}
	p.Stale = !asOf.IsZero() && (in.state.failed || in.days.failed) && in.now.Sub(asOf) > staleAfter
	if !asOf.IsZero() {
		m := momentOf(asOf, o.Location, in.now)
		p.AsOf, p.AsOfTime = m.Text, m.ISO
	}
	severities := severitiesOf(in.state.data.incidents)
	for _, f := range o.Features {
		p.Features = append(p.Features, featureOf(f, in, severities))
	}
	p.Open, p.History = incidentsOf(in)
	p.Overall = overallOf(p.Features)
	return p
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

func featureOf(f quality.Feature, in input, severities map[string]quality.Severity) featureView {
	o, s := in.options, in.state.data
	statuses := filter(s.statuses, func(m quality.MonitorStatus) bool { return m.Feature == f.Name })
	regressions := filter(s.regressions, func(r quality.Regression) bool { return r.Feature == f.Name })
	probes := filter(s.probes, func(p quality.ProbeStatus) bool { return p.Feature == f.Name })
	scores := filter(in.days.data.scores, func(d quality.ScoreDay) bool { return d.Feature == f.Name })
	sums := filter(in.days.data.uptime, func(d quality.UptimeDay) bool { return d.Feature == f.Name })
	days := calendar(in.now, o.Location)
	ups := AvailabilityDays(days, sums)
	v := featureView{Name: f.Name, Title: f.Title}
	if v.Title == "" {
		v.Title = f.Name
	}
	v.tile = Tile(TileInput{Statuses: statuses, Regressions: regressions, Severities: severities, Now: in.now})
	v.days = QualityDays(days, scores, monitorsOf(f, statuses), regressions, severities)
	v.uptime = Uptime(probes, ups)
	v.Quality = qualityTileView(v.tile, v.days, o.Location, in.now)
	v.Uptime = uptimeTileView(v.uptime, ups, len(f.Probes) > 0, o.Location, in.now)
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

func filter[T any](list []T, keep func(T) bool) []T {
	var out []T
	for _, x := range list {
		if keep(x) {
			out = append(out, x)
		}
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

// overallOf is the worst that is known, in a sentence; what is not known is said beside it.
func overallOf(features []featureView) overall {
	if len(features) == 0 {
		return overall{Slug: "not-enough", Text: "Nothing is watched yet"}
	}
	var down, worse, unknown []featureView
	worst := WordUsual
	for _, f := range features {
		if f.uptime.Word == UptimeDown || f.uptime.Word == UptimePartly {
			down = append(down, f)
		}
		switch {
		case f.tile.Word.Worse():
			worse = append(worse, f)
			if f.tile.Word.rank() > worst.rank() {
				worst = f.tile.Word
			}
		case f.tile.Word == WordNotEnough || f.tile.Word == WordCannotTell:
			unknown = append(unknown, f)
		}
	}
	switch {
	case len(down) > 0:
		return overall{Slug: "down", Text: sentence(down, "is down", "are down")}
	case len(worse) > 0:
		word := strings.ToLower(string(worst)) + " than usual"
		return overall{Slug: worst.Slug(), Text: sentence(worse, "is up, and "+word, "are up, and worse than usual")}
	case len(unknown) == len(features):
		return overall{Slug: "not-enough", Text: "There is not enough data yet to say how good the answers are"}
	case len(unknown) > 0:
		return overall{Slug: "usual", Text: fmt.Sprintf("No feature is known to be worse than usual; of %s we cannot tell", titles(unknown))}
	default:
		return overall{Slug: "usual", Text: "Everything is as good as usual"}
	}
}

func sentence(features []featureView, one, many string) string {
	if len(features) == 1 {
		return features[0].Title + " " + one
	}
	return titles(features) + " " + many
}

func titles(features []featureView) string {
	names := make([]string, len(features))
	for i, f := range features {
		names[i] = f.Title
	}
	if len(names) > 3 {
		return fmt.Sprintf("%d features", len(names))
	}
	return strings.Join(names[:len(names)-1], ", ") + map[bool]string{true: " and ", false: ""}[len(names) > 1] + names[len(names)-1]
}

// incidentsOf lists what is open, and the past by day, newest first.
func incidentsOf(in input) (open []incidentView, history []historyDay) {
	loc := in.options.Location
	byDay := map[string][]incidentView{}
	for _, i := range in.state.data.incidents {
		v := incidentOf(i, in)
		if v.open {
			open = append(open, v)
			continue
		}
		day := i.CreatedAt.In(loc).Format(time.DateOnly)
		byDay[day] = append(byDay[day], v)
	}
	newestFirst(open)
	days := calendar(in.now, loc)
	for n := range historyDays {
		day := days[len(days)-1-n]
		list := byDay[day.Format(time.DateOnly)]
		newestFirst(list)
		history = append(history, historyDay{Day: day.Format("Monday, 2 January"), Incidents: list})
	}
	return open, history
}

func newestFirst(list []incidentView) {
	sort.SliceStable(list, func(i, j int) bool { return list[i].at.After(list[j].at) })
}

func incidentOf(i quality.Incident, in input) incidentView {
	loc := in.options.Location
	v := incidentView{
		ID: i.ID, Name: i.Name, Kind: string(i.Kind), Status: title(string(i.Status)), Severity: title(string(i.Severity)), Slug: string(i.Severity),
		Started: momentOf(i.StartedAt, loc, in.now), open: i.Open(), at: i.CreatedAt,
	}
	if i.ResolvedAt != nil {
		v.Ended = momentOf(*i.ResolvedAt, loc, in.now)
	}
	var names []string
	for _, name := range i.Features {
		for _, f := range in.options.Features {
			if f.Name == name && f.Title != "" {
				name = f.Title
			}
		}
		names = append(names, name)
	}
	v.Features = strings.Join(names, ", ")
	for n := len(i.Updates) - 1; n >= 0; n-- {
		u := i.Updates[n]
		v.Updates = append(v.Updates, updateView{Status: title(string(u.Status)), Body: u.Body, At: momentOf(u.At, loc, in.now)})
	}
	return v
}

func title(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}
