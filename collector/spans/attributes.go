package spans

import (
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

// family is a number of attributes whose names begin alike.
type family int

const (
	groupParams family = iota
	groupPrompt
	groupCompletion
	groupInputMessages
	groupOutputMessages
	groupDocuments
	groupReranked
	groupAnnotations
	groupOwn
	groupSettings
	groupTools
	groups
)

// prefixes of the families. What follows the prefix is kept as the name. Those of one letter stand together.
var prefixes = []struct {
	prefix string
	group  family
	whole  bool // the prefix says something, so the whole name is kept
}{
	{"gen_ai.request.", groupParams, false},
	{"gen_ai.prompt.", groupPrompt, false},
	{"gen_ai.completion.", groupCompletion, false},
	{"llm.input_messages.", groupInputMessages, false},
	{"llm.output_messages.", groupOutputMessages, false},
	{"retrieval.documents.", groupDocuments, false},
	{"reranker.output_documents.", groupReranked, false},
	{"annotations.", groupAnnotations, true},
	{"evaluations.", groupAnnotations, true},
	{"trace.annotations.", groupAnnotations, true},
	{"trace.evaluations.", groupAnnotations, true},
	{"session.annotations.", groupAnnotations, true},
	{"session.evaluations.", groupAnnotations, true},
	{"asgood.", groupOwn, false},
	{"ai.settings.", groupSettings, false},
	{"llm.tools.", groupTools, false},
}

// pair is an attribute of a family.
type pair struct {
	name  string
	value pcommon.Value
}

// view holds the attributes of one map by slot, so that each is looked up once, not once for each name
// that might be there.
type view struct {
	values []pcommon.Value
	has    []bool
	groups [groups][]pair
}

func newView(n int) *view {
	return &view{values: make([]pcommon.Value, n), has: make([]bool, n)}
}

func (v *view) reset() {
	clear(v.has)
	for i := range v.groups {
		v.groups[i] = v.groups[i][:0]
	}
}

// table knows the slot of each name.
type table struct{ slots map[string]slot }

func newTable() *table {
	t := &table{slots: make(map[string]slot, 2*len(names))}
	for s, name := range names {
		t.slots[name] = slot(s)
	}
	return t
}

func (t *table) size() int { return len(t.slots) }

// slot returns the slot of a name, a new one for a name that the conventions do not have.
func (t *table) slot(name string) slot {
	s, ok := t.slots[name]
	if !ok {
		s = slot(len(t.slots))
		t.slots[name] = s
	}
	return s
}

// read fills a view. A name that stands twice keeps its first value.
func (t *table) read(m pcommon.Map, v *view) {
	v.reset()
	for name, value := range m.All() {
		if s, ok := t.slots[name]; ok && !v.has[s] {
			v.values[s], v.has[s] = value, true
		}
		v.gather(name, value)
	}
}

// maxGroup bounds the attributes of a family.
const maxGroup = 16384

func (v *view) gather(name string, value pcommon.Value) {
	if name == "" || !strings.ContainsRune("aeglrst", rune(name[0])) {
		return
	}
	for i := range prefixes {
		p := &prefixes[i]
		if name[0] != p.prefix[0] {
			continue
		}
		rest, ok := strings.CutPrefix(name, p.prefix)
		if !ok || len(v.groups[p.group]) >= maxGroup {
			continue
		}
		if p.whole {
			rest = name
		}
		v.groups[p.group] = append(v.groups[p.group], pair{rest, value})
		return
	}
}

// get returns an attribute of the view.
func (v *view) get(s slot) (pcommon.Value, bool) { return v.values[s], v.has[s] }

// text returns the first of the attributes that is there and says something.
func (v *view) text(slots ...slot) string {
	for _, s := range slots {
		if v.has[s] {
			if text := textOf(v.values[s]); text != "" {
				return text
			}
		}
	}
	return ""
}

// redacted is what instrumentations put where content was. It counts as no content.
const redacted = "__REDACTED__"

// textOf returns a value as text, nothing for what was redacted.
func textOf(v pcommon.Value) string {
	text := v.AsString()
	if text == redacted {
		return ""
	}
	return clean(text)
}

// clean makes text valid UTF-8, which senders do not always send.
func clean(text string) string { return strings.ToValidUTF8(text, "\ufffd") }
