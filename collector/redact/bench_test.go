package redact_test

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/asgood-dev/asgood/internal/quality"
)

// kilobyte repeats a text up to 1,024 bytes, cut at a space.
func kilobyte(s string) string {
	s = strings.Repeat(s+" ", 1024/len(s)+1)[:1024]
	return s[:strings.LastIndexByte(s, ' ')]
}

const proseText = "Thank you for reaching out! I'm sorry to hear that the delivery has been delayed: the parcel left our warehouse on " +
	"2026-03-01 at 10:45 and should have reached you within 3-5 business days (that is, by Friday). I have checked with the carrier, " +
	"and it's being re-routed via Leipzig. If it does not arrive by then, we'll refund the full amount of 49.90 EUR to your original " +
	"payment method. Is there anything else I can help you with today? You may also track order 1234567 in the app under \"Orders\"."

const matchText = "Jane Doe <jane.doe@example.com>, phone +49 30 1234567 or (415) 555-2671, card 4111 1111 1111 1111, IBAN DE89 3704 0044 0532 0130 00, " +
	"from 203.0.113.7 and 2001:db8::1, password=hunter22 key sk-proj-abcDEF1234567890abcDEF1234567890 bob@mail.example.org"

// sixPatterns is the obvious way: one regular expression after the other. They are written loosely, without
// checksums, so that they do not cost more than they must.
func sixPatterns() []*regexp.Regexp {
	var out []*regexp.Regexp
	for _, p := range []string{
		`[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}`,
		`\+?\(?\d{1,4}\)?[ ./-]?\d{2,4}[ ./-]?\d{3,4}[ ./-]?\d{3,4}`,
		`\b(?:\d[ -]?){13,19}\b`,
		`\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,4})?\b`,
		`\b(?:\d{1,3}\.){3}\d{1,3}\b|\b(?:[0-9a-fA-F]{0,4}:){2,7}[0-9a-fA-F]{1,4}\b`,
		`\b(?:sk-|ghp_|xoxb-|AKIA|AIza)[A-Za-z0-9_-]{16,}\b|(?i:password|api_key)\s*[:=]\s*\S+`,
	} {
		out = append(out, regexp.MustCompile(p))
	}
	return out
}

func BenchmarkText(b *testing.B) {
	r := newRedactor(b, quality.DefaultRedact()...)
	for _, bb := range []struct{ name, text string }{
		{"prose", kilobyte(proseText)}, {"matches", kilobyte(matchText)}, {"digits", strings.Repeat("7", 1024)}, {"at", strings.Repeat("@", 1024)},
		{"groups", strings.Repeat("1 ", 512)}, {"colons", strings.Repeat("a:", 512)}, {"words", kilobyte("lorem ipsum dolor sit amet")},
		{"json", `{"order":{"id":1234567,"lines":[{"text":"` + kilobyte(proseText[:200]) + `"}]}}`},
	} {
		b.Run(bb.name, func(b *testing.B) {
			b.SetBytes(int64(len(bb.text)))
			b.ReportAllocs()
			for b.Loop() {
				r.Text("acme", bb.text)
			}
		})
	}
}

// BenchmarkSixPatterns does the same with regular expressions, to compare with in the same run.
func BenchmarkSixPatterns(b *testing.B) {
	patterns := sixPatterns()
	for _, bb := range []struct{ name, text string }{{"prose", kilobyte(proseText)}, {"matches", kilobyte(matchText)}} {
		b.Run(bb.name, func(b *testing.B) {
			b.SetBytes(int64(len(bb.text)))
			b.ReportAllocs()
			for b.Loop() {
				s := bb.text
				for _, re := range patterns {
					s = re.ReplaceAllString(s, "[x]")
				}
			}
		})
	}
}

func BenchmarkSample(b *testing.B) {
	r := newRedactor(b, quality.DefaultRedact()...)
	for _, bb := range []struct{ name, text string }{{"prose", proseText}, {"matches", matchText}} {
		s := quality.Sample{
			Customer: "acme", Input: quality.Text(bb.text[:150]), Output: quality.Text(kilobyte(bb.text)),
			Attributes: map[string]string{"language": "de", "channel": "chat"}, Params: map[string]any{"temperature": 0.2},
			Tools: []quality.ToolCall{{Name: "refund", Arguments: json.RawMessage(`{"order":1234567,"note":"late"}`)}},
		}
		b.Run(bb.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				c := s
				r.Sample(&c)
			}
		})
	}
}
