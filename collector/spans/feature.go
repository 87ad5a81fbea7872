package spans

import (
	"slices"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/tidwall/gjson"

	"github.com/asgood-dev/asgood/internal/quality"
)

// feature is a configured feature with its names as slots.
type feature struct {
	name       string
	match      []condition
	fields     map[string][]source // by field of the sample; a mapped field is taken from nowhere else
	attributes []mapped
}

type condition struct {
	slot  slot
	value string
}

// source is where a mapped field comes from: an attribute, or a member of one that holds an object.
type source struct {
	slot      slot
	container slot
	member    string // empty: only the attribute itself
}

type mapped struct {
	name    string
	sources []source
}

func newFeature(f *quality.Feature, t *table) feature {
	out := feature{name: f.Name, fields: map[string][]source{}}
	for name, value := range f.Match {
		out.match = append(out.match, condition{t.slot(name), value})
	}
	for field, from := range f.Map {
		sources := make([]source, len(from))
		for i, name := range from {
			sources[i] = newSource(name, t)
		}
		if slices.Contains(quality.MapFields(), field) {
			out.fields[field] = sources
			continue
		}
		out.attributes = append(out.attributes, mapped{strings.TrimPrefix(field, quality.MapAttributePrefix), sources})
	}
	slices.SortFunc(out.attributes, func(a, b mapped) int { return strings.Compare(a.name, b.name) })
	return out
}

// newSource knows the attributes that hold objects: as one attribute they can be a mapping or JSON text.
func newSource(name string, t *table) source {
	s := source{slot: t.slot(name)}
	for _, container := range []slot{metadata, associations} {
		if member, ok := strings.CutPrefix(name, names[container]+"."); ok {
			s.container, s.member = container, member
		}
	}
	return s
}

func (f *feature) named() string {
	if f == nil {
		return ""
	}
	return f.name
}

// matched returns the first feature all of whose attributes the span or its resource has.
func (r *reading) matched() *feature {
	for i := range r.x.features {
		if f := &r.x.features[i]; r.matches(f.match) {
			return f
		}
	}
	return nil
}

func (r *reading) matches(want []condition) bool {
	for _, c := range want {
		v, ok := r.get(c.slot)
		if !ok || v.AsString() != c.value {
			return false
		}
	}
	return len(want) > 0 // a feature without attributes takes no spans
}

// field returns a field by the feature's mapping, or else by the conventions.
func (r *reading) field(f *feature, name string, conventions ...slot) string {
	if f != nil {
		if sources, ok := f.fields[name]; ok {
			return r.from(sources)
		}
	}
	return r.text(conventions...)
}

// from returns what the first source that is there says. The span comes before its resource.
func (r *reading) from(sources []source) string {
	for _, s := range sources {
		for _, v := range []*view{r.own, r.resource} {
			if text := v.from(s); text != "" {
				return text
			}
		}
	}
	return ""
}

func (v *view) from(s source) string {
	if text := v.text(s.slot); text != "" || s.member == "" || !v.has[s.container] {
		return text
	}
	held := v.values[s.container]
	if held.Type() == pcommon.ValueTypeMap {
		if member, ok := held.Map().Get(s.member); ok {
			return textOf(member)
		}
		return ""
	}
	text, ok := jsonText(held)
	if !ok {
		return ""
	}
	found := ""
	gjson.Parse(text).ForEach(func(key, value gjson.Result) bool {
		if key.String() == s.member {
			found = plain(value)
			return false
		}
		return true
	})
	return found
}
