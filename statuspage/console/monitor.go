package console

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/asgood-dev/asgood/internal/quality"
)

// monitorRow is one monitor in a list.
type monitorRow struct {
	quality.MonitorStatus
	Configured bool // it is in the configuration; its status may not be written yet
}

func (c *Console) monitors(g *gin.Context) (view, error) {
	v := view{name: "monitors", Title: "Monitors", Section: "monitors", Crumbs: []crumb{{"Overview", root}}}
	k := c.read(g.Request.Context(), &v)
	var rows []monitorRow
	for _, f := range c.o.Features {
		for _, m := range f.Monitors {
			st := statusOf(k.statuses, f.Name, m.Metric)
			rows = append(rows, monitorRow{st, true})
		}
	}
	v.Page = rows
	return v, nil
}

// monitorView is the page of one monitor.
type monitorView struct {
	Feature   *quality.Feature
	Spec      quality.MonitorSpec
	Status    quality.MonitorStatus
	More      *Monitor // what needs the store; nil without it
	Words     []string // what the monitor can see, in sentences
	Streams   []quality.StreamStatus
	Left      int // streams that are not shown
	Book      *quality.BaselineBook
	InForce   *quality.Baseline
	Chart     *chart
	Past      []quality.Regression
	Changes   []quality.Change
	FalseRate string
}

// maxStreams bounds the slices that a page shows: those with the most evidence.
const maxStreams = 200

func (c *Console) monitorPage(g *gin.Context) (view, error) {
	f, err := c.feature(g.Param("feature"))
	if err != nil {
		return view{}, err
	}
	metric := tail(g, "metric")
	i := slices.IndexFunc(f.Monitors, func(m quality.MonitorSpec) bool { return m.Metric == metric })
	if i < 0 {
		return view{}, quality.Errorf(quality.KindNotFound, "feature %q has no monitor of %.80q", f.Name, metric)
	}
	ctx := g.Request.Context()
	v := view{name: "monitor", Title: f.Title + " · " + metric, Section: "monitors",
		Crumbs: []crumb{{"Overview", root}, {f.Title, featureURL(f.Name)}}}
	k := c.read(ctx, &v)
	p := monitorView{Feature: f, Spec: f.Monitors[i], Status: statusOf(k.statuses, f.Name, metric)}
	p.Words = sight(&p.Status)
	p.streams(c.o.Evaluator.Streams(f.Name, metric))
	p.Chart = c.chart(ctx, &v, f, metric, k)
	list, unread, err := c.o.Evaluator.Monitors(ctx)
	v.note("Last week and objective", err)
	for _, u := range unread {
		v.Notices = append(v.Notices, u+". The state of the monitor is that of now.")
	}
	for j := range list {
		if list[j].Feature == f.Name && list[j].Metric == metric {
			p.More = &list[j]
		}
	}
	book, err := c.o.Baselines.Book(ctx, f.Name, metric)
	if v.note("Baseline", err) {
		p.Book, p.InForce = &book, book.Version(book.InForce)
	}
	for _, r := range k.regressions {
		if r.Feature == f.Name && r.Metric == metric && len(p.Past) < maxShown {
			p.Past = append(p.Past, r)
		}
	}
	p.Changes, _ = c.o.Ledger.List(ChangeQuery{Feature: f.Name, From: c.o.Now().Add(-unownedTime), Limit: 20})
	v.Page = &p
	return v, nil
}

// streams keeps the whole feature and the slices with the most evidence.
func (p *monitorView) streams(list []quality.StreamStatus) {
	if len(list) == 0 {
		return
	}
	rest := slices.Clone(list[1:])
	slices.SortStableFunc(rest, func(a, b quality.StreamStatus) int {
		if a.Open != b.Open {
			if a.Open {
				return -1
			}
			return 1
		}
		return cmp.Compare(b.Evidence, a.Evidence)
	})
	p.Left = max(0, len(rest)-maxStreams)
	p.Streams = slices.Concat(list[:1], rest[:len(rest)-p.Left])
}

// sight says what the monitor can see, in sentences.
func sight(s *quality.MonitorStatus) (out []string) {
	if s.Detectable != nil {
		out = append(out, fmt.Sprintf("A lasting drop of %s or more of the whole feature is found for sure.", quality.Amount(s.Range, *s.Detectable)))
	}
	if s.DetectableDay != nil && s.SamplesPerDay > 0 {
		out = append(out, fmt.Sprintf("At %s scored samples a day, a drop of %s is noticed within a day, in the median.",
			count(uint64(s.SamplesPerDay)), quality.Amount(s.Range, *s.DetectableDay)))
	}
	if s.Unbounded {
		out = append(out, "The metric has no bounds: it is watched by its ranks in the baseline, which have no unit.")
	}
	if s.OwnBaselines > 0 {
		out = append(out, fmt.Sprintf("%d slices are compared with the first scores that came of them: the baseline holds too few.", s.OwnBaselines))
	}
	if !s.LastScoreAt.IsZero() && s.ScoresFailed > 0 {
		out = append(out, fmt.Sprintf("%s scores failed so far and count neither as good nor as bad.", count(s.ScoresFailed)))
	}
	return out
}

// budget says how many false alarms a monitor may raise.
func budget(f *quality.FalseAlarms) string {
	switch {
	case f == nil:
		return "as configured for all monitors"
	case f.Samples > 0:
		return "one in " + num(f.Samples) + " samples of a stream"
	default:
		return "one in " + span(f.Period) + " over all streams"
	}
}

// Budget is it for the page.
func (p monitorView) Budget() string { return budget(p.Spec.FalseAlarms) }

// Material is the smallest drop that matters.
func (p monitorView) Material() float64 { return materialOf(p.Feature, p.Status.Metric) }

// form says which scores the configured baseline takes.
func (p monitorView) Form() string {
	b := p.Spec.Baseline
	switch {
	case b.Pinned != "":
		return "pinned: " + b.Pinned
	case b.Window != nil && b.Window.Last > 0:
		return "window: the " + span(b.Window.Last) + " before the monitor was made"
	case b.Window != nil:
		return "window: " + b.Window.From.Format(time.DateOnly) + " to " + b.Window.To.Format(time.DateOnly)
	default:
		return fmt.Sprintf("the first %d scores of each stream", b.First)
	}
}
