package console

import (
	"strconv"

	"github.com/gin-gonic/gin"

	"github.com/asgood-dev/asgood/internal/quality"
)

func (c *Console) baselines(g *gin.Context) (view, error) {
	v := view{name: "baselines", Title: "Baselines", Section: "baselines", Crumbs: []crumb{{"Overview", root}}}
	books, err := c.o.Baselines.Books(g.Request.Context())
	v.note("Baselines", err)
	v.Page = books
	return v, nil
}

// baselineView is the page of the baseline of one metric.
type baselineView struct {
	quality.BaselineBook
	Current *quality.Baseline // in force; nil: what the configuration says
	Status  quality.MonitorStatus
	Open    *quality.Regression
	Form    Promotion
	FromAt  string // of the form, as it was sent
	ToAt    string
}

func (c *Console) baselinePage(g *gin.Context) (view, error) {
	return c.baselineOf(g, g.Param("feature"), tail(g, "metric"))
}

func (c *Console) baselineOf(g *gin.Context, feature, metric string) (view, error) {
	ctx := g.Request.Context()
	book, err := c.o.Baselines.Book(ctx, feature, metric)
	if err != nil {
		return view{}, err
	}
	v := view{name: "baseline", Title: "Baseline of " + metric, Section: "baselines",
		Crumbs: []crumb{{"Baselines", root + "/baselines"}, {feature, featureURL(feature)}, {metric, monitorURL(feature, metric)}}}
	k := c.read(ctx, &v)
	p := baselineView{BaselineBook: book, Current: book.Version(book.InForce), Status: statusOf(k.statuses, feature, metric)}
	for i := range k.regressions {
		if r := &k.regressions[i]; r.Feature == feature && r.Metric == metric && r.Open() {
			p.Open = r
		}
	}
	v.Page = &p
	return v, nil
}

func (c *Console) promote(g *gin.Context) (view, error) {
	if err := parseForm(g); err != nil {
		return view{}, err
	}
	feature, metric := field(g, "feature"), field(g, "metric")
	p := Promotion{Name: field(g, "name"), Reason: field(g, "reason"), Accept: field(g, "accept")}
	var err error
	if p.From, err = c.when("from", field(g, "from")); err == nil {
		if p.To, err = c.when("to", field(g, "to")); err == nil {
			err = c.o.Baselines.Promote(g.Request.Context(), feature, metric, p)
		}
	}
	if err == nil {
		return done(baselineURL(feature, metric), "promoted")
	}
	v, shown := c.baselineOf(g, feature, metric)
	if b, ok := v.Page.(*baselineView); ok {
		b.Form, b.FromAt, b.ToAt = p, field(g, "from"), field(g, "to")
	}
	return refused(v, shown, err, "from", "to", "name", "reason", "accept")
}

func (c *Console) pin(g *gin.Context) (view, error) {
	if err := parseForm(g); err != nil {
		return view{}, err
	}
	feature, metric := field(g, "feature"), field(g, "metric")
	version, err := strconv.Atoi(field(g, "version"))
	if err != nil {
		return view{}, quality.Errorf(quality.KindInvalid, `field "version": want a number, got %.20q`, field(g, "version"))
	}
	if err := c.o.Baselines.Pin(g.Request.Context(), feature, metric, version, field(g, "reason")); err != nil {
		v, shown := c.baselineOf(g, feature, metric)
		v, err = refused(v, shown, err)
		if v.Errors != nil {
			v.Errors = fieldErrors{"pin": v.Errors[""]}
		}
		return v, err
	}
	return done(baselineURL(feature, metric), "pinned")
}
