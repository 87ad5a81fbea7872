package config

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// place is where a key's value stands in the file, and what may be shown of it.
type place struct {
	line, column int
	text         string // the value as written, before ${} is replaced; empty for lists and mappings
	fromEnv      bool   // the value holds text of the environment, which may be secret
}

// decoder fills structs from a syntax tree. Unlike the library's own decoder it goes on after a problem
// and remembers where everything stood, so that later checks can say so too.
type decoder struct {
	file     string
	env      func(string) (string, bool)
	location *time.Location // of dates without a zone
	anchors  map[string]ast.Node
	places   map[string]place
	wrong    map[string]bool // paths whose value has the wrong form, so that nothing in it was read
	budget   int             // nodes that may still be visited: aliases of aliases grow without bound
	verbatim bool            // ${NAME} is text like any other
	problems Problems
	untold   int // problems beyond the first maxProblems
}

// Bounds of what is looked at, and of what is said about it.
const (
	maxNodes    = 200_000
	maxProblems = 100
	maxPath     = 300 // bytes of a key's path in a problem
)

func (d *decoder) problem(at place, path, format string, args ...any) {
	if len(d.problems) >= maxProblems {
		d.untold++
		return
	}
	if len(path) > maxPath {
		path = strings.ToValidUTF8(path[:maxPath], "") + "..."
	}
	d.problems = append(d.problems, Problem{
		File: d.file, Line: max(at.line, 1), Column: max(at.column, 1), Path: path, Message: fmt.Sprintf(format, args...),
	})
}

// bad reports the value at path, or, where the file does not hold it, the nearest thing around it.
// It shows the value as written, so never what a variable held.
func (d *decoder) bad(path, format string, args ...any) {
	told := len(d.problems)
	d.hidden(path, format, args...)
	if len(d.problems) > told {
		d.problems[told].Text = clip(d.places[path].text)
	}
}

// written is the value at path as it stands in the file, where a message must name it: a variable keeps
// its name.
func (d *decoder) written(path, value string) string {
	if at := d.places[path]; at.fromEnv {
		value = at.text
	}
	return clip(value)
}

// hidden reports the value at path without showing it.
func (d *decoder) hidden(path, format string, args ...any) {
	d.problem(d.find(path), path, format, args...)
}

func (d *decoder) find(path string) place {
	for {
		if at, ok := d.places[path]; ok || path == "" {
			return at
		}
		path = around(path)
	}
}

// around returns the path of what holds path.
func around(path string) string { return path[:max(strings.LastIndexAny(path, ".["), 0)] }

func placeOf(n ast.Node) place {
	if n == nil {
		return place{}
	}
	return placeOfToken(start(n))
}

func placeOfToken(t *token.Token) place {
	if t == nil || t.Position == nil {
		return place{}
	}
	return place{line: t.Position.Line, column: t.Position.Column}
}

// start returns the token at which a node begins; the library points at the colon of a mapping.
func start(n ast.Node) *token.Token {
	switch n := n.(type) {
	case *ast.MappingNode:
		if !n.IsFlowStyle && len(n.Values) > 0 {
			return start(n.Values[0].Key)
		}
	case *ast.MappingValueNode:
		return start(n.Key)
	}
	return n.GetToken()
}

// resolve follows anchors, aliases and tags to the node that holds the value; nil when there is none.
func (d *decoder) resolve(n ast.Node, path string) ast.Node {
	for n != nil {
		switch t := n.(type) {
		case *ast.AliasNode:
			name := t.Value.GetToken().Value
			target, ok := d.anchors[name]
			if !ok {
				d.wrong[path] = true
				d.problem(placeOf(t), path, "*%s: no anchor of this name before it", clip(name))
				return nil
			}
			return target
		case *ast.AnchorNode:
			n = t.Value
		case *ast.TagNode:
			d.wrong[path] = true
			d.problem(placeOf(t), path, "%s: tags are not used here", clip(t.Start.Value))
			return nil
		default:
			return n
		}
	}
	return nil
}

// spend takes from the budget, tells once when it is used up, and reports whether there was enough.
func (d *decoder) spend(cost int, n ast.Node, path string) bool {
	if d.budget <= 0 {
		return false
	}
	if d.budget -= cost; d.budget <= 0 {
		d.problem(placeOf(n), path, "the file holds more than %d values", maxNodes)
	}
	return d.budget > 0
}

// node fills v from n. An empty value leaves v as it is, so that defaults stay.
func (d *decoder) node(n ast.Node, v reflect.Value, path string) {
	if !d.spend(1, n, path) {
		return
	}
	if a, ok := n.(*ast.AnchorNode); ok {
		// After its content, so that nothing can hold itself.
		defer func() { d.anchors[a.Name.GetToken().Value] = d.resolve(a.Value, path) }()
	}
	at := placeOf(n)
	n = d.resolve(n, path)
	if n == nil {
		return
	}
	if _, ok := d.places[path]; !ok {
		d.places[path] = at
	}
	if n.Type() == ast.NullType {
		return
	}
	d.value(n, v, path)
}

