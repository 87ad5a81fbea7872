package config_test

import (
	"strings"
	"testing"

	"github.com/asgood-dev/asgood/internal/config"
)

func TestTitles(t *testing.T) {
	none := func(string) (string, bool) { return "", false }
	parse := func(text string) error {
		_, err := config.Parse("asgood.yaml", []byte(text), none)
		return err
	}
	for _, text := range []string{
		"name: Nörd & <b>Licht</b>\nfeatures: [{name: a, title: \"\\u200fעוזר\"}]",
		"features: [{name: a, title: " + strings.Repeat("ü", 200) + "}]",
	} {
		if err := parse(text); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
	for _, tt := range []struct{ text, path, want string }{
		{"name: \"A\\nb\"\nfeatures: [{name: a}]", "1:7: name", "U+000A"},
		{"features: [{name: a, title: \"x\\u202ey\"}]", "features[0].title", "U+202E"},
		{"features: [{name: a, title: " + strings.Repeat("x", 201) + "}]", "features[0].title", "201 characters, at most 200"},
		{"features: [{name: a}]\nstatuspage: {title: \"S\\r\\nX: y\"}", "2:21: statuspage.title", "U+000D"},
		{"features: [{name: a}]\nstatuspage: {groups: [{name: g, title: \"\\0\", features: [a]}]}", "statuspage.groups[0].title", "U+0000"},
		{"features: [{name: a}]\ncustomers: [{name: acme, title: \"\\u2028\"}]", "customers[0].title", "U+2028"},
	} {
		err := parse(tt.text)
		if err == nil || !strings.Contains(err.Error(), tt.path) || !strings.Contains(err.Error(), tt.want) || strings.Count(err.Error(), "\n") > 0 {
			t.Errorf("%s: got %v, want %q at %s", tt.text, err, tt.want, tt.path)
		}
	}
}
