package score_test

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/asgood-dev/asgood/evaluator/score"
	"github.com/asgood-dev/asgood/internal/quality"
)

const schema = `{"type":"object","required":["answer"],"properties":{"answer":{"type":"string"},"sure":{"$ref":"#/$defs/share"}},
	"$defs":{"share":{"type":"number","minimum":0,"maximum":1}}}`

func TestRules(t *testing.T) {
	ref := func(s string) *string { return &s }
	chat := quality.Content{Messages: []quality.Message{{Role: "user", Content: "secret"}, {Role: "assistant", Content: "fine [Yes]"}, {Role: "tool", Content: "[No]"}}}
	yesNo := quality.ScorerSpec{Type: "reference", Extract: `\[(Yes|No)\]`, IgnoreCase: true}
	last := yesNo
	last.Match = "last"
	exact := quality.ScorerSpec{Type: "reference", Extract: `\[(Yes|No)\]`}
	for _, tt := range []struct {
		name   string
		spec   quality.ScorerSpec
		output quality.Content
		ref    *string
		want   float64
	}{
		{"regex matches", quality.ScorerSpec{Type: "regex", Pattern: `\[(Yes|No)\]`}, quality.Text("so [Yes]"), nil, 1},
		{"regex does not match", quality.ScorerSpec{Type: "regex", Pattern: `\[(Yes|No)\]`}, quality.Text("so [yes]"), nil, 0},
		{"regex ignores case", quality.ScorerSpec{Type: "regex", Pattern: `a|B`, IgnoreCase: true}, quality.Text("b"), nil, 1},
		{"regex reads the last assistant message", quality.ScorerSpec{Type: "regex", Pattern: "secret"}, chat, nil, 0},
		{"regex reads all", quality.ScorerSpec{Type: "regex", Pattern: "secret", On: "all"}, chat, nil, 1},
		{"empty list of messages", quality.ScorerSpec{Type: "regex", Pattern: "x"}, quality.Content{Messages: []quality.Message{}}, nil, 0},

		{"reference equal", yesNo, quality.Text("[yes] since"), ref("Yes"), 1},
		{"reference not equal", yesNo, quality.Text("[No]"), ref("yes"), 0},
		{"reference without a match in the output", yesNo, quality.Text("yes"), ref("yes"), 0},
		{"reference takes the first", yesNo, quality.Text("[Yes] no [No]"), ref("no"), 0},
		{"reference takes the last", last, quality.Text("[Yes] no [No]"), ref("no"), 1},
		{"reference extracts from the reference", yesNo, quality.Text("[No]"), ref("it is [No]."), 1},
		{"reference trims the whole reference", yesNo, quality.Text("[No]"), ref(" no\n"), 1},
		{"reference minds case in the pattern", exact, quality.Text("[yes]"), ref("yes"), 0},
		{"reference minds case in the comparison", exact, quality.Text("[Yes]"), ref("yes"), 0},
		{"reference without a group", quality.ScorerSpec{Type: "reference", Extract: `\d+`}, quality.Text("is 42 of 50"), ref("42"), 1},
		{"reference whose group took no part", quality.ScorerSpec{Type: "reference", Extract: `none|(\d+)`}, quality.Text("none"), ref("none"), 1},
		{"reference without a pattern", quality.ScorerSpec{Type: "reference"}, quality.Text(" Paris\n"), ref("Paris"), 1},
		{"reference on the last assistant message", yesNo, chat, ref("yes"), 1},
		{"empty reference", yesNo, quality.Text("[Yes]"), ref(""), 0},

		{"schema valid", quality.ScorerSpec{Type: "json_schema", SchemaText: []byte(schema)}, quality.Text(` {"answer":"x","sure":0.5} `), nil, 1},
		{"schema invalid", quality.ScorerSpec{Type: "json_schema", SchemaText: []byte(schema)}, quality.Text(`{"answer":1}`), nil, 0},
		{"schema with its own reference", quality.ScorerSpec{Type: "json_schema", SchemaText: []byte(schema)}, quality.Text(`{"answer":"x","sure":2}`), nil, 0},
		{"not JSON", quality.ScorerSpec{Type: "json_schema", SchemaText: []byte(schema)}, quality.Text("Sure! Here it is: {}"), nil, 0},
		{"JSON with more behind it", quality.ScorerSpec{Type: "json_schema", SchemaText: []byte(schema)}, quality.Text(`{"answer":"x"} ok?`), nil, 0},
		{"empty text in a message", quality.ScorerSpec{Type: "json_schema", SchemaText: []byte(schema)}, quality.Content{Messages: []quality.Message{{Role: "assistant"}}}, nil, 0},

		{"contains any", quality.ScorerSpec{Type: "contains", Any: []string{"x", "y"}}, quality.Text("a y"), nil, 1},
		{"contains none of any", quality.ScorerSpec{Type: "contains", Any: []string{"x", "y"}}, quality.Text("a Y"), nil, 0},
		{"contains any, ignoring case", quality.ScorerSpec{Type: "contains", Any: []string{"Ärger"}, IgnoreCase: true}, quality.Text("ÄRGER"), nil, 1},
		{"contains all", quality.ScorerSpec{Type: "contains", All: []string{"x", "y"}}, quality.Text("y x"), nil, 1},
		{"contains not all", quality.ScorerSpec{Type: "contains", All: []string{"x", "y"}}, quality.Text("x"), nil, 0},

		{"length counts characters", quality.ScorerSpec{Type: "length"}, quality.Text("Größe 🙂"), nil, 7},
		{"length of all", quality.ScorerSpec{Type: "length", On: "all"}, quality.Content{Messages: []quality.Message{{Content: "ab"}, {Content: "c"}}}, nil, 4},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.spec.Name = "m"
			s, err := score.New(tt.spec)
			if err != nil {
				t.Fatal(err)
			}
			got := s.Score(quality.Sample{ID: "1", Feature: "f", Output: tt.output, Reference: tt.ref, Customer: "acme", Weight: 5})
			if len(got) != 1 || got[0].Failed() || got[0].Value != tt.want {
				t.Fatalf("got %+v, want one score of %v", got, tt.want)
			}
			if g := got[0]; g.Metric != "m" || g.Scorer != tt.spec.Type || len(g.Version) != 12 || g.Weight != 5 || g.Customer != "acme" || g.SampleID != "1" {
				t.Errorf("got %+v, want metric, scorer, version and what the sample says", g)
			}
		})
	}
}

