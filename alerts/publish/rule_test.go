package publish_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asgood-dev/asgood/alerts/publish"
	"github.com/asgood-dev/asgood/internal/quality"
	"github.com/asgood-dev/asgood/internal/wording"
)

func after(d time.Duration) publish.Rules {
	return publish.Rules{{After: quality.PublishAfter{Wait: d}}}
}

func TestRules(t *testing.T) {
	rules := publish.Rules{
		{After: quality.PublishAfter{Never: true}, Kinds: []quality.IncidentKind{quality.IncidentQuality}, Severities: []quality.Severity{quality.SeverityMinor}},
		{After: quality.PublishAfter{Wait: time.Hour}, Kinds: []quality.IncidentKind{quality.IncidentQuality}},
	}
	for _, c := range []struct {
		name     string
		kind     quality.IncidentKind
		severity quality.Severity
		want     time.Duration // 0: never
	}{
		{"left to people", quality.IncidentQuality, quality.SeverityMinor, 0},
		{"by the second", quality.IncidentQuality, quality.SeverityMajor, time.Hour},
		{"for none", quality.IncidentAvailability, quality.SeverityCritical, 0},
	} {
		r := publish.Record{Incident: quality.Incident{Kind: c.kind, Severity: c.severity}}
		rules.Begin(&r, noon)
		if r.Public() || (r.PublishAt == nil) != (c.want == 0) || r.PublishAt != nil && r.PublishAt.Sub(noon) != c.want {
			t.Errorf("%s: got %+v", c.name, r.PublishAt)
		}
		r.Severity = quality.SeverityCritical
		rules.Again(&r, noon.Add(time.Minute))
		if c.name == "left to people" && (r.PublishAt == nil || r.PublishAt.Sub(noon) != time.Hour+time.Minute) {
			t.Errorf("%s: when it grows, got %v", c.name, r.PublishAt)
		}
	}
}

// A rule publishes when its time has come, once, also when the process was away, and subscribers hear of it once.
func TestTheRulePublishesOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.rules, w.now = after(10*time.Minute), time.Now
		d := w.desk()
		w.put(d, measured(t, w.rules, "inc_a", time.Now()))
		w.run(d, 9*time.Minute)
		if r := w.stored("inc_a"); r.Public() || len(w.told()) != 0 {
			t.Fatalf("published too early: %+v", r)
		}
		w.run(w.desk(), 2*time.Minute) // another process
		w.run(w.desk(), time.Hour)
		r := w.stored("inc_a")
		if !r.Public() || r.Published == nil || r.Published.By.Credential != "rule" || r.PublishAt != nil || len(r.Pending) != 0 {
			t.Errorf("got %+v", r)
		}
		if got := w.told(); !slices.Equal(got, []string{"inc_a/published"}) || len(w.notices) != 1 {
			t.Errorf("told %q", got)
		}
		if len(w.audited) != 1 || w.audited[0].Action != "incident.published" || w.audited[0].Actor.ID != "rule" {
			t.Errorf("audited %+v", w.audited)
		}
	})
}

func TestWhatTheRuleLeaves(t *testing.T) {
	for name, change := range map[string]func(r *publish.Record){
		"resolved before": func(r *publish.Record) {
			r.Say(quality.IncidentUpdate{Status: quality.IncidentResolved, Body: "over"}, wording.Facts{}, noon)
		},
		"vetoed":     func(r *publish.Record) { r.Vetoed, r.PublishAt = &quality.Decision{}, nil },
		"incomplete": func(r *publish.Record) { r.Updates[0].Body = "Something is wrong." },
	} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			w.rules, w.now = after(10*time.Minute), time.Now
			r := measured(t, w.rules, "inc_a", time.Now())
			change(&r)
			d := w.desk()
			w.put(d, r)
			w.run(d, time.Hour)
			if r := w.stored("inc_a"); r.Public() || r.PublishAt != nil || len(w.notices) != 0 {
				t.Errorf("%s: got %+v", name, r)
			}
		})
	}
}

