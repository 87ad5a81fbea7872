package files

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/asgood-dev/asgood/collector/files/parquet"
	"github.com/asgood-dev/asgood/internal/quality"
)

// ParseMap reads a mapping of the form "time=timestamp,input=query,id={model}/{id}".
// The keys are fields of a sample, or attributes.NAME, params.NAME, scores.NAME, latency_s.
func ParseMap(text string) (map[string]string, error) {
	if !utf8.ValidString(text) {
		return nil, quality.Errorf(quality.KindInvalid, "mapping %q: not valid UTF-8", text)
	}
	out := map[string]string{}
	for _, part := range strings.Split(text, ",") {
		field, column, ok := strings.Cut(strings.TrimSpace(part), "=")
		if !ok || field == "" || column == "" {
			return nil, quality.Errorf(quality.KindInvalid, "mapping %q: want field=column", part)
		}
		if _, ok := setterFor(field); !ok {
			return nil, quality.Errorf(quality.KindInvalid, "mapping %q: no field %q of a sample can be set (known: %s, attributes.NAME, params.NAME, scores.NAME)",
				part, field, strings.Join(slices.Sorted(maps.Keys(setters)), ", "))
		}
		if _, ok := out[field]; ok {
			return nil, quality.Errorf(quality.KindInvalid, "mapping %q: field %q is mapped twice", part, field)
		}
		out[field] = column
	}
	return out, nil
}

// mapper makes samples of rows.
type mapper struct {
	opts   *Options
	ids    idMaker
	fields []mappedField
	id     *mappedField // nil: every row gets an id that is made
	names  []string     // of the columns, in the order of the cells
}

type mappedField struct {
	name     string
	template template
	set      setter
}

// template is text with columns in it: literals[0] columns[0] literals[1] columns[1] ... literals[n].
type template struct {
	literals []string
	columns  []int
}

// newMapper binds the source to the columns of the mapping.
func newMapper(o *Options, head [32]byte, src source) (*mapper, error) {
	m := &mapper{opts: o, ids: idMaker{head: head}}
	for _, name := range slices.Sorted(maps.Keys(o.Map)) {
		set, ok := setterFor(name)
		if !ok {
			return nil, quality.Errorf(quality.KindInvalid, "mapping %s=%s: a sample has no field %q", name, o.Map[name], name)
		}
		t, err := m.template(o.Map[name])
		if err != nil {
			return nil, quality.Errorf(quality.KindInvalid, "mapping %s=%s: %w", name, o.Map[name], err)
		}
		f := mappedField{name: name, template: t, set: set}
		if m.fields = append(m.fields, f); name == "id" {
			m.id = &f
		}
	}
	if err := src.bind(m.names); err != nil {
		return nil, fmt.Errorf("mapping: %w", err)
	}
	return m, nil
}

// template reads a column's name, or literal text around {column}s.
func (m *mapper) template(text string) (t template, err error) {
	if !strings.ContainsAny(text, "{}") {
		return template{literals: []string{"", ""}, columns: []int{m.column(text)}}, nil
	}
	rest := text
	for {
		before, after, found := strings.Cut(rest, "{")
		t.literals = append(t.literals, before)
		if !found {
			break
		}
		name, tail, closed := strings.Cut(after, "}")
		if !closed || name == "" {
			return t, errors.New("want the name of a column between { and }")
		}
		t.columns, rest = append(t.columns, m.column(name)), tail
	}
	if len(t.columns) == 0 {
		return t, errors.New("want the name of a column between { and }")
	}
	return t, nil
}

// column returns the place of a column among the cells.
func (m *mapper) column(name string) int {
	if i := slices.Index(m.names, name); i >= 0 {
		return i
	}
	m.names = append(m.names, name)
	return len(m.names) - 1
}

// sample makes the sample of a row.
func (m *mapper) sample(cells []cell, at Place) (quality.Sample, error) {
	s := quality.Sample{Feature: m.opts.Feature, Customer: m.opts.Customer}
	for i := range m.fields {
		f := &m.fields[i]
		c, err := f.template.cell(cells)
		switch {
		case err != nil || c.Kind == parquet.Null:
		case f.name == "time":
			s.Time, err = parseTime(c, m.opts)
		default:
			err = f.set(&s, c)
		}
		if err != nil {
			return s, fmt.Errorf("field %q: %w", f.name, err)
		}
	}
	if m.id == nil || !m.id.template.whole(cells) {
		s.ID = m.ids.make(at.Row, cells)
	}
	return s, m.opts.Check(&s)
}

// cell is what the template says of a row; Null when none of its columns holds anything.
func (t template) cell(cells []cell) (cell, error) {
	if len(t.columns) == 1 && t.literals[0] == "" && t.literals[1] == "" {
		c := cells[t.columns[0]]
		return c, bounded(len(c.Text))
	}
	var b strings.Builder
	found := false
	for i, column := range t.columns {
		c := &cells[column]
		found = found || c.Kind != parquet.Null
		if err := bounded(b.Len() + len(c.Text)); err != nil {
			return cell{}, err
		}
		b.WriteString(t.literals[i])
		b.WriteString(c.Text)
	}
	if !found {
		return cell{}, nil
	}
	b.WriteString(t.literals[len(t.columns)])
	return cell{Kind: parquet.Text, Text: b.String()}, nil
}

// whole reports whether every column of the template holds something. An id with a part missing would
// make one sample of different rows.
func (t template) whole(cells []cell) bool {
	return !slices.ContainsFunc(t.columns, func(i int) bool { return cells[i].Kind == parquet.Null })
}

func bounded(size int) error {
	if size > MaxCell {
		return parquet.ErrTooLarge
	}
	return nil
}
