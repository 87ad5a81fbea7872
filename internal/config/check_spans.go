package config

import (
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
	"github.com/goccy/go-yaml/ast"
)

const (
	minSpanWait = 100 * time.Millisecond
	maxSpanWait = 10 * time.Minute
	maxMapped   = 16 // names for one field
)

// unmappable are fields of a sample that are what the span says, not attributes.
var unmappable = []string{
	"id", "time", "feature", "source", "trace", "input", "output", "context", "params", "tools", "usage", "latency_ms",
	"error", "attributes", "scores", "weight",
}

func (d *decoder) checkSpans(f *quality.Feature, path string) {
	spans := path + ".spans"
	if f.Spans.Join != "" && f.Spans.Join != quality.JoinRequest && f.Spans.Join != quality.JoinNone {
		d.bad(spans+".join", "want request (all spans of a request are one sample) or none (each output span is one)")
	}
	if d.has(spans+".wait") && !d.failed(spans+".wait") && (f.Spans.Wait < minSpanWait || f.Spans.Wait > maxSpanWait) {
		d.bad(spans+".wait", "want 100ms to 10m")
	}
	d.checkMap(f.Map, path+".map")
}

func (d *decoder) checkMap(m map[string][]string, path string) {
	if len(m) > quality.MaxAttributes {
		d.bad(path, "%d entries, at most %d", len(m), quality.MaxAttributes)
	}
	for field, names := range m {
		p := join(path, field)
		d.checkMapField(m, field, p)
		d.checkMapNames(names, p)
	}
}

func (d *decoder) checkMapField(m map[string][]string, field, path string) {
	name, prefixed := strings.CutPrefix(field, quality.MapAttributePrefix)
	_, twice := m[name]
	switch {
	case d.failed(path):
	case name == "" || len(name) > quality.MaxNameLen:
		d.bad(path, "want a field (%s) or the name of an attribute of 1 to %d bytes", strings.Join(quality.MapFields(), ", "), quality.MaxNameLen)
	case !prefixed && slices.Contains(unmappable, name):
		d.bad(path, "cannot be mapped; for an attribute of this name write %s%s", quality.MapAttributePrefix, name)
	case prefixed && twice && !slices.Contains(quality.MapFields(), name):
		d.bad(path, "stands twice, once without %q", quality.MapAttributePrefix)
	}
}

func (d *decoder) checkMapNames(names []string, path string) {
	switch {
	case d.failed(path):
	case len(names) == 0:
		d.bad(path, "want the name of an OTLP attribute, or a list of names")
	case len(names) > maxMapped:
		d.bad(path, "%d names, at most %d", len(names), maxMapped)
	case slices.ContainsFunc(names, func(s string) bool { return s == "" || len(s) > quality.MaxNameLen }):
		d.bad(path, "the name of an OTLP attribute has 1 to %d bytes", quality.MaxNameLen)
	}
}

// lists fills a mapping of lists, in which a single value may stand for a list of one.
func (d *decoder) lists(n ast.Node, out *map[string][]string, path string) {
	es, ok := d.entries(n, path)
	if !ok {
		return
	}
	*out = make(map[string][]string, len(es))
	for _, e := range es {
		(*out)[e.name] = d.oneOrMore(e.value, join(path, e.name))
	}
}

func (d *decoder) oneOrMore(n ast.Node, path string) []string {
	if n == nil {
		return nil
	}
	if d.isList(n) {
		var many []string
		d.node(n, reflect.ValueOf(&many).Elem(), path)
		return many
	}
	var one string
	d.node(n, reflect.ValueOf(&one).Elem(), path)
	if one == "" {
		return nil
	}
	return []string{one}
}

// isList looks at a value without saying anything about it.
func (d *decoder) isList(n ast.Node) bool {
	if a, ok := n.(*ast.AnchorNode); ok {
		n = a.Value
	}
	if a, ok := n.(*ast.AliasNode); ok {
		n = d.anchors[a.Value.GetToken().Value]
	}
	_, ok := n.(*ast.SequenceNode)
	return ok
}
