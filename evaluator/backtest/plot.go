package backtest

import (
	"cmp"
	"fmt"
	"html"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/asgood-dev/asgood/evaluator"
	"github.com/asgood-dev/asgood/internal/quality"
)

// Side is a configuration with what was measured of it.
type Side struct {
	Name        string
	Regressions []evaluator.BacktestRegression
	Monitors    []Monitor
}

// Sizes of the plot, in its own unit.
const (
	plotWidth   = 960
	panelLeft   = 70
	panelWidth  = 860
	panelHeight = 190
	delayHeight = 170
	blockHeight = 500
)

// style shows the plot in the colours that the reader's screen asks for. The two configurations differ in
// colour, in the form of their marks and in their dashes.
const style = `<style>
svg{background:#fff;color:#1a1a1a;font:13px system-ui,sans-serif;font-variant-numeric:tabular-nums}
text{fill:currentColor}.dim{fill:#595959}.axis{stroke:#8a8a8a}.grid{stroke:#e4e4e4}
.a{stroke:#0a58b0;fill:none;stroke-width:2}.b{stroke:#a34a00;fill:none;stroke-width:2;stroke-dasharray:6 3}
.af{fill:#0a58b0}.bf{fill:#a34a00}.trace{stroke:currentColor;fill:none;stroke-width:1.5}.bad{fill:#0a58b0;opacity:.14}.badb{fill:#a34a00;opacity:.14}
@media (prefers-color-scheme:dark){svg{background:#14161a;color:#ececec}.dim{fill:#b4b4b4}.axis{stroke:#8a8a8a}.grid{stroke:#2e3238}
.a{stroke:#7db8ff}.b{stroke:#ffab66}.af{fill:#7db8ff}.bf{fill:#ffab66}.bad{fill:#7db8ff;opacity:.2}.badb{fill:#ffab66;opacity:.2}}
</style>`

// canvas gathers the parts of a picture.
type canvas struct{ strings.Builder }

func (c *canvas) add(format string, args ...any) { fmt.Fprintf(&c.Builder, format+"\n", args...) }

func (c *canvas) text(x, y float64, class, anchor, s string) {
	c.add(`<text x="%.1f" y="%.1f" class="%s" text-anchor="%s">%s</text>`, x, y, class, anchor, html.EscapeString(strings.Map(written, quality.Visible(s))))
}

// written drops what XML cannot hold.
func written(r rune) rune {
	if r == 0xfffe || r == 0xffff {
		return -1
	}
	return r
}

func (c *canvas) line(x1, y1, x2, y2 float64, class string) {
	c.add(`<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" class="%s"/>`, x1, y1, x2, y2, class)
}

