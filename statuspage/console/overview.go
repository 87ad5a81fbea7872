package console

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/asgood-dev/asgood/internal/quality"
)

// unownedTime is how far back the overview looks for changes that nobody owns or declared.
const unownedTime = 30 * 24 * time.Hour

// maxShown bounds what an overview lists of one kind.
const maxShown = 50

// known is what the bus tells, read once for a page.
type known struct {
	statuses    []quality.MonitorStatus
	regressions []quality.Regression
	incidents   []quality.Incident
}

// read reads it; what cannot be read becomes a notice, and the rest is shown.
func (c *Console) read(ctx context.Context, v *view) (k known) {
	var err error
	k.statuses, err = c.o.State.Statuses(ctx)
	v.note("Monitors", err)
	k.regressions, err = c.o.State.Regressions(ctx)
	v.note("Regressions", err)
	slices.SortFunc(k.regressions, newestRegression)
	k.incidents, err = c.o.State.Incidents(ctx)
	v.note("Incidents", err)
	slices.SortFunc(k.incidents, newestIncident)
	return k
}

// newestRegression puts open ones first, and of those the newest.
func newestRegression(a, b quality.Regression) int {
	if a.Open() != b.Open() {
		if a.Open() {
			return -1
		}
		return 1
	}
	return cmp.Or(b.DetectedAt.Compare(a.DetectedAt), cmp.Compare(a.ID, b.ID))
}

func newestIncident(a, b quality.Incident) int {
	if a.Open() != b.Open() {
		if a.Open() {
			return -1
		}
		return 1
	}
	return cmp.Or(b.StartedAt.Compare(a.StartedAt), cmp.Compare(a.ID, b.ID))
}

// featureRow is one feature of the overview.
type featureRow struct {
	Tiles
	Owner      string
	Open       []quality.Regression
	Blind      []quality.MonitorStatus
	Monitors   int
	Undeclared int // changes of the last 30 days
}

// need is something that a person has to see to now.
type need struct {
	Kind, URL, Text string
	At              time.Time // when it is due; zero: now
	Late            bool
	Due             string // what happens then
}

// overviewPage is the page behind /console.
type overviewPage struct {
	Needs    []need
	Features []featureRow
	Silent   bool // there are no features
}

func (c *Console) overview(g *gin.Context) (view, error) {
	ctx := g.Request.Context()
	v := view{name: "overview", Title: "Overview", Section: "overview"}
	k, now := c.read(ctx, &v), c.o.Now()
	undeclared, unowned := c.open(now)
	p := overviewPage{Needs: needsOf(k, unowned, now), Silent: len(c.o.Features) == 0}
	for _, f := range c.o.Features {
		p.Features = append(p.Features, c.featureRow(f, k, undeclared))
	}
	slices.SortStableFunc(p.Features, func(a, b featureRow) int { return cmp.Compare(b.rank(), a.rank()) })
	v.Page = &p
	return v, nil
}

// rank puts what is worst first.
func (r *featureRow) rank() int {
	ranks := map[string]int{"much-worse": 5, "worse": 4, "slightly-worse": 3, "cannot-tell": 2, "down": 6, "partly": 3}
	return max(ranks[r.Quality.Slug], ranks[r.Uptime.Slug])
}

func (c *Console) featureRow(f quality.Feature, k known, undeclared []quality.Change) featureRow {
	r := featureRow{Tiles: c.tiles(f), Owner: f.Owner, Monitors: len(f.Monitors)}
	for _, x := range k.regressions {
		if x.Feature == f.Name && x.Open() {
			r.Open = append(r.Open, x)
		}
	}
	for _, s := range k.statuses {
		if s.Feature == f.Name && s.Blind != quality.BlindNone {
			r.Blind = append(r.Blind, s)
		}
	}
	for i := range undeclared {
		if undeclared[i].Touches(f.Name) {
			r.Undeclared++
		}
	}
	return r
}

// tiles finds the tiles of a feature.
func (c *Console) tiles(f quality.Feature) Tiles {
	for _, t := range c.o.State.Tiles() {
		if t.Feature == f.Name {
			return t
		}
	}
	unknown := Tile{Word: "Cannot tell", Slug: "cannot-tell", Note: "Not read yet."}
	return Tiles{Feature: f.Name, Title: f.Title, Quality: unknown, Uptime: unknown}
}

// open lists the latest changes that nobody declared, and those that nobody owns.
func (c *Console) open(now time.Time) (undeclared, unowned []quality.Change) {
	undeclared, _ = c.o.Ledger.List(ChangeQuery{From: now.Add(-unownedTime), Undeclared: true, Limit: 1000})
	all, _ := c.o.Ledger.List(ChangeQuery{From: now.Add(-unownedTime), Limit: 1000})
	for _, x := range all {
		if x.Flagged(quality.FlagNoOwner) {
			unowned = append(unowned, x)
		}
	}
	return undeclared, unowned
}

// needsOf lists what a person has to see to, what is due first. It is pure.
func needsOf(k known, unowned []quality.Change, now time.Time) (out []need) {
	for i := range k.incidents {
		out = append(out, incidentNeeds(&k.incidents[i], now)...)
	}
	for i := range k.statuses {
		if s := &k.statuses[i]; s.Blind != quality.BlindNone {
			out = append(out, need{Kind: "Blind monitor", URL: monitorURL(s.Feature, s.Metric), Text: s.Feature + " · " + s.Metric + ": " + s.Reason})
		}
	}
	for i := range unowned {
		out = append(out, need{Kind: "Change without owner", URL: changeURL(unowned[i].ID), Text: unowned[i].Title})
	}
	slices.SortStableFunc(out, func(a, b need) int { return cmp.Compare(dueRank(a), dueRank(b)) })
	return out[:min(len(out), maxShown)]
}

// dueRank puts what is late first, then what has a time, then the rest.
func dueRank(n need) int64 {
	if n.At.IsZero() {
		return 1 << 62
	}
	return n.At.Unix()
}

// incidentNeeds tells what an open incident waits for.
func incidentNeeds(i *quality.Incident, now time.Time) (out []need) {
	if !i.Open() {
		return nil
	}
	u := incidentURL(i.ID)
	if !i.Public() {
		n := need{Kind: "Incident not public", URL: u, Text: i.Name}
		if i.PublishAt != nil && i.Vetoed == nil {
			n.Kind, n.At, n.Due = "Incident awaits publication", *i.PublishAt, "published by rule unless somebody vetoes"
		}
		out = append(out, n)
	}
	if i.NextUpdate != nil && i.NextUpdate.Before(now) {
		out = append(out, need{Kind: "Update overdue", URL: u, Text: i.Name, At: *i.NextUpdate, Late: true, Due: "was promised"})
	}
	if i.Owner == "" {
		out = append(out, need{Kind: "Incident without owner", URL: u, Text: i.Name})
	}
	return out
}
