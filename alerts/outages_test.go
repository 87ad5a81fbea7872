package alerts_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asgood-dev/asgood/alerts/publish"
	"github.com/asgood-dev/asgood/internal/quality"
)

// pastOutages puts outages that are over into the bucket.
func (w *world) pastOutages(n int) {
	for i := range n {
		at := noon.Add(-time.Duration(n-i) * time.Hour)
		r := publish.Record{Seq: uint64(i + 1), Last: at, Incident: quality.Incident{ID: fmt.Sprintf("inc_past%d", i), Kind: quality.IncidentAvailability,
			Name: "Answer bot is down", Features: []string{"bot"}, StartedAt: at, CreatedAt: at, ResolvedAt: &at, Status: quality.IncidentResolved}}
		data, _ := json.Marshal(r)
		w.incidents[r.ID] = data
	}
}

// A probe that flaps has every document read once, and then its own alone.
func TestAProbeThatFlapsReadsNoOtherIncident(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const past, flaps = 200, 40
		w := newWorld()
		w.pastOutages(past)
		for i := range past { // those that were heard
			w.tell(probe("p", quality.Up, -time.Duration(past-i)*time.Hour))
		}
		w.committed = past
		for i := range flaps {
			w.tell(probe("p", quality.Down, time.Duration(2*i)*time.Minute), probe("p", quality.Up, time.Duration(2*i+1)*time.Minute))
		}
		gets, lists := 0, 0
		w.fail = func(op string) error {
			gets += strings.Count(op, "incidents get")
			lists += strings.Count(op, "incidents keys")
			return nil
		}
		w.run(t, 50*time.Minute)
		if n := len(w.stored(t)); n != past+flaps {
			t.Errorf("got %d incidents, want %d", n, past+flaps)
		}
		for id, i := range w.stored(t) {
			if i.Open() {
				t.Errorf("%s is open", id)
			}
		}
		// The desk reads all when it begins, and so may the first event.
		if most := 2*past + 8*flaps; gets > most || lists > 2 {
			t.Errorf("got %d reads and %d lists for %d events, want at most %d and 2", gets, lists, 2*flaps, most)
		}
	})
}

// The index goes on where another process left, also when the events come again.
func TestOutagesAfterARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(probe("p", quality.Down, 0), probe("q", quality.Down, time.Minute))
		w.run(t, time.Minute)
		w.committed = 0
		w.run(t, time.Minute) // all comes again
		w.tell(probe("p", quality.Up, 2*time.Minute))
		w.run(t, time.Minute)
		all := w.stored(t)
		if len(all) != 1 {
			t.Fatalf("got %d incidents, want 1", len(all))
		}
		w.tell(probe("q", quality.Up, 3*time.Minute))
		w.committed = 0
		w.run(t, time.Minute)
		for id, i := range w.stored(t) {
			if i.Open() {
				t.Errorf("%s is open after both answered", id)
			}
		}
		if len(w.stored(t)) != 1 {
			t.Errorf("got %d incidents, want 1", len(w.stored(t)))
		}
	})
}

func BenchmarkProbeEvents(b *testing.B) {
	for _, past := range []int{0, 2000} {
		b.Run(fmt.Sprintf("past=%d", past), func(b *testing.B) {
			w := newWorld()
			w.pastOutages(past)
			d, err := publish.New(publish.Options{Incidents: kv{w, "incidents", w.incidents}})
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				if _, err := d.Outages(b.Context(), "bot"); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
