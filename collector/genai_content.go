package collector

import (
	"encoding/json"
	"fmt"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/asgood-dev/asgood/internal/quality"
)

// content sets input, output and tools from the first carrier that has them: the span's attributes, the
// event with the operation's details, the older indexed or plain attributes, the older events.
func (s span) content(out *quality.Sample) {
	carriers := []pcommon.Map{s.Attributes()}
	for _, e := range s.Events().All() {
		if e.Name() == "gen_ai.client.inference.operation.details" {
			carriers = append(carriers, e.Attributes())
		}
	}
	var in, made parts
	for _, attrs := range carriers {
		if out.Input.IsZero() {
			out.Input = in.carried(attrs, "user", "gen_ai.input.messages")
		}
		if out.Output.IsZero() {
			out.Output = made.carried(attrs, "assistant", "gen_ai.output.messages")
		}
		in.system(attrs)
	}
	s.olderContent(out, &in, &made)
	out.Input = in.withInstructions(out.Input)
	out.Tools = made.tools // calls in the input belong to earlier outputs
}

func (s span) olderContent(out *quality.Sample, in, made *parts) {
	attrs := s.Attributes()
	if out.Input.IsZero() {
		out.Input = either(in.carried(attrs, "user", "gen_ai.prompt"), indexed(attrs, "gen_ai.prompt."))
	}
	if out.Output.IsZero() {
		out.Output = either(made.carried(attrs, "assistant", "gen_ai.completion"), indexed(attrs, "gen_ai.completion."))
	}
	if out.Input.IsZero() {
		out.Input.Messages = s.eventContent(in, inputEvents)
	}
	if out.Output.IsZero() {
		out.Output.Messages = s.eventContent(made, outputEvents)
	}
}

func either(a, b quality.Content) quality.Content {
	if a.IsZero() {
		return b
	}
	return a
}

// parts gathers what messages carry beside their text.
type parts struct {
	tools        []quality.ToolCall
	callIDs      map[string]int // index in tools by call id
	instructions string
}

// carried reads an attribute that holds messages, structured or as JSON text, or plain text.
func (p *parts) carried(attrs pcommon.Map, role, name string) quality.Content {
	v, ok := attrs.Get(name)
	if !ok {
		return quality.Content{}
	}
	raw := parsed(v)
	if list, ok := raw.([]any); ok {
		if messages := p.messages(list, role); len(messages) > 0 {
			return quality.Content{Messages: messages}
		}
		return quality.Content{}
	}
	if m, ok := raw.(map[string]any); ok {
		return quality.Content{Messages: p.messages([]any{m}, role)}
	}
	return quality.Text(v.AsString())
}

// parsed returns a value, or what its text says when that is a JSON list or object.
func parsed(v pcommon.Value) any {
	if v.Type() != pcommon.ValueTypeStr {
		return v.AsRaw()
	}
	text := strings.TrimSpace(v.Str())
	if !strings.HasPrefix(text, "[") && !strings.HasPrefix(text, "{") {
		return v.Str()
	}
	var raw any
	if json.Unmarshal([]byte(text), &raw) != nil {
		return v.Str() // text that only looks like JSON
	}
	return raw
}

func (p *parts) messages(list []any, role string) []quality.Message {
	var out []quality.Message
	for _, entry := range list {
		m, ok := entry.(map[string]any)
		if !ok {
			if text, ok := entry.(string); ok {
				out = append(out, quality.Message{Role: role, Content: text})
			}
			continue
		}
		if own, ok := m["role"].(string); ok && own != "" {
			out = append(out, quality.Message{Role: own, Content: p.message(m)})
			continue
		}
		out = append(out, quality.Message{Role: role, Content: p.message(m)})
	}
	return out
}

// message returns a message's text and notes its tool calls.
func (p *parts) message(m map[string]any) string {
	p.olderToolCalls(m["tool_calls"])
	if text, ok := m["content"].(string); ok {
		return text
	}
	list, ok := m["parts"].([]any)
	if !ok {
		list, _ = m["content"].([]any)
	}
	return p.text(list)
}

func (p *parts) text(list []any) string {
	var texts []string
	for _, entry := range list {
		part, ok := entry.(map[string]any)
		if !ok {
			continue
		}
		switch kind, _ := part["type"].(string); kind {
		case "text", "":
			if text, ok := firstText(part, "content", "text"); ok {
				texts = append(texts, text)
			}
		case "tool_call":
			p.call(part["id"], part["name"], part["arguments"])
		case "tool_call_response":
			p.response(part["id"], firstOf(part, "result", "response"))
		}
	}
	return strings.Join(texts, "\n")
}

