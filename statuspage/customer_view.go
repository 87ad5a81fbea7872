package statuspage

import (
	"slices"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
	"github.com/asgood-dev/asgood/statuspage/private"
	"github.com/asgood-dev/asgood/statuspage/speech"
)

// customerIncidents is how many incidents a customer's page lists, the newest.
const customerIncidents = 20

// customerPage is the page of one customer.
type customerPage struct {
	frame
	Customer  string
	Lead      string // what the page says in one sentence
	Slug      string
	Missing   string // what could not be read
	Features  []customerFeature
	Incidents []customerIncident
	Least     uint64
	Own       bool // they have answers of some feature; without, all features are shown
}

// customerFeature is what a customer is told of one feature.
type customerFeature struct {
	Name, Title   string
	Said          []string // the sentences, the one that matters most first
	Yours         tileView
	Everyone      tileView
	Uptime        tileView
	Days          span
	rank          int
	slug          string
	own           bool // they have answers of it
	YoursNotable  []string
	OthersNotable []string
}

// customerIncident is a public incident with whether it hit the customer.
type customerIncident struct {
	Incident incidentView
	Hit      string // yes, no or unclear, for the style
	Said     string
}

// customerFacts is what is known of one feature for one customer, in no language.
type customerFacts struct {
	facts
	standings []metricStanding // of the tile's metrics, the one that matters most first
	own       bool
	ownDays   []QualityDay
	everyone  facts // without what is another customer's
}

// metricStanding is where a customer stands in one metric.
type metricStanding struct {
	private.Standing
	status     quality.MonitorStatus // as it may be told
	regression *quality.Regression   // the open one
	material   float64
	severity   quality.Severity
	own        QualityTile
	ended      *time.Time // when the last drop in their answers ended
}

// endedLately is how long after a drop the latest answers may hold some of it, where few come.
const endedLately = 30 * 24 * time.Hour

// drawCustomer draws the page of a customer.
func (v *view) drawCustomer(d *drawer, c quality.Customer, names []string, data *customerData) (document, error) {
	t := v.in.told(d.language)
	p := customerPage{frame: v.frame(d, "/"), Customer: c.Title, Least: v.in.options.Private.Least}
	if p.Customer == "" {
		p.Customer = c.Name
	}
	p.Address, p.Root, p.Hidden, p.Description = "", "", true, ""
	for i := range p.Languages {
		p.Languages[i].Href = "?lang=" + p.Languages[i].Tag // the address itself is a secret, and is not written anywhere
	}
	if data.missing {
		p.Missing = t.Say("customer.missing")
		if !data.readAt.IsZero() {
			p.Missing = t.Say("customer.missing.old", "When", t.moment(data.readAt).Text)
		}
	}
	all := v.customerFacts(names, data)
	for _, x := range all {
		p.Features = append(p.Features, v.customerFeature(t, x, data, len(all) > labelled))
	}
	p.Incidents = v.customerIncidents(t, names, all)
	p.Own = slices.ContainsFunc(all, func(x customerFacts) bool { return x.own })
	p.lead(t, v)
	p.Summary = p.Lead
	return d.draw("customer.html", p)
}

// lead says in one sentence what the page says.
func (p *customerPage) lead(t told, v *view) {
	worst := customerFeature{slug: "usual"}
	var titles []string
	for _, f := range p.Features {
		if f.rank > worst.rank {
			worst, titles = f, nil
		}
		if f.rank == worst.rank {
			titles = append(titles, f.Title)
		}
	}
	p.Slug = worst.slug
	if v.in.state.at.IsZero() || len(p.Features) == 0 {
		p.Lead, p.Slug = t.Say("overall.unseen"), "cannot-tell"
		return
	}
	p.Lead = t.Count(leads[worst.rank], uint64(len(titles)), "Features", t.List(titles))
}

// The ranks of what a customer is told of a feature, and how the page's first sentence says the worst of them.
const (
	rankUsual = iota
	rankFew
	rankUnseen
	rankElsewhere // a drop is confirmed, and ruled out for them
	rankLow
	rankUnclear
	rankHit
)

var leads = map[int]string{
	rankUsual: "customer.lead.usual", rankFew: "customer.lead.few", rankUnseen: "customer.lead.unseen", rankElsewhere: "customer.lead.elsewhere",
	rankLow: "customer.lead.low", rankUnclear: "customer.lead.unclear", rankHit: "customer.lead.hit",
}

