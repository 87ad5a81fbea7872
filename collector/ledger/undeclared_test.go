package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/asgood-dev/asgood/collector/ledger"
	"github.com/asgood-dev/asgood/internal/quality"
)

func sprint(v ...any) string { return strings.TrimSuffix(fmt.Sprintln(v...), "\n") }

// watch is a ledger with the people who are told.
type watch struct {
	*ledger.Ledger
	changes, state *memory
	now            time.Time
	told           []quality.Change
	failTell       error
}

func newWatch(t testing.TB) *watch {
	t.Helper()
	w := &watch{changes: newMemory(), state: newMemory(), now: begin}
	w.open(t)
	return w
}

// open makes the ledger anew, as a restart does.
func (w *watch) open(t testing.TB) {
	t.Helper()
	l, err := ledger.New(context.Background(), ledger.Options{
		Features: features, Spec: spec(), Changes: w.changes, State: w.state, Now: func() time.Time { return w.now },
		Tell: func(_ context.Context, c quality.Change) error {
			if w.failTell != nil {
				return w.failTell
			}
			w.told = append(w.told, c)
			return nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	w.Ledger = l
}

func (w *watch) send(n int, model, prompt string) {
	for range n {
		w.now = w.now.Add(time.Second)
		w.Observe(&quality.Sample{Feature: "chat", Time: w.now, Model: model, Prompt: prompt,
			Input: quality.Content{Messages: []quality.Message{{Role: "system", Content: "You are " + prompt}}}})
	}
}

func (w *watch) step(t testing.TB) {
	t.Helper()
	if err := ledger.Step(t.Context(), w.Ledger, w.now); err != nil {
		t.Fatal(err)
	}
}

func (w *watch) later(t testing.TB, d time.Duration) {
	t.Helper()
	w.now = w.now.Add(d)
	w.step(t)
}

func (w *watch) declare(t testing.TB, c quality.Change) {
	t.Helper()
	c.Title = "declared"
	if c.Owner == "" {
		c.Owner = "jane"
	}
	if r, err := w.Accept(t.Context(), []quality.Change{c}); err != nil || r.Accepted != 1 {
		t.Fatal(r, err)
	}
}

func (w *watch) unexplained() []quality.Change {
	yes := true
	return w.List(ledger.Query{Undeclared: &yes}).Changes
}

func TestUndeclaredChange(t *testing.T) {
	w := newWatch(t)
	w.send(300, "m1", "p@1")
	first := w.now.Add(time.Second)
	w.send(50, "m2", "p@1")
	w.step(t)
	got := w.unexplained()
	if len(got) != 1 {
		t.Fatalf("got %+v, want one", got)
	}
	c := got[0]
	if s := sprint(c.Layer, c.Features, c.Before, c.After, c.Owner, c.Source, c.Share, c.Samples, c.Flags); s != "model [chat] m1 m2 team-chat observed 1 50 []" {
		t.Errorf("got %s", s)
	}
	if !c.FirstSeen.Equal(first) || !c.At.Equal(first) || c.Validate() != nil {
		t.Errorf("got %+v, first seen should be %s", c, first)
	}
	if len(w.told) != 0 {
		t.Error("told before the time for declaring it is over")
	}
	w.later(t, 31*time.Minute)
	w.later(t, time.Hour)
	if len(w.told) != 1 || w.told[0].ID != c.ID || w.told[0].ToldAt.IsZero() {
		t.Errorf("told %+v, want once", w.told)
	}
}

func TestValuesSeenTogetherAreOneChange(t *testing.T) {
	w := newWatch(t)
	w.send(300, "m1", "p@1")
	w.send(50, "m1", "p@2")
	w.step(t)
	got := w.unexplained()
	if len(got) != 1 || got[0].Layer != quality.LayerPrompt || !strings.HasPrefix(got[0].After, "p@2; You are p@2 (fingerprint ") || !strings.HasPrefix(got[0].Before, "p@1; You are p@1 (") {
		t.Errorf("got %+v, want the name and the text in one", got)
	}
}

func TestValuesSeenApart(t *testing.T) {
	w := newWatch(t)
	w.send(300, "m1", "p@1")
	send := func(name, text string) {
		for range 10 {
			w.now = w.now.Add(time.Second)
			w.Observe(&quality.Sample{Feature: "chat", Time: w.now, Model: "m1", Prompt: name,
				Input: quality.Content{Messages: []quality.Message{{Role: "system", Content: text}}}})
		}
		w.step(t)
	}
	send("p@1", "You are p@2")
	w.now = w.now.Add(5 * time.Minute)
	send("p@2", "You are p@2")
	if got := w.unexplained(); len(got) != 1 || !slices.Equal(got[0].Facets, []string{"system prompt", "prompt"}) {
		t.Errorf("got %+v, want one change of both", got)
	}
	send("p@3", "You are p@2")
	if got := w.unexplained(); len(got) != 2 {
		t.Errorf("got %d, want the third name apart", len(got))
	}
	w.now = w.now.Add(11 * time.Minute)
	send("p@3", "You are p@4")
	if got := w.unexplained(); len(got) != 3 {
		t.Errorf("got %d, want what comes later apart", len(got))
	}
}

func TestExplained(t *testing.T) {
	for _, c := range []struct {
		name   string
		change quality.Change
		before bool // declared before it is seen
		want   bool // explained
	}{
		{"an hour before", quality.Change{Layer: quality.LayerModel, At: begin.Add(-time.Hour)}, true, true},
		{"of this feature", quality.Change{Layer: quality.LayerModel, Features: []string{"notes", "chat"}}, true, true},
		{"three hours before", quality.Change{Layer: quality.LayerModel, At: begin.Add(-3 * time.Hour)}, true, false},
		{"three hours before, and names it", quality.Change{Layer: quality.LayerModel, At: begin.Add(-3 * time.Hour), After: "M2"}, true, true},
		{"months before, and names it", quality.Change{Layer: quality.LayerModel, At: begin.Add(-90 * 24 * time.Hour), After: "m2"}, true, false},
		{"other layer", quality.Change{Layer: quality.LayerPrompt}, true, false},
		{"carries the layer", quality.Change{Layer: quality.LayerServing, Carries: []quality.Layer{quality.LayerModel}}, true, true},
		{"other feature", quality.Change{Layer: quality.LayerModel, Features: []string{"notes"}}, true, false},
		{"declared afterwards, for then", quality.Change{Layer: quality.LayerModel, At: begin.Add(10 * time.Minute)}, false, true},
		{"declared afterwards, for now", quality.Change{Layer: quality.LayerModel}, false, false},
		{"declared afterwards, and names it", quality.Change{Layer: quality.LayerModel, After: "the model m2"}, false, true},
		{"names another", quality.Change{Layer: quality.LayerModel, After: "m2-mini"}, false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWatch(t)
			if c.before {
				w.declare(t, c.change)
			}
			w.send(300, "m1", "p")
			w.send(20, "m2", "p")
			w.step(t)
			w.later(t, 2*time.Hour)
			if !c.before {
				if len(w.told) != 1 {
					t.Fatalf("told %+v", w.told)
				}
				w.declare(t, c.change)
			}
			w.step(t)
			if got := len(w.unexplained()) == 0; got != c.want {
				t.Errorf("got explained %t, want %t", got, c.want)
			}
			if c.before && len(w.told) > 0 == c.want {
				t.Errorf("told %+v", w.told)
			}
			for _, x := range w.List(ledger.Query{}).Changes {
				if !c.before && x.Undeclared && (x.ExplainedBy != "") != c.want {
					t.Errorf("got %+v", x)
				}
			}
		})
	}
}

func TestShareIsFollowed(t *testing.T) {
	w := newWatch(t)
	w.send(300, "m1", "p")
	for range 100 {
		w.send(9, "m1", "p")
		w.send(1, "m2", "p")
	}
	w.step(t)
	if c := w.unexplained()[0]; c.Share < 0.09 || c.Share > 0.12 {
		t.Errorf("got a share of %v, want a tenth", c.Share)
	}
	w.send(1000, "m2", "p")
	w.step(t)
	c := w.unexplained()[0]
	if c.Share < 0.5 || c.Samples != 1100 {
		t.Errorf("got %+v", c)
	}
	w.now = w.now.Add(25 * time.Hour)
	w.send(5000, "m1", "p")
	w.step(t)
	if now := w.unexplained()[0]; now.Share != c.Share {
		t.Errorf("got %v, want the %v it had reached", now.Share, c.Share)
	}
}

func TestUnowned(t *testing.T) {
	w := newWatch(t)
	if _, err := w.Accept(t.Context(), []quality.Change{{Layer: quality.LayerPrompt, Title: "x"}, {Layer: quality.LayerPrompt, Title: "y", At: begin.Add(-60 * 24 * time.Hour)},
		{Layer: quality.LayerPrompt, Title: "z", Owner: "jane"}}); err != nil {
		t.Fatal(err)
	}
	w.failTell = errors.New("the bus is away")
	if err := ledger.Step(t.Context(), w.Ledger, w.now); err == nil {
		t.Error("got no error")
	}
	w.failTell = nil
	w.step(t)
	w.step(t)
	w.open(t)
	w.step(t)
	if len(w.told) != 1 || w.told[0].Title != "x" || !slices.Equal(w.told[0].Flags, []string{quality.FlagNoOwner}) {
		t.Errorf("told %+v, want the new one once", w.told)
	}
}

func TestAFloodIsToldInPortions(t *testing.T) {
	w := newWatch(t)
	var many []quality.Change
	for i := range 120 {
		many = append(many, quality.Change{ID: fmt.Sprint("c", i), Layer: quality.LayerPrompt, Title: "x"})
	}
	if _, err := w.Accept(t.Context(), many); err != nil {
		t.Fatal(err)
	}
	for _, want := range []int{50, 100, 120} {
		w.step(t)
		w.step(t)
		if len(w.told) != want {
			t.Errorf("told %d, want %d", len(w.told), want)
		}
		w.now = w.now.Add(25 * time.Hour)
	}
}

func TestRestartFlagsNothing(t *testing.T) {
	w := newWatch(t)
	w.send(300, "m1", "p")
	w.send(50, "m2", "p")
	w.step(t)
	before := fmt.Sprint(w.List(ledger.Query{}).Changes)
	for range 3 {
		w.open(t)
		w.send(50, "m2", "p")
		w.send(50, "m1", "p")
		w.step(t)
	}
	after := w.List(ledger.Query{}).Changes
	if len(after) != 1 {
		t.Errorf("got %v, want %s", after, before)
	}
}

// TestCrashes lets any write fail, and restarts now and then. In the end every new value is in the ledger once
// and was told of.
func TestCrashes(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := newWatch(t)
		w.send(300, "m0", "p0")
		w.step(t)
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "seed"), 1))
		often := rapid.Float64Range(0, 0.9).Draw(rt, "often")
		w.changes.fail = func(string, string) error {
			if random.Float64() < often {
				return errors.New("crash")
			}
			return nil
		}
		w.state.fail = w.changes.fail
		n := rapid.IntRange(1, 4).Draw(rt, "values")
		send := func(i int) { w.send(10, fmt.Sprint("m", i+1), fmt.Sprint("p", i+1)) }
		for i := range n {
			w.now = w.now.Add(40 * time.Minute)
			send(i)
			for range 5 {
				_ = ledger.Step(t.Context(), w.Ledger, w.now) // fails or not
				if random.Float64() < 0.3 {
					w.open(t)
					send(i) // traffic goes on
				}
			}
		}
		w.changes.fail, w.state.fail = nil, nil
		for i := range n { // what could not be stored and was lost in a crash is seen again in the traffic
			send(i)
		}
		w.step(t)
		w.later(t, 40*time.Minute)
		told := map[string]bool{}
		for _, c := range w.told {
			told[c.ID] = true
		}
		all, values := w.unexplained(), map[string]int{}
		for _, c := range all {
			if !told[c.ID] {
				rt.Fatalf("nobody was told of %+v", c)
			}
			for part := range strings.SplitSeq(c.After, "; ") {
				values[part]++
			}
		}
		if len(all) != 2*n || len(values) != 3*n { // a model, and a prompt with name and text
			rt.Fatalf("got %d entries of %v, want %d of %d values", len(all), values, 2*n, 3*n)
		}
		for v, times := range values {
			if times != 1 {
				rt.Fatalf("%s stands %d times", v, times)
			}
		}
	})
}

