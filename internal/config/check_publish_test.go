package config_test

import (
	"strings"
	"testing"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
)

func TestFormsOfPublishing(t *testing.T) {
	for text, rules := range map[string][]quality.PublishRule{
		"never":          {},
		"[]":             {},
		"{after: 0s}":    {{}},
		"{after: never}": {{After: quality.PublishAfter{Never: true}}},
		"[{after: 1h}]":  {{After: quality.PublishAfter{Wait: time.Hour}}},
		"{after: 5m, kinds: [availability], severities: [critical]}": {{After: quality.PublishAfter{Wait: 5 * time.Minute},
			Kinds: []quality.IncidentKind{quality.IncidentAvailability}, Severities: []quality.Severity{quality.SeverityCritical}}},
	} {
		want(t, text, mustParse(t, "statuspage: {publish: "+text+"}\n").StatusPage.Publish, rules)
	}
}

func TestProblemsOfPublishing(t *testing.T) {
	for text, says := range map[string]string{
		"publish: {kinds: [quality]}":                     "statuspage.publish[0]: after is required",
		"publish: {after: soon}":                          `statuspage.publish[0].after "soon": want a duration such as 10m, 0s, or never`,
		"publish: {after: 30d}":                           `statuspage.publish[0].after "30d": want at most 7d`,
		"publish: always":                                 "want rules such as {after: 10m}, or never",
		"publish: [{after: 1m, kinds: [speed]}]":          `statuspage.publish[0].kinds[0] "speed": want quality or availability`,
		"publish: [{after: 1m, severities: [none]}]":      `statuspage.publish[0].severities[0] "none": want minor, major or critical`,
		"update_every: 1m":                                `statuspage.update_every "1m": want 5m to 7d, or 0s for no promise`,
		"templates: {later: x}":                           "is no stage",
		`templates: {resolved: "{{.Sise}}"}`:              "can't evaluate field Sise",
		`templates: {resolved: "{{printf .Size}}"}`:       "is not allowed: want a field such as .Size",
		`templates: {resolved: "{{range .Size}}{{end}}"}`: "is not allowed: a template holds fields, if, with and else",
	} {
		ps := problemsOf(t, "statuspage: {"+text+"}\n")
		if len(ps) != 1 || !strings.Contains(ps[0].String(), says) || ps[0].Line != 1 || ps[0].Column < 14 {
			t.Errorf("%s: got %v, want %s", text, ps, says)
		}
	}
	ps := problemsOf(t, "features: [{name: bot, advice: "+strings.Repeat("x", 1001)+"}]\n")
	if len(ps) != 1 || !strings.Contains(ps[0].String(), "features[0].advice") {
		t.Errorf("got %v", ps)
	}
}
