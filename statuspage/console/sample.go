package console

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/asgood-dev/asgood/internal/quality"
)

// samplesPage is how many samples stand on a page, and sampleTime how far back a search looks that says nothing.
const (
	samplesPage = 50
	sampleTime  = 7 * 24 * time.Hour
)

// sampleList is the page that searches samples.
type sampleList struct {
	Names    []string
	Metrics  []string // of the feature
	Feature  string
	Customer string
	Metric   string
	From, To string
	Least    string
	Most     string
	Order    string
	Failed   bool
	Range    [2]float64
	Rows     []quality.FoundSample
	More     bool
	Asked    bool
	ID       string
}

func (c *Console) samples(g *gin.Context) (view, error) {
	v := view{name: "samples", Title: "Samples", Section: "samples", Crumbs: []crumb{{"Overview", root}}}
	p := sampleList{Names: c.featureNames(), Feature: g.Query("feature"), Customer: g.Query("customer"), Metric: g.Query("metric"),
		From: g.Query("from"), To: g.Query("to"), Least: g.Query("least"), Most: g.Query("most"), Order: g.Query("order"), Failed: g.Query("failed") != "",
		Range: [2]float64{0, 1}}
	if p.Feature == "" && len(p.Names) > 0 {
		p.Feature = p.Names[0]
	}
	if len(p.Names) == 0 {
		v.Page = &p
		return v, nil
	}
	f, err := c.feature(p.Feature)
	if err != nil {
		return view{}, err
	}
	p.Metrics = metricsOf(f)
	q, err := c.sampleQuery(p)
	if err != nil {
		v.Page = &p
		return refused(v, nil, err, "from", "to", "least", "most", "order", "metric", "customer")
	}
	ctx := g.Request.Context()
	if p.Metric != "" {
		statuses, err := c.o.State.Statuses(ctx)
		v.note("Monitors", err)
		p.Range = statusOf(statuses, f.Name, p.Metric).Range
	}
	q.Limit++
	p.Rows, err = c.o.Store.FindSamples(ctx, q)
	p.Asked = v.note("Samples", err)
	if p.More = len(p.Rows) > samplesPage; p.More {
		p.Rows = p.Rows[:samplesPage]
	}
	v.Page = &p
	return v, nil
}

// metricsOf lists the metrics that scores of a feature are known to have.
func metricsOf(f *quality.Feature) []string {
	names := map[string]bool{}
	for _, s := range f.Scorers {
		if len(s.Metrics) == 0 {
			names[s.Name] = true
		}
		for _, m := range s.Metrics {
			names[m] = true
		}
	}
	for _, m := range f.Monitors {
		names[m.Metric] = true
	}
	return slices.Sorted(maps.Keys(names))
}

// sampleQuery reads what is asked for. Its errors name the field.
func (c *Console) sampleQuery(p sampleList) (q quality.SampleQuery, err error) {
	now := c.o.Now()
	q = quality.SampleQuery{Feature: p.Feature, Customer: p.Customer, Metric: p.Metric, Failed: p.Failed, Order: quality.SampleOrder(p.Order), Limit: samplesPage}
	if q.From, err = c.when("from", p.From); err != nil {
		return q, err
	}
	if q.To, err = c.when("to", p.To); err != nil {
		return q, err
	}
	if q.To.IsZero() {
		q.To = now.Add(time.Minute)
	}
	if q.From.IsZero() {
		q.From = q.To.Add(-sampleTime)
	}
	if !q.From.Before(q.To) {
		return q, quality.Errorf(quality.KindInvalid, `field "to": want a time after the beginning`)
	}
	if q.Least, err = optionalNumber("least", p.Least); err != nil {
		return q, err
	}
	if q.Most, err = optionalNumber("most", p.Most); err != nil {
		return q, err
	}
	switch q.Order {
	case "", quality.NewestFirst:
	case quality.LowestFirst, quality.HighestFirst:
		if q.Metric == "" {
			return q, quality.Errorf(quality.KindInvalid, `field "metric": choose the metric whose score orders the samples`)
		}
	default:
		return q, quality.Errorf(quality.KindInvalid, `field "order": want newest, lowest or highest, got %.20q`, p.Order)
	}
	if (q.Least != nil || q.Most != nil || q.Failed) && q.Metric == "" {
		return q, quality.Errorf(quality.KindInvalid, `field "metric": choose the metric that the score is of`)
	}
	return q, nil
}

func optionalNumber(name, s string) (*float64, error) {
	if s == "" {
		return nil, nil
	}
	x, err := strconv.ParseFloat(s, 64)
	if err != nil || !finite(x) {
		return nil, quality.Errorf(quality.KindInvalid, "field %q: want a number, got %.20q", name, s)
	}
	return &x, nil
}

// sampleView is the page of one sample.
type sampleView struct {
	quality.Sample
	AllScores []quality.Score
	Facts     []fact
	Ranges    map[string][2]float64
}

// fact is a name with a foreign value.
type fact struct{ Name, Value string }

func (c *Console) samplePage(g *gin.Context) (view, error) {
	f, err := c.feature(g.Param("feature"))
	if err != nil {
		return view{}, err
	}
	ctx := g.Request.Context()
	x, err := c.o.Store.Sample(ctx, f.Name, tail(g, "id"))
	if err != nil {
		return view{}, err
	}
	v := view{name: "sample", Title: "Sample", Section: "samples",
		Crumbs: []crumb{{"Samples", root + "/samples?feature=" + f.Name}, {f.Title, featureURL(f.Name)}}}
	p := sampleView{Sample: x, Facts: factsOf(&x), Ranges: map[string][2]float64{}}
	p.AllScores, err = c.o.Store.ScoresOf(ctx, &x)
	v.note("Scores", err)
	statuses, err := c.o.State.Statuses(ctx)
	v.note("Monitors", err)
	for _, s := range statuses {
		if s.Feature == f.Name {
			p.Ranges[s.Metric] = s.Range
		}
	}
	v.Page = &p
	return v, nil
}

// factsOf lists the provenance and attributes of a sample.
func factsOf(x *quality.Sample) (out []fact) {
	for _, f := range []fact{{"customer", x.Customer}, {"conversation", x.Conversation}, {"model", x.Model}, {"prompt", x.Prompt},
		{"source", x.Source}, {"trace", x.Trace}, {"error", x.Error}} {
		if f.Value != "" {
			out = append(out, f)
		}
	}
	if len(x.Params) > 0 {
		if data, err := json.Marshal(x.Params); err == nil {
			out = append(out, fact{"params", string(data)})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(x.Attributes)) {
		out = append(out, fact{name, x.Attributes[name]})
	}
	return out
}