// While nobody takes notices they wait; while nobody writes down what is done it is not done.
func TestWhatFailsIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.rules, w.now = after(0), time.Now
		d := w.desk()
		w.fail = errors.New("away")
		w.put(d, measured(t, w.rules, "inc_a", time.Now()))
		later := measured(t, after(time.Minute), "inc_b", time.Now())
		w.put(d, later)
		w.auditErr = errors.New("away")
		w.run(d, 10*time.Minute)
		if a, b := w.stored("inc_a"), w.stored("inc_b"); !a.Public() || b.Public() || len(w.notices) != 0 {
			t.Fatalf("got %+v, %+v", a, b)
		}
		w.fail, w.auditErr = nil, nil
		w.run(w.desk(), time.Minute)
		got := w.told()
		slices.Sort(got)
		if !slices.Equal(got, []string{"inc_a/published", "inc_b/published"}) {
			t.Errorf("told %q", got)
		}
	})
}

func TestTheOwnerIsRemindedOncePerPromise(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.now = time.Now
		d := w.desk()
		r := measured(t, nil, "inc_a", time.Now())
		at := time.Now().Add(time.Hour)
		r.NextUpdate = &at
		w.put(d, r)
		w.run(d, 50*time.Minute)
		if len(w.overdue) != 0 {
			t.Errorf("reminded too early: %q", w.overdue)
		}
		w.run(w.desk(), 20*time.Minute)
		w.run(w.desk(), time.Hour)
		again := time.Now().Add(time.Hour)
		if _, err := d.Edit(t.Context(), "inc_a", func(old *publish.Record) (*publish.Record, error) {
			old.NextUpdate = &again
			return old, nil
		}); err != nil {
			t.Fatal(err)
		}
		w.run(w.desk(), 2*time.Hour)
		if len(w.overdue) != 2 {
			t.Errorf("got %q, want one of each promise", w.overdue)
		}
	})
}

// TestNothingIsLost lets people and events change one incident at the same time, in every order of their reads and
// writes: of each the work is there.
func TestNothingIsLost(t *testing.T) {
	w := newWorld(t)
	d := w.desk()
	s := w.server(d)
	w.put(d, measured(t, nil, "inc_a", noon))
	// Before each write somebody else writes first, up to five times.
	depth := 0
	w.incidents.before = func(op, key string) {
		if depth >= 5 {
			return
		}
		depth++
		if depth%2 == 0 {
			call(t, s, "POST", "/v1/incidents/inc_a/updates", `{"body":"by a person"}`)
			return
		}
		_, err := d.Edit(context.Background(), "inc_a", func(old *publish.Record) (*publish.Record, error) {
			r := *old
			g := *r.Regression
			g.Share += 0.125
			r.Regression = &g
			return &r, nil
		})
		if err != nil {
			t.Error(err)
		}
	}
	if status, body := call(t, s, "PATCH", "/v1/incidents/inc_a", `{"owner":"jane"}`); status != 200 {
		t.Fatalf("got %d %s", status, body)
	}
	w.incidents.before = nil
	r := w.stored("inc_a")
	people := 0
	for _, u := range r.Updates {
		if u.By != nil && u.Body == "by a person" {
			people++
		}
	}
	if r.Owner != "jane" || people != 2 || r.Regression.Share != 3*0.125 {
		t.Errorf("got owner %q, %d updates of people, share %v", r.Owner, people, r.Regression.Share)
	}
	seen := map[string]bool{}
	for _, u := range r.Updates {
		if seen[u.ID] {
			t.Errorf("two updates have the id %s", u.ID)
		}
		seen[u.ID] = true
	}
}

// TestAVetoHolds gives a veto between what the rule read and what it writes.
func TestAVetoHolds(t *testing.T) {
	w := newWorld(t)
	w.rules = after(time.Minute)
	d := w.desk()
	s := w.server(d)
	w.put(d, measured(t, w.rules, "inc_a", noon))
	w.now = func() time.Time { return noon.Add(time.Hour) }
	d = w.desk()
	done := false
	w.incidents.before = func(string, string) {
		if !done {
			done = true
			if status, body := call(t, s, "POST", "/v1/incidents/inc_a/veto", `{"reason":"a test of ours"}`); status != 200 {
				t.Errorf("got %d %s", status, body)
			}
		}
	}
	synctestless(t, d)
	if r := w.stored("inc_a"); r.Public() || r.Vetoed == nil || !strings.Contains(r.Vetoed.Reason, "a test") {
		t.Errorf("got %+v", r.Incident)
	}
}

// synctestless runs the desk until it has looked at what is due.
func synctestless(t *testing.T, d *publish.Desk) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	if err := d.Run(ctx); err != nil {
		t.Error(err)
	}
}
