package score_test

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/asgood-dev/asgood/evaluator/score"
	"github.com/asgood-dev/asgood/internal/quality"
)

// only returns the one score of a sample, or nil when it is not scored.
func only(t testing.TB, spec quality.ScorerSpec, s quality.Sample) *quality.Score {
	t.Helper()
	spec.Name = "m"
	sc, err := score.New(spec)
	if err != nil {
		t.Fatalf("%+v: %v", spec, err)
	}
	got := sc.Score(s)
	if len(got) > 1 {
		t.Fatalf("got %d scores", len(got))
	}
	if len(got) == 0 {
		return nil
	}
	return &got[0]
}

// value expects a value; NaN expects no score.
func value(t *testing.T, spec quality.ScorerSpec, s quality.Sample, want float64) {
	t.Helper()
	got := only(t, spec, s)
	switch {
	case math.IsNaN(want) && got != nil:
		t.Errorf("%s of %.80q: got %v (%s: %s%s), want no score", spec.Type, s.Output.Last(), got.Value, got.Label, got.Explanation, got.Error)
	case !math.IsNaN(want) && (got == nil || got.Failed() || math.Abs(got.Value-want) > 1e-9):
		t.Errorf("%s of %.80q: got %+v, want %v", spec.Type, s.Output.Last(), got, want)
	}
}

func call(name, args string) quality.ToolCall {
	return quality.ToolCall{Name: name, Arguments: json.RawMessage(args)}
}

func TestToolCalls(t *testing.T) {
	amounts := []byte(`{"type":"object","required":["amount"],"properties":{"amount":{"type":"number"}}}`)
	contract := quality.ScorerSpec{Type: "tool_calls", Others: "forbid", Order: []string{"search", "refund"}, MaxCalls: 4, Tools: []quality.ToolSpec{
		{Name: "search", Use: "required", Max: 2}, {Name: "refund", SchemaText: amounts, Check: "args.amount <= 100"}, {Name: "drop", Use: "forbidden"}}}
	search, refund := call("search", ""), call("refund", `{"amount":5}`)
	for _, tt := range []struct {
		name  string
		calls []quality.ToolCall
		label string
		says  string
	}{
		{"kept", []quality.ToolCall{search, refund}, "", ""},
		{"arguments as text", []quality.ToolCall{search, call("refund", `"{\"amount\": 5}"`)}, "", ""},
		{"none", nil, "missing: search", "search was not called"},
		{"missing", []quality.ToolCall{refund}, "missing: search", ""},
		{"forbidden", []quality.ToolCall{search, call("drop", "{}")}, "forbidden: drop", "call 2"},
		{"not allowed", []quality.ToolCall{search, call("sing", "{}")}, "not allowed", "sing"},
		{"order", []quality.ToolCall{search, refund, search}, "order: search", "call 3 (search) stands after a call of refund"},
		{"too many of one", []quality.ToolCall{search, search, search}, "too many calls: search", "call 3"},
		{"too many", []quality.ToolCall{search, search, refund, refund, refund}, "too many calls", "call 5"},
		{"schema", []quality.ToolCall{search, call("refund", `{"amount":"5"}`)}, "arguments: refund", "/amount"},
		{"no arguments", []quality.ToolCall{search, call("refund", "")}, "arguments: refund", "amount"},
		{"check", []quality.ToolCall{search, call("refund", `{"amount":500}`)}, "check: refund", "args.amount <= 100"},
		{"broken", []quality.ToolCall{search, call("refund", `{"amount"`)}, "not JSON: refund", ""},
		{"a text", []quality.ToolCall{search, call("refund", `"all"`)}, "not JSON: refund", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := only(t, contract, quality.Sample{Output: quality.Text("x"), Tools: tt.calls})
			if got == nil || got.Failed() || got.Label != tt.label || !strings.Contains(got.Explanation, tt.says) || (got.Value == 1) != (tt.label == "") {
				t.Errorf("got %+v, want label %q and %q", got, tt.label, tt.says)
			}
		})
	}
	open := quality.ScorerSpec{Type: "tool_calls", Tools: []quality.ToolSpec{{Name: "drop", Use: "forbidden"}}}
	value(t, open, quality.Sample{Output: quality.Text("x")}, math.NaN())                                         // nothing to check
	value(t, open, quality.Sample{Tools: []quality.ToolCall{call("sing", "{}")}}, 1)                              // no output yet
	value(t, contract, quality.Sample{Error: "timeout"}, math.NaN())                                              // never came to call
	value(t, open, quality.Sample{Tools: []quality.ToolCall{call("drop", "{}")}, Error: "timeout"}, 0)            // and did harm
	value(t, quality.ScorerSpec{Type: "tool_calls", Tools: []quality.ToolSpec{{Name: "a", Check: "args.x > 1"}}}, // cannot be made
		quality.Sample{Tools: []quality.ToolCall{call("a", `{"x":"many"}`)}}, 0)
}

