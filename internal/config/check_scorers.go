package config

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/asgood-dev/asgood/internal/expression"
	"github.com/asgood-dev/asgood/internal/quality"
)

// The words that settings of scorers can be.
func refusalLanguages() []string {
	return []string{"en", "de", "fr", "es", "it", "pt", "nl", "pl", "sv", "tr", "ru", "ja", "zh", "ko"}
}
func claimKinds() []string   { return []string{"numbers", "quotes", "dates", "urls", "identifiers"} }
func claimSources() []string { return []string{"context", "tools", "input"} }
func formulas() []string     { return []string{"lix", "flesch", "amstad"} }
func tokenCounts() []string  { return []string{"total", "input", "output"} }
func toolUses() []string {
	return []string{quality.ToolOptional, quality.ToolRequired, quality.ToolForbidden}
}
func othersChoices() []string { return []string{quality.OthersAllow, quality.OthersForbid} }
func completeWords(s []string, all []string) []string {
	if len(s) == 0 {
		return all
	}
	return s
}

// unbounded reports whether the metric of a scorer has no bounds unless a monitor gives some.
func unbounded(s quality.ScorerSpec) bool {
	if s.Type != "expr" {
		return s.Unbounded()
	}
	p, err := expression.Compile(s.Expr)
	return err == nil && p.Number()
}

// completeScorer fills in what the file left out.
func completeScorer(s *quality.ScorerSpec) {
	s.On = or(s.On, "last")
	switch s.Type {
	case "reference":
		s.Match = or(s.Match, "first")
	case "tool_calls":
		s.Others = or(s.Others, quality.OthersAllow)
		for i := range s.Tools {
			s.Tools[i].Use = or(s.Tools[i].Use, quality.ToolOptional)
		}
	case "grounded":
		s.Claims = completeWords(s.Claims, []string{"numbers", "quotes", "dates"})
		s.Sources = completeWords(s.Sources, claimSources())
	case "readability":
		s.Formula = or(s.Formula, "lix")
	case "tokens":
		s.Count = or(s.Count, "total")
	}
}

// checkRule checks the settings of the types beyond the first six.
func (d *decoder) checkRule(s *quality.ScorerSpec, path string) {
	switch s.Type {
	case "tool_calls":
		d.checkToolCalls(s, path)
	case "refusal":
		d.checkTexts(s.Phrases, path+".phrases")
		d.checkWords(s.Languages, refusalLanguages(), path+".languages")
	case "language":
		d.checkLanguage(s, path)
	case "grounded":
		d.checkWords(s.Claims, claimKinds(), path+".claims")
		d.checkWords(s.Sources, claimSources(), path+".sources")
	case "readability":
		d.checkWord(s.Formula, formulas(), path+".formula")
	case "cost":
		d.checkPrices(s.Prices, path+".prices")
	case "tokens":
		d.checkWord(s.Count, tokenCounts(), path+".count")
	case "expr":
		_, err := expression.Compile(s.Expr)
		d.checkExpression(err, path+".expr")
	}
}

// checkWord checks that a word, when there is one, is one of some.
func (d *decoder) checkWord(word string, known []string, path string) {
	if word == "" || slices.Contains(known, word) || d.failed(path) {
		return
	}
	hint := "want " + strings.Join(known[:len(known)-1], ", ") + " or " + known[len(known)-1]
	if s := nearest(word, known); s != "" && !d.places[path].fromEnv {
		hint = fmt.Sprintf("did you mean %s?", s)
	}
	d.bad(path, "%s", hint)
}

func (d *decoder) checkWords(words, known []string, path string) {
	d.checkMost(len(words), path)
	for i, word := range words {
		p := fmt.Sprintf("%s[%d]", path, i)
		switch {
		case word == "" && !d.failed(p):
			d.bad(p, "must not be empty (known: %s)", strings.Join(known, ", "))
		case slices.Contains(words[:i], word):
			d.bad(p, "stands twice")
		default:
			d.checkWord(word, known, p)
		}
	}
}

func (d *decoder) checkMost(n int, path string) {
	if n > quality.MaxScorerList {
		d.bad(path, "has %d entries, at most %d", n, quality.MaxScorerList)
	}
}

// checkTexts checks a list of texts that are looked for.
func (d *decoder) checkTexts(texts []string, path string) {
	d.checkMost(len(texts), path)
	for i, text := range texts {
		p := fmt.Sprintf("%s[%d]", path, i)
		if d.failed(p) {
			continue
		}
		if strings.TrimSpace(text) == "" || len(text) > quality.MaxNameLen {
			d.bad(p, "want a text of 1 to %d bytes", quality.MaxNameLen)
		}
	}
}

