package parquet

import (
	"fmt"
	"strings"

	"github.com/parquet-go/parquet-go/deprecated"
	"github.com/parquet-go/parquet-go/format"
)

// node is a column, or a group of them.
type node struct {
	element        *format.SchemaElement
	parent         *node
	children       []*node
	depth          int
	maxRep, maxDef int // levels at which a value is there
	first, last    int // leaves under it, last excluded
}

func (m *metadata) tree() (*node, error) {
	b := treeBuilder{elements: m.Schema}
	root, err := b.build(nil)
	if err == nil && b.next != len(m.Schema) {
		err = fmt.Errorf("%d columns of the schema belong to none", len(m.Schema)-b.next)
	}
	return root, err
}

type treeBuilder struct {
	elements     []format.SchemaElement
	next, leaves int
}

func (b *treeBuilder) build(parent *node) (*node, error) {
	if b.next >= len(b.elements) {
		return nil, fmt.Errorf("the schema ends before its columns do")
	}
	n := &node{element: &b.elements[b.next], parent: parent, first: b.leaves}
	b.next++
	if parent != nil {
		n.depth, n.maxRep, n.maxDef = parent.depth+1, parent.maxRep, parent.maxDef
		if !n.required() {
			n.maxDef++
		}
		if n.repeated() {
			n.maxRep++
		}
	}
	if n.depth > maxDepth {
		return nil, fmt.Errorf("columns nest more than %d deep", maxDepth)
	}
	if n.leaf() {
		b.leaves++
	}
	for range n.element.NumChildren.V {
		child, err := b.build(n)
		if err != nil {
			return nil, err
		}
		n.children = append(n.children, child)
	}
	n.last = b.leaves
	if n.leaf() != (len(n.children) == 0) {
		return nil, fmt.Errorf("column %q is neither a value nor a group", n.path())
	}
	return n, nil
}

func (n *node) leaf() bool     { return n.element.Type.Valid }
func (n *node) required() bool { return n.element.RepetitionType.V == format.Required }
func (n *node) repeated() bool { return n.element.RepetitionType.V == format.Repeated }
func (n *node) optional() bool { return n.element.RepetitionType.V == format.Optional }

func (n *node) isWide() bool { return n.element.Type.V == format.Int64 }

// list returns the repeated child of a list.
func (n *node) list() (*node, bool) {
	_, is := n.element.LogicalType.Value.(*format.ListType)
	is = is || n.element.ConvertedType.Valid && n.element.ConvertedType.V == deprecated.List
	if !is || len(n.children) != 1 || !n.children[0].repeated() {
		return nil, false
	}
	return n.children[0], true
}

// pairs returns the repeated group of a map's keys and values.
func (n *node) pairs() (*node, bool) {
	_, is := n.element.LogicalType.Value.(*format.MapType)
	is = is || n.element.ConvertedType.Valid && (n.element.ConvertedType.V == deprecated.Map || n.element.ConvertedType.V == deprecated.MapKeyValue)
	if !is || len(n.children) != 1 {
		return nil, false
	}
	group := n.children[0]
	if !group.repeated() || len(group.children) != 2 || !group.children[0].leaf() || group.children[0].maxRep != group.maxRep {
		return nil, false
	}
	return group, true
}

// element is what a list repeats: the only child of its repeated group, or, as older writers did, the
// repeated column itself.
func listElement(list, repeated *node) *node {
	if repeated.leaf() || len(repeated.children) > 1 {
		return repeated
	}
	if name := repeated.element.Name; name == "array" || name == list.element.Name+"_tuple" {
		return repeated
	}
	return repeated.children[0]
}

func (n *node) path() string {
	var names []string
	for at := n; at.parent != nil; at = at.parent {
		names = append([]string{at.element.Name}, names...)
	}
	return strings.Join(names, ".")
}

// find follows a dotted path as far as groups go. What is left of it lies within the JSON of the column:
// in a list, a map or a JSON text.
func (n *node) find(path string) (column *node, rest string, ok bool) {
	_, isList := n.list()
	_, isMap := n.pairs()
	if n.leaf() || n.repeated() || isList || isMap {
		return n, path, n.nests()
	}
	for _, child := range n.children { // a name may hold dots
		if child.element.Name == path {
			return child, "", true
		}
	}
	name, rest, dotted := strings.Cut(path, ".")
	if !dotted {
		return nil, "", false
	}
	for _, child := range n.children {
		if child.element.Name == name {
			return child.find(rest)
		}
	}
	return nil, "", false
}

// nests reports whether a column's value has something within.
func (n *node) nests() bool { return !n.leaf() || n.repeated() || n.isJSON() }

func (n *node) isJSON() bool {
	_, is := n.element.LogicalType.Value.(*format.JsonType)
	return is || n.element.ConvertedType.Valid && n.element.ConvertedType.V == deprecated.Json
}

// names lists the columns that a path can name, at most a few.
func (n *node) names() []string {
	var out []string
	for _, child := range n.children {
		_, isList := child.list()
		_, isMap := child.pairs()
		if child.leaf() || child.repeated() || isList || isMap {
			out = append(out, child.path())
			continue
		}
		out = append(out, child.names()...)
	}
	return out
}
