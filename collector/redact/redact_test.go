package redact_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/asgood-dev/asgood/collector/redact"
	"github.com/asgood-dev/asgood/internal/quality"
)

func TestNewRefuses(t *testing.T) {
	var patterns, fields []quality.RedactRule
	for i := range 65 {
		patterns = append(patterns, quality.RedactRule{Pattern: "a", Name: "x"})
		fields = append(fields, quality.RedactRule{Field: fmt.Sprint(i)})
	}
	for _, tt := range []struct {
		name  string
		key   []byte
		rules []quality.RedactRule
		want  string
	}{
		{"no key", nil, nil, "redaction key: 0 bytes, want 16 or more"},
		{"short key", key[:15], nil, "redaction key: 15 bytes, want 16 or more"},
		{"unknown kind", key, []quality.RedactRule{{Kind: "email"}, {Kind: "mail"}}, `redaction rule 2: "mail" is not a kind (known: [email phone credit_card iban ip secret])`},
		{"nothing", key, []quality.RedactRule{{}}, "redaction rule 1: field: want 1 to 256 bytes, got 0"},
		{"bad pattern", key, []quality.RedactRule{{Pattern: "a(", Name: "x"}}, "redaction rule 1: pattern: not a regular expression"},
		{"empty match", key, []quality.RedactRule{{Pattern: "(a|b?)c*", Name: "x"}}, "redaction rule 1: pattern: can match the empty text"},
		{"taken name", key, []quality.RedactRule{{Pattern: "a", Name: "field"}}, "redaction rule 1: name: field is taken"},
		{"many patterns", key, patterns, "redaction rules: 65 patterns and 0 fields, at most 16 and 64"},
		{"many fields", key, fields, "redaction rules: 0 patterns and 65 fields, at most 16 and 64"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := redact.New(redact.Options{Key: tt.key, Rules: tt.rules})
			if err == nil || !strings.Contains(err.Error(), tt.want) || quality.KindOf(err) != quality.KindInvalid {
				t.Errorf("got %v, want it to be invalid and to hold %q", err, tt.want)
			}
		})
	}
}

