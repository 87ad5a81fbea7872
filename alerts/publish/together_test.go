package publish_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/asgood-dev/asgood/alerts/publish"
	"github.com/asgood-dev/asgood/internal/quality"
	"github.com/asgood-dev/asgood/internal/wording"
)

// deed is what somebody does to the incident; what it says is its own.
type deed struct {
	who  string // person, machine or figures
	what string
}

var deeds = []deed{
	{"person", "say"}, {"person", "resolve"}, {"person", "reopen"}, {"person", "publish"}, {"person", "veto"}, {"person", "own"}, {"person", "correct"},
	{"machine", "say"}, {"machine", "publish"}, {"machine", "resolve"}, {"figures", "grow"}, {"figures", "over"},
}

// crowded is a world in which many act at once.
type crowded struct {
	*world
	desk   *publish.Desk
	mu     sync.Mutex
	posted []string // texts that were accepted, by whoever wrote them
	forbid []string // what a machine was let do
}

type actorKey struct{}

// do does a deed, and notes what was accepted. n makes its words its own.
func (c *crowded) do(ctx context.Context, t *rapid.T, d deed, n int) {
	text := fmt.Sprintf("%s %s %d", d.who, d.what, n)
	if d.who == "figures" {
		c.figures(ctx, t, d, text)
		return
	}
	by := map[string]quality.Actor{"person": jane, "machine": robot}[d.who]
	method, path, body := "POST", "/updates", ""
	switch d.what {
	case "say":
		body = fmt.Sprintf(`{"body":%q,"internal":%v}`, text, d.who == "machine" || n%2 == 0)
	case "resolve":
		body = fmt.Sprintf(`{"body":%q,"status":"resolved"}`, text)
	case "reopen":
		body = fmt.Sprintf(`{"body":%q,"status":"investigating","reason":"it is back"}`, text)
	case "publish":
		path, body = "/publish", `{"override":true,"reason":"late"}`
	case "veto":
		path, body = "/veto", `{"reason":"a test"}`
	case "own":
		method, path, body = "PATCH", "", fmt.Sprintf(`{"owner":%q}`, text)
	case "correct":
		method, path, body = "PATCH", "/updates/inc_a_1", fmt.Sprintf(`{"body":%q}`, text)
	}
	req := httptest.NewRequestWithContext(context.WithValue(ctx, actorKey{}, by), method, "/v1/incidents/inc_a"+path, strings.NewReader(body))
	req.Header.Set("Content-Type", "application/json")
	rec := httptest.NewRecorder()
	engine(c.desk).ServeHTTP(rec, req)
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case rec.Code >= 500:
		t.Errorf("%s: got %d %s", text, rec.Code, rec.Body)
	case rec.Code == 200 && path == "/updates":
		c.posted = append(c.posted, text)
	}
	if rec.Code == 200 && d.who == "machine" && d.what == "publish" {
		c.forbid = append(c.forbid, text)
	}
}

// figures changes the incident as an event of its regression does.
func (c *crowded) figures(ctx context.Context, t *rapid.T, d deed, text string) {
	said := false
	_, err := c.desk.Edit(ctx, "inc_a", func(old *publish.Record) (*publish.Record, error) {
		said = old != nil && old.Open()
		if !said {
			return nil, nil
		}
		r, status := *old, old.Status
		if d.what == "over" {
			status = quality.IncidentResolved
		}
		r.Say(quality.IncidentUpdate{Status: status, Body: text}, wording.Facts{}, noon)
		c.rules.Again(&r, noon)
		return &r, nil
	})
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil {
		t.Errorf("%s: %v", text, err)
	}
	if said {
		c.posted = append(c.posted, text)
	}
}

// Whatever people, machines, rules and figures do at the same time: of each the work is there once, machines did what
// they may, and subscribers hear of each public word once.
func TestTogether(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		c := &crowded{world: newWorld(t)}
		c.rules = after(time.Duration(rapid.IntRange(0, 1).Draw(rt, "wait")) * time.Nanosecond)
		c.desk = c.deskOf(func(ctx context.Context) quality.Actor {
			if a, ok := ctx.Value(actorKey{}).(quality.Actor); ok {
				return a
			}
			return robot
		})
		c.incidents.before = func(string, string) {
			for range rand.IntN(4) { // others come between what was read and what is written
				runtime.Gosched()
			}
		}
		c.put(c.desk, measured(t, nil, "inc_a", noon.Add(-time.Hour)))
		ctx, cancel := context.WithCancel(t.Context())
		var desk, people sync.WaitGroup
		desk.Go(func() {
			if err := c.desk.Run(ctx); err != nil {
				rt.Error(err)
			}
		})
		for n, d := range rapid.SliceOfN(rapid.SampledFrom(deeds), 2, 12).Draw(rt, "deeds") {
			people.Go(func() { c.do(ctx, rt, d, n) })
		}
		people.Wait()
		c.settle(rt)
		cancel()
		desk.Wait()
		c.check(rt)
	})
}

// settle waits until the desk has given every notice.
func (c *crowded) settle(t *rapid.T) {
	deadline := time.Now().Add(20 * time.Second)
	for len(c.stored("inc_a").Pending) > 0 {
		if time.Now().After(deadline) {
			t.Fatal("notices are not given")
		}
		runtime.Gosched()
	}
}

func (c *crowded) check(t *rapid.T) {
	r := c.stored("inc_a")
	if len(c.forbid) > 0 {
		t.Errorf("machines did %q", c.forbid)
	}
	ids, bodies := map[string]bool{}, map[string]int{}
	for n, u := range r.Updates {
		if want := fmt.Sprintf("inc_a_%d", n+1); u.ID != want || ids[u.ID] {
			t.Errorf("update %d has the id %s", n, u.ID)
		}
		if u.By != nil && !u.By.Human() && n > 0 && u.Status != r.Updates[n-1].Status {
			t.Errorf("a machine moved it from %s to %s", r.Updates[n-1].Status, u.Status)
		}
		ids[u.ID] = true
		bodies[u.Body]++
	}
	for _, text := range c.posted {
		if bodies[text] != 1 {
			t.Errorf("%q stands %d times in %d updates", text, bodies[text], len(r.Updates))
		}
	}
	if n := len(r.Updates); n != len(c.posted)+1 {
		t.Errorf("%d updates, %d were accepted", n, len(c.posted))
	}
	if r.Public() != (r.Published != nil) || r.Public() && r.PublishAt != nil || r.Vetoed != nil && r.Public() && !r.Published.By.Human() && r.Published.At.After(r.Vetoed.At) {
		t.Errorf("public %v, published %+v, to be published %v, vetoed %+v", r.Public(), r.Published, r.PublishAt, r.Vetoed)
	}
	if r.Open() != (r.ResolvedAt == nil) || (r.Status == quality.IncidentResolved) != (r.ResolvedAt != nil) {
		t.Errorf("%s, resolved at %v", r.Status, r.ResolvedAt)
	}
	c.checkNotices(t, r)
}

// checkNotices wants the publication told exactly when it came, and no word that is not public.
func (c *crowded) checkNotices(t *rapid.T, r publish.Record) {
	internal := map[string]bool{}
	for _, u := range r.Updates {
		internal[u.ID] = u.Internal
	}
	told := c.told()
	if slices.Contains(told, "inc_a/published") != r.Public() {
		t.Errorf("public %v, told %q", r.Public(), told)
	}
	for _, n := range c.notices {
		if n.What != quality.NoticePublished && internal[n.Update] {
			t.Errorf("an internal update is told: %+v", n)
		}
	}
}
