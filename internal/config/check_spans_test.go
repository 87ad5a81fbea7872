package config_test

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/asgood-dev/asgood/internal/config"
	"github.com/asgood-dev/asgood/internal/quality"
)

func parseSpans(text string) (*config.Config, error) {
	return config.Parse("asgood.yaml", []byte("features:\n  - name: a\n"+text), func(string) (string, bool) { return "", false })
}

func TestSpansAndMap(t *testing.T) {
	c, err := parseSpans(`
    map:
      customer: [asgood.customer, &t tenant.id]
      prompt: metadata.prompt
      attributes.language: [app.language]
      tier: *t
    spans: {join: none, wait: 5s}
  - name: b
`)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string][]string{
		"customer": {"asgood.customer", "tenant.id"}, "prompt": {"metadata.prompt"}, "attributes.language": {"app.language"}, "tier": {"tenant.id"},
	}
	if got := c.Features[0]; !reflect.DeepEqual(got.Map, want) || got.Spans != (quality.SpanSpec{Join: "none", Wait: 5 * time.Second}) {
		t.Errorf("got %v, %v", got.Map, got.Spans)
	}
	if got := c.Features[1].Spans; got != (quality.SpanSpec{Join: quality.JoinRequest, Wait: quality.DefaultSpanWait}) {
		t.Errorf("got %v, want the defaults", got)
	}
}

func TestSpansProblems(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"join", "    spans: {join: all}", `asgood.yaml:3:19: features[0].spans.join "all": want request`},
		{"wait too short", "    spans: {wait: 1ms}", `asgood.yaml:3:19: features[0].spans.wait "1ms": want 100ms to 10m`},
		{"wait too long", "    spans: {wait: 1h}", `want 100ms to 10m`},
		{"no wait", "    spans: {wait: soon}", `want a duration`},
		{"not a field", "    map: {output: x}", `asgood.yaml:3:19: features[0].map.output "x": cannot be mapped; for an attribute of this name write attributes.output`},
		{"empty", "    map: {customer: []}", `want the name of an OTLP attribute, or a list of names`},
		{"empty name", "    map: {customer: ['']}", `has 1 to 256 bytes`},
		{"a mapping", "    map: {customer: {a: b}}", `features[0].map.customer: want text, got a mapping`},
		{"list of lists", "    map: {customer: [[a]]}", `features[0].map.customer[0]: want text, got a list`},
		{"not a mapping", "    map: [customer]", `features[0].map: want a mapping, got a list`},
		{"twice", "    map: {tier: a, attributes.tier: b}", `stands twice, once without "attributes."`},
		{"nothing after the prefix", "    map: {attributes.: b}", `want a field (customer, conversation, model, prompt, reference)`},
		{"too many", "    map: {customer: [" + strings.Repeat("x, ", 17) + "]}", `17 names, at most 16`},
		{"no anchor", "    map: {customer: *x}", `*x: no anchor`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := parseSpans(tt.text + "\n")
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
			if err != nil && strings.Count(err.Error(), "\n") > 0 {
				t.Errorf("got more than one problem: %v", err)
			}
		})
	}
}
