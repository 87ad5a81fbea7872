package spans

import (
	"encoding/json"
	"strings"

	"github.com/tidwall/gjson"
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/asgood-dev/asgood/internal/quality"
)

// parts gathers what messages carry beside their text.
type parts struct {
	calls        []quality.ToolCall
	ids          []string // of the calls; "" where there is none
	byID         map[string]int
	results      []Result // of calls of this turn
	instructions string
	told         bool // the messages are what the model was told, so calls in them are those of earlier outputs
	redacted     bool // some of the text was taken out, so what is left is not what was said
}

// say returns a text, nothing when it was redacted.
func (p *parts) say(text string) string {
	if text == redacted {
		p.redacted = true
		return ""
	}
	return clean(text)
}

// carried reads an attribute that holds messages, structured or as JSON text, or plain text.
func (p *parts) carried(v pcommon.Value, role string) quality.Content {
	text, ok := jsonText(v)
	if !ok {
		return quality.Text(p.say(v.AsString()))
	}
	json := gjson.Parse(text)
	if json.IsObject() && !isMessage(json) {
		return quality.Text(clean(text))
	}
	messages := p.messages(json, role)
	if len(messages) == 0 && json.Get("#").Int() > 0 {
		return quality.Text(clean(text)) // a list of something else
	}
	return quality.Content{Messages: messages}
}

// isMessage tells a chat message from other objects.
func isMessage(m gjson.Result) bool {
	found := false
	m.ForEach(func(key, _ gjson.Result) bool {
		switch key.Str {
		case "role", "content", "parts", "tool_calls":
			found = true
		}
		return !found
	})
	return found
}

// messages reads a list of messages, or a single one.
func (p *parts) messages(v gjson.Result, role string) []quality.Message {
	if v.IsObject() {
		return []quality.Message{p.message(v, role)}
	}
	var out []quality.Message
	v.ForEach(func(_, m gjson.Result) bool {
		switch {
		case m.Type == gjson.String:
			out = append(out, quality.Message{Role: role, Content: p.say(m.Str)})
		case m.IsObject():
			out = append(out, p.message(m, role))
		}
		return len(out) < maxMessages
	})
	return out
}

// message reads one message and notes its tool calls. A user's turn begins anew: results before it belong
// to earlier requests.
func (p *parts) message(m gjson.Result, role string) quality.Message {
	var said, calls gjson.Result
	id := ""
	m.ForEach(func(key, value gjson.Result) bool {
		switch key.Str {
		case "role":
			role = roleOf(value.Str, role)
		case "content", "parts":
			if value.Type != gjson.Null && (key.Str == "parts" || said.Type == gjson.Null) {
				said = value
			}
		case "tool_calls":
			calls = value
		case "tool_call_id", "id":
			id = value.String()
		}
		return true
	})
	p.toolCalls(calls)
	before := len(p.results)
	text := p.text(said)
	if role == "tool" && id != "" && len(p.results) == before {
		p.result(id, rawOf(said))
	}
	if role == "user" && len(p.results) == before {
		p.results = nil
	}
	return quality.Message{Role: role, Content: text}
}

// roleOf gives roles the names that the conventions have for them.
func roleOf(role, fallback string) string {
	switch role {
	case "":
		return fallback
	case "model", "ai":
		return "assistant"
	case "human":
		return "user"
	default:
		return clip(clean(role), quality.MaxNameLen)
	}
}

// text returns the text of a message's content: a text, a list of parts, or one part.
func (p *parts) text(v gjson.Result) string {
	if v.Type == gjson.String {
		return p.say(v.Str)
	}
	if v.IsObject() {
		return p.part(v)
	}
	var only string
	var texts []string
	v.ForEach(func(_, part gjson.Result) bool {
		if text := p.part(part); text != "" {
			only, texts = text, append(texts, text)
		}
		return true
	})
	if len(texts) < 2 {
		return only
	}
	return strings.Join(texts, "\n")
}

// fields are the members of a part that the conventions name in their several ways.
type fields struct {
	kind, text, id, name string
	arguments, result    gjson.Result
	call, response       gjson.Result // parts of Gemini, which are named by a member
}

func fieldsOf(part gjson.Result) fields {
	var f fields
	part.ForEach(func(key, value gjson.Result) bool {
		switch key.Str {
		case "type":
			f.kind = value.Str
		case "text":
			f.text = value.Str
		case "content":
			f.text, f.result = value.Str, value
		case "id", "toolCallId", "tool_use_id", "tool_call_id":
			f.id = value.String()
		case "name", "toolName":
			f.name = value.Str
		case "arguments", "args", "input":
			f.arguments = value
		case "result", "response", "output":
			f.result = value
		case "function", "function_call", "functionCall":
			f.call = value
		case "function_response", "functionResponse":
			f.response = value
		}
		return true
	})
	return f
}

// part returns the text of one part of a message, and notes calls and results.
func (p *parts) part(v gjson.Result) string {
	if v.Type == gjson.String {
		return p.say(v.Str)
	}
	f := fieldsOf(v)
	switch f.kind {
	case "text", "input_text", "output_text", "":
		switch {
		case f.call.Exists():
			p.function(f.id, f.call)
		case f.response.Exists():
			r := fieldsOf(f.response)
			p.result(r.name, rawOf(r.result))
		default:
			return p.say(f.text)
		}
	case "tool_call", "tool-call", "tool_use", "function_call":
		p.call(f.id, f.name, rawOf(f.arguments))
	case "tool_call_response", "tool-result", "tool_result", "function_call_output":
		p.result(f.id, rawOf(f.result))
	}
	return ""
}

// toolCalls reads calls as objects with a function, or with name and arguments of their own.
func (p *parts) toolCalls(list gjson.Result) {
	list.ForEach(func(_, v gjson.Result) bool {
		f := fieldsOf(v)
		if f.call.IsObject() {
			p.function(f.id, f.call)
		} else if f.name != "" {
			p.call(f.id, f.name, rawOf(f.arguments))
		}
		return true
	})
}

func (p *parts) function(id string, v gjson.Result) {
	f := fieldsOf(v)
	if id == "" {
		id = f.id
	}
	p.call(id, f.name, rawOf(f.arguments))
}

func (p *parts) call(id, name string, arguments json.RawMessage) {
	id = clip(clean(id), quality.MaxNameLen)
	if _, ok := p.byID[id]; ok || len(p.calls) >= maxCalls {
		return // said twice, or too much
	}
	if id != "" {
		p.byID = with(p.byID, id, len(p.calls))
	}
	p.calls = append(p.calls, quality.ToolCall{Name: clip(clean(name), quality.MaxNameLen), Arguments: arguments})
	p.ids = append(p.ids, id)
}

// result notes the result of a call, with the call where that was made in the same output.
func (p *parts) result(id string, result json.RawMessage) {
	id = clip(clean(id), quality.MaxNameLen)
	if i, ok := p.byID[id]; ok && !p.told {
		p.calls[i].Result = result
		return
	}
	if id != "" && result != nil && len(p.results) < maxCalls {
		p.results = append(p.results, Result{Call: id, Result: result})
	}
}

func (p *parts) system(v *view) {
	value, ok := v.get(genInstructions)
	if !ok || p.instructions != "" {
		return
	}
	if text, ok := jsonText(value); ok {
		p.instructions = p.text(gjson.Parse(text))
		return
	}
	p.instructions = p.say(value.AsString())
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
