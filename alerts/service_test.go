package alerts_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asgood-dev/asgood/alerts"
	"github.com/asgood-dev/asgood/internal/quality"
)

const (
	opened    = quality.RegressionOpened
	changed   = quality.RegressionUpdated
	recovered = quality.RegressionRecovered
)

var german = quality.Slice{"language": "de"}

func same(t *testing.T, what string, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: got %q, want %q", what, got, want)
	}
}

func TestLifeOfARegression(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(
			event(opened, regression("a", 0.02, german)),
			event(changed, regression("a", 0.03, german)), // not worth a word
			event(changed, regression("a", 0.30, german)), // critical
			event(changed, regression("a", 0.20, german)), // less severe again: the severity stays
			event(changed, regression("a", 0.30, nil)),    // the whole feature
			event(changed, regression("a", 0.10, german)),
			event(changed, regression("a", 0.30, nil)), // told already
			event(recovered, regression("a", 0.30, nil)),
			event(changed, regression("a", 0.30, nil)), // after its end
		)
		w.run(t, time.Minute, "on-call")
		same(t, "told", w.told(), []string{"incident.opened investigating minor", "incident.updated investigating critical",
			"incident.updated investigating critical", "incident.resolved resolved critical"})
		i := w.stored(t)["inc_a"]
		if i.Open() || i.Kind != quality.IncidentQuality || i.Status != quality.IncidentResolved || i.Severity != "critical" ||
			!i.StartedAt.Equal(noon.Add(-time.Hour)) || len(i.Updates) != 4 || i.Name != "Answer bot gives worse answers than usual" {
			t.Errorf("got %+v", i)
		}
		if w.count(t, "asgood_alerts_incidents_total", "kind", "quality", "what", "incident.updated") != 2 || w.changed == 0 {
			t.Errorf("incidents are not counted, or nobody hears of a change")
		}
	})
}

// A message carries what is known of the cause by then, and goes out without it when nothing is.
func TestTheMessageSaysWhy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(event(opened, regression("a", 0.02, german)), event(changed, regression("a", 0.30, german)))
		o := w.options("on-call")
		asked := 0
		o.Explained = func(_ context.Context, id string) []string {
			if asked++; asked == 1 || id != "reg_a" {
				return nil
			}
			return []string{"Likeliest cause: prompt v13."}
		}
		w.runOptions(t, time.Minute, o)
		var got []string
		for _, c := range w.arrived {
			got = append(got, fmt.Sprint(strings.Contains(c.body, `"explanation":["Likeliest cause: prompt v13."]`)))
		}
		same(t, "messages with a cause", got, []string{"false", "true"})
	})
}

func TestARegressionThatCameAndWent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(event(recovered, regression("a", 0.30, nil)))
		w.run(t, time.Minute, "on-call")
		same(t, "told", w.told(), []string{"incident.opened resolved critical"})
		if i := w.stored(t)["inc_a"]; i.Open() || len(i.Updates) != 2 {
			t.Errorf("got %+v", i)
		}
	})
}

func TestAvailability(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(
			probe("a", quality.Up, 0), // came up for the first time
			probe("a", quality.Down, time.Minute),
			probe("a", quality.Down, time.Minute),
			probe("b", quality.Down, 2*time.Minute),
			probe("a", quality.Up, 3*time.Minute), // b is still down
			probe("b", quality.Up, 4*time.Minute),
			probe("b", quality.Up, 4*time.Minute),
			probe("b", quality.Down, 2*time.Minute), // late
			probe("b", quality.Down, 9*time.Minute),
			quality.ProbeStatus{Feature: "plain", Probe: "a", State: quality.Down, Since: noon},
		)
		w.run(t, time.Minute, "on-call")
		told := w.told()
		slices.Sort(told) // of incidents of one moment none is first
		same(t, "told", told, []string{"incident.opened investigating major", "incident.opened investigating major",
			"incident.opened investigating major", "incident.resolved resolved major"})
		open := 0
		for _, i := range w.stored(t) {
			if i.Open() {
				open++
			} else if !i.StartedAt.Equal(noon.Add(time.Minute)) || len(i.Updates) != 2 || i.Name != "Answer bot is down" {
				t.Errorf("got %+v", i)
			}
		}
		if open != 2 {
			t.Errorf("got %d open incidents, want 2", open)
		}
	})
}

