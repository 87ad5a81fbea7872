package statuspage

import (
	"slices"
	"strings"

	"github.com/asgood-dev/asgood/internal/quality"
	"github.com/asgood-dev/asgood/statuspage/private"
)

// sentence tells a customer where they stand in one metric.
func (s *metricStanding) sentence(t told, several bool, v *view) string {
	var said []string
	if several {
		said = append(said, t.Say("customer.metric", "Metric", s.status.Metric))
	}
	least := v.in.options.Private.Least
	switch {
	case v.in.state.at.IsZero():
		return t.Say("note.unread")
	case s.Hit == private.HitYes:
		said = append(said, s.hitSentences(t)...)
	case s.Hit != private.HitNone:
		said = append(said, s.elsewhere(t), s.notHit(t, least))
	case s.blind(v.in.now):
		said = append(said, t.Say("customer.blind"))
	case s.low():
		said = append(said, s.lowSentence(t))
	case s.Own.Enough:
		said = append(said, t.Say("customer.usual", "Figure", figureOf(t, s.own)), s.everyoneSentence(t, v))
	default:
		said = append(said, s.everyoneSentence(t, v), s.few(t, least))
	}
	return strings.Join(slices.DeleteFunc(said, func(p string) bool { return p == "" }), " ")
}

// hitSentences say that a drop is confirmed in their answers, and for whom else.
func (s *metricStanding) hitSentences(t told) []string {
	out := []string{t.Say("customer.since", "Word", t.Say("word."+s.own.Word.Slug()), "When", t.moment(*s.Own.Since).Text)}
	if s.own.Percent != nil {
		out = append(out, t.Say("customer.hit", "Figure", figureOf(t, s.own)))
	} else {
		out = append(out, t.Say("customer.hit.unsized"))
	}
	return append(out, t.Say("customer.reach."+string(s.Reach)))
}

// elsewhere says that a drop is confirmed, and for whom. Of a drop of other customers nothing else is said.
func (s *metricStanding) elsewhere(t told) string {
	if s.Reach == private.ReachOthers {
		return t.Say("customer.elsewhere.others")
	}
	r, ok := private.Outside(*s.regression)
	if !ok {
		return t.Say("customer.elsewhere.others")
	}
	since := r.DetectedAt
	if r.StartedAt != nil {
		since = *r.StartedAt
	}
	return t.Say("customer.elsewhere."+string(s.Reach), "Word", t.Say("word."+wordOf(s.severity).Slug()), "When", t.moment(since).Text)
}

// notHit says what is known of a drop in their own answers.
func (s *metricStanding) notHit(t told, least uint64) string {
	switch {
	case s.Hit == private.HitNo:
		return t.Say("customer.not", "Drop", s.drop(t))
	case s.Own.Enough:
		return t.Say("customer.unclear", "Figure", figureOf(t, s.own))
	default:
		return s.few(t, least)
	}
}

// drop is the smallest drop that matters, as customers read figures: in points of percent of the scale.
func (s *metricStanding) drop(t told) string {
	scale := scaleOf(s.status)
	if scale <= 0 || !finite(s.material/scale) {
		return t.Say("customer.drop.any")
	}
	points := 100 * s.material / scale
	return t.Say("customer.drop", "Points", t.Decimal(trimmed(points)))
}

// few says why there is no figure of their own.
func (s *metricStanding) few(t told, least uint64) string {
	why := s.why(t, least)
	if why == "" || !s.Fleet.Enough {
		return why
	}
	return why + " " + t.Say("customer.theirs") // this is everyone's figure
}

// why says what their own answers lack for a figure; empty when it is nothing.
func (s *metricStanding) why(t told, least uint64) string {
	switch {
	case s.Own.Enough:
		return ""
	case !s.Own.Watched:
		return t.Say("customer.few.unwatched")
	case s.Own.Learning:
		return t.Count("customer.few.learning", s.Own.Scores)
	case s.Own.N < least:
		return t.Say("customer.few", "N", t.Number(s.Own.N), "Least", t.Number(least))
	default:
		return t.Say("customer.few.none")
	}
}

// lowSentence says that their figure is low without a drop being confirmed. Soon after one ended, the latest answers
// hold some of it: then it is not chance.
func (s *metricStanding) lowSentence(t told) string {
	if s.ended != nil && t.now.Sub(*s.ended) < endedLately {
		return t.Say("customer.low.after", "When", t.moment(*s.ended).Text, "Figure", figureOf(t, s.own))
	}
	return t.Say("customer.low", "Figure", figureOf(t, s.own))
}

// everyoneSentence says how all answers are while no drop is confirmed.
func (s *metricStanding) everyoneSentence(t told, v *view) string {
	q := Tile(TileInput{Statuses: []quality.MonitorStatus{withTile(s.status)}, Now: v.in.now})
	text := t.Say("customer.everyone." + q.Word.Slug())
	if q.Percent != nil && q.Word.good() {
		text = t.Say("customer.figured", "Text", text, "Figure", figureOf(t, q))
	}
	return text
}

func withTile(st quality.MonitorStatus) quality.MonitorStatus {
	st.Tile = true
	return st
}

// figureOf is a figure with its interval, as in "91 % of baseline, 95 % interval 88 to 94".
func figureOf(t told, q QualityTile) string {
	if q.Percent == nil {
		return t.Say("customer.unsized")
	}
	if q.Interval == nil {
		return t.Say("customer.figure.alone", "P", t.percent(*q.Percent))
	}
	return t.Say("customer.figure", "P", t.percent(*q.Percent), "Interval", t.interval(*q.Interval))
}

// customerIncidents are the public incidents of the features of a customer, the newest first, with whether each hit
// them.
func (v *view) customerIncidents(t told, names []string, all []customerFacts) (out []customerIncident) {
	first := calendar(v.in.now, v.in.options.Location)[0]
	for _, i := range v.public {
		if len(out) == customerIncidents {
			break
		}
		over := i.ResolvedAt != nil && i.ResolvedAt.Before(first)
		ours := slices.ContainsFunc(all, func(x customerFacts) bool { return slices.Contains(i.Features, x.spec.Name) })
		if over || !ours {
			continue
		}
		c := customerIncident{Incident: v.incident(t, i)}
		c.Incident.Updates = nil
		c.Hit, c.Said = v.hitBy(t, i, names, all)
		out = append(out, c)
	}
	return out
}

// hitBy says whether an incident hit a customer, and by how much.
func (v *view) hitBy(t told, i quality.Incident, names []string, all []customerFacts) (hit, said string) {
	if i.Regression == nil {
		return "unclear", t.Say("customer.incident.shared")
	}
	r := *i.Regression
	for _, now := range v.in.state.data.regressions {
		if now.ID == r.ID {
			r = now
		}
	}
	if own, ok := private.Own(r, names); ok {
		if figure := v.figure(t, own); figure != "" {
			return "yes", t.Say("customer.incident.yes", "Figure", figure)
		}
		return "yes", t.Say("customer.incident.yes.unsized")
	}
	if s := standingIn(all, r); s != nil && s.Hit == private.HitNo {
		return "no", t.Say("customer.incident.no", "Drop", s.drop(t))
	}
	return "unclear", t.Say("customer.incident.unclear")
}

// standingIn is the standing of a regression while it is open.
func standingIn(all []customerFacts, r quality.Regression) *metricStanding {
	for _, x := range all {
		for n := range x.standings {
			if s := &x.standings[n]; s.regression != nil && s.regression.ID == r.ID {
				return s
			}
		}
	}
	return nil
}
