package publish_test

import (
	"fmt"
	"testing"

	"github.com/asgood-dev/asgood/internal/quality"
	"github.com/asgood-dev/asgood/internal/wording"
)

// TestEveryMoveOverTheREST walks every move of every kind of actor over the real engine, of incidents that are public
// and not, in updates that are internal and not, with a reason and without: what is refused changes nothing, and what
// is done stands in the log of actions.
func TestEveryMoveOverTheREST(t *testing.T) {
	w := newWorld(t)
	d := w.desk()
	e := engine(d)
	order := []quality.IncidentStatus{"investigating", "identified", "monitoring", "resolved", "postmortem"}
	n := 0
	for from := range order {
		for to := range order {
			for flags := range 16 {
				n++
				public, internal, reason, machine := flags&1 > 0, flags&2 > 0, flags&4 > 0, flags&8 > 0
				r := measured(t, nil, fmt.Sprintf("inc_%d", n), noon)
				if order[from] != "investigating" {
					r.Say(quality.IncidentUpdate{Status: order[from], Body: "before"}, wording.Facts{}, noon)
				}
				if public {
					r.Visibility, r.Published = quality.VisibilityPublic, &quality.Decision{By: jane, At: noon}
				}
				w.put(d, r)
				w.actor = jane
				if machine {
					w.actor = robot
				}
				body := fmt.Sprintf(`{"status":%q,"body":"now","internal":%v`, order[to], internal)
				if reason {
					body += `,"reason":"we were wrong"`
				}
				logged := len(w.audited)
				code, got := ask(t, e, "POST", "/v1/incidents/"+r.ID+"/updates", body+"}")
				if want := codeOfMove(order, from, to, public, internal, reason, machine); code != want {
					t.Errorf("%s to %s, public %v, internal %v, reason %v, machine %v: got %d %s, want %d", order[from], order[to], public, internal, reason, machine, code, got, want)
				}
				after := w.stored(r.ID)
				done := len(after.Updates) == len(r.Updates)+1
				if done != (code == 200) || (len(w.audited) > logged) != done || !done && after.Status != r.Status {
					t.Errorf("%s to %s with %d: %d updates, %s, %d in the log", order[from], order[to], code, len(after.Updates), after.Status, len(w.audited)-logged)
				}
			}
		}
	}
}

// codeOfMove is the answer to a move as the rules have it in words.
func codeOfMove(order []quality.IncidentStatus, from, to int, public, internal, reason, machine bool) int {
	const over, postmortem = 3, 4
	moves, back := from != to, to < from
	if from == postmortem && to == postmortem { // a word after the postmortem
		from, to, moves, back = over, over, false, false
	}
	switch {
	case to == postmortem: // comes with its publication
		return 400
	case machine && public && !internal, machine && moves && (public || to == over || from >= over):
		return 403
	case public && internal && moves, back && !reason:
		return 400
	}
	return 200
}