func (d *decoder) checkLanguage(s *quality.ScorerSpec, path string) {
	if d.has(path+".languages") && d.has(path+".attribute") {
		d.bad(path, "want one of languages and attribute, or none to compare with the input's language")
	}
	d.checkMost(len(s.Languages), path+".languages")
	if d.has(path+".languages") && len(s.Languages) == 0 && !d.failed(path+".languages") {
		d.bad(path+".languages", "must not be empty")
	}
	for i, code := range s.Languages {
		if p := fmt.Sprintf("%s[%d]", path+".languages", i); !d.failed(p) && !quality.IsLanguage(code) {
			d.bad(p, "want the code of a language such as en, de or pt-BR")
		}
	}
	if d.has(path + ".attribute") {
		d.checkAttributes([]string{s.Attribute}, path+".attribute")
	}
}

func (d *decoder) checkPrices(prices map[string]quality.Price, path string) {
	if d.failed(path) {
		return
	}
	if len(prices) == 0 {
		d.bad(path, "required: what a million tokens of each model cost, such as {gpt-4o*: {input: 2.5, output: 10}}")
		return
	}
	d.checkMost(len(prices), path)
	for _, model := range slices.Sorted(maps.Keys(prices)) {
		p := join(path, model)
		if model == "" || len(model) > quality.MaxNameLen {
			d.bad(p, "want the name of a model, which may end in *")
		}
		for key, price := range map[string]float64{"input": prices[model].Input, "output": prices[model].Output} {
			if at := p + "." + key; !(price >= 0 && price <= math.MaxInt32) && !d.failed(at) {
				d.bad(at, "want 0 or more: the price of a million tokens")
			}
		}
	}
}

func (d *decoder) checkToolCalls(s *quality.ScorerSpec, path string) {
	d.checkWord(s.Others, othersChoices(), path+".others")
	d.checkLimit(s.MaxCalls, path+".max_calls")
	d.checkTexts(s.Order, path+".order")
	for i, name := range s.Order {
		if slices.Contains(s.Order[:i], name) {
			d.bad(fmt.Sprintf("%s.order[%d]", path, i), "stands twice")
		}
	}
	d.checkMost(len(s.Tools), path+".tools")
	if len(s.Tools) == 0 && len(s.Order) == 0 && s.MaxCalls == 0 && !d.failed(path+".tools") {
		d.bad(path, "demands nothing: give tools, order or max_calls")
	}
	seen := map[string]int{}
	for i := range s.Tools {
		p := fmt.Sprintf("%s.tools[%d]", path, i)
		d.checkTool(&s.Tools[i], p)
		if first, ok := seen[s.Tools[i].Name]; ok {
			d.bad(p+".name", "the same as of tools[%d]", first)
		}
		seen[s.Tools[i].Name] = i
	}
}

func (d *decoder) checkTool(t *quality.ToolSpec, path string) {
	if (t.Name == "" || len(t.Name) > quality.MaxNameLen) && !d.failed(path+".name") {
		d.bad(path+".name", "required: the name of a tool")
	}
	d.checkWord(t.Use, toolUses(), path+".use")
	d.checkLimit(t.Max, path+".max")
	if t.Use == quality.ToolForbidden {
		for _, key := range []string{"max", "schema", "check"} {
			if d.has(path + "." + key) {
				d.bad(path+"."+key, "has no effect on a tool that is forbidden")
			}
		}
	}
	if d.has(path + ".schema") {
		t.SchemaText = d.loadSchema(t.Schema, path+".schema")
	}
	if d.has(path + ".check") {
		_, err := expression.CompileCheck(t.Check)
		d.checkExpression(err, path+".check")
	}
}

func (d *decoder) checkLimit(n int, path string) {
	if d.has(path) && (n < 1 || n > 1_000_000) && !d.failed(path) {
		d.bad(path, "want 1 to 1000000 calls")
	}
}

// checkExpression reports an expression that is none. The library's words hold text of it, which a variable may have given.
func (d *decoder) checkExpression(err error, path string) {
	switch {
	case err == nil || d.failed(path):
	case d.places[path].fromEnv:
		d.bad(path, "not an expression over a sample")
	default:
		d.bad(path, "not an expression over a sample: %s", clipTo(err.Error(), 300))
	}
}