// TestRun is the loop: it wakes for a finding, tells when the time is over, and saves at the end.
func TestRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		changes, state := newMemory(), newMemory()
		told := make(chan quality.Change, 10)
		l, err := ledger.New(t.Context(), ledger.Options{Features: features, Spec: spec(), Changes: changes, State: state,
			Tell: func(_ context.Context, c quality.Change) error { told <- c; return nil }})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- l.Run(ctx) }()
		send := func(n int, model string) {
			for range n {
				l.Observe(&quality.Sample{Feature: "chat", Time: time.Now(), Model: model})
			}
		}
		send(300, "m1")
		send(5, "m2")
		synctest.Wait()
		if got := len(changes.all(t)); got != 1 {
			t.Errorf("got %d entries at once, want 1", got)
		}
		seen := time.Now()
		if c := <-told; c.After != "m2" || time.Since(seen) < 30*time.Minute || time.Since(seen) > 32*time.Minute {
			t.Errorf("told of %q after %s", c.After, time.Since(seen))
		}
		send(7, "m3")
		synctest.Wait()
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if keys, _ := state.Keys(t.Context()); len(keys) == 0 {
			t.Error("nothing was saved")
		}
		if got := len(changes.all(t)); got != 2 {
			t.Errorf("got %d entries, want 2", got)
		}
	})
}

func BenchmarkObserve(b *testing.B) {
	w := newWatch(b)
	s := &quality.Sample{Feature: "chat", Time: begin, Model: "m1", Prompt: "p", Params: map[string]any{"temperature": 0.2}}
	b.ReportAllocs()
	for b.Loop() {
		w.Observe(s)
	}
}