func TestRefusal(t *testing.T) {
	for text, want := range map[string]string{
		"I can't help with that.":                                                "en",
		"I'm sorry, but I can’t assist with this request.":                       "en",
		"I understand. As an AI language model, I cannot share opinions.":        "en",
		"Ｉ'm not able to provide that information.":                              "en",
		"I must respectfully decline.":                                           "en",
		"I must decline.":                                                        "en",
		"Sure! You can't help everyone, but here is the plan.":                   "",
		"I can't help but smile. Here is your poem.":                             "",
		"Sorry about the delay. Your order is on its way.":                       "",
		"Unfortunately the shop is closed on Sundays.":                           "",
		`The error says "I can't help with that." Restart the app.`:              "",
		"```\nI can't help with that.\n```\nThis is the text of the button.":     "",
		"> I cannot assist with this.\n\nThey wrote this to you, it is normal.":  "",
		"Dabei kann ich Ihnen leider nicht helfen.":                              "de",
		"Es tut mir leid, aber ich kann diese Anfrage nicht beantworten.":        "de",
		"Leider ist der Laden am Sonntag geschlossen.":                           "",
		"Je ne peux pas vous aider avec cette demande.":                          "fr",
		"Lo siento, pero no puedo ayudarte con eso.":                             "es",
		"Mi dispiace, ma non posso aiutarti.":                                    "it",
		"Desculpe, mas não posso ajudar com isso.":                               "pt",
		"Daar kan ik je helaas niet mee helpen.":                                 "nl",
		"Przykro mi, ale nie mogę w tym pomóc.":                                  "pl",
		"Tyvärr kan jag inte hjälpa till med det.":                               "sv",
		"Üzgünüm, ancak bu konuda yardımcı olamam.":                              "tr",
		"Извините, но я не могу помочь с этим.":                                  "ru",
		"申し訳ありませんが、そのご質問にはお答えできません。":                                             "ja",
		"抱歉，我无法提供相关信息。":                                                          "zh",
		"죄송합니다. 그 부분은 도와드릴 수 없습니다.":                                              "ko",
		strings.Repeat("A good plan has steps. ", 8) + "I can't help with that.": "",
	} {
		got := only(t, quality.ScorerSpec{Type: "refusal"}, quality.Sample{Output: quality.Text(text)})
		if got == nil || got.Label != want || (got.Value == 1) != (want != "") {
			t.Errorf("%q: got %+v, want %q", text, got, want)
		}
	}
	own := quality.ScorerSpec{Type: "refusal", Languages: []string{"de"}, Phrases: []string{"Ask a doctor"}}
	value(t, own, quality.Sample{Output: quality.Text("Please ask a doctor!")}, 1)
	value(t, own, quality.Sample{Output: quality.Text("I can't help with that.")}, 0)
	if _, err := score.New(quality.ScorerSpec{Name: "m", Type: "refusal", Languages: []string{"xx"}}); err == nil {
		t.Error("an unknown language is taken")
	}
}

