package publish

import (
	"slices"
	"strings"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
	"github.com/asgood-dev/asgood/internal/wording"
)

// Bounds of what people write, in bytes.
const (
	maxName     = 255
	maxBody     = wording.MaxText
	maxReason   = 1000
	maxFeatures = 100
)

func list(words []string) string { return strings.Join(words, ", ") }

// stages is the order of an incident's life, up to its end.
var stages = []quality.IncidentStatus{quality.IncidentInvestigating, quality.IncidentIdentified, quality.IncidentMonitoring, quality.IncidentResolved}

// step is a move from one status to another, of an incident that is public or not, by somebody.
type step struct {
	from, to quality.IncidentStatus
	public   bool
	internal bool // the update is internal
	reason   string
	by       quality.Actor
}

// check refuses moves that are not allowed. Forward is free, also over several stages; back wants a reason. A
// machine neither resolves nor reopens, and does not move what customers see.
func (s step) check() error {
	to := slices.Index(stages, s.to)
	if to < 0 {
		return quality.Errorf(quality.KindInvalid, "status: %.40q is none (want investigating, identified, monitoring or resolved)", s.to)
	}
	from := slices.Index(stages, s.from)
	if s.from == quality.IncidentPostmortem {
		from = len(stages)
	}
	moves := s.from != s.to
	switch {
	case !s.by.Human() && s.public && !s.internal:
		return forbidden(s.by, "write what customers read; it may write internal updates")
	case !s.by.Human() && moves && (s.to == quality.IncidentResolved || from >= to && from >= len(stages)-1):
		return forbidden(s.by, "resolve an incident or open it again")
	case !s.by.Human() && moves && s.public:
		return forbidden(s.by, "change the status of a public incident")
	case moves && s.internal && s.public:
		return quality.Errorf(quality.KindInvalid, "an internal update leaves the status of a public incident as it is (%s): customers would see a change without a word", s.from)
	case moves && to < from && strings.TrimSpace(s.reason) == "":
		return quality.Errorf(quality.KindInvalid, "reason: required to go back from %s to %s", s.from, s.to)
	}
	return nil
}

func forbidden(by quality.Actor, what string) error {
	return quality.Errorf(quality.KindForbidden, "%q is a machine, which may not %s: only a person may", by.String(), what)
}

// person refuses machines.
func person(by quality.Actor, what string) error {
	if by.Human() {
		return nil
	}
	return forbidden(by, what)
}

// publishByPerson makes an incident public. Facts that the text lacks must be overridden with a reason.
func publishByPerson(r *Record, by quality.Actor, override bool, reason string, now time.Time) error {
	if err := person(by, "publish"); err != nil {
		return err
	}
	missing := r.Missing()
	switch {
	case len(missing) > 0 && !override:
		return quality.Errorf(quality.KindConflict, "the text does not say: %s. Add it, or publish with override and a reason", list(missing))
	case len(missing) > 0 && strings.TrimSpace(reason) == "":
		return quality.Errorf(quality.KindInvalid, "reason: required to override the check (missing: %s)", list(missing))
	}
	d := decisionOf(by, now, reason)
	d.Missing = missing
	r.show(d, now)
	return nil
}

// veto keeps rules from publishing an incident.
func veto(r *Record, by quality.Actor, reason string, now time.Time) error {
	if err := person(by, "veto"); err != nil {
		return err
	}
	switch {
	case strings.TrimSpace(reason) == "":
		return quality.Errorf(quality.KindInvalid, "reason: required")
	case r.Public():
		return quality.Errorf(quality.KindConflict, "incident %q is public already", r.ID)
	}
	d := decisionOf(by, now, reason)
	r.Vetoed, r.PublishAt, r.UpdatedAt = &d, nil, now
	return nil
}

// correct changes the text of an update. What it said before stays visible with it.
func correct(r *Record, update, body string, facts wording.Facts, by quality.Actor, now time.Time) error {
	i := slices.IndexFunc(r.Updates, func(u quality.IncidentUpdate) bool { return u.ID == update })
	if i < 0 {
		return quality.Errorf(quality.KindNotFound, "incident %q has no update %q", r.ID, update)
	}
	u := &r.Updates[i]
	if !by.Human() && r.Public() && !u.Internal {
		return forbidden(by, "correct what customers read")
	}
	if u.Body == body {
		return nil
	}
	// Of several corrections the first text is kept: what stood between them was public shortest.
	if u.Before == "" {
		u.Before = u.Body
	}
	u.Body, u.EditedAt, r.UpdatedAt = body, &now, now
	r.Said[update] = r.Said[update].Over(facts)
	return nil
}

// writePostmortem keeps a draft; one that is public stays public, as corrected.
func writePostmortem(r *Record, body string, by quality.Actor, now time.Time) error {
	p := quality.Postmortem{Body: body, UpdatedAt: now}
	if r.Postmortem != nil {
		if r.Postmortem.Published != nil && !by.Human() {
			return forbidden(by, "change a published postmortem")
		}
		p.Published = r.Postmortem.Published
	}
	r.Postmortem, r.UpdatedAt = &p, now
	return nil
}

// publishPostmortem shows the postmortem of an incident that is over and public.
func publishPostmortem(r *Record, by quality.Actor, reason string, now time.Time) error {
	if err := person(by, "publish a postmortem"); err != nil {
		return err
	}
	switch {
	case r.Postmortem == nil || strings.TrimSpace(r.Postmortem.Body) == "":
		return quality.Errorf(quality.KindConflict, "incident %q has no postmortem", r.ID)
	case r.Open():
		return quality.Errorf(quality.KindConflict, "incident %q is not resolved", r.ID)
	case !r.Public():
		return quality.Errorf(quality.KindConflict, "incident %q is not public", r.ID)
	case r.Postmortem.Published != nil:
		return nil
	}
	p, d := *r.Postmortem, decisionOf(by, now, reason)
	p.Published = &d
	r.Postmortem = &p
	r.Say(quality.IncidentUpdate{Status: quality.IncidentPostmortem, Body: "The postmortem is published.", By: &by}, wording.Facts{}, now)
	return nil
}
