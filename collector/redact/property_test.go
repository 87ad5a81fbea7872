package redact_test

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/asgood-dev/asgood/collector/redact"
	"github.com/asgood-dev/asgood/internal/quality"
)

// everyRule holds rules of every form.
func everyRule() []quality.RedactRule {
	return append(quality.DefaultRedact(),
		quality.RedactRule{Pattern: `TCK-(\d+)`, Name: "ticket"},
		quality.RedactRule{Pattern: `(?i)name: (.+)`, Name: "name"},
		quality.RedactRule{Pattern: `\b[0-9a-f]{8}\b`, Name: "hex_8"},
		quality.RedactRule{Field: "ssn"}, quality.RedactRule{Field: "Straße"})
}

// pieces are what texts are made of: what is found, parts of it, and what stands around it.
func pieces() []string {
	out := []string{
		" ", "  ", "\n", ".", ",", ":", "::", "-", "_", "@", "%40", "+", "(", ")", "[", "]", "{", "}", "\"", "'", "\\", "/", "://", "=", "&", "?", "#", "<", ">", "x", "n",
		"1", "0", "00", "030", "49", "555", "1234", "4111", "DE89", "sk-", "ghp_", "eyJ", "Bearer ", "password=", "token: ", "-----BEGIN ", "PRIVATE KEY-----", "TCK-", "name: ",
		"é", "ß", "例", "\u00a0", "\u2013", "\u0000", "\\n", "\\u003c", "[email:1f3a9c2e]", "[email:", ":1f3a9c2e]", "1f3a9c2e", "[ticket:00000000]", "ssn", "null",
		"http://u:p@h/", "user@host", "jane@example.com", "a", "abc", "fe80", "999999999999999999999",
	}
	for _, kind := range quality.RedactKinds() {
		for _, c := range detections[kind] {
			out = append(out, c.in)
		}
	}
	return out
}

func drawText(t *rapid.T, label string) string {
	part := rapid.OneOf(rapid.SampledFrom(pieces()), rapid.StringN(0, 4, -1))
	return strings.Join(rapid.SliceOfN(part, 0, 12).Draw(t, label), "")
}

func TestTextIsStable(t *testing.T) {
	r := newRedactor(t, everyRule()...)
	rapid.Check(t, func(t *rapid.T) { checkText(t, r, drawText(t, "text")) })
}

type failer interface {
	Helper()
	Fatalf(format string, args ...any)
}

// checkText checks what holds for every text.
func checkText(t failer, r *redact.Redactor, s string) {
	t.Helper()
	got := r.Text("acme", s)
	if again := r.Text("acme", got); again != got {
		t.Fatalf("%q: got %q, and the second time %q", s, got, again)
	}
	if utf8.ValidString(s) && !utf8.ValidString(got) {
		t.Fatalf("%q: got %q, which is not UTF-8", s, got)
	}
	if isDocument(s) && !json.Valid([]byte(got)) {
		t.Fatalf("%q: got %q, which is not JSON", s, got)
	}
}

func isDocument(s string) bool {
	return json.Valid([]byte(s)) && strings.ContainsAny(strings.TrimLeft(s, " \t\r\n")[:1], "{[")
}

func drawJSON(t *rapid.T, depth int) any {
	if depth == 0 || rapid.Bool().Draw(t, "leaf") {
		switch rapid.IntRange(0, 3).Draw(t, "type") {
		case 0:
			return rapid.SampledFrom([]any{nil, true, 7.0, 4111111111111111.0}).Draw(t, "scalar")
		case 1:
			inner, _ := json.Marshal(map[string]string{"ssn": drawText(t, "inner")})
			return string(inner)
		default:
			return drawText(t, "string")
		}
	}
	m := map[string]any{}
	for range rapid.IntRange(0, 4).Draw(t, "size") {
		m[rapid.SampledFrom([]string{"a", "b", "SSN", "password", "api_key", "jane@example.com", "\n"}).Draw(t, "key")] = drawJSON(t, depth-1)
	}
	if rapid.Bool().Draw(t, "list") {
		return []any{m, drawText(t, "element")}
	}
	return m
}

func TestJSONIsStable(t *testing.T) {
	r := newRedactor(t, everyRule()...)
	rapid.Check(t, func(t *rapid.T) {
		v := drawJSON(t, 3)
		raw, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		checkJSON(t, r, raw)
		checkText(t, r, string(raw))
	})
}

func checkJSON(t failer, r *redact.Redactor, raw []byte) {
	t.Helper()
	before := string(raw)
	got := r.JSON("acme", raw)
	if string(raw) != before {
		t.Fatalf("%s: was written over", before)
	}
	if json.Valid(raw) && !json.Valid(got) {
		t.Fatalf("%s: got %s, which is not JSON", raw, got)
	}
	if again := r.JSON("acme", got); string(again) != string(got) {
		t.Fatalf("%s: got %s, and the second time %s", raw, got, again)
	}
}

// TestNothingSurvives puts addresses and cards of the table into any surroundings that do not make them
// something else: a digit beside a card, or a decimal point, does.
func TestNothingSurvives(t *testing.T) {
	r := newRedactor(t, quality.DefaultRedact()...)
	rapid.Check(t, func(t *rapid.T) {
		item := rapid.SampledFrom([]string{
			"jane.doe@example.com", "jane+news@mail.eu.example.co.uk", "jörg@bücher.example", "иван@пример.рф",
			"4111111111111111", "4111 1111 1111 1111", "5555-5555-5555-4444", "378282246310005", "6011111111111117",
		}).Draw(t, "item")
		left, right := drawText(t, "left"), drawText(t, "right")
		if c := strings.TrimRight(left, "0123456789"); c != left || strings.HasSuffix(left, ".") || strings.HasSuffix(left, ",") {
			left += " "
		}
		if right != "" && right[0] >= '0' && right[0] <= '9' {
			right = " " + right
		}
		if got := r.Text("acme", left+item+right); strings.Count(got, item) > strings.Count(left, item)+strings.Count(right, item) {
			t.Fatalf("%q: got %q", left+item+right, got)
		}
	})
}