func (d *decoder) value(n ast.Node, v reflect.Value, path string) {
	if d.union(n, v, path) {
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		d.value(n, v.Elem(), path)
	case reflect.Struct:
		d.mapping(n, v, path)
	case reflect.Map:
		d.stringMap(n, v, path)
	case reflect.Slice, reflect.Array:
		d.list(n, v, path)
	case reflect.Interface:
		d.free(n, v, path)
	default:
		d.scalar(n, v, path)
	}
}

// entry is one key of a mapping and its value.
type entry struct {
	name  string
	key   ast.Node
	value ast.Node
}

// entries returns the keys of a mapping, with those of merge keys ("<<") that it does not set itself.
func (d *decoder) entries(n ast.Node, path string) ([]entry, bool) {
	m, ok := n.(ast.MapNode)
	if !ok {
		d.wrongForm(n, path, "a mapping")
		return nil, false
	}
	var own, merged []entry
	seen := map[string]place{}
	for it := m.MapRange(); it.Next(); {
		if it.Key().IsMergeKey() {
			merged = append(merged, d.merge(it.Value(), path)...)
			continue
		}
		key := it.Key()
		if _, ok := key.(*ast.MappingKeyNode); ok || key.Type() == ast.AliasType {
			d.problem(placeOf(key), path, "holds a key that is not a word")
			continue
		}
		name := key.GetToken().Value
		at := placeOf(key)
		if first, ok := seen[name]; ok {
			d.problem(at, join(path, clip(name)), "stands twice, first in line %d", first.line)
			continue
		}
		seen[name] = at
		own = append(own, entry{name, key, it.Value()})
	}
	for _, e := range merged {
		if _, ok := seen[e.name]; !ok {
			seen[e.name] = placeOf(e.key)
			own = append(own, e)
		}
	}
	return own, true
}

func (d *decoder) merge(n ast.Node, path string) []entry {
	n = d.resolve(n, path)
	if n == nil {
		return nil
	}
	if s, ok := n.(*ast.SequenceNode); ok {
		var all []entry
		for _, v := range s.Values {
			if !d.spend(1, v, path) {
				return nil
			}
			all = append(all, d.merge(v, path)...)
		}
		return all
	}
	es, _ := d.entries(n, path)
	if !d.spend(1+len(es), n, path) {
		return nil
	}
	return es
}

func (d *decoder) mapping(n ast.Node, v reflect.Value, path string) {
	es, ok := d.entries(n, path)
	if !ok {
		return
	}
	fields := fieldsOf(v.Type())
	for _, e := range es {
		i, ok := fields[e.name]
		if !ok {
			d.unknown(e, path, fields)
			continue
		}
		p := join(path, e.name)
		if e.value == nil {
			continue
		}
		// A list or mapping that begins on a later line is best found by its key.
		if at := placeOf(e.key); placeOf(e.value).line != at.line {
			d.places[p] = at
		}
		d.node(e.value, v.Field(i), p)
	}
}

func (d *decoder) unknown(e entry, path string, fields map[string]int) {
	known := make([]string, 0, len(fields))
	for k := range fields {
		known = append(known, k)
	}
	slices.Sort(known)
	hint := "known: " + strings.Join(known, ", ")
	if s := nearest(e.name, known); s != "" {
		hint = fmt.Sprintf("did you mean %q?", s)
	}
	d.problem(placeOf(e.key), path, "unknown field %q (%s)", clip(e.name), hint)
}

func (d *decoder) stringMap(n ast.Node, v reflect.Value, path string) {
	es, ok := d.entries(n, path)
	if !ok {
		return
	}
	v.Set(reflect.MakeMap(v.Type()))
	for _, e := range es {
		p := join(path, e.name)
		item := reflect.New(v.Type().Elem()).Elem()
		d.node(e.value, item, p)
		v.SetMapIndex(reflect.ValueOf(e.name), item)
	}
}

func (d *decoder) list(n ast.Node, v reflect.Value, path string) {
	s, ok := n.(*ast.SequenceNode)
	if !ok {
		d.wrongForm(n, path, "a list")
		return
	}
	if v.Kind() == reflect.Array && len(s.Values) != v.Len() {
		d.problem(placeOf(n), path, "want a list of %d, got %d", v.Len(), len(s.Values))
		return
	}
	if v.Kind() == reflect.Slice {
		v.Set(reflect.MakeSlice(v.Type(), len(s.Values), len(s.Values)))
	}
	for i, item := range s.Values {
		d.node(item, v.Index(i), fmt.Sprintf("%s[%d]", path, i))
	}
}

func (d *decoder) wrongForm(n ast.Node, path, want string) {
	d.wrong[path] = true
	got := "text"
	switch n.(type) {
	case ast.MapNode:
		got = "a mapping"
	case *ast.SequenceNode:
		got = "a list"
	case *ast.IntegerNode, *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		got = "a number"
	case *ast.BoolNode:
		got = "true or false"
	}
	d.problem(placeOf(n), path, "want %s, got %s", want, got)
}

// fieldsOf returns the index of each field by its name in the file.
func fieldsOf(t reflect.Type) map[string]int {
	fields := make(map[string]int, t.NumField())
	for i := range t.NumField() {
		if name := t.Field(i).Tag.Get("yaml"); name != "" && name != "-" {
			fields[name] = i
		}
	}
	return fields
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}
