package publish

import (
	"fmt"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
)

// Rule acts where a configured rule publishes.
func ruleActor() quality.Actor {
	return quality.Actor{Kind: quality.ActorMachine, ID: "rule", Name: "publishing rule", Credential: "rule"}
}

// Rules decide which incidents are published without a person.
type Rules []quality.PublishRule

// of returns the first rule that is for the incident, and false where people decide.
func (rs Rules) of(r *Record) (quality.PublishRule, bool) {
	for _, rule := range rs {
		if rule.For(r.Kind, r.Severity) {
			return rule, !rule.After.Never
		}
	}
	return quality.PublishRule{}, false
}

// Begin is called for an incident that was just made: it is internal, and a rule may publish it later or at once.
func (rs Rules) Begin(r *Record, now time.Time) {
	r.Visibility = quality.VisibilityInternal
	rs.Again(r, now)
}

// Again is called after an incident changed: it may have grown so severe that a rule is for it now.
func (rs Rules) Again(r *Record, now time.Time) {
	if r.Public() || !r.Open() || r.PublishAt != nil || r.Vetoed != nil || r.Backfilled {
		return
	}
	rule, ok := rs.of(r)
	if !ok {
		return
	}
	at := now.Add(rule.After.Wait)
	r.PublishAt = &at
	if rule.After.Wait == 0 && len(r.Missing()) == 0 {
		r.show(decisionOf(ruleActor(), now, "a rule publishes it at once"), now)
	}
}

func decisionOf(by quality.Actor, at time.Time, reason string) quality.Decision {
	return quality.Decision{By: by, At: at, Reason: reason}
}

// due reports whether a rule is to publish the incident now.
func (r *Record) due(now time.Time) bool {
	return r.PublishAt != nil && !r.PublishAt.After(now) && !r.Public() && r.Open() && r.Vetoed == nil
}

// publishByRule publishes an incident whose time has come; the reason tells what became of it. A text that does
// not say what customers need is left to people: the rule does not come back.
func publishByRule(r *Record, now time.Time) (published bool, reason string) {
	if missing := r.Missing(); len(missing) > 0 {
		r.PublishAt = nil
		return false, fmt.Sprintf("the text does not say: %s", list(missing))
	}
	waited := r.PublishAt.Sub(r.CreatedAt)
	reason = fmt.Sprintf("nobody vetoed within %s", waited.Round(time.Second))
	r.show(decisionOf(ruleActor(), now, reason), now)
	return true, reason
}
