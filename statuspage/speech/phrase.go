package speech

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/nicksnyder/go-i18n/v2/i18n"
	"github.com/nicksnyder/go-i18n/v2/i18n/template"
	"golang.org/x/text/feature/plural"
)

// phrase is a text cut at the places that are filled in: a page says some tens of thousands of phrases, and running a
// template for each would take most of the time of drawing it.
type phrase struct {
	parts []string // one more than names
	names []string
}

type phraseKey struct {
	id   string
	form plural.Form
}

var placeholder = regexp.MustCompile(`\{\{\s*\.(\w+)\s*\}\}`)

func cut(text string) phrase {
	var p phrase
	at := 0
	for _, m := range placeholder.FindAllStringSubmatchIndex(text, -1) {
		p.parts, p.names = append(p.parts, text[at:m[0]]), append(p.names, text[m[2]:m[3]])
		at = m[1]
	}
	p.parts = append(p.parts, text[at:])
	return p
}

func (p phrase) fill(pairs []any) string {
	if len(p.names) == 0 {
		return p.parts[0]
	}
	var b strings.Builder
	for i, name := range p.names {
		b.WriteString(p.parts[i])
		b.WriteString(valueOf(pairs, name))
	}
	b.WriteString(p.parts[len(p.names)])
	return b.String()
}

func valueOf(pairs []any, name string) string {
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i] != name {
			continue
		}
		if s, ok := pairs[i+1].(string); ok {
			return s
		}
		return fmt.Sprint(pairs[i+1])
	}
	return ""
}

// Say returns a text with names and values filled in, given in turn. A text that is missing in the language is said in
// English, and one that is nowhere by its name; a test sees that there is none.
func (l *Language) Say(id string, pairs ...any) string {
	return l.phrase(phraseKey{id: id, form: plural.Other}, nil).fill(pairs)
}

// Count returns a text in the form that its language has for n. The number itself is filled in as N.
func (l *Language) Count(id string, n uint64, pairs ...any) string {
	return l.phrase(phraseKey{id: id, form: l.form(n)}, n).fill(append(pairs, "N", l.Number(n)))
}

// form is the plural form of a whole number.
func (l *Language) form(n uint64) plural.Form {
	const exact = 1 << 30 // beyond, only the last digits can matter
	return plural.Cardinal.MatchPlural(l.tag, int(n%exact), 0, 0, 0, 0)
}

func (l *Language) phrase(key phraseKey, count any) phrase {
	if p, ok := l.phrases.Load(key); ok {
		return p.(phrase)
	}
	text, err := l.localizer.Localize(&i18n.LocalizeConfig{MessageID: key.id, PluralCount: intOf(count), TemplateParser: template.IdentityParser{}})
	if err != nil && text == "" {
		text = key.id
	}
	p, _ := l.phrases.LoadOrStore(key, cut(text))
	return p.(phrase)
}

// intOf makes a count of the kind that the library takes.
func intOf(count any) any {
	if n, ok := count.(uint64); ok {
		return int(n % (1 << 30))
	}
	return nil
}