// everything is a stream with all that can happen.
func everything() []any {
	return []any{
		event(opened, regression("a", 0.02, german)),
		event(changed, regression("a", 0.30, german)),
		event(changed, regression("a", 0.30, nil)),
		probe("a", quality.Up, 0),
		probe("a", quality.Down, time.Minute),
		probe("b", quality.Down, 2*time.Minute),
		"{not an event",
		probe("a", quality.Up, 3*time.Minute),
		probe("b", quality.Up, 4*time.Minute),
		probe("a", quality.Down, 5*time.Minute),
		event(recovered, regression("a", 0.30, nil)),
		probe("a", quality.Up, 6*time.Minute),
		event(recovered, regression("b", 0.10, nil)),
		"{}",
	}
}

// byID lists every message by its id.
func (w *world) byID() map[string]string {
	out := map[string]string{}
	for _, a := range w.arrived {
		out[a.id] = a.receiver + " " + a.message.Type + " " + a.message.incident("id") + " " + a.message.incident("text")
	}
	return out
}

// outline is what is stored of the incidents, without the times that depend on the machine.
func (w *world) outline(t *testing.T) map[string]string {
	t.Helper()
	out := map[string]string{}
	for id, i := range w.stored(t) {
		var updates []string
		for _, u := range i.Updates {
			updates = append(updates, fmt.Sprintf("%s %s: %s", u.ID, u.Status, u.Body))
		}
		out[id] = fmt.Sprintf("%s %s %s %s", i.Severity, i.Status, i.StartedAt, strings.Join(updates, "\n"))
	}
	return out
}

// TestACrashAtEveryStep ends the process before each of its operations on the outside in turn, and starts
// it again. The incidents and the messages are those of a process that never crashed.
func TestACrashAtEveryStep(t *testing.T) {
	for _, perBatch := range []uint64{1, 3, 100} {
		t.Run(fmt.Sprint(perBatch), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				calm := newWorld(everything()...)
				calm.perBatch = perBatch
				calm.run(t, time.Hour, "a", "b")
				messages, incidents := calm.byID(), calm.outline(t)
				if len(calm.told()) != 18 || len(calm.arrived) != 18 {
					t.Fatalf("got %q without a crash", calm.told())
				}
				for step := 1; step <= calm.ops; step++ {
					w := newWorld(everything()...)
					w.perBatch, w.crashAt = perBatch, step
					w.run(t, time.Minute, "a", "b")
					w.crashAt = 0
					w.run(t, 3*time.Hour, "a", "b")
					if got := w.byID(); !maps.Equal(got, messages) {
						t.Errorf("crash before step %d: got messages %q, want %q", step, got, messages)
					}
					if got := w.outline(t); !maps.Equal(got, incidents) {
						t.Errorf("crash before step %d: got incidents %q, want %q", step, got, incidents)
					}
					if twice := len(w.arrived) - len(messages); twice > 2 {
						t.Errorf("crash before step %d: %d messages came twice, at most one for each receiver was under way", step, twice)
					}
				}
			})
		})
	}
}

// TestEveryOperationFailsNowAndThen lets three of ten operations fail. Nothing is lost and
// nothing is told twice but what could not be noted as delivered.
func TestEveryOperationFailsNowAndThen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calm := newWorld(everything()...)
		calm.run(t, time.Hour, "a")
		w := newWorld(everything()...)
		chance := rand.New(rand.NewPCG(1, 2))
		w.fail = func(op string) error {
			if op != "outbox put" && chance.Float64() < 0.3 {
				return fmt.Errorf("%s does not work", op)
			}
			return nil
		}
		w.run(t, 6*time.Hour, "a")
		if got, want := w.byID(), calm.byID(); !maps.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
		if got, want := w.outline(t), calm.outline(t); !maps.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
		if len(w.arrived) != len(calm.arrived) {
			t.Errorf("got %d messages, want %d", len(w.arrived), len(calm.arrived))
		}
		if n := strings.Count(w.logs.String(), "does not work, trying again"); n == 0 || n > 2*w.ops {
			t.Errorf("got %d lines about it", n)
		}
	})
}

func TestAnUnreadableIncidentHoldsUpNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(probe("a", quality.Down, 0), event(opened, regression("a", 0.3, nil)))
		w.incidents["inc_a"], w.incidents["inc_z"] = []byte("{"), []byte("null and void")
		w.outbox["msg_z"] = []byte("]")
		w.run(t, time.Minute, "on-call")
		same(t, "told", w.told(), []string{"incident.opened investigating major", "incident.opened investigating critical"})
		if w.count(t, "asgood_publish_documents_unreadable_total") == 0 {
			t.Error("it is not counted")
		}
	})
}

func TestMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		other := regression("b", 0.0625, quality.Slice{"customer": "acme"})
		other.Baseline.Mean, other.Current.Mean, other.Interval = ptr(0.75), ptr(0.6875), &[2]float64{-0.125, 0}
		other.Feature, other.StartedAt, other.Share = "plain", nil, 0.05
		whole := regression("a", 0.20, nil)
		whole.Interval = &[2]float64{-0.22, -0.18}
		w := newWorld(event(opened, whole), event(opened, other))
		now := time.Now()
		w.run(t, time.Minute, "on-call")
		var got []any
		slices.SortFunc(w.arrived, func(a, b arrival) int { return strings.Compare(a.message.incident("id"), b.message.incident("id")) })
		for _, a := range w.arrived {
			var v map[string]any
			if err := json.Unmarshal([]byte(a.body), &v); err != nil {
				t.Fatal(err)
			}
			delete(v["data"].(map[string]any)["incident"].(map[string]any), "text") // has its own test
			got = append(got, v)
		}
		text, err := json.Marshal(got)
		if err != nil {
			t.Fatal(err)
		}
		at := now.UTC().Format(time.RFC3339Nano)
		want := `[{"type":"incident.opened","timestamp":"` + at + `","data":{
			"incident":{"id":"inc_a","kind":"quality","name":"Answer bot gives worse answers than usual","status":"investigating","severity":"critical",
				"reason":"contract is worse by 20.0 % of its range","features":["bot"],"url":"https://status.example/incidents/inc_a",
				"started_at":"2026-03-03T11:00:00Z","created_at":"` + at + `","resolved_at":null},
			"regression":{"id":"reg_a","metric":"contract","slice":{},"baseline":{"n":500,"mean":0.98},"current":{"n":60,"mean":0.78},
				"change":-0.2,"interval":[-0.22,-0.18]}}},
			{"type":"incident.opened","timestamp":"` + at + `","data":{
			"incident":{"id":"inc_b","kind":"quality","name":"plain gives worse answers than usual","status":"investigating","severity":"minor",
				"reason":"contract is worse by 6.2 % of its range; one step less since it touches 5 % of the traffic","features":["plain"],
				"url":"https://status.example/incidents/inc_b","started_at":"2026-03-03T12:00:00Z","created_at":"` + at + `","resolved_at":null},
			"regression":{"id":"reg_b","metric":"contract","slice":{"customer":"acme"},"baseline":{"n":500,"mean":0.75},"current":{"n":60,"mean":0.6875},
				"change":-0.0625,"interval":[-0.125,0]}}}]`
		if string(text) != canonical(t, want) {
			t.Errorf("got  %s\nwant %s", text, canonical(t, want))
		}
	})
}

func canonical(t *testing.T, text string) string {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestNewRefusesWhatCannotWork(t *testing.T) {
	w := newWorld()
	for name, change := range map[string]func(o *alerts.Options){
		"no source":    func(o *alerts.Options) { o.Source = nil },
		"no incidents": func(o *alerts.Options) { o.Incidents = nil },
		"no outbox":    func(o *alerts.Options) { o.Outbox = nil },
		"no channel":   func(o *alerts.Options) { o.Receivers[0].Webhook = nil },
		"bad secret":   func(o *alerts.Options) { o.Receivers[0].Webhook.Secret = "whsec_badsecret" },
	} {
		o := w.options("on-call")
		change(&o)
		if s, err := alerts.New(o); err == nil || s != nil || strings.Contains(err.Error(), "badsecret") {
			t.Errorf("%s: got %v (%v)", name, s, err)
		}
	}
	o := w.options()
	if _, err := alerts.New(alerts.Options{Source: o.Source, Incidents: o.Incidents, Outbox: o.Outbox}); err != nil {
		t.Errorf("got %v with all that is required", err)
	}
}
