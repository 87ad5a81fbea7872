package tracker_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/asgood-dev/asgood/collector/ledger/tracker"
	"github.com/asgood-dev/asgood/internal/quality"
)

var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// traffic sends samples of one feature, a second apart.
type traffic struct {
	*tracker.Tracker
	now time.Time
}

func newTraffic() *traffic {
	return &traffic{Tracker: tracker.New([]quality.Feature{{Name: "chat"}, {Name: "notes"}}), now: start}
}

func usual() quality.Sample {
	return quality.Sample{
		Feature: "chat", Model: "m1", Prompt: "support@v1",
		Input:      quality.Content{Messages: []quality.Message{{Role: "system", Content: "You are kind. Today is Sunday, 1 March 2026."}, {Role: "user", Content: "Hello"}}},
		Params:     map[string]any{"temperature": 0.2, "seed": 1.0, "tool_definitions": []any{map[string]any{"name": "refund"}, map[string]any{"function": map[string]any{"name": "find"}}}},
		Attributes: map[string]string{"index": "docs-1"},
	}
}

func (tr *traffic) send(n int, change func(i int, s *quality.Sample)) {
	for i := range n {
		s := usual()
		tr.now = tr.now.Add(time.Second)
		s.Time = tr.now
		if change != nil {
			change(i, &s)
		}
		tr.Observe(&s, tr.now)
	}
}

// found tells the findings in one line each, and settles them.
func (tr *traffic) found() []string {
	out := []string{}
	for _, x := range tr.Findings() {
		out = append(out, fmt.Sprintf("%s %s: %s -> %s", x.Layer, x.Facet, x.Before, x.After))
		tr.Settle(x, "change-of-"+x.Facet)
	}
	return out
}

func TestFindings(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(i int, s *quality.Sample)
		n      int
		want   []string
	}{
		{"nothing new", nil, 1000, nil},
		{"model", func(_ int, s *quality.Sample) { s.Model = "m2" }, 5, []string{"model model: m1 -> m2"}},
		{"four times is an odd request", func(_ int, s *quality.Sample) { s.Model = "m2" }, 4, nil},
		{"no model is no change", func(_ int, s *quality.Sample) { s.Model = "" }, 100, nil},
		{"index", func(_ int, s *quality.Sample) { s.Attributes = map[string]string{"index": "docs-2"} }, 5, []string{"retrieval index: docs-1 -> docs-2"}},
		{"parameter", func(_ int, s *quality.Sample) { s.Params["temperature"] = 0.9 }, 5, []string{"serving temperature: temperature 0.2 -> temperature 0.9"}},
		{"parameter left out", func(_ int, s *quality.Sample) { delete(s.Params, "temperature") }, 5, []string{"serving temperature: temperature 0.2 -> temperature not set"}},
		{"parameter left out by an error", func(_ int, s *quality.Sample) { delete(s.Params, "temperature"); s.Error = "x" }, 50, nil},
		{"no parameters told", func(_ int, s *quality.Sample) { s.Params = nil }, 50, nil},
		{"new parameter", func(_ int, s *quality.Sample) { s.Params["top_p"] = 0.5 }, 5, []string{"serving top_p: top_p not set -> top_p 0.5"}},
		{"retrieval parameter", func(_ int, s *quality.Sample) { s.Params["retrieval.k"] = 9.0 }, 5, []string{"retrieval retrieval.k: retrieval.k not set -> retrieval.k 9"}},
		{"seed", func(i int, s *quality.Sample) { s.Params["seed"] = float64(i) }, 500, nil},
		{"parameter that differs from request to request", func(i int, s *quality.Sample) { s.Params["max_tokens"] = float64(i) }, 500, nil},
		{"order of tools", func(_ int, s *quality.Sample) {
			l := s.Params["tool_definitions"].([]any)
			s.Params["tool_definitions"] = []any{l[1], l[0]}
		}, 50, nil},
		{"canary", func(_ int, s *quality.Sample) { s.Model, s.Source = "m2", quality.SourceCanary }, 50, nil},
		{"unknown feature", func(_ int, s *quality.Sample) { s.Feature, s.Model = "else", "m2" }, 50, nil},
		{"late", func(_ int, s *quality.Sample) { s.Model, s.Time = "m2", s.Time.Add(-48*time.Hour) }, 50, nil},
		{"date in the prompt", func(i int, s *quality.Sample) {
			s.Input.Messages[0].Content = fmt.Sprintf("You are kind. Today is Monday, %d April 2026.", i%28+1)
		}, 200, nil},
		{"prompt by name", func(_ int, s *quality.Sample) { s.Prompt = "support@v2" }, 5, []string{"prompt prompt: support@v1 -> support@v2"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			tr := newTraffic()
			tr.send(300, nil)
			tr.send(c.n, c.change)
			if got := tr.found(); strings.Join(got, "\n") != strings.Join(c.want, "\n") {
				t.Errorf("got %q, want %q", got, c.want)
			}
			tr.send(300, c.change)
			if len(c.want) > 0 && len(tr.found()) > 0 {
				t.Error("found again")
			}
		})
	}
}