// customerFacts are those of the features of which a customer has answers, of all when there are none.
func (v *view) customerFacts(names []string, data *customerData) []customerFacts {
	x := indexOf(v.in)
	own := group(data.days, func(s *quality.ScoreDay) string { return s.Feature })
	var mine, all []customerFacts
	for _, f := range v.facts {
		c := v.factsFor(f, names, x, own[f.spec.Name], data)
		all = append(all, c)
		if c.own {
			mine = append(mine, c)
		}
	}
	if len(mine) > 0 {
		return mine
	}
	return all
}

func (v *view) factsFor(f facts, names []string, x index, scores []quality.ScoreDay, data *customerData) customerFacts {
	name := f.spec.Name
	c := customerFacts{facts: f, own: len(scores) > 0}
	var theirs, outside []quality.Regression
	for _, r := range x.regressions[name] {
		if r, ok := private.Own(r, names); ok {
			theirs = append(theirs, r)
		}
		if r, ok := private.Outside(r); ok {
			outside = append(outside, r)
		}
	}
	var told, ownBase []quality.MonitorStatus
	for _, st := range x.statuses[name] {
		streams := data.streams[monitorName{name, st.Metric}]
		s := v.standing(f.spec, st, names, x, streams)
		told = append(told, s.status)
		base := s.status
		if s.Own.Watched && !s.Own.Learning && s.Own.Baseline.Mean != nil {
			base.Baseline = s.Own.Baseline
		}
		ownBase = append(ownBase, base)
		c.own = c.own || s.Own.Watched
		if st.Tile {
			c.standings = append(c.standings, s)
		}
	}
	slices.SortStableFunc(c.standings, func(a, b metricStanding) int { return b.rank() - a.rank() })
	days := calendar(v.in.now, v.in.options.Location)
	if !data.readAt.IsZero() {
		c.ownDays = QualityDays(days, scores, monitorsOf(f.spec, ownBase), theirs, x.severities)
	}
	c.everyone = f
	c.everyone.tile = Tile(TileInput{Statuses: told, Regressions: outside, Severities: x.severities, Now: v.in.now})
	if v.in.state.at.IsZero() {
		c.everyone.tile.Note = noteUnread
	}
	if f.days != nil {
		c.everyone.days = QualityDays(days, x.scores[name], monitorsOf(f.spec, told), outside, x.severities)
	}
	return c
}

// standing compares a customer with everyone in one metric.
func (v *view) standing(f quality.Feature, st quality.MonitorStatus, names []string, x index, streams []quality.StreamStatus) metricStanding {
	s := metricStanding{material: materialIn(f, st)}
	for _, r := range x.regressions[f.Name] {
		if own, ok := private.Own(r, names); ok && r.Metric == st.Metric && own.RecoveredAt != nil && (s.ended == nil || own.RecoveredAt.After(*s.ended)) {
			s.ended = own.RecoveredAt
		}
		if r.Metric == st.Metric && r.Open() {
			s.regression = &r
			s.severity = x.severities[r.ID]
			if r.Material > 0 {
				s.material = r.Material
			}
		}
	}
	s.Standing = private.Compare(private.Input{Names: names, Status: st, Streams: streams, Regression: s.regression, Material: s.material, Least: v.in.options.Private.Least})
	s.status = private.Everyone(st, s.regression, streams)
	s.own = s.ownTile(v.in.now)
	return s
}

// materialIn is the smallest drop that matters to a monitor, in the metric's unit.
func materialIn(f quality.Feature, st quality.MonitorStatus) float64 {
	for _, m := range f.Monitors {
		if m.Metric == st.Metric && m.Material != nil {
			return *m.Material
		}
	}
	return materialPart * scaleOf(st)
}

// ownStatus is the monitor with the figures of the customer.
func (s *metricStanding) ownStatus() quality.MonitorStatus {
	st := s.status
	st.Baseline, st.Change, st.Interval, st.Since = s.Own.Baseline, s.Own.Change, s.Own.Interval, s.Own.Since
	st.Current = quality.Estimate{N: s.Own.N}
	return st
}

// ownTile is the tile of their own answers. It claims nothing that is not confirmed or ruled out.
func (s *metricStanding) ownTile(now time.Time) QualityTile {
	q := figures(s.ownStatus(), QualityTile{Word: WordUsual})
	if !s.Own.Enough {
		q = QualityTile{Metric: s.status.Metric, Word: WordNotEnough}
	}
	q.Since = nil
	switch {
	case s.Hit == private.HitYes:
		q.Word, q.Since = wordOf(s.severity), s.Own.Since
	case !s.Own.Enough:
	case s.blind(now), s.Hit == private.HitUnclear, s.low():
		q.Word = WordCannotTell
	}
	return q
}

