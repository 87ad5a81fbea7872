package expression_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/asgood-dev/asgood/internal/expression"
	"github.com/asgood-dev/asgood/internal/quality"
)

func sample() *quality.Sample {
	ref := "42"
	return &quality.Sample{
		Input: quality.Text("how many?"), Output: quality.Text("42, see order ORD-1"), Reference: &ref, LatencyMS: 1500,
		Usage: &quality.Usage{InputTokens: 800, OutputTokens: 120}, Model: "gpt-4", Attributes: map[string]string{"language": "de"},
		Context: []quality.Document{{ID: "a", Text: "the order"}, {ID: "b", Text: "other"}},
		Tools: []quality.ToolCall{
			{Name: "search", Arguments: json.RawMessage(`{"query":"x"}`)},
			{Name: "refund", Arguments: json.RawMessage(`"{\"amount\": 12.5}"`), Result: json.RawMessage(`{"ok":true}`)},
		},
		Time: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), Params: map[string]any{"temperature": 0.2},
	}
}

func TestRun(t *testing.T) {
	for text, want := range map[string]float64{
		`latency_ms < 2000`:             1,
		`latency_ms / 1000`:             1.5,
		`len(output)`:                   19,
		`"refund" in map(tools, .name)`: 1,
		`any(tools, .name == "refund" && .arguments.amount > 10)`: 1,
		`float(tools[1].arguments.amount)`:                        12.5,
		`tools[1].result.ok == true`:                              1,
		`output contains reference`:                               1,
		`all(context, output contains .text)`:                     0,
		`sum(context, len(.text))`:                                14,
		`usage.input_tokens + usage.output_tokens`:                920,
		`attributes.language == "de" ? 1 : 2`:                     1,
		`attributes.nothing == ""`:                                1,
		`output matches '^[0-9]+'`:                                1,
		`time.Hour()`:                                             12,
		`params.temperature == 0.2`:                               1,
		`model startsWith "gpt" and error == ""`:                  1,
		`count(split(output, " "), # matches "[0-9]")`:            2,
		`any(tools, any(keys(.arguments), # == "amount"))`:        1,
	} {
		p, err := expression.Compile(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got, ok, err := p.Run(sample(), sample().Output.Last()); err != nil || !ok || got != want {
			t.Errorf("%s: got %v, %v, %v, want %v", text, got, ok, err, want)
		}
	}
}

func TestCompileRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"":                              "required",
		"latencyms < 1":                 "latencyms",
		"usage.tokens > 1":              "tokens",
		"output":                        "text, want true or false, or a number",
		"tools":                         "a list or mapping",
		"params.x":                      "not known before it runs",
		"latency_ms <":                  "at character",
		"output > 3":                    "at character 8",
		"now().Year() > 1":              "now",
		"output matches input":          "pattern that stands in the expression",
		"output matches '('":            "missing closing",
		"len($env) > 1":                 "$env",
		"asgood_count(nil, 1) == 1":     "unknown",
		"asgood_budget == nil":          "unknown",
		strings.Repeat("1+", 500) + "1": "nodes",
		strings.Repeat(" ", 5000) + "1": "bytes",
	} {
		p, err := expression.Compile(text)
		if quality.KindOf(err) != quality.KindInvalid || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%.40q: got %v, %v, want an error of one line with %q", text, p, err, want)
		}
	}
}

func TestMissingFiguresAreNotZero(t *testing.T) {
	for _, text := range []string{`latency_ms < 2000`, `usage.input_tokens < 9`, `output == reference`} {
		p, err := expression.Compile(text)
		if err != nil {
			t.Fatal(err)
		}
		if v, ok, err := p.Run(&quality.Sample{Output: quality.Text("x")}, "x"); ok || err != nil {
			t.Errorf("%s: got %v, %v, %v, want nothing", text, v, ok, err)
		}
	}
}

