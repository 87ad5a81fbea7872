package config

import (
	"fmt"
	"maps"
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Line is one value of a configuration as it may be shown.
type Line struct {
	Key    string // such as features[0].monitors[1].metric
	Value  string // empty when it is secret
	Secret bool   // it is set and must not be shown
}

// Bounds of what is shown.
const (
	maxLines     = 5000
	maxLineValue = 300 // bytes
)

// secretKeys are the keys whose texts may be secret, and those of maps whose values may be.
var secretKeys = regexp.MustCompile(`(?i)secret|key|token|password|headers|env$|credential|command`)

// Lines lists every value that is set, in the order of the configuration, without secrets: texts under keys that
// may hold some are left out, and of addresses there are only scheme and host. At most 5,000 are listed.
func (c *Config) Lines() []Line {
	w := lineWriter{}
	w.write("", reflect.ValueOf(c).Elem(), false)
	return w.lines
}

// lineWriter goes through a configuration.
type lineWriter struct{ lines []Line }

// write adds a value and what is in it. secret says that a key above it may hold secrets.
func (w *lineWriter) write(key string, v reflect.Value, secret bool) {
	switch {
	case len(w.lines) >= maxLines || !v.IsValid() || v.IsZero() && v.Kind() != reflect.Bool:
	case v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface:
		w.write(key, v.Elem(), secret)
	case plainValue(v):
		w.add(key, fmt.Sprint(v.Interface()), secret && v.Kind() == reflect.String)
	case v.Kind() == reflect.Struct:
		w.fields(key, v, secret)
	case v.Kind() == reflect.Map:
		for _, k := range slices.SortedFunc(maps.Keys(entries(v)), strings.Compare) {
			w.write(key+"."+k, entries(v)[k], secret)
		}
	case v.Kind() == reflect.Slice || v.Kind() == reflect.Array:
		for i := range v.Len() {
			w.write(fmt.Sprintf("%s[%d]", key, i), v.Index(i), secret)
		}
	}
}

// plainValue reports whether a value is written as one.
func plainValue(v reflect.Value) bool {
	switch v.Interface().(type) {
	case time.Time, time.Duration:
		return true
	}
	switch v.Kind() {
	case reflect.Struct, reflect.Map, reflect.Slice, reflect.Array:
		_, ok := v.Interface().(fmt.Stringer)
		return ok
	default:
		return true
	}
}

func entries(v reflect.Value) map[string]reflect.Value {
	out := map[string]reflect.Value{}
	for it := v.MapRange(); it.Next(); {
		out[fmt.Sprint(it.Key().Interface())] = it.Value()
	}
	return out
}

func (w *lineWriter) fields(key string, v reflect.Value, secret bool) {
	for i := range v.NumField() {
		f := v.Type().Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		if !f.IsExported() || name == "-" {
			continue
		}
		switch {
		case name == "":
			w.write(key, v.Field(i), secret)
		case key == "":
			w.write(name, v.Field(i), secret || secretKeys.MatchString(name))
		default:
			w.write(key+"."+name, v.Field(i), secret || secretKeys.MatchString(name))
		}
	}
}

func (w *lineWriter) add(key, value string, secret bool) {
	if secret {
		w.lines = append(w.lines, Line{Key: key, Secret: true})
		return
	}
	w.lines = append(w.lines, Line{Key: key, Value: shownValue(value)})
}

// shownValue leaves out what an address may hide in its user, path and query, and cuts long texts.
func shownValue(s string) string {
	if strings.Contains(s, "://") {
		u, err := url.Parse(s)
		if err != nil || u.Host == "" {
			return "an address"
		}
		short := u.Scheme + "://" + u.Host
		if short != s {
			short += "/…"
		}
		return short
	}
	if len(s) <= maxLineValue {
		return s
	}
	n := maxLineValue
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + "…"
}