func firstText(m map[string]any, names ...string) (string, bool) {
	text, ok := firstOf(m, names...).(string)
	return text, ok
}

func firstOf(m map[string]any, names ...string) any {
	for _, name := range names {
		if v, ok := m[name]; ok {
			return v
		}
	}
	return nil
}

// olderToolCalls reads {"id","type":"function","function":{"name","arguments"}}.
func (p *parts) olderToolCalls(v any) {
	list, _ := v.([]any)
	for _, entry := range list {
		call, _ := entry.(map[string]any)
		if function, ok := call["function"].(map[string]any); ok {
			p.call(call["id"], function["name"], function["arguments"])
		}
	}
}

func (p *parts) call(id, name, arguments any) {
	if p.callIDs == nil {
		p.callIDs = map[string]int{}
	}
	key := fmt.Sprint(id)
	if _, ok := p.callIDs[key]; ok && id != nil {
		return // said twice
	}
	p.callIDs[key] = len(p.tools)
	text, _ := name.(string)
	p.tools = append(p.tools, quality.ToolCall{Name: text, Arguments: asJSON(arguments)})
}

func (p *parts) response(id, result any) {
	if i, ok := p.callIDs[fmt.Sprint(id)]; ok {
		p.tools[i].Result = asJSON(result)
	}
}

// asJSON keeps text that is JSON as it is and writes everything else as JSON.
func asJSON(v any) json.RawMessage {
	if text, ok := v.(string); ok && json.Valid([]byte(text)) {
		return json.RawMessage(text)
	}
	v, ok := finiteOrNil(v)
	if !ok {
		return nil
	}
	data, err := json.Marshal(v)
	if err != nil {
		return nil // finiteOrNil left nothing that cannot be written
	}
	return data
}

func (p *parts) system(attrs pcommon.Map) {
	v, ok := attrs.Get("gen_ai.system_instructions")
	if !ok || p.instructions != "" {
		return
	}
	if list, ok := parsed(v).([]any); ok {
		p.instructions = p.text(list)
		return
	}
	p.instructions = v.AsString()
}

// withInstructions puts the instructions before the input's messages.
func (p *parts) withInstructions(c quality.Content) quality.Content {
	if p.instructions == "" {
		return c
	}
	messages := []quality.Message{{Role: "system", Content: p.instructions}}
	if c.Messages == nil && c.Text != "" {
		return quality.Content{Messages: append(messages, quality.Message{Role: "user", Content: c.Text})}
	}
	return quality.Content{Messages: append(messages, c.Messages...)}
}

// indexed reads attributes such as gen_ai.prompt.0.role and gen_ai.prompt.0.content.
func indexed(attrs pcommon.Map, prefix string) quality.Content {
	var messages []quality.Message
	for i := 0; ; i++ {
		at := fmt.Sprintf("%s%d.", prefix, i)
		content, hasContent := attrs.Get(at + "content")
		role, hasRole := attrs.Get(at + "role")
		if !hasContent && !hasRole {
			return quality.Content{Messages: messages}
		}
		m := quality.Message{Role: "assistant"}
		if hasRole {
			m.Role = role.AsString()
		}
		if hasContent {
			m.Content = content.AsString()
		}
		messages = append(messages, m)
	}
}

// The older events, which carried one message each, with the role of it.
var (
	inputEvents = map[string]string{
		"gen_ai.system.message": "system", "gen_ai.user.message": "user", "gen_ai.assistant.message": "assistant",
		"gen_ai.tool.message": "tool", "gen_ai.content.prompt": "user",
	}
	outputEvents = map[string]string{"gen_ai.choice": "assistant", "gen_ai.content.completion": "assistant"}
)

func (s span) eventContent(p *parts, roles map[string]string) []quality.Message {
	var out []quality.Message
	for _, e := range s.Events().All() {
		if role, ok := roles[e.Name()]; ok {
			out = append(out, p.eventMessages(e.Attributes(), role)...)
		}
	}
	return out
}

func (p *parts) eventMessages(attrs pcommon.Map, role string) []quality.Message {
	if v, ok := attrs.Get("role"); ok && v.AsString() != "" {
		role = v.AsString()
	}
	if v, ok := attrs.Get("tool_calls"); ok {
		p.olderToolCalls(parsed(v))
	}
	for _, name := range []string{"message", "content", "gen_ai.prompt", "gen_ai.completion", "gen_ai.event.content"} {
		c := p.carried(attrs, role, name)
		switch {
		case c.Messages != nil:
			return c.Messages
		case c.Text != "":
			return []quality.Message{{Role: role, Content: c.Text}}
		}
	}
	return nil
}
