package console

import (
	"context"
	"fmt"
	"html/template"
	"math"
	"strings"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
)

// chartDays is how many days a chart shows, today included.
const chartDays = 60

// The size of a chart in its own units. It is stretched to the width of the page.
const (
	chartWidth  = 1200.0
	chartHeight = 200.0
)

// chart shows the means of a metric by day against its baseline.
type chart struct {
	Drawn       template.HTML
	Top, Bottom string // values at the ends of the axis
	First, Last time.Time
	Band        string // what the band is, in words
	Days        []chartDay
	Marks       []quality.Change
	Range       [2]float64
	Summary     string // for who cannot see it
}

// chartDay is one day of a chart.
type chartDay struct {
	Day      time.Time
	N        uint64
	Failed   uint64
	Mean     float64
	Interval [2]float64 // 95 %, of that day's mean alone
}

// chart reads and draws the days of a metric; nil when they cannot be read or there are none.
func (c *Console) chart(ctx context.Context, v *view, f *quality.Feature, metric string, k known) *chart {
	now := c.o.Now().In(c.o.Location)
	y, m, d := now.Date()
	from := quality.StartOfDay(y, m, d-chartDays+1, c.o.Location)
	to := quality.StartOfDay(y, m, d+1, c.o.Location)
	sums, err := c.o.Store.ScoreDays(ctx, c.o.Location, from, to)
	if !v.note("Quality by day", err) {
		return nil
	}
	in := chartInput{from: from, to: to, status: statusOf(k.statuses, f.Name, metric), material: materialOf(f, metric)}
	for _, s := range sums {
		if s.Feature == f.Name && s.Metric == metric {
			in.days = append(in.days, s)
		}
	}
	for _, r := range k.regressions {
		if r.Feature == f.Name && r.Metric == metric {
			in.regressions = append(in.regressions, r)
		}
	}
	in.changes, _ = c.o.Ledger.List(ChangeQuery{Feature: f.Name, From: from, To: to, Limit: maxShown})
	return drawChart(in)
}

func statusOf(list []quality.MonitorStatus, feature, metric string) quality.MonitorStatus {
	for _, s := range list {
		if s.Feature == feature && s.Metric == metric {
			return s
		}
	}
	return quality.MonitorStatus{Feature: feature, Metric: metric, Range: [2]float64{0, 1}}
}

// materialOf is the smallest drop that matters: as configured, else 1 % of the range.
func materialOf(f *quality.Feature, metric string) float64 {
	for _, m := range f.Monitors {
		switch {
		case m.Metric != metric || m.Unbounded:
		case m.Material != nil:
			return *m.Material
		case m.Range != nil:
			return 0.01 * (m.Range[1] - m.Range[0])
		default:
			return 0.01
		}
	}
	return 0
}

// chartInput is all a chart is drawn of.
type chartInput struct {
	from, to    time.Time
	status      quality.MonitorStatus
	material    float64
	days        []quality.ScoreDay
	regressions []quality.Regression
	changes     []quality.Change
}

// axis maps times and values to the chart.
type axis struct {
	from, to time.Time
	lo, hi   float64
}

func (a axis) x(t time.Time) float64 {
	return chartWidth * min(1, max(0, float64(t.Sub(a.from))/float64(a.to.Sub(a.from))))
}

func (a axis) y(v float64) float64 {
	return chartHeight * (a.hi - min(a.hi, max(a.lo, v))) / (a.hi - a.lo)
}

