package console

import (
	"github.com/gin-gonic/gin"

	"github.com/asgood-dev/asgood/internal/quality"
)

// featureView is the page of one feature.
type featureView struct {
	featureRow
	Spec        *quality.Feature
	Statuses    []quality.MonitorStatus
	Regressions []quality.Regression
	Incidents   []quality.Incident
	Changes     []quality.Change
	Chart       *chart // of the metric that the tile shows, or the first
	ChartOf     string
}

func (c *Console) featurePage(g *gin.Context) (view, error) {
	f, err := c.feature(g.Param("feature"))
	if err != nil {
		return view{}, err
	}
	ctx := g.Request.Context()
	v := view{name: "feature", Title: f.Title, Section: "overview", Crumbs: []crumb{{"Overview", root}}}
	k, now := c.read(ctx, &v), c.o.Now()
	undeclared, _ := c.open(now)
	p := featureView{featureRow: c.featureRow(*f, k, undeclared), Spec: f}
	for _, s := range k.statuses {
		if s.Feature == f.Name {
			p.Statuses = append(p.Statuses, s)
		}
	}
	for _, r := range k.regressions {
		if r.Feature == f.Name && len(p.Regressions) < maxShown {
			p.Regressions = append(p.Regressions, r)
		}
	}
	for _, i := range k.incidents {
		if concerns(&i, f.Name) && len(p.Incidents) < maxShown {
			p.Incidents = append(p.Incidents, i)
		}
	}
	p.Changes, _ = c.o.Ledger.List(ChangeQuery{Feature: f.Name, Limit: 20})
	if m := c.mainMetric(f, p.Open); m != "" {
		p.ChartOf = m
		p.Chart = c.chart(ctx, &v, f, m, k)
	}
	v.Page = &p
	return v, nil
}

// mainMetric is the metric that is worse, or the first.
func (c *Console) mainMetric(f *quality.Feature, open []quality.Regression) string {
	if len(open) > 0 {
		return open[0].Metric
	}
	if len(f.Monitors) > 0 {
		return f.Monitors[0].Metric
	}
	return ""
}

func concerns(i *quality.Incident, feature string) bool {
	for _, f := range i.Features {
		if f == feature {
			return true
		}
	}
	return false
}