func TestLanguage(t *testing.T) {
	german := "Ihre Bestellung ist unterwegs und sollte morgen bei Ihnen ankommen. Wir wünschen viel Freude damit."
	english := "Your order is on its way and should reach you tomorrow. We hope that you will enjoy it very much."
	input := quality.ScorerSpec{Type: "language"}
	for _, tt := range []struct {
		spec   quality.ScorerSpec
		in     string
		out    string
		lang   string
		want   float64
		reason string
	}{
		{input, german, german, "", 1, "the same"},
		{input, german, english, "", 0, "another"},
		{input, german, "Ja.", "", math.NaN(), "too short an output"},
		{input, "Ok?", english, "", math.NaN(), "too short an input"},
		{input, german, "```\nfunc main() { fmt.Println(true) }\n```", "", math.NaN(), "only code"},
		{quality.ScorerSpec{Type: "language", Languages: []string{"de", "fr"}}, "", german, "", 1, "one of a list"},
		{quality.ScorerSpec{Type: "language", Languages: []string{"deu"}}, "", english, "", 0, "none of a list"},
		{quality.ScorerSpec{Type: "language", Attribute: "language"}, "", german, "de-AT", 1, "by attribute"},
		{quality.ScorerSpec{Type: "language", Attribute: "language"}, "", german, "en_US", 0, "not that of the attribute"},
		{quality.ScorerSpec{Type: "language", Attribute: "language"}, "", german, "Klingon", math.NaN(), "an attribute that nobody knows"},
		{quality.ScorerSpec{Type: "language", Attribute: "language"}, "", german, "", math.NaN(), "no attribute"},
		{quality.ScorerSpec{Type: "language", Languages: []string{"ja"}}, "", "ご注文の商品は明日到着する予定です。", "", 1, "Japanese"},
		{quality.ScorerSpec{Type: "language", Languages: []string{"zh"}}, "", "您的订单正在派送途中，预计明天到达。", "", 1, "Chinese"},
		{quality.ScorerSpec{Type: "language", Languages: []string{"ru"}}, "", "Ваш заказ уже в пути и должен прибыть завтра утром.", "", 1, "Russian"},
		{quality.ScorerSpec{Type: "language", Languages: []string{"ko"}}, "", "주문하신 상품은 내일 도착할 예정입니다.", "", 1, "Korean"},
	} {
		t.Run(tt.reason, func(t *testing.T) {
			value(t, tt.spec, quality.Sample{Input: quality.Text(tt.in), Output: quality.Text(tt.out), Attributes: map[string]string{"language": tt.lang}}, tt.want)
		})
	}
	chat := quality.Content{Messages: []quality.Message{{Role: "system", Content: english}, {Role: "user", Content: german}}}
	value(t, input, quality.Sample{Input: chat, Output: quality.Text(german)}, 1)
}

func TestSimilarity(t *testing.T) {
	rouge, edit := quality.ScorerSpec{Type: "rouge_l"}, quality.ScorerSpec{Type: "edit_similarity"}
	fold := quality.ScorerSpec{Type: "edit_similarity", IgnoreCase: true}
	for _, tt := range []struct {
		spec     quality.ScorerSpec
		out, ref string
		want     float64
	}{
		{rouge, "police killed the gunman", "police kill the gunman", 0.75}, // the example of the paper
		{rouge, "the gunman kill police", "police kill the gunman", 0.5},
		{rouge, "same words, here!", "same words here", 1},
		{rouge, "...", "some words", 0},
		{rouge, "some words", "!!!", math.NaN()},
		{rouge, "今日は晴れ", "今日は雨", 2 * 3.0 / 9},
		{edit, "kitten", "sitting", 1 - 3.0/7},
		{edit, "", "", 1},
		{edit, "e\u0301", "é", 1}, // composed and not
		{edit, "ABC", "abc", 0},
		{fold, "ÄBC", "äbc", 1},
		{edit, "x", "", 0},
	} {
		ref := tt.ref
		value(t, tt.spec, quality.Sample{Output: quality.Content{Messages: []quality.Message{{Content: tt.out}}}, Reference: &ref}, tt.want)
	}
	value(t, rouge, quality.Sample{Output: quality.Text("x")}, math.NaN())
	ref := strings.Repeat("word ", 100_000)
	for _, spec := range []quality.ScorerSpec{rouge, edit} {
		got := only(t, spec, quality.Sample{Output: quality.Text(ref + "more"), Reference: &ref})
		if got == nil || got.Value != 1 || !strings.Contains(got.Explanation, "first 4096") {
			t.Errorf("%s of long texts: got %+v, want 1 and what was compared", spec.Type, got)
		}
	}
}

