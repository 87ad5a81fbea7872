package spans

import (
	"strings"

	"github.com/tidwall/gjson"

	"github.com/asgood-dev/asgood/internal/quality"
)

// sniff reads what frameworks write down of their functions' arguments and results: text, or JSON text in
// which the one thing that was said is looked for. What has no such thing is taken as it stands.
func (p *parts) sniff(text, role string) quality.Content {
	trimmed := strings.TrimSpace(text)
	if len(trimmed) > 1 && trimmed[0] == '"' && gjson.Valid(trimmed) {
		return quality.Text(p.say(gjson.Parse(trimmed).Str))
	}
	if !isComposite(trimmed) {
		return quality.Text(p.say(text))
	}
	if c := p.sniffJSON(gjson.Parse(trimmed), role, 0); !c.IsZero() || p.redacted {
		return c
	}
	return quality.Text(clean(trimmed))
}

// maxSniff is how deep the one thing may be wrapped.
const maxSniff = 5

func (p *parts) sniffJSON(v gjson.Result, role string, level int) quality.Content {
	switch {
	case level > maxSniff:
		return quality.Content{}
	case v.Type == gjson.String:
		return quality.Text(p.say(v.Str))
	case v.IsArray():
		return p.sniffList(v, role, level)
	case v.IsObject():
		return p.sniffObject(v, role, level)
	default:
		return quality.Content{}
	}
}

func (p *parts) sniffList(v gjson.Result, role string, level int) quality.Content {
	list := v.Array()
	switch {
	case len(list) == 0:
		return quality.Content{}
	case list[0].IsObject() && list[0].Get("role").Type == gjson.String:
		return quality.Content{Messages: p.messages(v, role)}
	case len(list) == 1:
		return p.sniffJSON(list[0], role, level+1)
	default:
		return quality.Content{}
	}
}

// Members under which frameworks keep what was asked and what was answered, the surest first.
var (
	askedUnder    = []string{"messages", "prompt", "input", "inputs", "question", "query"}
	answeredUnder = []string{"messages", "output", "outputs", "answer", "result", "response", "text", "content"}
)

func (p *parts) sniffObject(v gjson.Result, role string, level int) quality.Content {
	if v.Get("role").Type == gjson.String && isMessage(v) {
		return quality.Content{Messages: p.messages(v, role)}
	}
	if args := v.Get("args"); args.IsArray() && v.Get("kwargs").Raw == "{}" {
		return p.sniffJSON(args, role, level+1)
	}
	members := answeredUnder
	if role == "user" {
		members = askedUnder
	}
	for _, name := range members {
		if c := p.sniffJSON(v.Get(name), role, level+1); !c.IsZero() {
			if system := v.Get("system"); role == "user" && p.instructions == "" && system.Type == gjson.String {
				p.instructions = p.say(system.Str)
			}
			return c
		}
	}
	return p.sniffOnly(v, role, level)
}

// sniffOnly looks into an object that has one member.
func (p *parts) sniffOnly(v gjson.Result, role string, level int) quality.Content {
	var only gjson.Result
	n := 0
	v.ForEach(func(_, value gjson.Result) bool {
		only = value
		n++
		return n < 2
	})
	if n != 1 {
		return quality.Content{}
	}
	return p.sniffJSON(only, role, level+1)
}
