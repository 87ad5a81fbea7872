package statuspage_test

import (
	"strings"
	"testing"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
)

// The headline tells the gravest first, and says of nothing that it is good which nobody can see.
func TestHeadlines(t *testing.T) {
	down := func(w *world, n int) { w.probes[n].State = quality.Down }
	partly := func(w *world, n int) { p := w.probes[n]; p.State = quality.Down; w.probes = append(w.probes, p) }
	regressed := func(w *world, n int) { w.statuses[n].State = quality.MonitorRegressed }
	blind := func(w *world, n int) { w.statuses[n].State = quality.MonitorBlind }
	learning := func(w *world, n int) { w.statuses[n].State = quality.MonitorLearning }
	better := func(w *world, n int) { w.statuses[n].State = quality.MonitorImproved }
	for _, tt := range []struct {
		want, slug string
		a, b, c    func(*world, int)
	}{
		{"Everything is up, and as good as usual", "usual", nil, nil, nil},
		{"Everything is up, and as good as usual or better", "usual", nil, better, nil},
		{"A is down", "down", down, nil, nil},
		{"A and B are down", "down", down, down, nil},
		{"A, B and C are down", "down", down, down, down},
		{"A is partly down", "partly", partly, nil, nil},
		{"B is down; A is partly down", "down", partly, down, nil},
		{"B is up, and slightly worse than usual", "slightly-worse", nil, regressed, nil},
		{"B and C are up, and worse than usual", "slightly-worse", nil, regressed, regressed},
		{"A is down; B is up, and slightly worse than usual", "down", down, regressed, nil},
		{"A is down; of C we cannot tell", "down", down, nil, blind},
		{"B is up, and slightly worse than usual; of A and C we cannot tell", "slightly-worse", learning, regressed, blind},
		{"What we can see is as good as usual; of C we cannot tell", "cannot-tell", nil, nil, learning},
		{"What we can see is as good as usual or better; of A and C we cannot tell", "cannot-tell", blind, better, learning},
		{"There is not enough data yet to say how good the answers are", "not-enough", learning, learning, learning},
		{"We cannot tell at the moment how good the answers are", "cannot-tell", learning, blind, learning},
	} {
		t.Run(tt.want, func(t *testing.T) {
			w := &world{}
			for _, name := range []string{"A", "B", "C"} {
				w.features, w.statuses = append(w.features, feature(name, name)), append(w.statuses, watching(name))
				w.up(name)
			}
			for n, change := range []func(*world, int){tt.a, tt.b, tt.c} {
				if change != nil {
					change(w, n)
				}
			}
			page := w.show(t).get(t, "/")
			if !strings.Contains(page, `<span id="overall">`+tt.want+`</span>`) || !strings.Contains(page, `<p class="overall `+tt.slug+`">`) {
				i := strings.Index(page, `<p class="overall`)
				t.Errorf("got %.600s, want %s of %s", page[i:], tt.want, tt.slug)
			}
		})
	}
}

func TestHeadlineOfUncheckedFeature(t *testing.T) {
	w := worse(t, quality.SeverityMajor, -0.07)
	w.probes, w.uptime, w.features[0].Probes = nil, nil, nil
	page := w.show(t).get(t, "/")
	for _, want := range []string{"Support assistant is worse than usual<", "Availability is not checked."} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
}

func TestManyFeaturesAreCounted(t *testing.T) {
	w := &world{}
	for _, name := range []string{"a", "b", "c", "d", "e"} {
		w.features = append(w.features, feature(name, ""))
		w.probes = append(w.probes, quality.ProbeStatus{Feature: name, State: quality.Down, Since: now.Add(-time.Hour), CheckedAt: now})
	}
	if page := w.show(t).get(t, "/"); !strings.Contains(page, `<span id="overall">5 features are down</span>`) || !strings.Contains(page, `<h2><a href="/features/a">a</a></h2>`) {
		t.Error("five features are not counted, or have no title")
	}
}
