package config_test

import (
	"bytes"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/asgood-dev/asgood/internal/config"
	"github.com/asgood-dev/asgood/internal/quality"
)

// The schema is made from the types that the decoder fills, so that no key is forgotten. What a type does
// not say stands in these tables.
var (
	// choices of texts, by path.
	choices = map[string][]any{
		"features[].scorers[].type": {"regex", "reference", "json_schema", "contains", "length", "external",
			"tool_calls", "refusal", "language", "rouge_l", "edit_similarity", "grounded", "readability",
			"latency", "cost", "tokens", "expr", "judge", "embedding", "http", "command", "wasm"},
		"features[].scorers[].mode":         {quality.JudgeSingle, quality.JudgePairwise},
		"features[].scorers[].vote":         {quality.VoteMedian, quality.VoteMean},
		"features[].scorers[].others":       {quality.OthersAllow, quality.OthersForbid},
		"features[].scorers[].claims[]":     {"numbers", "quotes", "dates", "urls", "identifiers"},
		"features[].scorers[].sources[]":    {"context", "tools", "input"},
		"features[].scorers[].formula":      {"lix", "flesch", "amstad"},
		"features[].scorers[].count":        {"total", "input", "output"},
		"features[].scorers[].tools[].use":  {quality.ToolOptional, quality.ToolRequired, quality.ToolForbidden},
		"features[].scorers[].on":           {"last", "all"},
		"features[].scorers[].match":        {"first", "last"},
		"features[].monitors[].worse":       {"lower", "higher"},
		"features[].monitors[].season":      {"hour"},
		"features[].spans.join":             {quality.JoinRequest, quality.JoinNone},
		"features[].sampling.always[]":      {quality.AlwaysError, quality.AlwaysLowFeedback, quality.AlwaysSlow},
		"features[].probes[].type":          {"A", "AAAA", "CNAME", "MX", "TXT", "NS"},
		"features[].probes[].method":        {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"},
		"changes.map[].layer":               words(quality.Layers()),
		"changes.map[].carries[]":           words(quality.Layers()),
		"statuspage.publish[].kinds[]":      words(quality.IncidentKinds()),
		"statuspage.publish[].severities[]": {"minor", "major", "critical"},
		"statuspage.languages[]":            {"en", "de"},
		"statuspage.uptime.by":              {quality.UptimeByChecks, quality.UptimeByIncidents},
		"mail.tls":                          {config.MailStartTLS, config.MailTLS, config.MailNoTLS},
	}
	// required keys of a mapping, by path.
	required = map[string][]string{
		"features[]":                      {"name"},
		"features[].scorers[]":            {"name", "type"},
		"features[].scorers[].tools[]":    {"name"},
		"features[].monitors[]":           {"metric", "baseline"},
		"features[].probes[].traffic":     {"errors_above"},
		"customers[]":                     {"name"},
		"statuspage.groups[]":             {"name", "features"},
		"statuspage.brand.footer[]":       {"title", "url"},
		"alerts.receivers[]":              {"name", "webhook"},
		"alerts.receivers[].webhook":      {"url", "secret"},
		"changes.github":                  {"secret"},
		"mail":                            {"smtp", "from"},
		"changes.gitlab":                  {"secret"},
		"changes.pagerduty":               {"routing_key"},
		"changes.map[]":                   {"repository"},
		"statuspage.publish[]":            {"after"},
		"features[].canaries[]":           {"name", "prompts"},
		"features[].canaries[].prompts[]": {"id", "input"},
		"features[].canaries[].chat":      {"base_url", "model"},
		"features[].canaries[].http":      {"url"},
	}
	// oneOf holds groups of keys by path: a mapping has the keys of exactly one group.
	oneOf = map[string][][]string{
		"features[].redact[]":            {{"pattern", "name"}, {"field"}},
		"features[].monitors[].baseline": {{"first"}, {"window"}, {"pinned"}},
		"features[].probes[]":            {{"http"}, {"tcp"}, {"dns"}, {"tls"}, {"icmp"}, {"grpc"}, {"heartbeat", "every"}, {"traffic"}},
	}
)

func words[T ~string](list []T) []any {
	out := make([]any, len(list))
	for i, w := range list {
		out[i] = string(w)
	}
	return out
}

// Patterns of texts that stand for other things. A variable may stand for anything.
const (
	variablePattern = `\$\{`
	durationPattern = `^([0-9]+(\.[0-9]+)?(ms|[smhdw]))+$|` + variablePattern
	quotaPattern    = `^ *[0-9_]*[0-9][0-9_]* */ *(m|min|minute|h|hour|d|day) *$|` + variablePattern
	ratePattern     = `^ *[0-9_]*[0-9][0-9_]*(\.[0-9]+)? */ *(s|sec|second|m|min|minute|h|hour) *$|` + variablePattern
	amountPattern   = `^[0-9]+(\.[0-9]+)? ?([KMGT]?B|[KMGT]iB)?$|` + variablePattern
	timePattern     = `^[0-9]{4}-[0-9]{2}-[0-9]{2}|` + variablePattern
)

type object = map[string]any

// maker makes the schema of types.
type maker struct {
	comments map[string]string // of fields, by type and name
}

func pattern(p string) object { return object{"type": "string", "pattern": p} }

func either(of ...any) object { return object{"anyOf": of} }

// scalarOr is a plain value, null, or a text that the decoder reads as such a value.
func scalarOr(kind, text string) object {
	return either(object{"type": []any{kind, "null"}}, pattern(text+"|"+variablePattern))
}

// choice is one of some texts, or none.
func choice(of []any) object {
	return either(object{"enum": of}, object{"type": []any{"string", "null"}, "pattern": "^$|" + variablePattern})
}

func (m maker) schema(t reflect.Type, path string) object {
	switch t {
	case reflect.TypeFor[time.Duration]():
		return object{"type": []any{"string", "null"}, "pattern": durationPattern}
	case reflect.TypeFor[time.Time]():
		return object{"type": []any{"string", "null"}, "pattern": timePattern}
	case reflect.TypeFor[quality.FalseAlarms](), reflect.TypeFor[quality.BaselineWindow]():
		period := m.mapping(t, path)
		period["required"] = slices.Sorted(maps.Keys(period["properties"].(object)))
		return either(pattern(durationPattern), period)
	case reflect.TypeFor[quality.PublishAfter]():
		return object{"type": []any{"string", "null"}, "pattern": durationPattern + "|^never$"}
	case reflect.TypeFor[[]quality.PublishRule]():
		one := m.schema(t.Elem(), path+"[]")
		return either(one, object{"type": []any{"array", "null"}, "items": one}, pattern("^never$|"+variablePattern))
	case reflect.TypeFor[config.Rate]():
		return object{"type": []any{"string", "null"}, "pattern": ratePattern}
	case reflect.TypeFor[quality.Quota]():
		return object{"type": []any{"string", "null"}, "pattern": quotaPattern}
	case reflect.TypeFor[config.Bytes]():
		return either(object{"type": []any{"number", "null"}, "minimum": 0}, pattern(amountPattern))
	case reflect.TypeFor[quality.RedactRule]():
		return either(choice(words(quality.RedactKinds())), m.mapping(t, path))
	case reflect.TypeFor[map[string][]string]():
		one := m.schema(reflect.TypeFor[string](), path+"[]")
		return object{"type": []any{"object", "null"}, "additionalProperties": either(one, object{"type": "array", "items": one})}
	case reflect.TypeFor[quality.Content]():
		return either(object{"type": []any{"string", "number", "boolean", "null"}}, m.schema(reflect.TypeFor[[]quality.Message](), path))
	case reflect.TypeFor[[]quality.CanaryPrompt]():
		list := object{"type": []any{"array", "null"}, "items": m.schema(t.Elem(), path+"[]")}
		return either(object{"type": "string"}, list)
	}
	switch t.Kind() {
	case reflect.Interface:
		return object{} // any value
	case reflect.Pointer:
		return m.schema(t.Elem(), path)
	case reflect.Struct:
		return m.mapping(t, path)
	case reflect.Map:
		return object{"type": []any{"object", "null"}, "additionalProperties": m.schema(t.Elem(), path+"[]")}
	case reflect.Slice:
		return object{"type": []any{"array", "null"}, "items": m.schema(t.Elem(), path+"[]")}
	case reflect.Array:
		return object{"type": []any{"array", "null"}, "items": m.schema(t.Elem(), path+"[]"), "minItems": t.Len(), "maxItems": t.Len()}
	case reflect.Bool:
		return scalarOr("boolean", "^(true|false)$")
	case reflect.Int:
		return scalarOr("integer", "^[-+]?[0-9_]+$")
	case reflect.Float64:
		return scalarOr("number", `^[-+]?[0-9_.]+([eE][-+]?[0-9]+)?$`)
	}
	if c, ok := choices[path]; ok {
		return choice(c)
	}
	return object{"type": []any{"string", "number", "boolean", "null"}}
}

func (m maker) mapping(t reflect.Type, path string) object {
	properties := object{}
	for i := range t.NumField() {
		f := t.Field(i)
		name := f.Tag.Get("yaml")
		if name == "" || name == "-" {
			continue
		}
		s := m.schema(f.Type, strings.TrimPrefix(path+"."+name, "."))
		if text := m.comments[t.Name()+"."+f.Name]; text != "" {
			s["description"] = text
		}
		properties[name] = s
	}
	out := object{"type": []any{"object", "null"}, "properties": properties, "additionalProperties": false}
	if r := required[path]; r != nil {
		out["required"] = r
	}
	for _, keys := range oneOf[path] {
		list, _ := out["oneOf"].([]any)
		out["oneOf"] = append(list, object{"type": "object", "required": keys})
	}
	return out
}

// comments reads what the source says of the fields.
func comments(t *testing.T, dirs ...string) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, dir := range dirs {
		files, err := filepath.Glob(filepath.Join(dir, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range files {
			f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
			if err != nil {
				t.Fatal(err)
			}
			ast.Inspect(f, func(n ast.Node) bool {
				if spec, ok := n.(*ast.TypeSpec); ok {
					fieldComments(spec, out)
				}
				return true
			})
		}
	}
	return out
}

func fieldComments(spec *ast.TypeSpec, out map[string]string) {
	s, ok := spec.Type.(*ast.StructType)
	if !ok {
		return
	}
	for _, f := range s.Fields.List {
		text := f.Comment.Text()
		if text == "" {
			text = f.Doc.Text()
		}
		for _, name := range f.Names {
			out[spec.Name.Name+"."+name.Name] = strings.TrimSpace(strings.ReplaceAll(text, "\n", " "))
		}
	}
}

func TestSchemaIsMadeFromTheTypes(t *testing.T) {
	m := maker{comments: comments(t, ".", filepath.Join("..", "quality"))}
	s := m.mapping(reflect.TypeFor[config.Config](), "")
	s["$schema"], s["title"] = "http://json-schema.org/draft-07/schema#", "Configuration of Asgood"
	var text bytes.Buffer
	enc := json.NewEncoder(&text)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(s); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile("schema.json", text.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if !bytes.Equal(text.Bytes(), config.Schema()) {
		t.Errorf("schema.json is not that of the types: run go test ./internal/config -update")
	}
}
