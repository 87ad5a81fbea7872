package collector

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
)

// CSVOptions say how the rows of a CSV file become samples.
type CSVOptions struct {
	Feature    string            // of every row, unless the mapping has feature
	Map        map[string]string // field of the sample by column, or by a template such as "{model}/{id}"
	TimeLayout string            // Go layout of the time column; empty tries the unambiguous ones
	Location   *time.Location    // of times without a zone; nil means UTC
}

// ParseMap reads a mapping of the form "time=timestamp,input=query,id={model}/{id}".
// The keys are fields of a sample, or attributes.NAME, params.NAME, scores.NAME, latency_s.
func ParseMap(text string) (map[string]string, error) {
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

// setter puts the text of a cell into a sample.
type setter func(s *quality.Sample, value string) error

var setters = map[string]setter{
	"id":            func(s *quality.Sample, v string) error { s.ID = v; return nil },
	"feature":       func(s *quality.Sample, v string) error { s.Feature = v; return nil },
	"customer":      func(s *quality.Sample, v string) error { s.Customer = v; return nil },
	"conversation":  func(s *quality.Sample, v string) error { s.Conversation = v; return nil },
	"input":         func(s *quality.Sample, v string) error { s.Input = quality.Text(v); return nil },
	"output":        func(s *quality.Sample, v string) error { s.Output = quality.Text(v); return nil },
	"reference":     func(s *quality.Sample, v string) error { s.Reference = &v; return nil },
	"model":         func(s *quality.Sample, v string) error { s.Model = v; return nil },
	"prompt":        func(s *quality.Sample, v string) error { s.Prompt = v; return nil },
	"error":         func(s *quality.Sample, v string) error { s.Error = v; return nil },
	"latency_ms":    number(func(s *quality.Sample, x float64) { s.LatencyMS = x }),
	"latency_s":     number(func(s *quality.Sample, x float64) { s.LatencyMS = x * 1000 }),
	"weight":        number(func(s *quality.Sample, x float64) { s.Weight = x }),
	"input_tokens":  number(func(s *quality.Sample, x float64) { usage(s).InputTokens = uint64(x) }),
	"output_tokens": number(func(s *quality.Sample, x float64) { usage(s).OutputTokens = uint64(x) }),
	"time":          func(*quality.Sample, string) error { return nil }, // set by the reader, which knows the layout
}

func usage(s *quality.Sample) *quality.Usage {
	if s.Usage == nil {
		s.Usage = &quality.Usage{}
	}
	return s.Usage
}

// number sets a number; an empty cell leaves it unset, since missing is not zero.
func number(set func(*quality.Sample, float64)) setter {
	return func(s *quality.Sample, v string) error {
		if v = strings.TrimSpace(v); v == "" {
			return nil
		}
		x, err := strconv.ParseFloat(v, 64)
		if err != nil || x < 0 {
			return fmt.Errorf("want a number that is not negative, got %q", v)
		}
		set(s, x)
		return nil
	}
}

func setterFor(field string) (setter, bool) {
	if set, ok := setters[field]; ok {
		return set, true
	}
	group, name, ok := strings.Cut(field, ".")
	if !ok || name == "" {
		return nil, false
	}
	switch group {
	case "attributes":
		return func(s *quality.Sample, v string) error { s.Attributes = with(s.Attributes, name, v); return nil }, true
	case "params":
		return func(s *quality.Sample, v string) error { s.Params = with(s.Params, name, param(v)); return nil }, true
	case "scores":
		return func(s *quality.Sample, v string) error { return setScore(s, name, v) }, true
	}
	return nil, false
}

func with[T any](m map[string]T, key string, value T) map[string]T {
	if m == nil {
		m = map[string]T{}
	}
	m[key] = value
	return m
}

func param(v string) any {
	if x, err := strconv.ParseFloat(v, 64); err == nil {
		return x
	}
	return v
}

// setScore takes numbers and true or false; an empty cell is no score.
func setScore(s *quality.Sample, name, v string) error {
	switch v = strings.ToLower(strings.TrimSpace(v)); v {
	case "":
		return nil
	case "true":
		v = "1"
	case "false":
		v = "0"
	}
	x, err := strconv.ParseFloat(v, 64)
	if err != nil {
		return fmt.Errorf("want a number, true or false, got %q", v)
	}
	s.Scores = with(s.Scores, name, x)
	return nil
}

// RowError is a row that could not become a sample. The rows behind it are read all the same.
type RowError struct {
	Line int // in the file, 1-based
	Err  error
}

// Error names the line.
func (e *RowError) Error() string { return fmt.Sprintf("line %d: %v", e.Line, e.Err) }

// Unwrap returns the reason.
func (e *RowError) Unwrap() error { return e.Err }

// ReadCSV reads samples from CSV with a header line. A row that is wrong gives a *RowError and the
// reading goes on; any other error ends it.
func ReadCSV(r io.Reader, o CSVOptions) iter.Seq2[quality.Sample, error] {
	return func(yield func(quality.Sample, error) bool) {
		rows := csv.NewReader(r)
		rows.ReuseRecord = true
		header, err := rows.Read()
		if err != nil {
			yield(quality.Sample{}, quality.Errorf(quality.KindInvalid, "reading the CSV header: %w", err))
			return
		}
		cells, err := newCells(slices.Clone(header), o)
		if err != nil {
			yield(quality.Sample{}, err)
			return
		}
		for {
			row, err := rows.Read()
			if errors.Is(err, io.EOF) {
				return
			}
			line, _ := rows.FieldPos(0)
			s, err := cells.sample(row, err)
			if err != nil {
				err = &RowError{Line: line, Err: err}
			}
			if !yield(s, err) {
				return
			}
		}
	}
}

// cells knows where each mapped field of a sample is found in a row.
type cells struct {
	opts   CSVOptions
	fields []cellField
}

type cellField struct {
	name     string
	template template
	set      setter
}

// template is text with columns in it: literal[0] column[0] literal[1] column[1] ... literal[n].
type template struct {
	literals []string
	columns  []int
}

func newCells(header []string, o CSVOptions) (*cells, error) {
	header[0] = strings.TrimPrefix(header[0], "\ufeff")
	index := map[string]int{}
	for i, h := range header {
		index[h] = i
	}
	c := &cells{opts: o}
	for _, field := range slices.Sorted(maps.Keys(o.Map)) {
		t, err := parseTemplate(o.Map[field], index)
		if err != nil {
			return nil, quality.Errorf(quality.KindInvalid, "mapping %s=%s: %w (columns: %s)", field, o.Map[field], err, strings.Join(header, ", "))
		}
		set, ok := setterFor(field)
		if !ok {
			return nil, quality.Errorf(quality.KindInvalid, "mapping %s=%s: a sample has no field %q", field, o.Map[field], field)
		}
		c.fields = append(c.fields, cellField{name: field, template: t, set: set})
	}
	return c, nil
}

// parseTemplate reads a column's name, or literal text around {column}s.
func parseTemplate(text string, index map[string]int) (template, error) {
	if i, ok := index[text]; ok {
		return template{literals: []string{"", ""}, columns: []int{i}}, nil
	}
	var t template
	rest := text
	for {
		before, after, found := strings.Cut(rest, "{")
		t.literals = append(t.literals, before)
		if !found {
			break
		}
		name, tail, closed := strings.Cut(after, "}")
		i, known := index[name]
		if !closed || !known {
			return t, fmt.Errorf("no column %q", name)
		}
		t.columns, rest = append(t.columns, i), tail
	}
	if len(t.columns) == 0 {
		return t, fmt.Errorf("no column %q", text)
	}
	return t, nil
}

func (t template) text(row []string) (string, error) {
	var b strings.Builder
	for i, column := range t.columns {
		if column >= len(row) {
			return "", fmt.Errorf("the row has %d cells, column %d is wanted", len(row), column+1)
		}
		b.WriteString(t.literals[i])
		b.WriteString(row[column])
	}
	b.WriteString(t.literals[len(t.columns)])
	return b.String(), nil
}

func (c *cells) sample(row []string, err error) (quality.Sample, error) {
	s := quality.Sample{Feature: c.opts.Feature}
	if err != nil {
		return s, err
	}
	for _, f := range c.fields {
		value, err := f.template.text(row)
		if err == nil && f.name == "time" {
			s.Time, err = c.parseTime(value)
		} else if err == nil {
			err = f.set(&s, value)
		}
		if err != nil {
			return s, fmt.Errorf("field %q: %w", f.name, err)
		}
	}
	return s, s.Validate()
}

// layouts that say only one thing. A date such as 07/02/2023 is not among them: it needs a layout.
var layouts = []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05.999999999Z07:00", "2006-01-02 15:04:05.999999999", time.DateOnly}

func (c *cells) parseTime(value string) (time.Time, error) {
	loc := c.opts.Location
	if loc == nil {
		loc = time.UTC
	}
	if c.opts.TimeLayout != "" {
		return time.ParseInLocation(c.opts.TimeLayout, value, loc)
	}
	for _, layout := range layouts {
		if t, err := time.ParseInLocation(layout, value, loc); err == nil {
			return t, nil
		}
	}
	if x, err := strconv.ParseFloat(value, 64); err == nil && x > 0 {
		return unixTime(x), nil
	}
	return time.Time{}, fmt.Errorf("cannot tell the time %q: give its layout, for example --time-layout '01/02/2006, 15:04:05'", value)
}

// unixTime takes seconds, or milliseconds where seconds would lie beyond the year 5000.
func unixTime(x float64) time.Time {
	const year5000 = 95617584000
	if x > year5000 {
		x /= 1000
	}
	return time.UnixMicro(int64(x * 1e6)).UTC()
}