func TestNothingToScore(t *testing.T) {
	regex, err := score.New(quality.ScorerSpec{Name: "m", Type: "regex", Pattern: "x"})
	if err != nil {
		t.Fatal(err)
	}
	reference, err := score.New(quality.ScorerSpec{Name: "m", Type: "reference", Extract: "x"})
	if err != nil {
		t.Fatal(err)
	}
	if got := reference.Score(quality.Sample{Output: quality.Text("x")}); len(got) != 0 {
		t.Errorf("no reference: got %+v, want no score", got)
	}
	if got := regex.Score(quality.Sample{Tools: []quality.ToolCall{{Name: "refund"}}}); len(got) != 0 {
		t.Errorf("only tool calls: got %+v, want no score", got)
	}
	if got := regex.Score(quality.Sample{Error: "timeout"}); len(got) != 1 || !got[0].Failed() {
		t.Errorf("a failed call: got %+v, want a failed score", got)
	}
}

func TestExternal(t *testing.T) {
	sample := quality.Sample{Feature: "f", Scores: map[string]float64{"thumbs": 1, "csat": 4, "odd": math.NaN(), "huge": math.Inf(1)}}
	all, err := score.New(quality.ScorerSpec{Name: "given", Type: "external"})
	if err != nil {
		t.Fatal(err)
	}
	got := all.Score(sample)
	names, failed := "", ""
	for _, s := range got {
		names += s.Metric + " "
		if s.Failed() {
			failed += s.Metric + " "
		}
		if s.Version != "external" || s.Scorer != "external" {
			t.Errorf("got scorer %q of version %q, want external", s.Scorer, s.Version)
		}
	}
	if names != "csat huge odd thumbs " || failed != "huge odd " || got[0].Value != 4 {
		t.Errorf("got metrics %q, failed %q", names, failed)
	}
	if _, err := json.Marshal(got); err != nil {
		t.Errorf("scores cannot be written: %v", err)
	}
	some, err := score.New(quality.ScorerSpec{Type: "external", Metrics: []string{"thumbs", "other"}})
	if err != nil {
		t.Fatal(err)
	}
	if got := some.Score(sample); len(got) != 1 || got[0].Metric != "thumbs" {
		t.Errorf("restricted: got %+v, want thumbs", got)
	}
}

