package score_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/asgood-dev/asgood/evaluator/score"
	"github.com/asgood-dev/asgood/internal/quality"
)

// A schema that refers to itself twice takes twice as long with every level.
const doubling = `{"anyOf":[{"type":"string"},{"items":{"$ref":"#"},"minItems":9},{"items":{"$ref":"#"}}]}`

func TestSchemasAreBounded(t *testing.T) {
	old := strings.Replace(doubling, `{`, `{"$schema":"http://json-schema.org/draft-07/schema#",`, 1)
	integers := `{"items":{"type":"integer"}}`
	for name, x := range map[string]struct{ schema, output, want string }{
		"doubled":      {doubling, strings.Repeat("[", 60) + strings.Repeat("]", 60), "too many steps"},
		"draft 7":      {old, strings.Repeat("[", 60) + strings.Repeat("]", 60), "too many steps"},
		"deep":         {integers, strings.Repeat("[", 9000) + strings.Repeat("]", 9000), "64 levels"},
		"great":        {integers, "[" + strings.Repeat("1e1000000,", 10_000) + "1]", "400 digits"},
		"small":        {integers, "[1e-9999999999999999999]", "400 digits"},
		"long":         {integers, strings.Repeat("9", 100_000), "400 digits"},
		"large":        {integers, strings.Repeat(" ", 1<<20) + "1", "1024 KiB"},
		"many":         {integers, "[" + strings.Repeat("1,", 200_000) + "1]", "too many steps"},
		"well":         {integers, "[" + strings.Repeat("1e10,", 10_000) + "1]", ""},
		"shallow":      {doubling, `[["a",["b"]]]`, ""},
		"draft 7 well": {old, `[["a",["b"]]]`, ""},
	} {
		for _, kind := range []string{score.TypeJSONSchema, score.TypeToolCalls} {
			if kind == score.TypeToolCalls && (name == "great" || name == "small" || name == "long" || name == "large") {
				continue // numbers of arguments are read as floats
			}
			s, err := score.New(quality.ScorerSpec{Name: "m", Type: kind, SchemaText: bytesOf(kind == score.TypeJSONSchema, x.schema),
				Tools: tools(kind, x.schema)})
			if err != nil {
				t.Fatal(err)
			}
			got := s.Score(quality.Sample{ID: "a", Feature: "f", Output: quality.Text(x.output),
				Tools: []quality.ToolCall{{Name: "t", Arguments: json.RawMessage(x.output)}}})
			if len(got) != 1 || x.want == "" && (got[0].Failed() || got[0].Value != 1) || !strings.Contains(got[0].Error, x.want) {
				t.Errorf("%s of %s: got %.300v", name, kind, got)
			}
		}
	}
}

func bytesOf(ok bool, s string) []byte {
	if !ok {
		return nil
	}
	return []byte(s)
}

func tools(kind, schema string) []quality.ToolSpec {
	if kind != score.TypeToolCalls {
		return nil
	}
	return []quality.ToolSpec{{Name: "t", SchemaText: []byte(schema)}}
}
