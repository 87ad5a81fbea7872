package config

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
)

// minHookSecret is the least length of a secret that strangers may guess at.
const minHookSecret = 16

func (d *decoder) checkChanges(c quality.ChangeSpec, features []quality.Feature) {
	d.checkHookSecret("changes.github", "secret", c.GitHub.Secret)
	d.checkHookSecret("changes.gitlab", "secret", c.GitLab.Secret)
	d.checkHookSecret("changes.pagerduty", "routing_key", c.PagerDuty.RoutingKey)
	if token, ok := strings.CutPrefix(c.GitLab.Secret, "whsec_"); ok {
		if _, err := base64.StdEncoding.DecodeString(token); err != nil && !d.failed("changes.gitlab.secret") {
			d.hidden("changes.gitlab.secret", `a signing token is "whsec_" and base64; this one is not`)
		}
	}
	for i := range c.Map {
		d.checkChangeMap(c.Map, i, features)
	}
	d.checkExplains("changes.undeclared.before", c.Undeclared.Before)
	d.checkExplains("changes.undeclared.after", c.Undeclared.After)
}

// checkHookSecret wants a secret where the source is configured: without one anybody could write the ledger.
func (d *decoder) checkHookSecret(source, key, secret string) {
	path := source + "." + key
	switch {
	case !d.has(source) || d.failed(source):
	case !d.has(path):
		d.bad(source, "%s is required: without it anybody could write into the ledger", key)
	case len(secret) < minHookSecret:
		d.hidden(path, "want %d characters or more (make one: openssl rand -hex 32)", minHookSecret)
	}
}

func (d *decoder) checkChangeMap(list []quality.ChangeMap, i int, features []quality.Feature) {
	m, path := list[i], fmt.Sprintf("changes.map[%d]", i)
	if !d.failed(path+".repository") && (m.Repository == "" || len(m.Repository) > quality.MaxNameLen || strings.Contains(m.Repository, "://")) {
		d.bad(path+".repository", "want the name of a repository such as org/app")
	}
	for j := range i {
		if strings.EqualFold(list[j].Repository, m.Repository) && (list[j].Environment == m.Environment) {
			d.bad(path, "changes.map[%d] is for the same repository and environment, and the first counts", j)
		}
	}
	for j, name := range m.Features {
		if !slices.ContainsFunc(features, func(f quality.Feature) bool { return f.Name == name }) {
			d.bad(fmt.Sprintf("%s.features[%d]", path, j), "no feature of this name is configured")
		}
	}
	if m.Layer != "" {
		d.checkLayer(path+".layer", m.Layer)
	}
	for j, l := range m.Carries {
		d.checkLayer(fmt.Sprintf("%s.carries[%d]", path, j), l)
	}
}

func (d *decoder) checkLayer(path string, l quality.Layer) {
	if d.failed(path) || slices.Contains(quality.Layers(), l) {
		return
	}
	names := make([]string, 0, len(quality.Layers()))
	for _, known := range quality.Layers() {
		names = append(names, string(known))
	}
	d.bad(path, "want one of %s", strings.Join(names, ", "))
}

func (d *decoder) checkExplains(path string, v time.Duration) {
	if d.has(path) && !d.failed(path) && (v < time.Minute || v > 7*day) {
		d.bad(path, "want 1m to 7d")
	}
}
