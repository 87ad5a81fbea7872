package files

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/asgood-dev/asgood/internal/quality"
)

// setter puts a cell that is not empty into a sample.
type setter func(s *quality.Sample, c cell) error

var setters = map[string]setter{
	"id":            text(func(s *quality.Sample, v string) { s.ID = v }),
	"feature":       text(func(s *quality.Sample, v string) { s.Feature = v }),
	"customer":      text(func(s *quality.Sample, v string) { s.Customer = v }),
	"conversation":  text(func(s *quality.Sample, v string) { s.Conversation = v }),
	"input":         func(s *quality.Sample, c cell) error { s.Input = contentOf(c); return nil },
	"output":        func(s *quality.Sample, c cell) error { s.Output = contentOf(c); return nil },
	"reference":     text(func(s *quality.Sample, v string) { s.Reference = &v }),
	"model":         text(func(s *quality.Sample, v string) { s.Model = v }),
	"prompt":        text(func(s *quality.Sample, v string) { s.Prompt = v }),
	"error":         text(func(s *quality.Sample, v string) { s.Error = v }),
	"latency_ms":    number(func(s *quality.Sample, x float64) { s.LatencyMS = x }),
	"latency_s":     number(func(s *quality.Sample, x float64) { s.LatencyMS = x * 1000 }),
	"weight":        number(func(s *quality.Sample, x float64) { s.Weight = x }),
	"input_tokens":  count(func(s *quality.Sample, n uint64) { usage(s).InputTokens = n }),
	"output_tokens": count(func(s *quality.Sample, n uint64) { usage(s).OutputTokens = n }),
	"time":          func(*quality.Sample, cell) error { return nil }, // set by the mapper, which knows the layout
}

func text(set func(*quality.Sample, string)) setter {
	return func(s *quality.Sample, c cell) error {
		set(s, c.Text)
		return nil
	}
}

func usage(s *quality.Sample) *quality.Usage {
	if s.Usage == nil {
		s.Usage = &quality.Usage{}
	}
	return s.Usage
}

// parseNumber reads a number; ok is false where none is meant: a blank cell, or NaN, which is how tables
// write a missing number. Missing is not zero.
func parseNumber(v string) (x float64, ok bool, err error) {
	if v = strings.TrimSpace(v); v == "" {
		return 0, false, nil
	}
	x, err = strconv.ParseFloat(v, 64)
	if math.IsNaN(x) {
		return 0, false, nil
	}
	if err != nil || math.IsInf(x, 0) {
		return 0, false, fmt.Errorf("want a number, got %.40q", v)
	}
	return x, true, nil
}

func number(set func(*quality.Sample, float64)) setter {
	return func(s *quality.Sample, c cell) error {
		x, ok, err := parseNumber(c.Text)
		if err == nil && x < 0 {
			err = fmt.Errorf("want a number that is not negative, got %.40q", c.Text)
		}
		if err == nil && ok {
			set(s, x)
		}
		return err
	}
}

// maxCount is the most that a count may be: up to here each whole number is one of float64.
const maxCount = 1 << 53

func count(set func(*quality.Sample, uint64)) setter {
	return func(s *quality.Sample, c cell) error {
		x, ok, err := parseNumber(c.Text)
		if err == nil && (x < 0 || x > maxCount || x != math.Trunc(x)) {
			err = fmt.Errorf("want a whole number that is not negative, got %.40q", c.Text)
		}
		if err == nil && ok {
			set(s, uint64(x))
		}
		return err
	}
}

// setterFor returns how a field is set.
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
		return text(func(s *quality.Sample, v string) { s.Attributes = with(s.Attributes, name, v) }), true
	case "params":
		return text(func(s *quality.Sample, v string) { s.Params = with(s.Params, name, param(v)) }), true
	case "scores":
		return func(s *quality.Sample, c cell) error { return setScore(s, name, c.Text) }, true
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

// param reads numbers, true and false as such, so that each format gives the same.
func param(v string) any {
	switch strings.ToLower(v) {
	case "true":
		return true
	case "false":
		return false
	}
	if x, ok, err := parseNumber(v); err == nil && ok {
		return x
	}
	return v
}

// setScore takes numbers and true or false.
func setScore(s *quality.Sample, name, v string) error {
	switch v = strings.ToLower(strings.TrimSpace(v)); v {
	case "true":
		v = "1"
	case "false":
		v = "0"
	}
	x, ok, err := parseNumber(v)
	if err != nil {
		return fmt.Errorf("want a number, true or false, got %.40q", v)
	}
	if ok {
		s.Scores = with(s.Scores, name, x)
	}
	return nil
}
