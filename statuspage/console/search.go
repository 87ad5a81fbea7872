package console

import (
	"context"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/asgood-dev/asgood/internal/quality"
)

// maxHits bounds what a search finds of one kind.
const maxHits = 20

// hit is one thing that a search found.
type hit struct{ Kind, Title, URL, Detail string }

// searchView is the page of a search.
type searchView struct {
	Query string
	Hits  []hit
}

func (c *Console) search(g *gin.Context) (view, error) {
	v := view{name: "search", Title: "Search", Crumbs: []crumb{{"Overview", root}}}
	q := strings.TrimSpace(cutText(g.Query("q"), quality.MaxNameLen))
	p := searchView{Query: q}
	if q != "" {
		k := c.read(g.Request.Context(), &v)
		p.Hits = append(p.Hits, c.findConfigured(q)...)
		p.Hits = append(p.Hits, c.findKnown(q, k)...)
		p.Hits = append(p.Hits, c.findSample(g.Request.Context(), &v, q)...)
	}
	v.Page = &p
	return v, nil
}

// has reports whether one of the texts holds all words of a query, whatever their case.
func has(q string, texts ...string) bool {
	all := strings.ToLower(strings.Join(texts, " "))
	for _, w := range strings.Fields(strings.ToLower(q)) {
		if !strings.Contains(all, w) {
			return false
		}
	}
	return true
}

// findConfigured looks among features and monitors.
func (c *Console) findConfigured(q string) (out []hit) {
	for _, f := range c.o.Features {
		if has(q, f.Name, f.Title) && len(out) < maxHits {
			out = append(out, hit{"Feature", f.Title, featureURL(f.Name), f.Name})
		}
	}
	for _, f := range c.o.Features {
		for _, m := range f.Monitors {
			if has(q, f.Name, f.Title, m.Metric) && len(out) < 2*maxHits {
				out = append(out, hit{"Monitor", f.Title + " · " + m.Metric, monitorURL(f.Name, m.Metric), "worse: " + string(m.Worse)})
			}
		}
	}
	return out
}

// findKnown looks among incidents, regressions and changes.
func (c *Console) findKnown(q string, k known) (out []hit) {
	var incidents, regressions, changes []hit
	for i := range k.incidents {
		if x := &k.incidents[i]; has(q, x.ID, x.Name) && len(incidents) < maxHits {
			incidents = append(incidents, hit{"Incident", x.Name, incidentURL(x.ID), x.ID})
		}
	}
	for i := range k.regressions {
		if x := &k.regressions[i]; has(q, x.ID, x.Feature, x.Metric, x.Slice.Key()) && len(regressions) < maxHits {
			regressions = append(regressions, hit{"Regression", x.Feature + " · " + x.Metric, regressionURL(x.ID), x.ID})
		}
	}
	list, _ := c.o.Ledger.List(ChangeQuery{Limit: 1000})
	for i := range list {
		if x := &list[i]; has(q, x.ID, x.Title, x.Before, x.After, x.Reference) && len(changes) < maxHits {
			changes = append(changes, hit{"Change", x.Title, changeURL(x.ID), string(x.Layer)})
		}
	}
	return append(append(append(out, incidents...), regressions...), changes...)
}

// findSample looks for samples of the very id.
func (c *Console) findSample(ctx context.Context, v *view, id string) (out []hit) {
	if strings.ContainsAny(id, " \t") || len(id) < 3 {
		return nil
	}
	found, err := c.o.Store.SamplesNamed(ctx, id, maxHits)
	v.note("Samples", err)
	for _, k := range found {
		out = append(out, hit{"Sample", k.ID, sampleURL(k.Feature, k.ID), k.Feature})
	}
	return out
}
