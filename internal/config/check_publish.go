package config

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"time"

	"github.com/goccy/go-yaml/ast"

	"github.com/asgood-dev/asgood/internal/quality"
	"github.com/asgood-dev/asgood/internal/wording"
)

// Bounds of publishing.
const (
	maxPublishAfter = 7 * day
	maxPublishRules = 20
	minUpdateEvery  = 5 * time.Minute
	maxUpdateEvery  = 7 * day
	maxAdvice       = 1000 // bytes

	defaultPublishAfter = 10 * time.Minute
)

// never is the word for what only people do.
const never = "never"

// defaultPublish leaves people ten minutes for a veto. So customers hear of what is worse also at night.
func defaultPublish() []quality.PublishRule {
	return []quality.PublishRule{{After: quality.PublishAfter{Wait: defaultPublishAfter}, Kinds: quality.IncidentKinds()}}
}

var (
	publishAfterType = reflect.TypeFor[quality.PublishAfter]()
	publishRulesType = reflect.TypeFor[[]quality.PublishRule]()
)

// publishUnion fills the values of publishing that have forms of their own, and reports whether v is one.
func (d *decoder) publishUnion(n ast.Node, v reflect.Value, path string) bool {
	switch v.Type() {
	case publishAfterType:
		d.publishAfter(n, v.Addr().Interface().(*quality.PublishAfter), path)
	case publishRulesType:
		if _, isList := n.(*ast.SequenceNode); isList {
			return false
		}
		if _, isMap := n.(ast.MapNode); isMap { // one rule
			v.Set(reflect.ValueOf(make([]quality.PublishRule, 1)))
			d.node(n, v.Index(0), path+"[0]")
			return true
		}
		if s, ok := d.text(n, path, "rules, or never"); ok && s != never {
			d.bad(path, "want rules such as {after: 10m}, or never")
		}
		v.Set(reflect.ValueOf([]quality.PublishRule{}))
	default:
		return false
	}
	return true
}

func (d *decoder) publishAfter(n ast.Node, out *quality.PublishAfter, path string) {
	const want = "a duration such as 10m, 0s, or never"
	s, ok := d.text(n, path, want)
	if !ok {
		return
	}
	if out.Never = s == never; out.Never {
		return
	}
	v, err := parseDuration(s)
	if err != nil {
		d.bad(path, "want %s", want)
		return
	}
	out.Wait = v
}

func (d *decoder) checkPublish(p StatusPage) {
	if len(p.Publish) > maxPublishRules {
		d.bad("statuspage.publish", "%d rules, at most %d", len(p.Publish), maxPublishRules)
	}
	for i, r := range p.Publish {
		d.checkPublishRule(r, fmt.Sprintf("statuspage.publish[%d]", i))
	}
	const every = "statuspage.update_every"
	if p.UpdateEvery != 0 && !d.failed(every) && (p.UpdateEvery < minUpdateEvery || p.UpdateEvery > maxUpdateEvery) {
		d.bad(every, "want 5m to 7d, or 0s for no promise")
	}
	for _, stage := range slices.Sorted(maps.Keys(p.Templates)) {
		path := "statuspage.templates." + stage
		if err := wording.CheckStage(stage); err != nil {
			d.bad(path, "%v", err)
		} else if _, err := wording.Parse(p.Templates[stage]); err != nil {
			d.hidden(path, "%v", err)
		}
	}
}

func (d *decoder) checkPublishRule(r quality.PublishRule, path string) {
	switch {
	case d.failed(path + ".after"):
	case !d.has(path + ".after"):
		d.bad(path, "after is required (0s publishes at once, never leaves it to people)")
	case r.After.Wait > maxPublishAfter:
		d.bad(path+".after", "want at most 7d")
	}
	for i, k := range r.Kinds {
		if p := fmt.Sprintf("%s.kinds[%d]", path, i); !slices.Contains(quality.IncidentKinds(), k) && !d.failed(p) {
			d.bad(p, "want quality or availability")
		}
	}
	for i, s := range r.Severities {
		if p := fmt.Sprintf("%s.severities[%d]", path, i); s.Rank() == 0 && !d.failed(p) {
			d.bad(p, "want minor, major or critical")
		}
	}
}

func (d *decoder) checkAdvice(advice, path string) {
	if len(advice) > maxAdvice {
		d.bad(path, "%d bytes, at most %d", len(advice), maxAdvice)
	}
}
