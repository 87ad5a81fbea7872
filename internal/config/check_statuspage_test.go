package config_test

import (
	"strings"
	"testing"

	"github.com/asgood-dev/asgood/internal/config"
)

func TestGroups(t *testing.T) {
	const features = "features: [{name: a}, {name: b}, {name: c}]\nstatuspage: "
	none := func(string) (string, bool) { return "", false }
	c, err := config.Parse("asgood.yaml", []byte(features+"{groups: [{name: g, features: [b, a]}], hidden: true}"), none)
	if err != nil {
		t.Fatal(err)
	}
	if g := c.StatusPage.Groups; len(g) != 1 || g[0].Title != "g" || !c.StatusPage.Hidden {
		t.Errorf("got %+v", c.StatusPage)
	}
	for _, tt := range []struct{ page, path, want string }{
		{"{groups: [{features: [a]}]}", "statuspage.groups[0].name", "required"},
		{"{groups: [{name: g h, features: [a]}]}", "statuspage.groups[0].name", "want letters"},
		{"{groups: [{name: g}]}", "statuspage.groups[0]", "names of features"},
		{"{groups: [{name: g, features: [d]}]}", "statuspage.groups[0].features[0]", "no feature has this name"},
		{"{groups: [{name: g, features: [a, a]}]}", "statuspage.groups[0].features[1]", "a feature is in one group"},
		{"{groups: [{name: g, features: [a]}, {name: h, features: [b, a]}]}", "statuspage.groups[1].features[1]", "already in statuspage.groups[0]"},
		{"{groups: [{name: g, features: [a]}, {name: g, features: [b]}]}", "statuspage.groups[1].name", "has this name already"},
		{"{groups: [{name: a, features: [b]}]}", "statuspage.groups[0].name", "a feature has this name"},
		{"{groups: [{name: g, features: [b], description: " + strings.Repeat("x", 1001) + "}]}", "statuspage.groups[0].description", "at most 1000"},
		{`{groups: [{name: g, features: [b], description: "x\ny"}]}`, "statuspage.groups[0].description", "want one line"},
		{"{hidden: perhaps}", "statuspage.hidden", "true or false"},
	} {
		_, err := config.Parse("asgood.yaml", []byte(features+tt.page), none)
		if err == nil || !strings.Contains(err.Error(), tt.path) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %q at %s", tt.page, err, tt.want, tt.path)
		}
	}
	_, err = config.Parse("asgood.yaml", []byte("features: [{name: a, description: \"x\\ny\"}]"), none)
	if err == nil || !strings.Contains(err.Error(), "features[0].description") {
		t.Errorf("got %v", err)
	}
}
