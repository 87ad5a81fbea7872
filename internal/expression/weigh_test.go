package expression_test

import (
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/asgood-dev/asgood/internal/expression"
	"github.com/asgood-dev/asgood/internal/quality"
)

// TestWeighedFunctionsAreThoseOfTheLibrary: what is weighed, and what is done by us, says what it said before.
func TestWeighedFunctionsAreThoseOfTheLibrary(t *testing.T) {
	for text, want := range map[string]float64{
		`repeat("ab", 3) == "ababab"`:                                 1,
		`len(repeat(output, 0))`:                                      0,
		`replace(output, "o", "00") contains "00rder"`:                1,
		`len(replace(output, "", "-"))`:                               39,
		`replace("aaaa", "a", "b", 2) == "bbaa"`:                      1,
		`replace("aaaa", "a", "b", -1) == "bbbb"`:                     1,
		`join(map(context, .id), "+") == "a+b"`:                       1,
		`join(split("a b", " ")) == "ab"`:                             1,
		`len(uniq(split("a b a c b", " ")))`:                          3,
		`len(uniq([1, 2, 1.0, "1", {"a": 1}, {"a": 1}]))`:             4,
		`output + "!" == "42, see order ORD-1!"`:                      1,
		`reduce(context, #acc + .id, "") == "ab"`:                     1,
		`"a" in map(context, .id) and not ("z" in map(context, .id))`: 1,
		`attributes["lang" + "uage"] == "de"`:                         1,
		`first(context).text startsWith "the"`:                        1,
		`toJSON(tools[1].result) contains "ok"`:                       1,
		`fromJSON("[1, 2]")[1] == 2`:                                  1,
		`sum(map(split("1 2 3", " "), int(#)))`:                       6,
		`len(groupBy(context, len(.text) > 6))`:                       2,
		`time.Format("2006") == "2026"`:                               1,
		`lower(upper(trim("  Ab "))) == "ab"`:                         1,
		`let words = split(output, " "); words[0] endsWith ","`:       1,
		`output | split(" ") | len()`:                                 4,
		`tools[0]?.arguments?.query == "x"`:                           1,
		`any(tools, .name == model or .arguments == {"query": "x"})`:  1,
		`max(map(context, len(.text))) == 9`:                          1,
		`sort(split("b a", " "))[0] == "a"`:                           1,
		`count(sortBy(context, .id, "desc"), .id == "b")`:             1,
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

// heavy are expressions that take seconds or gigabytes on a large sample where nothing weighs them.
var heavy = []string{
	`count(split(output, " "), count(split(output, " "), # == "x") > 0) > 3`,
	strings.Repeat(`len(split(output, "")) + `, 60) + `1`,
	`count(1..30, len(split(lower(output), "")) > 0)`,
	`len(uniq(split(output, " ")))`,
	`len(uniq(map(split(output, " "), [#])))`,
	`len(repeat(output, 1000000))`,
	`len(replace(output, "a", output))`,
	`len(replace(output, "", output))`,
	`len(join(split(output, " "), output))`,
	`len(reduce(1..60, #acc + #acc, output))`,
	`count(1..9000, len(output) > 0)`,
	`count(1..9000, output != input + output)`,
	`count(1..9000, output in [input, input, input])`,
	`count(1..9000, attributes[output] == "")`,
	`count(1..9000, time.Format(output) == "")`,
	`len(groupBy(1..9000, output))`,
	`len(toJSON(tools[0].result))`,
	`count(1..9000, tools[0].result == tools[1].result)`,
	`count(1..9000, len(fromJSON(toJSON(output))) > 0)`,
	`count(1..9000, context == context)`,
	`count(1..9000, any(tools, .name contains output))`,
	`len(sort(split(output, "")))`,
	`count(1..9999, ` + strings.Repeat("latency_ms + ", 180) + `1 > 0)`,
}

func large() *quality.Sample {
	s := sample()
	r := rand.New(rand.NewPCG(1, 2))
	var b strings.Builder
	for b.Len() < 1<<20 {
		b.WriteByte("abcdefgh x"[r.IntN(10)])
	}
	s.Input, s.Output = quality.Text(b.String()+"1"), quality.Text(b.String())
	s.Context = []quality.Document{{ID: "a", Text: b.String()}}
	deep := strings.Repeat("[", 5000) + "1" + strings.Repeat(",1", 50_000) + strings.Repeat("]", 5000)
	s.Tools = []quality.ToolCall{{Name: "a", Result: json.RawMessage(deep)}, {Name: "b", Result: json.RawMessage(deep)}}
	return s
}

func TestHeavyExpressionsEnd(t *testing.T) {
	s := large()
	for _, text := range heavy {
		p, err := expression.Compile(text)
		if err != nil {
			t.Errorf("%.60s: %v", text, err)
			continue
		}
		_, _, err = p.Run(s, s.Output.Text)
		if err != nil && !strings.Contains(err.Error(), "too many steps") && !strings.Contains(err.Error(), "memory budget") {
			t.Errorf("%.60s: %v", text, err)
		}
		again, _, err2 := p.Run(s, s.Output.Text)
		if first, _, _ := p.Run(s, s.Output.Text); first != again || (err == nil) != (err2 == nil) {
			t.Errorf("%.60s: says one thing, and then another", text)
		}
	}
}

func BenchmarkHeavy(b *testing.B) {
	s := large()
	for _, text := range heavy {
		b.Run(strings.ReplaceAll(text[:min(len(text), 60)], " ", ""), func(b *testing.B) {
			p, err := expression.Compile(text)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				_, _, _ = p.Run(s, s.Output.Text)
			}
		})
	}
}
