package console

import (
	"cmp"
	"slices"

	"github.com/gin-gonic/gin"

	"github.com/asgood-dev/asgood/internal/quality"
)

// maxRegressions bounds a list.
const maxRegressions = 200

// regressionList is the page of all regressions.
type regressionList struct {
	Rows    []quality.Regression
	Left    int
	Feature string
	Names   []string
}

func (c *Console) regressions(g *gin.Context) (view, error) {
	v := view{name: "regressions", Title: "Regressions", Section: "regressions", Crumbs: []crumb{{"Overview", root}}}
	p := regressionList{Feature: g.Query("feature"), Names: c.featureNames()}
	for _, r := range c.read(g.Request.Context(), &v).regressions {
		switch {
		case p.Feature != "" && r.Feature != p.Feature:
		case len(p.Rows) >= maxRegressions:
			p.Left++
		default:
			p.Rows = append(p.Rows, r)
		}
	}
	v.Page = &p
	return v, nil
}

// regressionView is the page of one regression.
type regressionView struct {
	Report
	Incident *quality.Incident
	Chart    *chart
	Worst    []quality.Example
	Pairs    []examplePair
	Status   quality.MonitorStatus
}

// examplePair are two samples of like inputs, before and after.
type examplePair struct {
	Why           string
	Before, After *quality.Example
}

func (c *Console) regressionPage(g *gin.Context) (view, error) {
	ctx := g.Request.Context()
	report, err := c.o.Evaluator.Report(ctx, g.Param("id"))
	if err != nil {
		return view{}, err
	}
	r := &report.Regression
	v := view{name: "regression", Title: r.Feature + " · " + r.Metric, Section: "regressions",
		Crumbs: []crumb{{"Regressions", root + "/regressions"}, {r.Feature, featureURL(r.Feature)}, {r.Metric, monitorURL(r.Feature, r.Metric)}}}
	k := c.read(ctx, &v)
	p := regressionView{Report: report, Status: statusOf(k.statuses, r.Feature, r.Metric)}
	for i := range k.incidents {
		if x := k.incidents[i].Regression; x != nil && x.ID == r.ID {
			p.Incident = &k.incidents[i]
		}
	}
	if f, err := c.feature(r.Feature); err == nil {
		p.Chart = c.chart(ctx, &v, f, r.Metric, k)
	}
	p.Worst, p.Pairs = examplesOf(report.Evidence.Examples)
	v.Page = &p
	return v, nil
}

// examplesOf parts the examples into the worst and the pairs. It is pure.
func examplesOf(list []quality.Example) (worst []quality.Example, pairs []examplePair) {
	byPair := map[int]*examplePair{}
	for i := range list {
		x := &list[i]
		if x.Role == quality.ExampleWorst {
			worst = append(worst, *x)
			continue
		}
		p := byPair[x.Pair]
		if p == nil {
			p = &examplePair{}
			byPair[x.Pair] = p
		}
		p.Why = cmp.Or(p.Why, x.Why)
		if x.Role == quality.ExampleBefore {
			p.Before = x
		} else {
			p.After = x
		}
	}
	var order []int
	for n := range byPair {
		order = append(order, n)
	}
	slices.Sort(order)
	for _, n := range order {
		pairs = append(pairs, *byPair[n])
	}
	return worst, pairs
}
