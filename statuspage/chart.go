package statuspage

import (
	"fmt"
	"html/template"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
	"github.com/asgood-dev/asgood/statuspage/speech"
)

// chartView is the quality of days as a picture, and the same in words and as a table.
type chartView struct {
	Drawn       template.HTML
	Title, Text string
	Rows        []dayRow // newest first
	Changes     []changeView
	Lasting     bool // the time of an incident is marked
}

// changeView is what the public may know of a change: which layer, and when.
type changeView struct {
	N     int
	Layer string
	At    moment
}

// A chart is drawn in percent of its width and in pixels of its height, so that what is written in it keeps its size.
const (
	chartHeight = 200 // of the part with the lines
	chartStep   = 10  // a day
	chartAround = 14  // days before an incident
	chartAfter  = 7   // days after it
	mostChanges = 20
)

// chart is what is to be drawn.
type chart struct {
	days     []QualityDay
	material float64   // percent: differences that do not matter
	from, to time.Time // of an incident; zero when there is none
	changes  []quality.Change
}

// featureChart draws all days of a feature.
func (v *view) featureChart(t told, x facts) chartView {
	return chart{days: x.days, material: materialOf(x)}.view(t, x.spec.Title)
}

// incidentChart draws the metric of an incident around it. It is empty when the days are not kept here any more.
func (v *view) incidentChart(t told, i quality.Incident) chartView {
	x, ok := v.factsNamed(i.Regression.Feature)
	if !ok || len(x.days) == 0 {
		return chartView{}
	}
	days := v.daysOfMetric(x, i.Regression.Metric)
	to := v.in.now
	if i.ResolvedAt != nil {
		to = *i.ResolvedAt
	}
	c := chart{days: between(days, i.StartedAt.AddDate(0, 0, -chartAround), to.AddDate(0, 0, chartAfter)), material: materialOf(x), from: i.StartedAt, to: to}
	if len(c.days) < 2 {
		return chartView{}
	}
	c.changes = v.changesOf(x.spec.Name, c.days[0].Day, nextDay(c.days[len(c.days)-1].Day))
	return c.view(t, x.spec.Title)
}

func (v *view) factsNamed(name string) (facts, bool) {
	for _, x := range v.facts {
		if x.spec.Name == name {
			return x, true
		}
	}
	return facts{}, false
}

// daysOfMetric judges the days by one metric only.
func (v *view) daysOfMetric(x facts, metric string) []QualityDay {
	index := indexOf(v.in)
	var monitors []DayMonitor
	for _, m := range monitorsOf(x.spec, index.statuses[x.spec.Name]) {
		if m.Status.Metric == metric {
			m.Status.Tile = true
			monitors = append(monitors, m)
		}
	}
	days := calendar(v.in.now, v.in.options.Location)
	return QualityDays(days, index.scores[x.spec.Name], monitors, index.regressions[x.spec.Name], index.severities)
}

func between(days []QualityDay, from, to time.Time) []QualityDay {
	return slicesKept(days, func(d QualityDay) bool { return nextDay(d.Day).After(from) && d.Day.Before(to) })
}

// materialOf is the smallest difference that matters to the metric of the tile, in percent of its scale.
func materialOf(x facts) float64 {
	for _, m := range x.spec.Monitors {
		if m.Metric != x.tile.Metric || m.Material == nil {
			continue
		}
		if m.Range != nil && m.Range[1] > m.Range[0] {
			return 100 * *m.Material / (m.Range[1] - m.Range[0])
		}
		if !m.Unbounded {
			return 100 * *m.Material
		}
	}
	return 100 * materialPart
}

// changesOf are the changes that took effect on a feature in a time, oldest first. Nobody outside learns more of them than
// the layer and the time.
func (v *view) changesOf(feature string, from, to time.Time) (out []quality.Change) {
	for _, c := range v.in.state.data.changes {
		at := takesEffect(c)
		if c.Touches(feature) && c.ExplainedBy == "" && !at.Before(from) && at.Before(to) {
			out = append(out, c)
		}
	}
	slices.SortStableFunc(out, func(a, b quality.Change) int { return takesEffect(a).Compare(takesEffect(b)) })
	if len(out) > mostChanges {
		out = out[len(out)-mostChanges:]
	}
	return out
}

func takesEffect(c quality.Change) time.Time {
	if !c.FirstSeen.IsZero() {
		return c.FirstSeen
	}
	return c.At
}