func TestTextsOfPromptAndTools(t *testing.T) {
	tr := newTraffic()
	tr.send(300, nil)
	tr.send(5, func(_ int, s *quality.Sample) {
		s.Input.Messages[0].Content = "You are\n brief. " + strings.Repeat("x", 100)
		s.Params["tool_definitions"] = []any{map[string]any{"name": "refund"}}
	})
	got := strings.Join(tr.found(), "\n")
	for _, want := range []string{
		"prompt system prompt: You are kind. Today is Sunday, 1 March 2026. (fingerprint ", "-> You are brief. xxx", "x… (fingerprint ",
		"tools tools: tools find, refund (fingerprint ", "-> tools refund (fingerprint ",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not in %q", want, got)
		}
	}
}

func TestRareValueIsNoChange(t *testing.T) {
	tr := newTraffic()
	tr.send(300, nil)
	for range 20 { // 1 in 2,000 is 0.05 %
		tr.send(1999, nil)
		tr.send(1, func(_ int, s *quality.Sample) { s.Model = "odd" })
	}
	if got := tr.found(); len(got) > 0 {
		t.Errorf("got %q, want nothing at 0.05 %% of the traffic", got)
	}
	tr.send(4999, func(i int, s *quality.Sample) {
		if i%900 == 0 {
			s.Model = "slow"
		}
	})
	if got := tr.found(); len(got) != 1 {
		t.Errorf("got %q, want the value with 0.11 %%", got)
	}
}

func TestShareAndFirstSeen(t *testing.T) {
	tr := newTraffic()
	tr.send(300, nil)
	begin := tr.now.Add(time.Second)
	tr.send(400, func(i int, s *quality.Sample) {
		if s.Weight = 1; i%4 == 0 {
			s.Model = "m2"
		}
	})
	x := tr.Findings()
	if len(x) != 1 || !x[0].FirstSeen.Equal(begin) || x[0].Share < 0.24 || x[0].Share > 0.27 || x[0].Samples != 100 {
		t.Fatalf("got %+v, want a quarter of 400 from %s on", x, begin)
	}
	tr.Settle(x[0], "c1")
	tr.send(400, func(i int, s *quality.Sample) {
		s.Weight = 1
		if i%2 == 0 {
			s.Model, s.Weight = "m2", 3
		}
	})
	p := tr.Progress()
	if len(p) != 1 || p[0].Change != "c1" || p[0].Samples != 300 || p[0].Share < 0.57 || p[0].Share > 0.60 { // (100 + 600) of 1,200
		t.Errorf("got %+v", p)
	}
}