func TestErrorsOfARun(t *testing.T) {
	huge := sample()
	for range 20_000 {
		huge.Tools = append(huge.Tools, quality.ToolCall{Name: "x"})
	}
	long := sample()
	long.Output = quality.Text(strings.Repeat("a ", 1<<20))
	for _, tt := range []struct {
		text   string
		sample *quality.Sample
		want   string
	}{
		{`tools[9].name == "x"`, sample(), "out of range"},
		{`float(output)`, sample(), "invalid"},
		{`all(1..1000000, true)`, sample(), "memory budget"},
		{`all(1..900, all(1..90000, true))`, sample(), "too many steps"},
		{`all(tools, all(tools, true))`, huge, "too many steps"},
		{`all(split(output, " "), output contains #)`, long, "too many steps"},
		{`1 / (latency_ms - 1500)`, sample(), "finite"},
	} {
		p, err := expression.Compile(tt.text)
		if err != nil {
			t.Errorf("%s: %v", tt.text, err)
			continue
		}
		if v, _, err := p.Run(tt.sample, tt.sample.Output.Last()); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, %v, want an error with %q", tt.text, v, err, tt.want)
		}
	}
}

func TestCheck(t *testing.T) {
	p, err := expression.CompileCheck(`name == "refund" && args.amount <= 100 && input != "" && index == 1 && result.ok`)
	if err != nil {
		t.Fatal(err)
	}
	for want, args := range map[bool]any{true: map[string]any{"amount": 12.5}, false: map[string]any{"amount": 200.0}} {
		got, err := p.Checker(sample(), "").Check(expression.Call{Name: "refund", Index: 1, Args: args, Result: map[string]any{"ok": true}})
		if err != nil || got != want {
			t.Errorf("%v: got %v, %v", args, got, err)
		}
	}
	if _, err := p.Checker(sample(), "").Check(expression.Call{Name: "refund"}); err == nil {
		t.Error("no arguments: want an error")
	}
	if _, err := expression.CompileCheck("args.amount"); err == nil {
		t.Error("a check that is no condition is taken")
	}
}

func FuzzCompile(f *testing.F) {
	for _, seed := range []string{`len(output) > 3`, `any(tools, .name == "x")`, `1..9`, "let x = 1; x", `"\x00"`, `reduce(context, #acc + len(.text), 0)`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := expression.Compile(text)
		if err != nil {
			if quality.KindOf(err) != quality.KindInvalid {
				t.Errorf("%q: %v is not of kind invalid", text, err)
			}
			return
		}
		_, _, _ = p.Run(sample(), "x") // must end, and not panic
	})
}

func BenchmarkRun(b *testing.B) {
	for _, text := range []string{`latency_ms < 2000 && output != ""`, `any(tools, .name == "refund" && .arguments.amount > 10)`} {
		b.Run(text[:10], func(b *testing.B) {
			p, err := expression.Compile(text)
			if err != nil {
				b.Fatal(err)
			}
			s := sample()
			b.ReportAllocs()
			for b.Loop() {
				_, _, _ = p.Run(s, s.Output.Text)
			}
		})
	}
}

func TestPatternsAreBounded(t *testing.T) {
	s := sample()
	s.Output = quality.Text(strings.Repeat("ab", 100<<10))
	for text, want := range map[string]string{
		`output matches "(a|b|ab)*c"`:                  "",
		`any(1..10, output matches "(a|b|ab)*c")`:      "1024 KiB",
		`all(1..10, not (output matches "^(a?){9}x"))`: "1024 KiB",
		`tools[1].result.none matches "a"`:             "",
		`asgood_work == nil`:                           "unknown name",
	} {
		p, err := expression.Compile(text)
		if err == nil {
			_, _, err = p.Run(s, s.Output.Last())
		}
		if got := ""; err != nil || want != "" {
			if err != nil {
				got = err.Error()
			}
			if want == "" || !strings.Contains(got, want) {
				t.Errorf("%s: got %q, want %q", text, got, want)
			}
		}
	}
}

func TestCheckerSharesItsBounds(t *testing.T) {
	p, err := expression.CompileCheck(`not (output matches "x$") and args.n >= 0`)
	if err != nil {
		t.Fatal(err)
	}
	c, done := p.Checker(sample(), strings.Repeat("a", 300<<10)), 0
	for ; done < 10; done++ {
		if _, err = c.Check(expression.Call{Name: "refund", Index: done, Args: map[string]any{"n": done}}); err != nil {
			break
		}
	}
	if done != 3 || quality.KindOf(err) != quality.KindTooLarge {
		t.Errorf("%d calls were checked, then %v", done, err)
	}
}
