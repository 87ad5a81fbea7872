package console

import (
	"github.com/gin-gonic/gin"

	"github.com/asgood-dev/asgood/internal/quality"
)

// judgeList is the page of all judges and of what asking takes.
type judgeList struct {
	Judges  []quality.JudgeStatus
	Scorers []askingRow
}

// askingRow is a scorer that asks, with its sums.
type askingRow struct {
	Asking
	Week quality.Spend // of the last seven days that it asked
}

func (c *Console) judges(*gin.Context) (view, error) {
	v := view{name: "judges", Title: "Judges", Section: "judges", Crumbs: []crumb{{"Overview", root}}}
	p := judgeList{Judges: c.o.Judges.List()}
	for _, a := range c.o.Judges.Scorers() {
		r := askingRow{Asking: a}
		for _, d := range a.Days[max(0, len(a.Days)-7):] {
			r.Week.Add(d.Spend)
		}
		p.Scorers = append(p.Scorers, r)
	}
	v.Page = &p
	return v, nil
}

// judgeView is the page of one judge.
type judgeView struct {
	JudgeReport
	Cost *Asking // nil where it is not asked by Asgood
}

func (c *Console) judgePage(g *gin.Context) (view, error) {
	feature, metric := g.Param("feature"), tail(g, "metric")
	v := view{name: "judge", Title: "Judge of " + metric, Section: "judges",
		Crumbs: []crumb{{"Judges", root + "/judges"}, {feature, featureURL(feature)}, {metric, monitorURL(feature, metric)}}}
	report, err := c.o.Judges.Report(g.Request.Context(), feature, metric)
	if err != nil && quality.KindOf(err) == quality.KindNotFound {
		return v, err
	}
	if !v.note("Agreement with people", err) {
		for _, j := range c.o.Judges.List() { // the anchors are known without the store
			if j.Feature == feature && j.Metric == metric {
				report.JudgeStatus = j
			}
		}
	}
	p := judgeView{JudgeReport: report}
	for _, a := range c.o.Judges.Scorers() {
		if a.Feature == feature && a.Name == metric {
			p.Cost = &a
		}
	}
	v.Page = &p
	return v, nil
}

// Bounds are those of the judge's metric, as far as they are known.
func (judgeView) Bounds() [2]float64 { return [2]float64{} }
