package publish

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
)

const (
	investigating = quality.IncidentInvestigating
	identified    = quality.IncidentIdentified
	monitoring    = quality.IncidentMonitoring
	resolved      = quality.IncidentResolved
	postmortem    = quality.IncidentPostmortem
)

var (
	human   = quality.Actor{Kind: quality.ActorHuman, ID: "u", Name: "Jane"}
	machine = quality.Actor{Kind: quality.ActorMachine, ID: "k", Name: "bot"}
)

// TestEveryTransition walks every move of every actor, of incidents that are public and internal, in updates that
// are, with and without a reason, and compares with the rules written another way.
func TestEveryTransition(t *testing.T) {
	place := map[quality.IncidentStatus]int{investigating: 0, identified: 1, monitoring: 2, resolved: 3, postmortem: 4}
	n := 0
	for from := range place {
		for _, to := range []quality.IncidentStatus{investigating, identified, monitoring, resolved, postmortem, "", "closed"} {
			for _, by := range []quality.Actor{human, machine} {
				for flags := range 8 {
					n++
					s := step{from: from, to: to, by: by, public: flags&1 > 0, internal: flags&2 > 0}
					if flags&4 > 0 {
						s.reason = "we were wrong"
					}
					err := s.check()
					want := wanted(s, place)
					if got := quality.KindOf(err); (err == nil) != (want < 0) || err != nil && got != want {
						t.Errorf("%+v: got %v, want kind %d", s, err, want)
					}
				}
			}
		}
	}
	if n != 5*7*2*8 {
		t.Errorf("got %d moves", n)
	}
}

// wanted is the kind of refusal of a move, -1 where it is allowed.
func wanted(s step, place map[quality.IncidentStatus]int) quality.Kind {
	to, known := place[s.to]
	moves, back := s.from != s.to, to < place[s.from]
	switch {
	case !known || s.to == postmortem:
		return quality.KindInvalid
	case s.by.Kind == quality.ActorMachine && s.public && !s.internal,
		s.by.Kind == quality.ActorMachine && moves && (s.public || s.to == resolved || s.from == resolved || s.from == postmortem):
		return quality.KindForbidden
	case moves && s.public && s.internal, back && s.reason == "":
		return quality.KindInvalid
	}
	return -1
}

// TestWhatMachinesMayNot lets both kinds of actors do what only people may.
func TestWhatMachinesMayNot(t *testing.T) {
	now := time.Date(2026, 3, 3, 12, 0, 0, 0, time.UTC)
	over := func() *Record {
		return &Record{Incident: quality.Incident{ID: "inc_a", Visibility: quality.VisibilityPublic, ResolvedAt: &now, Status: resolved,
			Postmortem: &quality.Postmortem{Body: "x", Published: &quality.Decision{}},
			Updates:    []quality.IncidentUpdate{{ID: "inc_a_1", Body: "x"}}}}
	}
	inside := func() *Record {
		r := over()
		r.Visibility, r.Postmortem.Published = quality.VisibilityInternal, nil
		return r
	}
	for name, do := range map[string]func(by quality.Actor) error{
		"publish": func(by quality.Actor) error { return publishByPerson(inside(), by, true, "it is late", now) },
		"veto":    func(by quality.Actor) error { return veto(inside(), by, "not true", now) },
		"correct what is public": func(by quality.Actor) error {
			r := over().clone()
			return correct(&r, "inc_a_1", "y", r.Facts, by, now)
		},
		"change a published postmortem": func(by quality.Actor) error { return writePostmortem(over(), "y", by, now) },
		"create what is public":         func(by quality.Actor) error { return checkVisibility(quality.VisibilityPublic, by) },
		"publish a postmortem": func(by quality.Actor) error {
			r := inside()
			r.Visibility = quality.VisibilityPublic
			return publishPostmortem(r, by, "", now)
		},
	} {
		if err := do(human); err != nil {
			t.Errorf("%s by a person: %v", name, err)
		}
		if err := do(machine); quality.KindOf(err) != quality.KindForbidden || !strings.Contains(fmt.Sprint(err), "machine") {
			t.Errorf("%s by a machine: got %v", name, err)
		}
	}
}

func TestEveryMoveOfAMaintenance(t *testing.T) {
	for from, a := range works {
		for to, b := range works {
			err := checkWork(a, b)
			want := to >= from || a == quality.MaintenanceVerifying && b == quality.MaintenanceInProgress
			if (err == nil) != want {
				t.Errorf("%s to %s: got %v, want it allowed: %v (%d, %d)", a, b, err, want, from, to)
			}
		}
		if err := checkWork(a, "done"); quality.KindOf(err) != quality.KindInvalid && a != quality.MaintenanceCompleted {
			t.Errorf("%s to done: got %v", a, err)
		}
	}
}

func TestACorrectionKeepsTheFirstText(t *testing.T) {
	now := time.Date(2026, 3, 3, 12, 0, 0, 0, time.UTC)
	r := Record{Incident: quality.Incident{ID: "inc_a", Updates: []quality.IncidentUpdate{{ID: "inc_a_1", Body: "3 points"}}}}.clone()
	for _, body := range []string{"4 points", "5 points", "5 points"} {
		if err := correct(&r, "inc_a_1", body, r.Facts, human, now); err != nil {
			t.Fatal(err)
		}
	}
	if u := r.Updates[0]; u.Body != "5 points" || u.Before != "3 points" || u.EditedAt == nil {
		t.Errorf("got %+v", u)
	}
	if err := correct(&r, "inc_a_2", "x", r.Facts, human, now); quality.KindOf(err) != quality.KindNotFound {
		t.Errorf("got %v", err)
	}
}
