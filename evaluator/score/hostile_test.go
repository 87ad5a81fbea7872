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

// Patterns look at a part of a long output, and say so.
func TestPatternsLookAtAPart(t *testing.T) {
	long, answer := strings.Repeat("é", 200<<10), "42"
	for name, x := range map[string]struct {
		spec   quality.ScorerSpec
		output string
		value  float64
		want   string
	}{
		"regex":         {quality.ScorerSpec{Type: score.TypeRegex, Pattern: "end$"}, long + "end", 0, "first 256 KiB"},
		"regex found":   {quality.ScorerSpec{Type: score.TypeRegex, Pattern: "^begin"}, "begin" + long, 1, ""},
		"last":          {quality.ScorerSpec{Type: score.TypeReference, Extract: `[0-9]+`, Match: "last"}, "7" + long + "42", 1, ""},
		"last not seen": {quality.ScorerSpec{Type: score.TypeReference, Extract: `[0-9]+`, Match: "last"}, "42" + long, 0, "last 256 KiB"},
		"first":         {quality.ScorerSpec{Type: score.TypeReference, Extract: `[0-9]+`}, "42" + long + "7", 1, ""},
	} {
		x.spec.Name = "m"
		s, err := score.New(x.spec)
		if err != nil {
			t.Fatal(err)
		}
		got := s.Score(quality.Sample{ID: "a", Feature: "f", Output: quality.Text(x.output), Reference: &answer})
		if len(got) != 1 || got[0].Failed() || got[0].Value != x.value || !strings.Contains(got[0].Explanation, x.want) || x.want == "" && got[0].Explanation != "" {
			t.Errorf("%s: got %.400v", name, got)
		}
	}
}