func TestReturn(t *testing.T) {
	for _, c := range []struct {
		name string
		away time.Duration
		want int
	}{{"within 30 days", 29 * 24 * time.Hour, 0}, {"after 31 days", 31 * 24 * time.Hour, 1}} {
		t.Run(c.name, func(t *testing.T) {
			tr := newTraffic()
			tr.send(300, nil)
			second := func(_ int, s *quality.Sample) { s.Model = "m2" }
			tr.send(10, second)
			if got := tr.found(); len(got) != 1 {
				t.Fatalf("got %q", got)
			}
			for end := tr.now.Add(c.away); tr.now.Before(end); {
				tr.now = tr.now.Add(6 * time.Hour)
				tr.send(1, second)
			}
			tr.send(10, nil)
			if got := tr.found(); len(got) != c.want {
				t.Errorf("got %q, want %d findings", got, c.want)
			}
		})
	}
}

func TestPauseOfAllTrafficIsNoTime(t *testing.T) {
	tr := newTraffic()
	tr.send(300, func(i int, s *quality.Sample) { s.Model = fmt.Sprint("m", i%2) })
	tr.now = tr.now.Add(90 * 24 * time.Hour)
	tr.send(100, func(i int, s *quality.Sample) { s.Model = fmt.Sprint("m", i%2) })
	if got := tr.found(); len(got) > 0 {
		t.Errorf("got %q after a summer without traffic", got)
	}
}

func TestTooManyNewValuesVary(t *testing.T) {
	tr := newTraffic()
	tr.send(300, nil)
	tr.send(500, func(i int, s *quality.Sample) { s.Model = fmt.Sprint("m", i/10) })
	if n := len(tr.found()); n > 8 {
		t.Errorf("got %d findings in some minutes", n)
	}
	if got := tr.Varying()["chat"]; len(got) != 1 || got[0] != "model" {
		t.Errorf("got %q, want the model given up", got)
	}
}

func TestTemplateWithNamesVaries(t *testing.T) {
	tr := newTraffic()
	tr.send(300, func(i int, s *quality.Sample) {
		s.Input.Messages[0].Content = fmt.Sprintf("You help %s.", strings.Repeat("x", i%20))
	})
	tr.send(50, func(_ int, s *quality.Sample) { s.Input.Messages[0].Content = "You help a new customer." })
	if got := tr.found(); len(got) > 0 {
		t.Errorf("got %q, want names of customers passed over", got)
	}
	if got := tr.Varying()["chat"]; len(got) != 1 || got[0] != "system prompt" {
		t.Errorf("got %q", got)
	}
	for range 40 { // learnt afresh after a month
		tr.now = tr.now.Add(20 * time.Hour)
		tr.send(10, nil)
	}
	tr.send(300, nil)
	tr.send(5, func(_ int, s *quality.Sample) { s.Input.Messages[0].Content = "You are brief." })
	if got := tr.found(); len(got) != 1 {
		t.Errorf("got %q, want a change of what has become constant", got)
	}
}

func TestRestoreFlagsNothing(t *testing.T) {
	tr := newTraffic()
	tr.send(300, nil)
	tr.send(5, func(_ int, s *quality.Sample) { s.Model = "m2" }) // found, not settled
	saved, err := tr.Save()
	if err != nil || len(saved) != 1 {
		t.Fatal(saved, err)
	}
	if again, _ := tr.Save(); len(again) != 0 {
		t.Error("saved though nothing had changed")
	}
	after := newTraffic()
	after.now = tr.now
	if err := after.Restore("chat", saved["chat"]); err != nil {
		t.Fatal(err)
	}
	if a, b := fmt.Sprint(tr.Findings()), fmt.Sprint(after.Findings()); a != b {
		t.Errorf("got %s, want %s", b, a)
	}
	after.found()
	after.send(300, nil)
	if got := after.found(); len(got) > 0 {
		t.Errorf("got %q after a restart", got)
	}
	after.send(5, func(_ int, s *quality.Sample) { s.Model = "m3" })
	if got := after.found(); len(got) != 1 {
		t.Errorf("got %q, want the third model", got)
	}
}