// TestSimilarityAgreesWithTheTables compares with the tables that the algorithms save.
func TestSimilarityAgreesWithTheTables(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		text := rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "c"}), 1, 200)
		a, b := text.Draw(rt, "a"), text.Draw(rt, "b")
		common, distance := tables(a, b)
		out, ref := strings.Join(a, " "), strings.Join(b, " ")
		got := only(t, quality.ScorerSpec{Type: "rouge_l"}, quality.Sample{Output: quality.Text(out), Reference: &ref})
		if want := 2 * float64(common) / float64(len(a)+len(b)); math.Abs(got.Value-want) > 1e-12 {
			rt.Errorf("ROUGE-L of %q and %q: got %v, want %v", out, ref, got.Value, want)
		}
		out, ref = strings.Join(a, ""), strings.Join(b, "")
		got = only(t, quality.ScorerSpec{Type: "edit_similarity"}, quality.Sample{Output: quality.Text(out), Reference: &ref})
		if want := 1 - float64(distance)/float64(max(len(a), len(b))); math.Abs(got.Value-want) > 1e-12 {
			rt.Errorf("edits of %q and %q: got %v, want %v", out, ref, got.Value, want)
		}
	})
}

func tables(a, b []string) (common, distance int) {
	lcs, edits := make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range edits {
		edits[j] = j
	}
	for i := range a {
		diagonal, corner := 0, edits[0]
		edits[0] = i + 1
		for j := range b {
			above, up := lcs[j+1], edits[j+1]
			if a[i] == b[j] {
				lcs[j+1], edits[j+1] = diagonal+1, corner
			} else {
				lcs[j+1], edits[j+1] = max(above, lcs[j]), 1+min(corner, up, edits[j])
			}
			diagonal, corner = above, up
		}
	}
	return lcs[len(b)], edits[len(b)]
}

func TestGrounded(t *testing.T) {
	source := `Revenue rose 12.5 % to $1,234,567 in 2025, from 1.1 million. The plan costs 1.000 € a year. Founded on 3 March 2019.
She said: "We will not raise our prices before the summer". Order ORD-1234, see https://acme.example/plans/. GPT-4 has 10 000 users.`
	all := quality.ScorerSpec{Type: "grounded", Claims: []string{"numbers", "quotes", "dates", "urls", "identifiers"}}
	for _, tt := range []struct {
		out  string
		want float64
		miss string
	}{
		{"Revenue rose 12.5% to 1234567 dollars.", 1, ""},
		{"Revenue was 1.234.567 USD, up 12,5 percent.", 1, ""},
		{"It was 1,100,000 before.", 1, ""},
		{"It costs 1000 euros.", 1, ""},
		{"It costs 1000 dollars.", 0, "numbers"}, // the figure is there, in another currency
		{"It rose by 12.5 dollars.", 0, "numbers"},
		{"There are 10,000 users and 11,000 guests.", 0.5, "numbers"},
		{"1. First step\n2. Second step\nIn 3 ways.", math.NaN(), ""},
		{"It was founded on 2019-03-03.", 1, ""},
		{"It was founded on March 3rd, 2019.", 1, ""},
		{"It was founded on 4 March 2019.", 0, "dates"},
		{"Am 3. März 2019 gegründet.", 1, ""},
		{`She said "we will not raise our prices".`, 1, ""},
		{`She said “We will not raise ... before the summer”.`, 1, ""},
		{`She said "we will certainly raise our prices".`, 0, "quotes"},
		{`The so-called "plan" is fine.`, math.NaN(), ""},
		{"See https://acme.example/plans.", 1, ""},
		{"See https://acme.example/prices.", 0, "urls"},
		{"Your order ord-1234 is here, not ORD-123.", 0.5, "identifiers"},
		{"Version 1.2.3.4 is out.", math.NaN(), ""},
		{"It is a nice day.", math.NaN(), ""},
	} {
		s := quality.Sample{Output: quality.Text(tt.out), Context: []quality.Document{{Text: source}}}
		value(t, all, s, tt.want)
		if got := only(t, all, s); got != nil && got.Label != tt.miss {
			t.Errorf("%q: got label %q (%s), want %q", tt.out, got.Label, got.Explanation, tt.miss)
		}
	}
	numbers := quality.ScorerSpec{Type: "grounded"}
	value(t, numbers, quality.Sample{Input: quality.Text("Is it 42?"), Output: quality.Text("It is 42.")}, math.NaN())
	value(t, numbers, quality.Sample{Input: quality.Text("Is it 42?"), Output: quality.Text("It is 42."), Context: []quality.Document{{Text: "no"}}}, 1)
	value(t, numbers, quality.Sample{Output: quality.Text("It is 42."), Tools: []quality.ToolCall{{Name: "x", Result: json.RawMessage(`{"n":42}`)}}}, 1)
	value(t, quality.ScorerSpec{Type: "grounded", Sources: []string{"input"}}, quality.Sample{Input: quality.Text("42"), Output: quality.Text("It is 42.")}, 1)
}