// Plot draws one or two configurations as SVG: the quality of every metric over time with the regressions
// that each finds, and how long each takes to find a drop.
func Plot(sides []Side) string {
	var c canvas
	sides = align(sides)
	monitors := sides[0].Monitors
	c.add(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" role="img" aria-label="Backtest">`, plotWidth, 50+blockHeight*max(1, len(monitors)))
	c.add("%s", style)
	c.legend(sides)
	for i := range monitors {
		c.add(`<g transform="translate(0,%d)">`, 50+i*blockHeight)
		c.quality(sides, i)
		c.add(`<g transform="translate(0,%d)">`, panelHeight+95)
		c.delays(sides, i)
		c.add("</g></g>")
	}
	if len(monitors) == 0 {
		c.text(plotWidth/2, 80, "dim", "middle", "no monitors")
	}
	c.add("</svg>")
	return c.String()
}

// align gives every side the monitors of all of them, in one order: a proposed configuration may have others.
func align(sides []Side) []Side {
	type key struct{ feature, metric string }
	var keys []key
	of := make([]map[key]Monitor, len(sides))
	for i, s := range sides {
		of[i] = map[key]Monitor{}
		for _, m := range s.Monitors {
			of[i][key{m.Feature, m.Metric}] = m
			keys = append(keys, key{m.Feature, m.Metric})
		}
	}
	slices.SortFunc(keys, func(a, b key) int { return cmp.Or(cmp.Compare(a.feature, b.feature), cmp.Compare(a.metric, b.metric)) })
	keys = slices.Compact(keys)
	out := slices.Clone(sides)
	for i := range out {
		out[i].Monitors = make([]Monitor, len(keys))
		for j, k := range keys {
			m, ok := of[i][k]
			if !ok {
				m = Monitor{Feature: k.feature, Metric: k.metric, Problem: noMonitor}
			}
			out[i].Monitors[j] = m
		}
	}
	return out
}

// traced is the first side that has scores of a monitor.
func traced(sides []Side, i int) *Monitor {
	for j := range sides {
		if m := &sides[j].Monitors[i]; len(m.Trace) > 0 {
			return m
		}
	}
	return &sides[0].Monitors[i]
}

func (c *canvas) legend(sides []Side) {
	x := float64(panelLeft)
	for i, s := range sides {
		c.line(x, 20, x+36, 20, []string{"a", "b"}[i])
		c.mark(x+18, 20, i)
		c.text(x+44, 24, "", "start", s.Name)
		x += 80 + 8*float64(len(s.Name))
	}
}

// mark is a round dot of the first configuration and a square one of the second.
func (c *canvas) mark(x, y float64, side int) {
	if side == 0 {
		c.add(`<circle cx="%.1f" cy="%.1f" r="4" class="af"/>`, x, y)
		return
	}
	c.add(`<rect x="%.1f" y="%.1f" width="8" height="8" class="bf"/>`, x-4, y-4)
}

// axis maps values to places on the picture.
type axis struct {
	lo, hi   float64
	from, to float64
}

func (a axis) at(v float64) float64 {
	if a.hi <= a.lo {
		return (a.from + a.to) / 2
	}
	return a.from + (min(max(v, a.lo), a.hi)-a.lo)/(a.hi-a.lo)*(a.to-a.from)
}

// quality draws the means of a metric over time. The regressions are bands, and a line where each was found.
func (c *canvas) quality(sides []Side, i int) {
	m := traced(sides, i)
	c.text(panelLeft, -4, "", "start", m.Feature+" / "+m.Metric)
	if len(m.Trace) == 0 {
		c.text(panelLeft, 40, "dim", "start", "no scores")
		return
	}
	x := axis{float64(m.Trace[0].Time.UnixNano()), float64(m.Trace[len(m.Trace)-1].Time.UnixNano()), panelLeft, panelLeft + panelWidth}
	y := axis{math.Inf(1), math.Inf(-1), panelHeight, 10}
	for _, p := range m.Trace {
		y.lo, y.hi = min(y.lo, p.Mean), max(y.hi, p.Mean)
	}
	pad := max((y.hi-y.lo)*0.1, 1e-9)
	y.lo, y.hi = y.lo-pad, y.hi+pad
	c.grid(y, number)
	for side := range sides {
		for j := range sides[side].Regressions {
			if r := &sides[side].Regressions[j]; r.Feature == m.Feature && r.Metric == m.Metric {
				c.regression(x, side, r)
			}
		}
	}
	points := make([]string, len(m.Trace))
	for j, p := range m.Trace {
		points[j] = fmt.Sprintf("%.1f,%.1f", x.at(float64(p.Time.UnixNano())), y.at(p.Mean))
	}
	c.add(`<polyline points="%s" class="trace"/>`, strings.Join(points, " "))
	for k := range 5 {
		at := time.Unix(0, int64(x.lo+float64(k)/4*(x.hi-x.lo))).UTC()
		c.text(x.at(float64(at.UnixNano())), panelHeight+18, "dim", []string{"start", "middle", "middle", "middle", "end"}[k], at.Format("2006-01-02 15:04"))
	}
	c.text(panelLeft, panelHeight+38, "dim", "start", fmt.Sprintf("mean over time; the axis starts at %s. Bands: regressions, from their estimated start. Lines with a mark: where they were found.", number(y.lo)))
}

func (c *canvas) regression(x axis, side int, r *evaluator.BacktestRegression) {
	from, to := r.DetectedAt, time.Unix(0, int64(x.hi))
	if r.StartedAt != nil {
		from = *r.StartedAt
	}
	if r.RecoveredAt != nil {
		to = *r.RecoveredAt
	}
	x1, x2 := x.at(float64(from.UnixNano())), x.at(float64(to.UnixNano()))
	top, height := 10+float64(side)*(panelHeight-10)/2, float64(panelHeight-10)/2
	c.add(`<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" class="%s"/>`, x1, top, max(x2-x1, 1), height, []string{"bad", "badb"}[side])
	found := x.at(float64(r.DetectedAt.UnixNano()))
	c.line(found, top, found, top+height, []string{"a", "b"}[side])
	c.mark(found, top+6, side)
}

func (c *canvas) grid(y axis, format func(float64) string) {
	for k := range 5 {
		v := y.lo + float64(k)/4*(y.hi-y.lo)
		c.line(panelLeft, y.at(v), panelLeft+panelWidth, y.at(v), "grid")
		c.text(panelLeft-8, y.at(v)+4, "dim", "end", format(v))
	}
}

// delays draws the median number of scores from a drop to its alarm, with a thin line up to what nine of ten
// need, on a scale of powers of ten.
func (c *canvas) delays(sides []Side, i int) {
	most, drops := 10.0, sides[0].Monitors[i].Drops
	for _, s := range sides {
		for _, d := range s.Monitors[i].Drops {
			for _, v := range []*float64{d.MedianScores, d.P90Scores} {
				if v != nil {
					most = max(most, *v)
				}
			}
		}
		if len(drops) == 0 {
			drops = s.Monitors[i].Drops
		}
	}
	c.text(panelLeft, -8, "dim", "start", "scores from a drop to its alarm: median, and up to the 90th percentile (powers of ten)")
	if len(drops) == 0 {
		c.text(panelLeft, 30, "dim", "start", "not measured: "+sides[0].Monitors[i].Problem)
		return
	}
	y := axis{0, math.Ceil(math.Log10(most)), delayHeight - 50, 8}
	for v := y.lo; v <= y.hi; v++ {
		c.line(panelLeft, y.at(v), panelLeft+panelWidth, y.at(v), "grid")
		c.text(panelLeft-8, y.at(v)+4, "dim", "end", number(math.Pow(10, v)))
	}
	for j, d := range drops {
		c.text(columnAt(j, len(drops)), delayHeight-12, "dim", "middle", "-"+number(d.Points)+" points")
	}
	for side := range sides {
		c.curve(side, y, sides[side].Monitors[i].Drops)
		if m := &sides[side].Monitors[i]; len(m.Drops) == 0 {
			c.text(panelLeft+10, 22+16*float64(side), "dim", "start", sides[side].Name+": "+m.Problem)
		}
	}
	for side, s := range sides {
		c.text(panelLeft, delayHeight+12+18*float64(side), []string{"af", "bf"}[side], "start", s.Name+": "+falseAlarmText(s.Monitors[i].FalseAlarms))
	}
}

func columnAt(j, n int) float64 { return panelLeft + panelWidth*(float64(j)+0.5)/float64(n) }

func (c *canvas) curve(side int, y axis, drops []Drop) {
	var points []string
	for j := range drops {
		d := &drops[j]
		x := columnAt(j, len(drops)) + float64(side*14-7)
		if d.MedianScores != nil {
			at := y.at(math.Log10(*d.MedianScores))
			points = append(points, fmt.Sprintf("%.1f,%.1f", x, at))
			if d.P90Scores != nil {
				c.line(x, at, x, y.at(math.Log10(*d.P90Scores)), []string{"a", "b"}[side])
			}
			c.mark(x, at, side)
		}
		c.text(x+float64(side*2-1)*8, delayHeight-30, []string{"af", "bf"}[side], []string{"end", "start"}[side], shareText(d))
	}
	if len(points) > 1 {
		c.add(`<polyline points="%s" class="%s"/>`, strings.Join(points, " "), []string{"a", "b"}[side])
	}
}

func shareText(d *Drop) string {
	if s := d.Share(); !math.IsNaN(s) {
		return fmt.Sprintf("%.0f %% found", 100*s)
	}
	return "not planted"
}

func falseAlarmText(f *FalseAlarms) string {
	if f == nil || f.Per100k == nil {
		return "false alarms not measured"
	}
	out := fmt.Sprintf("%s false alarms per 100,000 scores (95 %% interval %s to %s) in %d shuffles",
		number(*f.Per100k), number(f.Interval[0]), number(f.Interval[1]), f.Runs)
	if f.Allowed != nil {
		out += "; allowed " + number(*f.Allowed)
	}
	return out
}

func number(v float64) string { return strconv.FormatFloat(v, 'g', 4, 64) }

// Spans are the periods of the regressions of a metric, as what is not good.
func Spans(found []evaluator.BacktestRegression, feature, metric string) (out []Span) {
	for _, r := range found {
		if r.Feature != feature || r.Metric != metric {
			continue
		}
		s := Span{From: r.DetectedAt, To: time.Unix(0, math.MaxInt64)}
		if r.StartedAt != nil {
			s.From = *r.StartedAt
		}
		if r.RecoveredAt != nil {
			s.To = *r.RecoveredAt
		}
		out = append(out, s)
	}
	return out
}