func TestNewRefuses(t *testing.T) {
	remote := `{"$ref":"http://127.0.0.1:1/schema.json"}`
	for name, tt := range map[string]struct {
		spec quality.ScorerSpec
		want string
	}{
		"unknown type":      {quality.ScorerSpec{Name: "m", Type: "magic"}, `"magic"`},
		"no name":           {quality.ScorerSpec{Type: "length"}, "name"},
		"no pattern":        {quality.ScorerSpec{Name: "m", Type: "regex"}, "pattern"},
		"bad pattern":       {quality.ScorerSpec{Name: "m", Type: "regex", Pattern: "("}, "pattern"},
		"bad extract":       {quality.ScorerSpec{Name: "m", Type: "reference", Extract: "["}, "extract"},
		"bad match":         {quality.ScorerSpec{Name: "m", Type: "reference", Match: "best"}, "best"},
		"bad on":            {quality.ScorerSpec{Name: "m", Type: "length", On: "some"}, "some"},
		"no words":          {quality.ScorerSpec{Name: "m", Type: "contains"}, "any"},
		"any and all":       {quality.ScorerSpec{Name: "m", Type: "contains", Any: []string{"a"}, All: []string{"b"}}, "all"},
		"no schema":         {quality.ScorerSpec{Name: "m", Type: "json_schema"}, "schema"},
		"schema not JSON":   {quality.ScorerSpec{Name: "m", Type: "json_schema", SchemaText: []byte("{")}, "not JSON"},
		"schema not schema": {quality.ScorerSpec{Name: "m", Type: "json_schema", SchemaText: []byte(`{"type":"thing"}`)}, "schema"},
		"remote reference":  {quality.ScorerSpec{Name: "m", Type: "json_schema", SchemaText: []byte(remote)}, "not followed"},
		"file reference":    {quality.ScorerSpec{Name: "m", Type: "json_schema", SchemaText: []byte(`{"$ref":"other.json"}`)}, "not followed"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := score.New(tt.spec)
			if quality.KindOf(err) != quality.KindInvalid || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want an invalid error that names %q", err, tt.want)
			}
		})
	}
}

func TestVersion(t *testing.T) {
	a := quality.ScorerSpec{Name: "a", Type: "regex", Pattern: "x"}
	renamed, explicit, changed := a, a, a
	renamed.Name, explicit.On, changed.Pattern = "b", "last", "y"
	if score.Version(a) != score.Version(renamed) || score.Version(a) != score.Version(explicit) {
		t.Error("the version changed although the meaning did not")
	}
	if score.Version(a) == score.Version(changed) {
		t.Error("the version is the same for another pattern")
	}
}

func FuzzJSONSchema(f *testing.F) {
	s, err := score.New(quality.ScorerSpec{Name: "m", Type: "json_schema", SchemaText: []byte(schema)})
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{`{}`, `{"answer":"x","sure":1e999999999}`, `[`, "\x00"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, sc := range s.Score(quality.Sample{Output: quality.Text(text)}) {
			if v := sc.Value; v != 0 && v != 1 || sc.Failed() && v != 0 {
				t.Errorf("%q: got %+v", text, sc)
			}
		}
	})
}