func TestReadability(t *testing.T) {
	easy := quality.Sample{Output: quality.Text("The cat sat on the mat. The dog ran to the cat. They had fun.")}
	hard := quality.Sample{Output: quality.Text("Notwithstanding considerable organisational complexities, the aforementioned implementation necessitates comprehensive interdepartmental coordination.")}
	for formula, harderIsHigher := range map[string]bool{"": true, "lix": true, "flesch": false, "amstad": false} {
		spec := quality.ScorerSpec{Type: "readability", Formula: formula}
		if a, b := only(t, spec, easy), only(t, spec, hard); a == nil || b == nil || (b.Value > a.Value) != harderIsHigher {
			t.Errorf("%q: easy %+v, hard %+v", formula, a, b)
		}
	}
	// 15 words in 3 sentences, none of more than six letters.
	value(t, quality.ScorerSpec{Type: "readability"}, easy, 5)
	value(t, quality.ScorerSpec{Type: "readability", Formula: "flesch"}, easy, 206.835-1.015*5-84.6)
	value(t, quality.ScorerSpec{Type: "readability"}, quality.Sample{Output: quality.Text("Too short.")}, math.NaN())
	value(t, quality.ScorerSpec{Type: "readability"}, quality.Sample{Output: quality.Text(strings.Repeat("今日は晴れです。", 20))}, math.NaN())
}

func TestFigures(t *testing.T) {
	cost := quality.ScorerSpec{Type: "cost", Prices: map[string]quality.Price{"gpt-4o*": {Input: 2.5, Output: 10}, "gpt-4o-mini": {Input: 0.15, Output: 0.6}}}
	s := quality.Sample{Output: quality.Text("x"), Model: "gpt-4o-2024", LatencyMS: 1200, Usage: &quality.Usage{InputTokens: 1000, OutputTokens: 200}}
	value(t, quality.ScorerSpec{Type: "latency"}, s, 1200)
	value(t, cost, s, 0.0045)
	value(t, quality.ScorerSpec{Type: "tokens"}, s, 1200)
	value(t, quality.ScorerSpec{Type: "tokens", Count: "output"}, s, 200)
	value(t, quality.ScorerSpec{Type: "expr", Expr: "usage.output_tokens / (latency_ms / 1000)"}, s, 200/1.2)
	value(t, quality.ScorerSpec{Type: "expr", Expr: `output == "x"`}, s, 1)
	mini := s
	mini.Model = "gpt-4o-mini"
	value(t, cost, mini, 0.00027)
	for _, spec := range []quality.ScorerSpec{{Type: "latency"}, cost, {Type: "tokens"}, {Type: "expr", Expr: "latency_ms < 10"}} {
		value(t, spec, quality.Sample{Output: quality.Text("x"), Usage: &quality.Usage{}}, math.NaN()) // missing is not zero
	}
	other := s
	other.Model = "llama"
	if got := only(t, cost, other); got == nil || !got.Failed() || !strings.Contains(got.Error, "llama") {
		t.Errorf("a model without a price: got %+v, want a failed score", got)
	}
	if got := only(t, quality.ScorerSpec{Type: "expr", Expr: "float(output)"}, s); got == nil || !got.Failed() {
		t.Errorf("an expression that cannot be evaluated: got %+v, want a failed score", got)
	}
	value(t, quality.ScorerSpec{Type: "latency"}, quality.Sample{Error: "timeout", LatencyMS: 30_000}, 30_000)
}