// drawChart is pure. It returns nil when no day has scores.
func drawChart(in chartInput) *chart {
	ch := &chart{First: in.from, Last: in.to.Add(-time.Second), Range: in.status.Range, Marks: in.changes}
	for _, d := range in.days {
		if d.N > 0 && finite(d.Mean) && finite(d.SD) {
			half := 1.96 * d.SD / math.Sqrt(float64(d.N))
			ch.Days = append(ch.Days, chartDay{d.Day, d.N, d.Failed, d.Mean, [2]float64{d.Mean - half, d.Mean + half}})
		}
	}
	if len(ch.Days) == 0 {
		return nil
	}
	a := axisOf(in, ch.Days)
	var b strings.Builder
	base := in.status.Baseline.Mean
	if base != nil {
		drawBand(&b, a, *base, in.material)
		ch.Band = fmt.Sprintf("the baseline, %s", level(ch.Range, *base))
		if in.material > 0 {
			ch.Band += fmt.Sprintf(", give or take %s, below which no drop counts", quality.Amount(ch.Range, in.material))
		}
	}
	for i := range in.regressions {
		drawRegression(&b, a, &in.regressions[i])
	}
	for i := range in.changes {
		x := a.x(in.changes[i].At)
		fmt.Fprintf(&b, `<path class="change" d="M%.1f 0v14"/>`, x)
	}
	for _, d := range ch.Days {
		drawDay(&b, a, d)
	}
	ch.Drawn = template.HTML(b.String()) //nolint:gosec // numbers only
	ch.Top, ch.Bottom = level(ch.Range, a.hi), level(ch.Range, a.lo)
	last := ch.Days[len(ch.Days)-1]
	ch.Summary = fmt.Sprintf("%d days with scores; on the last of them, %s, the mean was %s of %s scores.",
		len(ch.Days), last.Day.Format("2 January"), level(ch.Range, last.Mean), count(last.N))
	return ch
}

// axisOf takes in all means and the band, with a margin. Intervals beyond it are cut: those of days with few
// scores would flatten the others. A bounded metric's axis does not leave its range.
func axisOf(in chartInput, days []chartDay) axis {
	a := axis{from: in.from, to: in.to, lo: math.Inf(1), hi: math.Inf(-1)}
	take := func(v float64) { a.lo, a.hi = min(a.lo, v), max(a.hi, v) }
	for _, d := range days {
		take(d.Mean)
	}
	if m := in.status.Baseline.Mean; m != nil && finite(*m) {
		take(*m - in.material)
		take(*m + in.material)
	}
	margin := max(0.35*(a.hi-a.lo), 0.02*math.Abs(a.hi), 1e-6)
	a.lo, a.hi = a.lo-margin, a.hi+margin
	if r := in.status.Range; !in.status.Unbounded && r[1] > r[0] {
		a.lo, a.hi = max(a.lo, r[0]), min(a.hi, r[1])
	}
	if a.hi <= a.lo {
		a.hi = a.lo + 1
	}
	return a
}

func finite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }

func drawBand(b *strings.Builder, a axis, mean, material float64) {
	top, bottom := a.y(mean+material), a.y(mean-material)
	fmt.Fprintf(b, `<rect class="band" x="0" y="%.1f" width="%.0f" height="%.1f"/>`, top, chartWidth, max(bottom-top, 1))
	fmt.Fprintf(b, `<path class="base" d="M0 %.1fH%.0f"/>`, a.y(mean), chartWidth)
}

func drawRegression(b *strings.Builder, a axis, r *quality.Regression) {
	from, to := r.DetectedAt, a.to
	if r.StartedAt != nil {
		from = *r.StartedAt
	}
	for _, end := range []*time.Time{r.RecoveredAt, r.WithdrawnAt} {
		if end != nil {
			to = *end
		}
	}
	if to.Before(a.from) || from.After(a.to) {
		return
	}
	x := a.x(from)
	fmt.Fprintf(b, `<rect class="worse-time" x="%.1f" y="0" width="%.1f" height="%.0f"/>`, x, max(a.x(to)-x, 1), chartHeight)
	fmt.Fprintf(b, `<path class="began" d="M%.1f 0V%.0f"/>`, x, chartHeight)
}

// drawDay draws a day in its middle.
func drawDay(b *strings.Builder, a axis, d chartDay) {
	x := a.x(d.Day.Add(12 * time.Hour))
	fmt.Fprintf(b, `<path class="whisker" d="M%.1f %.1fV%.1f"/>`, x, a.y(d.Interval[0]), a.y(d.Interval[1]))
	fmt.Fprintf(b, `<path class="dot" d="M%.1f %.1fh.01"/>`, x, a.y(d.Mean))
}
