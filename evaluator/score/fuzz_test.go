package score_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/asgood-dev/asgood/evaluator/score"
	"github.com/asgood-dev/asgood/internal/quality"
)

// FuzzScore gives every scorer anything. Values stay within their bounds, words within theirs.
func FuzzScore(f *testing.F) {
	specs := []quality.ScorerSpec{
		{Type: "refusal"}, {Type: "language"}, {Type: "rouge_l"}, {Type: "edit_similarity", IgnoreCase: true}, {Type: "readability", Formula: "flesch"},
		{Type: "grounded", Claims: []string{"numbers", "quotes", "dates", "urls", "identifiers"}},
		{Type: "tool_calls", Tools: []quality.ToolSpec{{Name: "a", Check: "args.x > 1", SchemaText: []byte(`{"type":"object"}`)}}},
		{Type: "expr", Expr: `any(split(output, " "), input contains #)`},
	}
	var scorers []score.Scorer
	for _, spec := range specs {
		spec.Name = "m"
		s, err := score.New(spec)
		if err != nil {
			f.Fatal(err)
		}
		scorers = append(scorers, s)
	}
	for _, seed := range [][2]string{{"1,2.3,4 % of 1.000", "1 2"}, {"“a b c” \"x y z\" 2026-03-01", "3.3.2026"}, {"\xff\xfe", "```"}, {"我无法", "ก็"}, {`{"x":1e999}`, `"{}"`}} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		s := quality.Sample{Input: quality.Text(b), Output: quality.Text(a), Reference: &b, Context: []quality.Document{{Text: b}},
			Tools: []quality.ToolCall{{Name: "a", Arguments: json.RawMessage(b), Result: json.RawMessage(a)}}}
		for i, sc := range scorers {
			first, again := sc.Score(s), sc.Score(s)
			if !slices.EqualFunc(first, again, func(x, y quality.Score) bool {
				return x.Value == y.Value && x.Label == y.Label && x.Explanation == y.Explanation
			}) {
				t.Errorf("%s is not the same twice: %+v and %+v", specs[i].Type, first, again)
			}
			for _, got := range first {
				if !score.Unbounded(specs[i]) && (got.Value < 0 || got.Value > 1) || strings.Contains(got.Error, "panicked") || len(got.Label) > 300 || len(got.Explanation) > 1000 {
					t.Errorf("%s: got %+v", specs[i].Type, got)
				}
			}
		}
	})
}

// TestLongTexts gives every scorer texts of some megabytes that are hard on naive algorithms. Each must end.
func TestLongTexts(t *testing.T) {
	if testing.Short() {
		t.Skip("takes some seconds")
	}
	for _, unit := range []string{"1 ", "1,", "i cannot ", "\"a b c\" ", "3.3.2026 ", "A1-", "https://a/", "word. ", "\u00a01", "我", "```\n", "a1 "} {
		text := strings.Repeat(unit, (1<<20)/len(unit))
		s := quality.Sample{Input: quality.Text(text), Output: quality.Text(text), Reference: &text, Context: []quality.Document{{Text: text[1:]}}}
		for _, spec := range []quality.ScorerSpec{{Type: "refusal"}, {Type: "language"}, {Type: "rouge_l"}, {Type: "edit_similarity"}, {Type: "readability"},
			{Type: "grounded", Claims: []string{"numbers", "quotes", "dates", "urls", "identifiers"}}, {Type: "expr", Expr: `any(split(output, " "), input contains # + "x")`}} {
			began := time.Now()
			only(t, spec, s)
			if took := time.Since(began); took > time.Second {
				t.Logf("%s of %q: %v", spec.Type, unit, took)
			}
		}
	}
}
