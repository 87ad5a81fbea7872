package redact

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/asgood-dev/asgood/internal/quality"
)

// sample redacts one sample in place.
func (w *worker) sample(s *quality.Sample) {
	s.Input = w.content(s.Input)
	s.Output = w.content(s.Output)
	if s.Reference != nil {
		if text := w.text(*s.Reference, 0); text != *s.Reference {
			s.Reference = &text
		}
	}
	s.Context = w.documents(s.Context)
	s.Params = w.params(s.Params)
	s.Tools = w.tools(s.Tools)
	s.Error = w.text(s.Error, 0)
	s.Attributes = w.attributes(s.Attributes)
}

func (w *worker) content(c quality.Content) quality.Content {
	c.Text = w.text(c.Text, 0)
	copied := false
	for i := range c.Messages {
		text := w.text(c.Messages[i].Content, 0)
		if text == c.Messages[i].Content {
			continue
		}
		if !copied {
			c.Messages, copied = slices.Clone(c.Messages), true
		}
		c.Messages[i].Content = text
	}
	return c
}

func (w *worker) documents(ds []quality.Document) []quality.Document {
	copied := false
	for i := range ds {
		text := w.text(ds[i].Text, 0)
		if text == ds[i].Text {
			continue
		}
		if !copied {
			ds, copied = slices.Clone(ds), true
		}
		ds[i].Text = text
	}
	return ds
}

func (w *worker) tools(ts []quality.ToolCall) []quality.ToolCall {
	copied := false
	for i := range ts {
		before := w.counts
		t := ts[i]
		t.Arguments, t.Result = w.rawIfAny(t.Arguments), w.rawIfAny(t.Result)
		if w.counts == before {
			continue
		}
		if !copied {
			ts, copied = slices.Clone(ts), true
		}
		ts[i] = t
	}
	return ts
}

func (w *worker) rawIfAny(raw json.RawMessage) json.RawMessage {
	if len(raw) == 0 {
		return raw
	}
	return w.raw(raw)
}

func (w *worker) params(m map[string]any) map[string]any {
	copied := false
	for k, v := range m {
		next, changed := w.param(k, v)
		if !changed {
			continue
		}
		if !copied {
			m, copied = maps.Clone(m), true
		}
		m[k] = next
	}
	return m
}

// param redacts one value by its key, and reports whether it changed.
func (w *worker) param(key string, v any) (any, bool) {
	if v == nil {
		return v, false
	}
	if w.r.isField(key) {
		text := paramText(v)
		next := w.keyed(key, text)
		return next, next != text
	}
	if s, ok := v.(string); ok {
		return changedOr(w.keyed(key, s), s, v)
	}
	return w.value(v)
}

// changedOr returns a text when it differs from what it was, else the value it came in, which costs no memory.
func changedOr(next, was string, v any) (any, bool) {
	if next == was {
		return v, false
	}
	return next, true
}

// value redacts what JSON can hold.
func (w *worker) value(v any) (any, bool) {
	switch x := v.(type) {
	case string:
		return changedOr(w.text(x, 0), x, v)
	case map[string]any:
		before := w.counts
		next := w.params(x)
		return next, w.counts != before
	case []any:
		return w.list(x, v)
	default:
		return v, false
	}
}

func (w *worker) list(list []any, v any) (any, bool) {
	copied := false
	for i := range list {
		next, changed := w.value(list[i])
		if !changed {
			continue
		}
		if !copied {
			list, copied = slices.Clone(list), true
		}
		list[i] = next
	}
	if !copied {
		return v, false
	}
	return list, true
}

// paramText is what is hashed of a value that is replaced whole.
func paramText(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	data, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(data)
}

func (w *worker) attributes(m map[string]string) map[string]string {
	copied := false
	for k, v := range m {
		next := w.keyed(k, v)
		if len(next) > quality.MaxNameLen && len(v) <= quality.MaxNameLen {
			next = string(w.pseudonym(nil, Field, quality.RedactField, v)) // an attribute that was short stays short
		}
		if next == v {
			continue
		}
		if !copied {
			m, copied = maps.Clone(m), true
		}
		m[k] = next
	}
	return m
}

// keyed redacts a string that stands under a key.
func (w *worker) keyed(key, v string) string {
	switch how := w.r.nameStrength(key); {
	case v == "" || w.r.isPseudonym(v):
		return v
	case w.r.isField(key):
		return string(w.pseudonym(nil, Field, quality.RedactField, v))
	case how != noSecret && w.r.isSecretValue(v, how, form{quoted: true}):
		return string(w.pseudonym(nil, Secret, quality.RedactSecret, v))
	default:
		return w.text(v, 0)
	}
}