// TestProperties sends any traffic. Whatever it is, a share is a share, a value is not found twice without
// having been away, no more is found than there are new values, and a restart in between changes nothing.
func TestProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := newTraffic(), newTraffic()
		restart := rapid.IntRange(0, 800).Draw(t, "restart")
		seen := map[string]bool{}
		var found int
		for i := range rapid.IntRange(1, 900).Draw(t, "samples") {
			s := usual()
			s.Time = start.Add(time.Duration(i) * time.Second)
			s.Model = fmt.Sprint("m", rapid.IntRange(0, i/50).Draw(t, "model"))
			s.Weight = float64(rapid.IntRange(1, 50).Draw(t, "weight"))
			seen[s.Model] = true
			a.Observe(&s, s.Time)
			b.Observe(&s, s.Time)
			if i == restart {
				saved, err := b.Save()
				if err != nil {
					t.Fatal(err)
				}
				b = newTraffic()
				if err := b.Restore("chat", saved["chat"]); err != nil {
					t.Fatal(err)
				}
			}
			x, y := a.Findings(), b.Findings()
			if fmt.Sprint(x) != fmt.Sprint(y) {
				t.Fatalf("got %v after a restart, want %v", y, x)
			}
			for i := range x {
				if x[i].Share <= 0 || x[i].Share > 1 || x[i].Samples < 5 {
					t.Fatalf("got %+v", x[i])
				}
				a.Settle(x[i], x[i].After)
				b.Settle(y[i], y[i].After)
			}
			found += len(x)
		}
		if found > len(seen) {
			t.Fatalf("found %d changes with %d models", found, len(seen))
		}
	})
}

// FuzzObserve sends any texts and parameters, and reads any saved state.
func FuzzObserve(f *testing.F) {
	f.Add("m", "p", "system 2026-03-01 12:30", "k", "v", []byte(`{"samples":1,"facets":[null,{"name":"model","layer":"model","values":[null,{"key":"x","state":9}]}]}`))
	f.Fuzz(func(t *testing.T, model, prompt, system, key, val string, state []byte) {
		tr := newTraffic()
		_ = tr.Restore("chat", state) // what cannot be read is refused
		tr.send(5, func(i int, s *quality.Sample) {
			s.Model, s.Prompt = model, prompt
			s.Input.Messages[0].Content = system
			s.Params = map[string]any{key: map[string]any{val: []any{nil, true, int64(i % 2), val}}, "tools": []any{val, map[string]any{"name": key}}}
		})
		saved, err := tr.Save()
		if err != nil {
			t.Fatal(err)
		}
		if err := newTraffic().Restore("chat", saved["chat"]); err != nil {
			t.Fatal(err)
		}
		for _, x := range tr.Findings() {
			if len(x.After) > quality.MaxChangeLine {
				t.Errorf("text of %d bytes", len(x.After))
			}
		}
	})
}

func BenchmarkObserve(b *testing.B) {
	for _, size := range []int{0, 200, 4000} {
		b.Run(fmt.Sprintf("system-%dB", size), func(b *testing.B) {
			tr := newTraffic()
			s := usual()
			s.Input.Messages[0].Content = strings.Repeat("Be kind. ", size/9)
			delete(s.Params, "tool_definitions")
			s.Params["top_p"], s.Params["max_tokens"] = 0.9, 400.0
			now := start
			b.ReportAllocs()
			for b.Loop() {
				now = now.Add(time.Millisecond)
				s.Time = now
				tr.Observe(&s, now)
			}
		})
	}
	b.Run("three tools", func(b *testing.B) {
		tr, s := newTraffic(), usual()
		tool := map[string]any{"name": "refund", "description": strings.Repeat("x", 200), "parameters": map[string]any{"type": "object", "properties": map[string]any{"a": map[string]any{"type": "string"}}}}
		s.Params["tool_definitions"] = []any{tool, tool, tool}
		b.ReportAllocs()
		for b.Loop() {
			tr.Observe(&s, start)
		}
	})
	b.Run("a new text each time", func(b *testing.B) {
		tr, s := newTraffic(), usual()
		text := strings.Repeat("Be kind. ", 400)
		n := 0
		for b.Loop() {
			n++
			s.Input.Messages[0].Content = fmt.Sprintf("At %02d:%02d:%02d. %s", n/3600%24, n/60%60, n%60, text)
			tr.Observe(&s, start)
		}
	})
}
