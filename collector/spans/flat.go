package spans

import (
	"slices"
	"strconv"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/asgood-dev/asgood/internal/quality"
)

// flatMessage is a message that came as attributes such as gen_ai.prompt.0.content (OpenLLMetry) or
// llm.input_messages.0.message.content (OpenInference).
type flatMessage struct {
	role, callID string
	content      pcommon.Value
	hasContent   bool
	parts        map[int]string
	calls        map[int]*flatCall
}

type flatCall struct {
	id, name  string
	arguments pcommon.Value
	has       bool
}

// flat reads the messages of a family of attributes.
func (p *parts) flat(attributes []pair, role string) quality.Content {
	found := map[int]*flatMessage{}
	for _, a := range attributes {
		i, field, ok := index(a.name)
		if !ok {
			continue
		}
		m := found[i]
		if m == nil {
			m = &flatMessage{}
			found[i] = m
		}
		m.set(strings.TrimPrefix(field, "message."), a.value)
	}
	var out []quality.Message
	for _, i := range sortedKeys(found) {
		out = append(out, p.flatMessage(found[i], role))
	}
	return quality.Content{Messages: out}
}

// index splits a name such as 0.content.
func index(name string) (i int, rest string, ok bool) {
	number, rest, _ := strings.Cut(name, ".")
	i, err := strconv.Atoi(number)
	return i, rest, err == nil && i >= 0 && i < maxMessages
}

func sortedKeys[V any](m map[int]V) []int {
	keys := make([]int, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

func (m *flatMessage) set(field string, v pcommon.Value) {
	switch field {
	case "role":
		m.role = textOf(v)
	case "content":
		m.content, m.hasContent = v, true
	case "tool_call_id":
		m.callID = textOf(v)
	case "function_call_name", "function_call.name":
		m.call(0).name = textOf(v)
	case "function_call_arguments_json", "function_call.arguments":
		m.call(0).set(v)
	default:
		m.nested(field, v)
	}
}

func (m *flatMessage) nested(field string, v pcommon.Value) {
	family, rest, _ := strings.Cut(field, ".")
	i, rest, ok := index(rest)
	if !ok {
		return
	}
	switch family {
	case "contents":
		if rest == "message_content.text" {
			if m.parts == nil {
				m.parts = map[int]string{}
			}
			m.parts[i] = v.AsString()
		}
	case "tool_calls":
		c := m.call(i)
		switch strings.TrimPrefix(strings.TrimPrefix(rest, "tool_call."), "function.") {
		case "id":
			c.id = textOf(v)
		case "name":
			c.name = textOf(v)
		case "arguments":
			c.set(v)
		}
	}
}

func (m *flatMessage) call(i int) *flatCall {
	if m.calls == nil {
		m.calls = map[int]*flatCall{}
	}
	if m.calls[i] == nil {
		m.calls[i] = &flatCall{}
	}
	return m.calls[i]
}

func (c *flatCall) set(v pcommon.Value) { c.arguments, c.has = v, true }

// flatMessage puts a message together.
func (p *parts) flatMessage(m *flatMessage, role string) quality.Message {
	out := quality.Message{Role: roleOf(m.role, role)}
	for _, i := range sortedKeys(m.calls) {
		c := m.calls[i]
		if c.has {
			p.call(c.id, c.name, rawValue(c.arguments))
		} else if c.name != "" {
			p.call(c.id, c.name, nil)
		}
	}
	before := len(p.results)
	out.Content = p.flatText(m)
	switch {
	case out.Role == "tool" && m.callID != "":
		p.result(m.callID, rawJSON(out.Content))
	case out.Role == "user" && len(p.results) == before:
		p.results = nil
	}
	return out
}

func (p *parts) flatText(m *flatMessage) string {
	if m.hasContent {
		c := p.carriedParts(m.content)
		if c != "" || len(m.parts) == 0 {
			return c
		}
	}
	texts := make([]string, 0, len(m.parts))
	for _, i := range sortedKeys(m.parts) {
		texts = append(texts, p.say(m.parts[i]))
	}
	return strings.Join(texts, "\n")
}
