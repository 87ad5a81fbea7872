package config

import (
	"fmt"
	"strings"

	"github.com/asgood-dev/asgood/internal/quality"
)

// checkGroups checks the headings of the status page. Their names are ids beside those of the features.
func (d *decoder) checkGroups(groups []quality.FeatureGroup, features []quality.Feature) {
	if len(groups) > quality.MaxFeatureGroups {
		d.bad("statuspage.groups", "%d groups, at most %d", len(groups), quality.MaxFeatureGroups)
	}
	known := map[string]bool{}
	for _, f := range features {
		known[f.Name] = true
	}
	seen, in := map[string]int{}, map[string]int{}
	for i, g := range groups {
		path := fmt.Sprintf("statuspage.groups[%d]", i)
		d.name("statuspage.groups", i, g.Name, identifier, seen)
		if known[g.Name] && !d.failed(path+".name") {
			d.bad(path+".name", "a feature has this name: both would have the same id")
		}
		d.checkDescription(g.Description, path+".description")
		d.checkGrouped(g.Features, i, path+".features", known, in)
	}
}

// checkGrouped checks the features of group i. in holds the group that each feature was found in first.
func (d *decoder) checkGrouped(names []string, i int, path string, known map[string]bool, in map[string]int) {
	if len(names) == 0 && !d.failed(path) {
		d.bad(path, "required: names of features")
	}
	for n, name := range names {
		at := fmt.Sprintf("%s[%d]", path, n)
		first, taken := in[name]
		switch {
		case d.failed(at):
		case !known[name]:
			d.bad(at, "no feature has this name")
		case taken:
			d.bad(at, "already in statuspage.groups[%d]: a feature is in one group", first)
		default:
			in[name] = i
		}
	}
}

// checkDescription checks a line that customers read.
func (d *decoder) checkDescription(text, path string) {
	switch {
	case d.failed(path):
	case len(text) > quality.MaxDescription:
		d.bad(path, "%d bytes, at most %d", len(text), quality.MaxDescription)
	case strings.ContainsAny(text, "\r\n"):
		d.bad(path, "want one line")
	}
}