func (c chart) view(t told, name string) chartView {
	_, _, known := extent(c.days)
	if known < 2 {
		return chartView{}
	}
	first, last := c.days[0].Day, c.days[len(c.days)-1].Day
	v := chartView{
		Title:   t.Say("chart.title", "Feature", name),
		Text:    t.Say("chart.text", "From", t.day(speech.ShortYear, first), "To", t.day(speech.ShortYear, last)),
		Lasting: !c.from.IsZero(), Drawn: template.HTML(c.draw(t)),
	}
	for n, x := range c.changes {
		v.Changes = append(v.Changes, changeView{N: n + 1, Layer: t.known("layer.", string(x.Layer)), At: t.moment(takesEffect(x))})
	}
	for _, d := range slices.Backward(c.days) {
		v.Rows = append(v.Rows, t.row(d, AvailabilityDay{Day: d.Day}, nil))
	}
	return v
}

// axis is what the chart holds from top to bottom, in steps that can be read.
func (c chart) axis() (lo, hi, step float64) {
	lo, hi, _ = extent(c.days)
	for _, step = range []float64{1, 2, 5, 10, 20, 50, 100, 200} {
		if (hi-lo)/step <= 5 {
			break
		}
	}
	return max(0, math.Floor(lo/step)*step), math.Ceil(hi/step) * step, step
}

func (c chart) draw(t told) string {
	lo, hi, step := c.axis()
	y := func(p float64) float64 { return chartTop + (hi-min(max(p, lo), hi))/(hi-lo)*chartHeight }
	x := func(i int) float64 { return (float64(i) + .5) * chartStep }
	var b strings.Builder
	width := len(c.days) * chartStep
	fmt.Fprintf(&b, `<svg class="plot" viewBox="0 0 %d %d" preserveAspectRatio="none" width="100%%" height="%d" x="0" y="0">`, width, chartBottom, chartBottom)
	if !c.from.IsZero() {
		fmt.Fprintf(&b, `<path class="lasting" d="M%.1f %dH%.1fV%dH%.1fz"/>`, c.place(c.from), chartTop, max(c.place(c.to), c.place(c.from)+1), chartTop+chartHeight, c.place(c.from))
	}
	fmt.Fprintf(&b, `<path class="usual" d="M0 %.1fH%dV%.1fH0z"/>`, y(100+c.material), width, y(100-c.material))
	for p := lo; p <= hi; p += step {
		fmt.Fprintf(&b, `<path class="grid" d="M0 %.1fH%d"/>`, y(p), width)
	}
	fmt.Fprintf(&b, `<path class="usually" d="M0 %.1fH%d"/>`, y(100), width)
	for _, run := range runs(c.days) {
		fmt.Fprintf(&b, `<path class="interval" d="%s"/><path class="line" d="%s"/>`, bandPath(c.days, run, x, y), linePath(c.days, run, x, y))
	}
	for _, change := range c.changes {
		fmt.Fprintf(&b, `<path class="change" d="M%.1f %dV%d"/>`, c.place(takesEffect(change)), chartTop, chartTop+chartHeight)
	}
	b.WriteString("</svg>")
	c.write(&b, t, lo, hi, step, y)
	return b.String()
}

// The heights of a chart, in pixels.
const (
	chartTop    = 20
	chartBottom = chartTop + chartHeight
	chartFoot   = chartBottom + 20
)

// write puts the words in: the figures of the grid above its lines, the first and the last day, the numbers of the changes.
func (c chart) write(b *strings.Builder, t told, lo, hi, step float64, y func(float64) float64) {
	for p := lo; p <= hi; p += step {
		fmt.Fprintf(b, `<text x="0" y="%.1f">%s</text>`, y(p)-4, template.HTMLEscapeString(t.Say("percent", "P", t.Number(uint64(p)))))
	}
	fmt.Fprintf(b, `<text x="0" y="%d">%s</text>`, chartFoot-4, template.HTMLEscapeString(t.day(speech.ShortDay, c.days[0].Day)))
	fmt.Fprintf(b, `<text x="100%%" y="%d" text-anchor="end">%s</text>`, chartFoot-4, template.HTMLEscapeString(t.day(speech.ShortDay, c.days[len(c.days)-1].Day)))
	for n, change := range c.changes {
		part := 100 * c.place(takesEffect(change)) / float64(len(c.days)*chartStep)
		fmt.Fprintf(b, `<text class="number" x="%.2f%%" y="12" text-anchor="middle">%d</text>`, part, n+1)
	}
}

// place is where a time is on the axis of days.
func (c chart) place(at time.Time) float64 {
	for i, d := range c.days {
		next := nextDay(d.Day)
		if at.Before(next) {
			part := max(0, at.Sub(d.Day).Seconds()/next.Sub(d.Day).Seconds())
			return (float64(i) + part) * chartStep
		}
	}
	return float64(len(c.days) * chartStep)
}

// trimmed writes a number with as many places as it needs, two at most.
func trimmed(v float64) string { return strconv.FormatFloat(math.Round(v*100)/100, 'f', -1, 64) }