// blind reports whether the monitor cannot tell of now.
func (s *metricStanding) blind(now time.Time) bool {
	return s.status.State == quality.MonitorBlind || !s.status.LastScoreAt.IsZero() && now.Sub(s.status.LastScoreAt) > maxSilence
}

// low reports whether their answers are lower than their baseline by more than one look would show by chance, without
// that being confirmed.
func (s *metricStanding) low() bool {
	if !s.Own.Enough || s.Own.Interval == nil || s.Hit == private.HitNo {
		return false
	}
	i := *s.Own.Interval
	if s.status.Worse == quality.WorseHigher {
		return i[0] > 0
	}
	return i[1] < 0
}

// rank is how much a standing matters to the customer.
func (s *metricStanding) rank() int {
	switch {
	case s.Hit == private.HitYes:
		return rankHit
	case s.Hit == private.HitUnclear:
		return rankUnclear
	case s.low():
		return rankLow
	case s.Hit == private.HitNo:
		return rankElsewhere
	case s.status.State == quality.MonitorBlind:
		return rankUnseen
	case !s.Own.Enough:
		return rankFew
	default:
		return rankUsual
	}
}

// customerFeature tells a customer of a feature.
func (v *view) customerFeature(t told, x customerFacts, data *customerData, lean bool) customerFeature {
	f := customerFeature{Name: x.spec.Name, Title: v.titleOf(x.spec.Name), own: x.own, rank: rankUnseen, slug: "cannot-tell"}
	own := QualityTile{Word: WordCannotTell, Note: noteUnmeasured}
	if len(x.standings) > 0 {
		own = x.standings[0].own
		f.rank, f.slug = x.standings[0].rank(), own.Word.Slug()
	}
	if f.rank == rankFew || f.rank == rankElsewhere {
		f.slug = "usual"
	}
	if f.rank == rankFew && !x.everyone.tile.Word.good() {
		f.slug = x.everyone.tile.Word.Slug()
	}
	for i := range x.standings {
		if i == 0 || x.standings[i].rank() > rankUnseen {
			f.Said = append(f.Said, x.standings[i].sentence(t, len(x.standings) > 1, v))
		}
	}
	if len(f.Said) == 0 {
		f.Said = []string{t.Say("note.unmeasured")}
	}
	f.Yours = qualityTileView(t, own, x.ownDays)
	if own.Percent == nil && len(x.standings) > 0 {
		f.Yours.Note = x.standings[0].why(t, v.in.options.Private.Least)
	}
	x.everyone.tile.slice, x.everyone.tile.Scope = nil, ""
	f.Everyone = qualityTileView(t, x.everyone.tile, x.everyone.days)
	f.Uptime = uptimeTileView(t, x.uptime, x.ups, len(x.spec.Probes) > 0, v.in.options.Uptime)
	f.YoursNotable = f.Yours.Strip.notable(t, t.Say("customer.yours"))
	f.OthersNotable = append(f.Everyone.Strip.notable(t, t.Say("customer.everyone")), f.Uptime.Strip.notable(t, t.Say("tile.uptime"))...)
	f.Yours.Strip.Summary = t.Say("customer.strip", "Row", t.Say("customer.yours"), "Days", f.Yours.Strip.Summary)
	f.Everyone.Strip.Summary = t.Say("customer.strip", "Row", t.Say("customer.everyone"), "Days", f.Everyone.Strip.Summary)
	if lean {
		f.Yours.Strip.lean()
		f.Everyone.Strip.lean()
		f.Uptime.Strip.lean()
	}
	f.Days = spanOf(t, calendar(v.in.now, v.in.options.Location))
	if data.readAt.IsZero() && x.everyone.days == nil {
		f.Days = span{}
	}
	return f
}

// part is the tile of a kind.
func (f *customerFeature) part(kind string) tileView {
	switch kind {
	case "yours":
		return f.Yours
	case "everyone":
		return f.Everyone
	default:
		return f.Uptime
	}
}

func spanOf(t told, days []time.Time) span {
	first, last := days[0], days[len(days)-1]
	return span{First: t.day(speech.ShortYear, first), Last: t.day(speech.ShortYear, last), Date: first.Format(time.DateOnly)}
}

// good reports whether nothing is wrong that is known.
func (w Word) good() bool { return w == WordUsual || w == WordBetter }