func TestRules(t *testing.T) {
	const text = "jane@example.com from 203.0.113.7"
	for _, tt := range []struct {
		name  string
		rules []quality.RedactRule
		want  string
	}{
		{"default", nil, "<email> from <ip>"},
		{"none", []quality.RedactRule{}, text},
		{"one", []quality.RedactRule{{Kind: "ip"}}, "jane@example.com from <ip>"},
		{"pattern", []quality.RedactRule{{Pattern: `\w+ (\S+)$`, Name: "source"}}, "jane@example.com from <source>"},
		{"pattern first", []quality.RedactRule{{Kind: "email"}, {Pattern: `^.+$`, Name: "all"}}, "<all>"},
		{"optional group", []quality.RedactRule{{Pattern: `from( x)?`, Name: "x"}}, text},
		{"two patterns", []quality.RedactRule{{Pattern: `jane`, Name: "a"}, {Pattern: `\[|\w+@`, Name: "b"}, {Kind: "email"}}, "<a>@example.com from 203.0.113.7"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, err := redact.New(redact.Options{Key: key, Rules: tt.rules})
			if err != nil {
				t.Fatal(err)
			}
			if got := shape(r.Text("acme", text)); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// TestPatternBesideRedacted shows that a pattern leaves pseudonyms alone, and nothing of what it finds around them.
func TestPatternBesideRedacted(t *testing.T) {
	r := newRedactor(t, everyRule()...)
	for in, want := range map[string]string{
		"Name: Jane Doe":                               "Name: <name>",
		"Name: Jane Doe, jane@example.com":             "Name: <name>",
		"Name: [email:1f3a9c2e]":                       "Name: <email>",
		"Name: Jane Doe, [email:1f3a9c2e]":             "Name: <name><email>",
		"Name: Jane [email:1f3a9c2e] Doe":              "Name: <name><email><name>",
		"Name: [email:1f3a9c2e], [email:1f3a9c2e]":     "Name: <email>, <email>",
		"TCK-123 and TCK-":                             "TCK-<ticket> and TCK-",
		"1f3a9c2e [email:1f3a9c2e] [other:1f3a9c2e]":   "<hex_8> <email> [other:<hex_8>]",
		"[email:1f3a9c2e]@example.com [email:1F3A9C2E": "<email>@example.com [email:1F3A9C2E",
	} {
		if got := shape(r.Text("acme", in)); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

// TestJoins shows which values have the same pseudonym.
func TestJoins(t *testing.T) {
	r := newRedactor(t, quality.DefaultRedact()...)
	for _, same := range [][]string{
		{"jane@example.com", "Jane@Example.COM", "jane%40example.com"},
		{"+49 30 1234567", "+49 (0)30 123-4567", "0049301234567", "+49 (30) 1234567", "(+49) 30 1234567"},
		{"(030) 123-4567", "030 1234567", "030/1234567"},
		{"4111111111111111", "4111 1111 1111 1111", "4111-1111-1111-1111"},
		{"DE89370400440532013000", "DE89 3704 0044 0532 0130 00", "de89370400440532013000"},
		{"2001:db8::1", "2001:0DB8:0:0:0:0:0:1"},
	} {
		want := r.Text("acme", same[0])
		for _, s := range same {
			if got := r.Text("acme", s); got != want {
				t.Errorf("%q: got %s, want %s as of %q", s, got, want, same[0])
			}
		}
	}
	other, err := redact.New(redact.Options{Key: []byte("another key of 32 bytes or more.")})
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]string{}
	for name, got := range map[string]string{
		"acme":         r.Text("acme", "jane@example.com"),
		"globex":       r.Text("globex", "jane@example.com"),
		"no customer":  r.Text("", "jane@example.com"),
		"other value":  r.Text("acme", "joan@example.com"),
		"another key":  other.Text("acme", "jane@example.com"),
		"shifted name": r.Text("acmejane", "@example.com") + r.Text("acmejane", "jane@example.com"),
	} {
		if first, ok := seen[got]; ok {
			t.Errorf("%s: got %s, as of %s", name, got, first)
		}
		seen[got] = name
	}
}

// TestPseudonym pins the form, which is stored: a change of it would part old samples from new ones.
func TestPseudonym(t *testing.T) {
	r := newRedactor(t, quality.DefaultRedact()...)
	if got, want := r.Text("acme", "jane@example.com"), "[email:ed005e64]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestAllocations shows that text without a match costs no memory.
func TestAllocations(t *testing.T) {
	if raceDetector {
		t.Skip("the race detector allocates by itself")
	}
	r := newRedactor(t, everyRule()...)
	s := quality.Sample{
		Customer: "acme", Input: quality.Text(proseText), Output: quality.Content{Messages: []quality.Message{{Role: "assistant", Content: proseText}}},
		Params: map[string]any{"temperature": 0.2, "stop": []any{"a", "b"}}, Attributes: map[string]string{"language": "de"},
		Tools: []quality.ToolCall{{Name: "refund", Arguments: []byte(`{"note":"two\nlines","list":[1,2]}`)}},
	}
	got := testing.AllocsPerRun(100, func() {
		if n := r.Sample(&s); n.Total() != 0 {
			t.Fatalf("got %d replacements, want none", n.Total())
		}
	})
	if got > 0 {
		t.Errorf("got %v allocations, want none", got)
	}
}

func TestConcurrentUse(t *testing.T) {
	r := newRedactor(t, everyRule()...)
	want := r.Text("acme", matchText)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 50 {
				if got := r.Text("acme", matchText); got != want {
					t.Errorf("got %q, want %q", got, want)
				}
			}
		})
	}
	wg.Wait()
}

// TestHostileTextIsLinear compares texts made to be slow with prose of the same size. Work that grows with
// the square of the text would take some ten thousand times as long; a busy machine gets three tries.
func TestHostileTextIsLinear(t *testing.T) {
	const size, most, tries = 1 << 18, 1000, 3
	r := newRedactor(t, quality.DefaultRedact()...)
	measure := func(unit string, enough time.Duration) (best time.Duration) {
		s := strings.Repeat(unit, size/len(unit))
		for i := range tries {
			began := time.Now()
			r.Text("acme", s)
			if took := time.Since(began); i == 0 || took < best {
				best = took
			}
			if best <= enough {
				break
			}
		}
		return best
	}
	prose := max(measure(proseText, 0), time.Millisecond)
	for _, unit := range []string{
		"@", "a@", "@a", "a@b.", "a.", "%40", "a%40", "\"@", "\"a\"@", "7", "7 ", "7-", "7.", "77 ", "4111 ", "0", "00 ", "+", "+1", "+1 ", "(", "(0", "(030) ", ":", "a:", ":a", "::", "1:",
		"://", "a://", "://a@", "=", "password=", "password:", "password=\"", "password='", "token:", "\\\"", "-", "-----BEGIN PRIVATE KEY", "sk-", "-sk-", "sk-a", " sk-aaaaaaaa", "eyJ", " eyJaaaaaaaa.",
		"eyJaaaaaaaa.", "AKIA", "AIza", "SG.", " SG.aaaaaaaaaaaaaaaa.", "Bearer ", "Bearer aaaaaaaaaaaaaaaa", "[", "[email:", "[email:1f3a9c2e]", "[{", "{\"a\":", "DE89", "DE89 ", "é", "例", "é@", "_", "ghp_", "tel ", "tel 1 ", "\\n",
	} {
		if took := measure(unit, most*prose); took > most*prose {
			t.Errorf("%q repeated to 256 KiB: took %s, prose %s", unit, took, prose)
		}
	}
}
