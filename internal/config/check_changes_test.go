package config_test

import (
	"strings"
	"testing"
	"time"

	"github.com/asgood-dev/asgood/internal/config"
	"github.com/asgood-dev/asgood/internal/quality"
)

func noEnv(string) (string, bool) { return "", false }

func TestChanges(t *testing.T) {
	c, err := config.Parse("asgood.yaml", []byte("features: [{name: chat}]\nchanges:\n  map: [{repository: acme/app, features: [chat], carries: [prompt]}]\n"), noEnv)
	if err != nil {
		t.Fatal(err)
	}
	m := c.Changes.Map[0]
	if m.Layer != quality.LayerServing || m.Carries[0] != quality.LayerPrompt || c.Changes.Undeclared.Before != 2*time.Hour || c.Changes.Undeclared.After != 30*time.Minute {
		t.Errorf("got %+v", c.Changes)
	}
}

func TestChangesThatAreWrong(t *testing.T) {
	for _, c := range []struct{ yaml, want string }{
		{"github: {}", "a.yaml:3:11: changes.github: secret is required"},
		{"github: {push: true}", "secret is required"},
		{"github: {secret: short}", "a.yaml:3:20: changes.github.secret: want 16 characters or more"},
		{"github: {secrets: x}", `did you mean "secret"?`},
		{"gitlab: {secret: \"\"}", "changes.gitlab.secret: want 16"},
		{"gitlab: {secret: \"whsec_not base64 at all\"}", "changes.gitlab.secret: a signing token"},
		{"pagerduty: {routing_key: x}", "changes.pagerduty.routing_key"},
		{"map: [{features: [chat]}]", "changes.map[0].repository: want the name of a repository"},
		{"map: [{repository: 'https://github.example/acme/app'}]", "org/app"},
		{"map: [{repository: acme/app, features: [chta]}]", `changes.map[0].features[0] "chta": no feature`},
		{"map: [{repository: acme/app, layer: pronpt}]", `changes.map[0].layer "pronpt": want one of model`},
		{"map: [{repository: acme/app, carries: [x]}]", `changes.map[0].carries[0] "x"`},
		{"map: [{repository: acme/app}, {repository: Acme/App}]", "changes.map[1]: changes.map[0] is for the same"},
		{"undeclared: {before: 10s}", `changes.undeclared.before "10s": want 1m to 7d`},
		{"undeclared: {after: 8d}", "want 1m to 7d"},
	} {
		_, err := config.Parse("a.yaml", []byte("features: [{name: chat}]\nchanges:\n  "+c.yaml+"\n"), noEnv)
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "not base64") {
			t.Errorf("%s: got %v, want %q", c.yaml, err, c.want)
		}
	}
}
