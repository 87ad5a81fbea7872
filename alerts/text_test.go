package alerts_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
)

// texts returns what customers are told in the course of the events.
func texts(t *testing.T, events ...any) []string {
	t.Helper()
	var out []string
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(events...)
		berlin, err := time.LoadLocation("Europe/Berlin")
		if err != nil {
			t.Fatal(err)
		}
		o := w.options("on-call")
		o.Location = berlin
		w.runOptions(t, time.Minute, o)
		for _, a := range w.arrived {
			out = append(out, a.message.incident("text"))
		}
	})
	return out
}

func TestTextsOfARegression(t *testing.T) {
	got := texts(t, event(opened, regression("a", 0.02, german)), event(changed, regression("a", 0.30, german)),
		event(changed, regression("a", 0.30, nil)), event(recovered, regression("a", 0.30, nil)))
	want := []string{
		"Answer bot gives worse answers than usual. This is about the answers themselves; its uptime is told separately. " +
			"It began at about 12:00 CET on 3 March. The measure “contract” is at 96.0 %; usual is 98.0 %: 2.0 points lower (95 % interval 0.0 to 4.0). " +
			"Answers with language “de” are affected.\n\nWe do not know yet what changed. We are looking into it.\n\n" +
			"Please check answers that matter before you rely on them. " +
			"It is over when enough answers in a row are as good as before. The next update comes when the figures change.",
		"Answer bot got worse than first reported. The measure “contract” is at 68.0 %; usual is 98.0 %: 30.0 points lower (95 % interval 28.0 to 32.0). " +
			"Answers with language “de” are affected. We do not know yet what changed. We are still looking into it.",
		"Answer bot is affected more widely than first reported. All answers together are affected; it is not known yet whether some more than others. " +
			"The measure “contract” is at 68.0 %; usual is 98.0 %: 30.0 points lower (95 % interval 28.0 to 32.0). We do not know yet what changed. We are still looking into it.",
		"Answer bot has been as good as usual again since about 15:00 CET on 3 March. We know because enough answers in a row were as good as before.",
	}
	same(t, "texts", got, want)
}

// TestFactsOfATextThatOpens looks for what every such text must carry, whatever is known.
func TestFactsOfATextThatOpens(t *testing.T) {
	for name, c := range map[string]struct {
		change func(r *quality.Regression)
		says   string
	}{
		"all known":       {func(*quality.Regression) {}, "20.0 points lower (95 % interval 18.0 to 22.0)."},
		"over zero":       {func(r *quality.Regression) { r.Interval = &[2]float64{-0.41, 0.01} }, "20.0 points lower. How much exactly is not sure yet: the 95 % interval reaches from 41.0 lower to 1.0 higher."},
		"no interval":     {func(r *quality.Regression) { r.Interval = nil }, "20.0 points lower. All answers together are affected; it is not known yet whether some more than others."},
		"higher is worse": {func(r *quality.Regression) { r.Change, r.Interval = ptr(0.2), nil }, "20.0 points higher."},
		"no size":         {func(r *quality.Regression) { r.Change = nil }, "How much worse is not known yet."},
		"no mean":         {func(r *quality.Regression) { r.Current.Mean = nil }, "How much worse is not known yet."},
		"no start":        {func(r *quality.Regression) { r.StartedAt = nil }, "When it began is not known; it was found at 13:00 CET on 3 March."},
		"another range":   {func(r *quality.Regression) { r.Range, r.Current.Mean = [2]float64{1, 5}, ptr(3.25) }, "is at 3.25; usual is 0.98: 0.2 lower (95 % interval 0.18 to 0.22)."},
		"some more than others": {func(r *quality.Regression) {
			r.Slices = []quality.RegressionSlice{{Change: ptr(-0.2)}, {Slice: quality.Slice{"customer": "secretcorp"}, Change: ptr(-0.9)},
				{Slice: german, Change: ptr(-0.6)}, {Slice: quality.Slice{"language": "fr"}, Change: ptr(-0.3)},
				{Slice: quality.Slice{"language": "it"}, Change: ptr(-0.8), RecoveredAt: ptr(noon)}, {Slice: quality.Slice{"language": "es"}}}
		}, "All answers together are affected, and most of all answers with language “de”."},
		"none more than others": {func(r *quality.Regression) {
			r.Slices = []quality.RegressionSlice{{Slice: german, Change: ptr(-0.1)}}
		}, "it is not known yet whether some more than others."},
		"customers are named": {func(r *quality.Regression) { r.Slice = quality.Slice{"customer": "secretcorp"} }, "A part of the answers is affected."},
		"models are named":    {func(r *quality.Regression) { r.Slice = quality.Slice{"model": "secretcorp"} }, "A part of the answers is affected."},
		"prompts are named":   {func(r *quality.Regression) { r.Slice = quality.Slice{"prompt": "secretcorp"} }, "A part of the answers is affected."},
	} {
		r := regression("a", 0.20, nil)
		c.change(&r)
		got := texts(t, event(opened, r))[0]
		facts := []string{c.says, "Answer bot", "worse", "affected", "We do not know yet what changed.", "Please check answers that matter", "It is over when", "The next update comes"}
		for _, fact := range facts {
			if !strings.Contains(got, fact) {
				t.Errorf("%s: %q lacks %q", name, got, fact)
			}
		}
		if strings.Contains(got, "secretcorp") {
			t.Errorf("%s: %q names somebody", name, got)
		}
	}
}

func TestTextsOfAnOutage(t *testing.T) {
	same(t, "texts", texts(t, probe("a", quality.Down, 0), probe("a", quality.Up, 90*time.Minute)), []string{
		"Answer bot does not answer our checks. It has not answered since 13:00 CET on 3 March. Whoever uses it may get no answer.\n\nWe are looking into it.\n\n" +
			"It is over when it passes our checks again. The next update comes when it answers again.",
		"Answer bot has answered our checks again since 14:30 CET on 3 March.",
	})
}

// TestStrangeValuesAreNotNamed gives values of samples that mean something in Markdown: what senders wrote must not
// become a link on the page.
func TestStrangeValuesAreNotNamed(t *testing.T) {
	for value, named := range map[string]bool{
		"de": true, "pt-BR": true, "français": true, "v1.2": true,
		"<script>": false, "[win](https://evil.example)": false, "www.evil.example": false, "https://evil.example": false, "a@evil.example": false,
		"*x*": false, "a\nb": false, strings.Repeat("x", 200): false, "": false,
	} {
		got := texts(t, event(opened, regression("a", 0.2, quality.Slice{"language": value})))[0]
		if strings.Contains(got, "language “"+value+"”") != named || !named && !strings.Contains(got, "A part of the answers is affected.") {
			t.Errorf("%q: got %q, want it named: %v", value, got, named)
		}
	}
}
