// Package publish decides what customers get to read: incidents start internal and are published by a person, or
// by a rule when nobody vetoed for a while; people write updates, correct them, and write postmortems; planned
// maintenances begin and end.
//
// It owns the documents of incidents and maintenances, who may change what, the check that a text is complete,
// and the notices to subscribers, each of which is made once. All decisions are pure functions with the time as an
// argument. It makes no incident of a regression, draws no page and sends no mail.
package publish

import (
	"fmt"
	"slices"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
	"github.com/asgood-dev/asgood/internal/wording"
)

// Bounds of one incident.
const (
	maxUpdates = 1000
	maxBodies  = 4 << 20 // bytes of all updates: a document holds 8 MiB
	maxKeys    = 100     // idempotency keys that are remembered
)

// Record is an incident as it is stored: what is shown, and what is needed to go on with it.
type Record struct {
	quality.Incident
	Wide bool      `json:"wide,omitempty"` // the regression was once of the whole feature
	Down []string  `json:"down,omitempty"` // probes that do not answer
	Seq  uint64    `json:"seq,omitempty"`  // the last event of a probe that changed it
	Last time.Time `json:"last,omitzero"`  // the latest time in such an event

	Graded   bool                     `json:"graded,omitempty"`   // a person set the severity: rules leave it
	Facts    wording.Facts            `json:"facts,omitzero"`     // as measured or stated last
	Said     map[string]wording.Facts `json:"said,omitempty"`     // what the author of each update knew, by its id
	Pending  []quality.Notice         `json:"pending,omitempty"`  // not yet given to subscribers
	Reminded *time.Time               `json:"reminded,omitempty"` // the promised update of which the owner was reminded
	Keys     []usedKey                `json:"keys,omitempty"`     // of requests that made an update, oldest first
}

// usedKey is an idempotency key and the update that it made.
type usedKey struct {
	Key    string `json:"key"`
	Update string `json:"update"`
}

// clone returns a record whose lists and maps can be changed without changing this one.
func (r Record) clone() Record {
	r.Updates = slices.Clone(r.Updates)
	r.Pending = slices.Clone(r.Pending)
	r.Keys = slices.Clone(r.Keys)
	said := make(map[string]wording.Facts, len(r.Said))
	for id, f := range r.Said {
		said[id] = f
	}
	r.Said = said
	return r
}

// kind is that of the notices about the incident.
func (r *Record) kind() quality.NoticeKind {
	if r.Kind == quality.IncidentAvailability {
		return quality.NoticeUptime
	}
	return quality.NoticeQuality
}

// tell adds a notice to those that subscribers are to get. What was entered afterwards is told to nobody.
func (r *Record) tell(what quality.NoticeWhat, update string, now time.Time) {
	if r.Backfilled || r.Imported != "" {
		return
	}
	id := fmt.Sprintf("%s/%s/%s", r.ID, what, update)
	if what == quality.NoticePublished {
		id = fmt.Sprintf("%s/%s", r.ID, what)
	}
	r.Pending = append(r.Pending, quality.Notice{ID: id, Kind: r.kind(), Incident: r.ID, Update: update, Features: r.Features, What: what, At: now})
}

// Say adds an update to the timeline, of which its author knew the facts. The update's id and time are filled in;
// one that resolves ends the incident. Subscribers are told of it where customers can read it.
func (r *Record) Say(u quality.IncidentUpdate, facts wording.Facts, now time.Time) quality.IncidentUpdate {
	u.ID, u.At = fmt.Sprintf("%s_%d", r.ID, len(r.Updates)+1), now
	*r = r.clone()
	r.Status, r.UpdatedAt = u.Status, now
	r.Updates = append(r.Updates, u)
	if facts != (wording.Facts{}) {
		r.Said[u.ID] = facts
		r.Facts = r.Facts.Over(facts)
	}
	what := quality.NoticeUpdated
	switch {
	case u.Status == quality.IncidentResolved && r.ResolvedAt == nil:
		what = quality.NoticeResolved
		r.ResolvedAt, r.NextUpdate = &now, nil
		if !r.Public() {
			r.PublishAt = nil // what is over before customers heard of it needs no word of a rule
		}
	case u.Status != quality.IncidentResolved && u.Status != quality.IncidentPostmortem:
		r.ResolvedAt = nil
	}
	if r.Public() && !u.Internal {
		r.tell(what, u.ID, now)
	}
	return u
}

// MadeByRules counts the updates that were made of figures: those of people do not change it.
func (r *Record) MadeByRules() (n int) {
	for _, u := range r.Updates {
		if u.By == nil {
			n++
		}
	}
	return n
}

// Missing lists the facts that customers would not read, or do not.
func (r *Record) Missing() []string {
	var said []wording.Said
	for _, u := range r.Updates {
		if !u.Internal {
			said = append(said, wording.Said{Text: u.Body, Facts: r.Said[u.ID]})
		}
	}
	return wording.Missing(r.Kind, said)
}

// show makes the incident public and tells subscribers.
func (r *Record) show(d quality.Decision, now time.Time) {
	*r = r.clone()
	r.Visibility, r.Published, r.PublishAt, r.UpdatedAt = quality.VisibilityPublic, &d, nil, now
	newest := ""
	for _, u := range r.Updates {
		if !u.Internal {
			newest = u.ID
		}
	}
	r.tell(quality.NoticePublished, newest, now)
}