func BenchmarkScore(b *testing.B) {
	want := "yes"
	answer := strings.Repeat("Let me think step by step about this number. ", 30) + "[Yes]"
	for _, bb := range []struct {
		spec   quality.ScorerSpec
		output string
	}{
		{quality.ScorerSpec{Type: "regex", Pattern: `\[(Yes|No)\]`}, answer},
		{quality.ScorerSpec{Type: "reference", Extract: `\[(Yes|No)\]`, IgnoreCase: true}, answer},
		{quality.ScorerSpec{Type: "json_schema", SchemaText: []byte(schema)}, `{"answer":"It is.","sure":0.7}`},
		{quality.ScorerSpec{Type: "contains", Any: []string{"[No]", "[Yes]"}}, answer},
		{quality.ScorerSpec{Type: "length"}, answer},
		{quality.ScorerSpec{Type: "external"}, answer},
	} {
		b.Run(bb.spec.Type, func(b *testing.B) {
			bb.spec.Name = "m"
			s, err := score.New(bb.spec)
			if err != nil {
				b.Fatal(err)
			}
			sample := quality.Sample{Output: quality.Text(bb.output), Reference: &want, Scores: map[string]float64{"thumbs": 1}}
			b.ReportAllocs()
			for b.Loop() {
				s.Score(sample)
			}
		})
	}
}

// BenchmarkMix scores samples with a pattern, a reference and a schema, and says how many scores a second
// one core makes.
func BenchmarkMix(b *testing.B) {
	want := "yes"
	sample := quality.Sample{ID: "1", Feature: "f", Customer: "acme", Reference: &want,
		Output: quality.Text(`{"answer":"` + strings.Repeat("Let me think step by step about this number. ", 10) + `[Yes]","sure":0.7}`)}
	var scorers []score.Scorer
	for _, spec := range []quality.ScorerSpec{
		{Type: "regex", Pattern: `\[(Yes|No)\]`}, {Type: "reference", Extract: `\[(Yes|No)\]`, IgnoreCase: true}, {Type: "json_schema", SchemaText: []byte(schema)},
	} {
		spec.Name = spec.Type
		s, err := score.New(spec)
		if err != nil {
			b.Fatal(err)
		}
		scorers = append(scorers, s)
	}
	made := 0
	b.ReportAllocs()
	for b.Loop() {
		for _, s := range scorers {
			made += len(s.Score(sample))
		}
	}
	b.ReportMetric(float64(made)/b.Elapsed().Seconds(), "scores/s")
}

// BenchmarkRules scores an answer of some 1,400 characters by each type.
func BenchmarkRules(b *testing.B) {
	text := strings.Repeat("The plan costs 1,000 dollars a year, as \"the price list of the shop\" says on 2026-03-01. ", 16)
	for _, spec := range []quality.ScorerSpec{
		{Type: "tool_calls", Tools: []quality.ToolSpec{{Name: "a", SchemaText: []byte(schema)}}}, {Type: "refusal"}, {Type: "language", Languages: []string{"en"}},
		{Type: "rouge_l"}, {Type: "edit_similarity"}, {Type: "grounded"}, {Type: "readability"}, {Type: "latency"},
		{Type: "cost", Prices: map[string]quality.Price{"gpt*": {Input: 1}}}, {Type: "tokens"}, {Type: "expr", Expr: "len(output) < 2000"},
	} {
		b.Run(spec.Type, func(b *testing.B) {
			spec.Name = "m"
			s, err := score.New(spec)
			if err != nil {
				b.Fatal(err)
			}
			sample := quality.Sample{Output: quality.Text(text), Reference: &text, Context: []quality.Document{{Text: text}}, LatencyMS: 5, Model: "gpt-4",
				Usage: &quality.Usage{InputTokens: 1}, Tools: []quality.ToolCall{{Name: "a", Arguments: []byte(`{"answer":"x"}`)}}}
			b.ReportAllocs()
			for b.Loop() {
				s.Score(sample)
			}
		})
	}
}
