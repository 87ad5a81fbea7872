package score_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/asgood-dev/asgood/evaluator/score"
	"github.com/asgood-dev/asgood/internal/quality"
)

func TestUnbounded(t *testing.T) {
	for want, specs := range map[bool][]quality.ScorerSpec{
		true:  {{Type: "length"}, {Type: "readability"}, {Type: "latency"}, {Type: "cost"}, {Type: "tokens"}, {Type: "expr", Expr: "len(output)"}},
		false: {{Type: "regex"}, {Type: "refusal"}, {Type: "grounded"}, {Type: "rouge_l"}, {Type: "expr", Expr: "len(output) > 1"}, {Type: "expr", Expr: ")"}},
	} {
		for _, s := range specs {
			if score.Unbounded(s) != want {
				t.Errorf("%+v: want unbounded %v", s, want)
			}
		}
	}
}

// TestVersions changes one thing at a time.
func TestVersions(t *testing.T) {
	tool := func(t quality.ToolSpec) quality.ScorerSpec {
		return quality.ScorerSpec{Type: "tool_calls", Tools: []quality.ToolSpec{t, {Name: "z"}}}
	}
	price := func(x float64) quality.ScorerSpec {
		return quality.ScorerSpec{Type: "cost", Prices: map[string]quality.Price{"a": {Input: x}, "b": {Output: 2}}}
	}
	same := [][2]quality.ScorerSpec{
		{tool(quality.ToolSpec{Name: "a", SchemaText: []byte(`{"type":"object","title":"x"}`), Schema: "one.json"}), {Type: "tool_calls", Others: "allow",
			Tools: []quality.ToolSpec{{Name: "z", Use: "optional"}, {Name: "a", SchemaText: []byte("{ \"title\": \"x\",\n\"type\": \"object\" }"), Schema: "two.json"}}}},
		{{Type: "json_schema", SchemaText: []byte(`{"a":1.0, "b":2}`)}, {Type: "json_schema", SchemaText: []byte(`{"b":2,"a":1.0}`), Name: "other"}},
		{{Type: "contains", Any: []string{"x", "y"}}, {Type: "contains", Any: []string{"y", "x", "x"}, On: "last"}},
		{{Type: "grounded"}, {Type: "grounded", Claims: []string{"quotes", "dates", "numbers"}, Sources: []string{"input", "context", "tools"}}},
		{{Type: "readability"}, {Type: "readability", Formula: "lix"}},
		{{Type: "tokens"}, {Type: "tokens", Count: "total", Pattern: "has no effect"}},
		{{Type: "refusal", Phrases: []string{"no way", "nope"}}, {Type: "refusal", Phrases: []string{"Nope!", "No way."}}},
		{{Type: "language", Languages: []string{"de", "en"}}, {Type: "language", Languages: []string{"en", "de"}}},
		{price(1), price(1)},
	}
	for _, pair := range same {
		if score.Version(pair[0]) != score.Version(pair[1]) {
			t.Errorf("%+v and %+v mean the same and have two versions", pair[0], pair[1])
		}
	}
	seen := map[string]quality.ScorerSpec{}
	for _, spec := range []quality.ScorerSpec{
		tool(quality.ToolSpec{Name: "a"}), tool(quality.ToolSpec{Name: "a", Use: "required"}), tool(quality.ToolSpec{Name: "a", Max: 1}),
		tool(quality.ToolSpec{Name: "a", SchemaText: []byte(`{"type":"object"}`)}), tool(quality.ToolSpec{Name: "a", SchemaText: []byte(`{"type":"array"}`)}),
		tool(quality.ToolSpec{Name: "a", Check: "true"}), {Type: "tool_calls", Order: []string{"a", "b"}}, {Type: "tool_calls", Order: []string{"b", "a"}},
		{Type: "tool_calls", MaxCalls: 3}, {Type: "tool_calls", MaxCalls: 3, Others: "forbid"},
		{Type: "refusal"}, {Type: "refusal", Languages: []string{"de"}}, {Type: "refusal", Phrases: []string{"x"}}, {Type: "refusal", On: "all"},
		{Type: "language"}, {Type: "language", Languages: []string{"de"}}, {Type: "language", Attribute: "language"},
		{Type: "rouge_l"}, {Type: "rouge_l", IgnoreCase: true}, {Type: "edit_similarity"},
		{Type: "grounded"}, {Type: "grounded", Claims: []string{"quotes"}}, {Type: "grounded", Sources: []string{"context"}},
		{Type: "readability"}, {Type: "readability", Formula: "flesch"}, {Type: "latency"}, price(1), price(2),
		{Type: "tokens"}, {Type: "tokens", Count: "input"}, {Type: "expr", Expr: "1"}, {Type: "expr", Expr: "2"},
	} {
		v := score.Version(spec)
		if first, ok := seen[v]; ok || len(v) != 12 {
			t.Errorf("%+v and %+v have one version %q", first, spec, v)
		}
		seen[v] = spec
	}
}

// TestRevisionsAreThoseOfTheModule fails when a library that makes scores is updated and its revision is not.
func TestRevisionsAreThoseOfTheModule(t *testing.T) {
	data, err := os.ReadFile(filepath.Join("..", "..", "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"github.com/abadojack/" + score.DetectorRevision, "github.com/expr-lang/expr v1."} {
		if !strings.Contains(string(data), line) {
			t.Errorf("go.mod has not %q: the versions of scorers must change with it", line)
		}
	}
}
