package spans

import (
	"encoding/json"
	"strings"

	"github.com/tidwall/gjson"
	"go.opentelemetry.io/collector/pdata/pcommon"
)

// jsonText returns the JSON of a value that is structured, or text that is a JSON list or object.
func jsonText(v pcommon.Value) (string, bool) {
	switch v.Type() {
	case pcommon.ValueTypeStr:
		text := strings.TrimSpace(v.Str())
		return text, isComposite(text)
	case pcommon.ValueTypeMap, pcommon.ValueTypeSlice:
		raw, _ := finite(v.AsRaw())
		data, err := json.Marshal(raw)
		return string(data), err == nil && !deep(string(data))
	default:
		return "", false
	}
}

// isComposite reports whether text is a JSON list or object, and not one that nests so deeply that
// reading it would take more memory than it deserves.
func isComposite(text string) bool {
	return text != "" && (text[0] == '[' || text[0] == '{') && !deep(text) && gjson.Valid(text)
}

// maxNesting is deeper than any honest content.
const maxNesting = 100

// deep reports whether lists and objects nest too deeply. It looks closely only at text that could.
func deep(text string) bool {
	if strings.Count(text, "[")+strings.Count(text, "{") <= maxNesting {
		return false
	}
	level, quoted := 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '[' || c == '{':
			if level++; level > maxNesting {
				return true
			}
		case c == ']' || c == '}':
			level--
		}
	}
	return false
}

// plain returns what a JSON value says as text: a string as it is, anything else as JSON.
func plain(v gjson.Result) string {
	switch v.Type {
	case gjson.Null:
		return ""
	case gjson.String:
		if v.Str == redacted {
			return ""
		}
		return clean(v.Str)
	default:
		return clean(v.Raw)
	}
}

// rawJSON keeps text that is JSON as it is and writes everything else as a JSON string.
func rawJSON(text string) json.RawMessage {
	text = strings.TrimSpace(clean(text))
	if text == "" || text == redacted || text == "null" {
		return nil
	}
	if !deep(text) && json.Valid([]byte(text)) {
		return json.RawMessage(text)
	}
	data, err := json.Marshal(text)
	if err != nil {
		return nil // a string can always be written
	}
	return data
}

// rawOf is rawJSON of a JSON value; a string may itself hold JSON, as arguments of calls do.
func rawOf(v gjson.Result) json.RawMessage {
	if v.Type == gjson.String {
		return rawJSON(v.Str)
	}
	return rawJSON(v.Raw)
}

// rawValue is rawJSON of an attribute.
func rawValue(v pcommon.Value) json.RawMessage {
	if text, ok := jsonText(v); ok {
		return rawJSON(text)
	}
	return rawJSON(v.AsString())
}
