package alerts_test

import (
	"encoding/json"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asgood-dev/asgood/alerts/publish"
	"github.com/asgood-dev/asgood/internal/quality"
	"github.com/asgood-dev/asgood/internal/wording"
)

// A text that a rule makes says by itself all that customers need, whatever is measured, whatever the configuration's
// template leaves out: the rule publishes it without a person.
func TestATextByRuleIsComplete(t *testing.T) {
	for template, own := range map[string]map[string]string{
		"the built-in one": nil, "one that leaves out": {"investigating": "Sorry for {{.Feature}}. {{.Since}}"},
		"one that says nothing": {"investigating": "{{.Owner}}"},
	} {
		words, err := wording.New(own)
		if err != nil {
			t.Fatal(err)
		}
		unknown := regression("b", 0.3, nil)
		unknown.Change, unknown.Interval, unknown.StartedAt, unknown.Baseline.Mean = nil, nil, nil, nil
		for what, ev := range map[string]any{
			"all known": event(opened, regression("a", 0.3, nil)), "a slice": event(opened, regression("a", 0.3, german)),
			"nothing known": event(opened, unknown), "an outage": probe("p", quality.Down, 0),
		} {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(ev)
				o := w.options()
				o.Templates, o.UpdateEvery, o.Publish = words, time.Hour, []quality.PublishRule{{}}
				w.runOptions(t, time.Minute, o)
				for _, data := range w.incidents {
					var r publish.Record
					if err := json.Unmarshal(data, &r); err != nil {
						t.Fatal(err)
					}
					if missing := r.Missing(); len(missing) > 0 || !r.Public() || r.Published.By.Human() {
						t.Errorf("%s, %s: public %v, it does not say %q:\n%s", template, what, r.Public(), missing, r.Updates[0].Body)
					}
				}
				if len(w.incidents) != 1 {
					t.Errorf("%s, %s: got %d incidents", template, what, len(w.incidents))
				}
			})
		}
	}
}
