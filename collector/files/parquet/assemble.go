package parquet

import (
	"encoding/json"
	"errors"
	"strconv"
	"unicode/utf8"

	pq "github.com/parquet-go/parquet-go"
)

// assembler writes the JSON of a group from the values of its columns in one row, by their levels.
type assembler struct {
	columns []*column // by leaf; nil for those that are not read
	out     []byte
}

var errColumnsDisagree = errors.New("the columns of a group disagree in number")

func (a *assembler) assemble(n *node) (Value, error) {
	a.out = a.out[:0]
	for _, c := range a.columns[n.first:n.last] {
		c.next = 0
	}
	if err := a.write(n); err != nil {
		return Value{}, err
	}
	if string(a.out) == "null" {
		return Value{}, nil
	}
	return Value{Kind: JSON, Text: string(a.out)}, nil
}

func (a *assembler) peek(n *node) (pq.Value, error) {
	c := a.columns[n.first]
	if c.next >= len(c.row) {
		return pq.Value{}, errColumnsDisagree
	}
	return c.row[c.next], nil
}

// write writes a column or group where it stands among its neighbours.
func (a *assembler) write(n *node) error {
	v, err := a.peek(n)
	switch {
	case err != nil:
		return err
	case n.repeated():
		return a.repeat(n, n)
	case n.optional() && v.DefinitionLevel() < n.maxDef:
		a.out = append(a.out, "null"...)
		return a.pass(n)
	}
	return a.body(n)
}

// pass takes the one value that each column of an absent group has.
func (a *assembler) pass(n *node) error {
	for _, c := range a.columns[n.first:n.last] {
		if c.next >= len(c.row) {
			return errColumnsDisagree
		}
		c.next++
	}
	return nil
}

// body writes what is there.
func (a *assembler) body(n *node) error {
	if n.leaf() {
		return a.leaf(n)
	}
	if repeated, ok := n.list(); ok {
		return a.repeat(repeated, listElement(n, repeated))
	}
	if group, ok := n.pairs(); ok {
		return a.object(group)
	}
	a.out = append(a.out, '{')
	for i, child := range n.children {
		if i > 0 {
			a.out = append(a.out, ',')
		}
		a.key(child.element.Name)
		if err := a.write(child); err != nil {
			return err
		}
	}
	a.out = append(a.out, '}')
	return a.bounded()
}

// repeat writes a list of what a repeated column holds: itself, or its only child.
func (a *assembler) repeat(repeated, element *node) error {
	a.out = append(a.out, '[')
	err := a.each(repeated, func(i int) error {
		if i > 0 {
			a.out = append(a.out, ',')
		}
		if element == repeated {
			return a.body(repeated)
		}
		return a.write(element)
	})
	a.out = append(a.out, ']')
	return err
}

// object writes a map.
func (a *assembler) object(group *node) error {
	a.out = append(a.out, '{')
	err := a.each(group, func(i int) error {
		if i > 0 {
			a.out = append(a.out, ',')
		}
		key, err := a.value(group.children[0])
		if err != nil {
			return err
		}
		a.key(key.Text)
		return a.write(group.children[1])
	})
	a.out = append(a.out, '}')
	return err
}

// each calls fn for every repetition there is.
func (a *assembler) each(repeated *node, fn func(i int) error) error {
	v, err := a.peek(repeated)
	if err != nil {
		return err
	}
	if v.DefinitionLevel() < repeated.maxDef {
		return a.pass(repeated)
	}
	for i := 0; ; i++ {
		if err := fn(i); err != nil {
			return err
		}
		v, err := a.peek(repeated)
		if err != nil || v.RepetitionLevel() < repeated.maxRep {
			return nil // the row, or this list in it, has ended
		}
	}
}

func (a *assembler) value(n *node) (Value, error) {
	c := a.columns[n.first]
	if c.next >= len(c.row) {
		return Value{}, errColumnsDisagree
	}
	v := c.row[c.next]
	c.next++
	if v.IsNull() {
		return Value{}, nil
	}
	return c.read(v)
}

func (a *assembler) leaf(n *node) error {
	v, err := a.value(n)
	if err != nil {
		return err
	}
	switch v.Kind {
	case Null:
		a.out = append(a.out, "null"...)
	case Literal:
		a.out = append(a.out, v.Text...)
	default:
		if n.isJSON() && json.Valid([]byte(v.Text)) {
			a.out = append(a.out, v.Text...)
			break
		}
		a.quote(v.Text)
	}
	return a.bounded()
}

func (a *assembler) key(name string) {
	a.quote(name)
	a.out = append(a.out, ':')
}

func (a *assembler) quote(s string) {
	const hex = "0123456789abcdef"
	if !utf8.ValidString(s) { // only a column's name can be
		s = strconv.QuoteToASCII(s)
	}
	a.out = append(a.out, '"')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			a.out = append(a.out, '\\', c)
		case c < ' ':
			a.out = append(a.out, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		default:
			a.out = append(a.out, c)
		}
	}
	a.out = append(a.out, '"')
}

func (a *assembler) bounded() error {
	if len(a.out) > MaxValue {
		return ErrTooLarge
	}
	return nil
}
