package spans

import (
	"strings"

	"github.com/tidwall/gjson"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/asgood-dev/asgood/internal/quality"
)

// content sets input, output and tools, each from the first carrier that has it: the span's attributes, the
// event with the operation's details, the names of the AI SDK and of OpenInference, the older indexed or
// plain attributes, the older events, and last what frameworks note of their functions.
func (r *reading) content(rec *Record, events ptrace.SpanEventSlice) {
	in, made := &parts{told: true}, &parts{}
	s := &rec.Sample
	r.present(r.own, s, in, made)
	for _, e := range events.All() {
		if e.Name() == eventDetails {
			r.x.table.read(e.Attributes(), r.event)
			r.present(r.event, s, in, made)
		}
	}
	s.Input = firstContent(s.Input, func() quality.Content { return r.asked(in, events) })
	s.Output = firstContent(s.Output, func() quality.Content { return r.answered(made, events) })
	s.Input = in.withInstructions(s.Input)
	if in.redacted {
		s.Input = quality.Content{}
	}
	if made.redacted {
		s.Output = quality.Content{}
	}
	s.Tools, rec.Calls, rec.Results = made.calls, made.ids, in.results
}

func firstContent(have quality.Content, next ...func() quality.Content) quality.Content {
	for _, f := range next {
		if !have.IsZero() {
			return have
		}
		have = f()
	}
	return have
}

// present reads the attributes of the present conventions.
func (r *reading) present(v *view, s *quality.Sample, in, made *parts) {
	if value, ok := v.get(genInput); ok && s.Input.IsZero() {
		s.Input = in.carried(value, "user")
	}
	if value, ok := v.get(genOutput); ok && s.Output.IsZero() {
		s.Output = made.carried(value, "assistant")
	}
	in.system(v)
}

func (r *reading) asked(p *parts, events ptrace.SpanEventSlice) quality.Content {
	return firstContent(quality.Content{},
		func() quality.Content { return p.attribute(r.own, aiPromptMessages, "user") },
		func() quality.Content { return p.flat(r.own.groups[groupInputMessages], "user") },
		func() quality.Content { return p.attribute(r.own, genPrompt, "user") },
		func() quality.Content { return p.flat(r.own.groups[groupPrompt], "user") },
		func() quality.Content { return r.eventContent(p, events, inputEvents) },
		func() quality.Content { return p.noted(r.own, "user", aiPrompt, inputValue, traceloopInput) },
	)
}

func (r *reading) answered(p *parts, events ptrace.SpanEventSlice) quality.Content {
	return firstContent(quality.Content{},
		func() quality.Content { return r.aiResponse(p) },
		func() quality.Content { return p.flat(r.own.groups[groupOutputMessages], "assistant") },
		func() quality.Content { return p.attribute(r.own, genCompletion, "assistant") },
		func() quality.Content { return p.flat(r.own.groups[groupCompletion], "assistant") },
		func() quality.Content { return r.eventContent(p, events, outputEvents) },
		func() quality.Content { return p.noted(r.own, "assistant", outputValue, traceloopOutput) },
	)
}

func (p *parts) attribute(v *view, s slot, role string) quality.Content {
	value, ok := v.get(s)
	if !ok {
		return quality.Content{}
	}
	return p.carried(value, role)
}

// noted reads what frameworks note of a function.
func (p *parts) noted(v *view, role string, slots ...slot) quality.Content {
	for _, s := range slots {
		value, ok := v.get(s)
		if !ok {
			continue
		}
		text := value.AsString()
		if c := p.sniff(text, role); !c.IsZero() || p.redacted {
			return c
		}
	}
	return quality.Content{}
}

// aiResponse reads the response of the AI SDK, which keeps text, object and calls apart.
func (r *reading) aiResponse(p *parts) quality.Content {
	if v, ok := r.own.get(aiToolCalls); ok {
		if text, ok := jsonText(v); ok {
			p.toolCalls(gjson.Parse(text))
		}
	}
	for _, s := range [2]slot{aiText, aiObject} {
		if v, ok := r.own.get(s); ok {
			if text := p.say(v.AsString()); text != "" || p.redacted {
				return quality.Text(text)
			}
		}
	}
	return quality.Content{}
}

func (r *reading) eventContent(p *parts, events ptrace.SpanEventSlice, roles map[string]string) quality.Content {
	var out []quality.Message
	for _, e := range events.All() {
		if role, ok := roles[e.Name()]; ok && len(out) < maxMessages {
			r.x.table.read(e.Attributes(), r.event)
			out = append(out, p.eventMessages(r.event, role)...)
		}
	}
	return quality.Content{Messages: out}
}

func (p *parts) eventMessages(v *view, role string) []quality.Message {
	role = roleOf(v.text(eventRole), role)
	if value, ok := v.get(eventToolCalls); ok {
		if text, ok := jsonText(value); ok {
			p.toolCalls(gjson.Parse(text))
		}
	}
	for _, s := range []slot{eventMessage, eventContent, genPrompt, genCompletion, genContent} {
		value, ok := v.get(s)
		if !ok {
			continue
		}
		c := p.carried(value, role)
		if role == "tool" && v.text(eventID) != "" {
			p.result(v.text(eventID), rawValue(value))
		}
		switch {
		case c.Messages != nil:
			return c.Messages
		case c.Text != "":
			return []quality.Message{{Role: role, Content: c.Text}}
		}
	}
	return nil
}

// messageEvent reads an older event that came as a log record, whose body is the message.
func (r *reading) messageEvent(rec *Record, name string, body pcommon.Value) {
	role, isOutput := outputEvents[name]
	p := &parts{told: !isOutput}
	if !isOutput {
		role = inputEvents[name]
	}
	messages := p.eventMessages(r.own, role)
	if messages == nil {
		messages = p.bodyMessages(body, role)
	}
	if p.redacted || len(messages) == 0 {
		return
	}
	if !isOutput {
		rec.Sample.Input.Messages, rec.Results = messages, p.results
		return
	}
	rec.Sample.Output.Messages = messages
	rec.Sample.Tools, rec.Calls = p.calls, p.ids
}

func (p *parts) bodyMessages(body pcommon.Value, role string) []quality.Message {
	text, ok := jsonText(body)
	if !ok {
		if said := p.say(body.AsString()); strings.TrimSpace(said) != "" {
			return []quality.Message{{Role: role, Content: said}}
		}
		return nil
	}
	m := gjson.Parse(text)
	if inner := m.Get("message"); inner.Exists() {
		m = inner
	}
	if m.Type == gjson.String {
		return []quality.Message{{Role: role, Content: p.say(m.Str)}}
	}
	return p.messages(m, role)
}
