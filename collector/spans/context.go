package spans

import (
	"strings"

	"github.com/tidwall/gjson"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/asgood-dev/asgood/internal/quality"
)

// carriedParts reads the content of a message: text, or a list of parts as JSON text.
func (p *parts) carriedParts(v pcommon.Value) string {
	text, ok := jsonText(v)
	if !ok {
		return p.say(v.AsString())
	}
	json := gjson.Parse(text)
	first := json.Get("0")
	if json.IsArray() && (first.Get("type").Exists() || first.Get("text").Exists()) {
		return p.text(json)
	}
	return clean(v.AsString()) // an answer that is JSON
}

// tool sets the one call that the span of a tool is.
func (r *reading) tool(rec *Record) {
	name := r.own.text(genToolName, toolName, aiToolName, traceloopName)
	call := quality.ToolCall{
		Name:      clip(name, quality.MaxNameLen),
		Arguments: r.raw(genToolArguments, aiToolArguments, inputValue, traceloopInput),
		Result:    r.raw(genToolResult, aiToolResult, outputValue, traceloopOutput),
	}
	if call.Name == "" && call.Arguments == nil && call.Result == nil {
		return
	}
	rec.Sample.Tools = []quality.ToolCall{call}
	rec.Calls = []string{clip(r.own.text(genToolCallID, aiToolID, toolCallID), quality.MaxNameLen)}
}

func (r *reading) raw(slots ...slot) []byte {
	for _, s := range slots {
		if v, ok := r.own.get(s); ok {
			if raw := rawValue(v); raw != nil {
				return raw
			}
		}
	}
	return nil
}

// documents returns what a retrieval found. Only text that was captured can be judged, but an id alone
// tells which documents they were.
func (r *reading) documents(events ptrace.SpanEventSlice) []quality.Document {
	if v, ok := r.own.get(genDocuments); ok {
		if text, ok := jsonText(v); ok {
			return documentsOf(gjson.Parse(text))
		}
	}
	for _, g := range [2]family{groupReranked, groupDocuments} {
		if docs := flatDocuments(r.own.groups[g]); len(docs) > 0 {
			return docs
		}
	}
	if docs := r.eventDocuments(events); len(docs) > 0 {
		return docs
	}
	for _, s := range [2]slot{outputValue, traceloopOutput} {
		if v, ok := r.own.get(s); ok {
			if docs := notedDocuments(v); len(docs) > 0 {
				return docs
			}
		}
	}
	return nil
}

// documentsOf reads a list of objects with an id and text under one of the names in use.
func documentsOf(list gjson.Result) []quality.Document {
	var out []quality.Document
	list.ForEach(func(_, v gjson.Result) bool {
		if inner := v.Get("document"); inner.IsObject() {
			v = inner
		}
		out = appendDocument(out, document(v))
		return len(out) < maxDocuments
	})
	return out
}

func document(v gjson.Result) quality.Document {
	if v.Type == gjson.String {
		return quality.Document{Text: plain(v)}
	}
	var d quality.Document
	v.ForEach(func(key, value gjson.Result) bool {
		switch key.Str {
		case "id", "document_id", "document.id":
			d.ID = plain(value)
		case "content", "text", "document", "page_content", "pageContent", "document.content":
			if d.Text == "" {
				d.Text = plain(value)
			}
		}
		return true
	})
	return d
}

func appendDocument(docs []quality.Document, d quality.Document) []quality.Document {
	d.ID = clip(d.ID, quality.MaxNameLen)
	if d == (quality.Document{}) || len(docs) >= maxDocuments {
		return docs
	}
	return append(docs, d)
}

// flatDocuments reads attributes such as retrieval.documents.0.document.content.
func flatDocuments(attributes []pair) []quality.Document {
	found := map[int]*quality.Document{}
	for _, a := range attributes {
		i, field, ok := index(a.name)
		if !ok {
			continue
		}
		d := found[i]
		if d == nil {
			d = &quality.Document{}
			found[i] = d
		}
		switch strings.TrimPrefix(field, "document.") {
		case "id":
			d.ID = textOf(a.value)
		case "content":
			d.Text = textOf(a.value)
		}
	}
	var out []quality.Document
	for _, i := range sortedKeys(found) {
		out = appendDocument(out, *found[i])
	}
	return out
}

// eventDocuments reads what OpenLLMetry notes of the results of a vector database.
func (r *reading) eventDocuments(events ptrace.SpanEventSlice) []quality.Document {
	var out []quality.Document
	for _, e := range events.All() {
		if e.Name() == eventResult {
			r.x.table.read(e.Attributes(), r.event)
			out = appendDocument(out, quality.Document{ID: r.event.text(resultID), Text: r.event.text(resultDocument)})
		}
	}
	return out
}

func notedDocuments(v pcommon.Value) []quality.Document {
	text, ok := jsonText(v)
	if !ok {
		return appendDocument(nil, quality.Document{Text: textOf(v)})
	}
	list := gjson.Parse(text)
	if inner := list.Get("documents"); inner.IsArray() {
		list = inner
	}
	if !list.IsArray() {
		return appendDocument(nil, quality.Document{Text: clean(text)})
	}
	return documentsOf(list)
}
