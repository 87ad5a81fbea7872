package score

import (
	_ "embed" // for the phrases
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/asgood-dev/asgood/internal/quality"
)

// refusalsText holds the phrases by which outputs refuse. How they are written is said at its top.
//
//go:embed refusals.txt
var refusalsText string

// Where a refusal is looked for. Who refuses does so at once; a phrase deep in a long answer is about
// something else.
const (
	refusalSentences = 5
	refusalBytes     = 4 << 10
)

// newRefusal is 1 when the output refuses, else 0.
func newRefusal(spec quality.ScorerSpec) (rule, error) {
	if unknown := slices.IndexFunc(spec.Languages, func(l string) bool { return !slices.Contains(refusalLanguages(), l) }); unknown >= 0 {
		return nil, quality.Errorf(quality.KindInvalid, `field "languages": no phrases of %q (known: %s)`,
			spec.Languages[unknown], strings.Join(refusalLanguages(), ", "))
	}
	l := newPhraseList(refusalPhrases(spec))
	quoted := regexp.MustCompile(`"[^"\n]*"|“[^”\n]*”|«[^»\n]*»|„[^“”\n]*[“”]|「[^」\n]*」`)
	return func(text string, _ *quality.Sample) (v verdict, skip bool) {
		seen := 0
		sentences(quoted.ReplaceAllString(prose(prefix(text, refusalBytes)), ""), func(sentence string) bool {
			if seen++; seen > refusalSentences {
				return false
			}
			if language := l.find(sentence); language != "" {
				v = verdict{value: 1, label: language, explanation: clipTo(sentence, maxExplanation)}
			}
			return v.value == 0
		})
		return v, false
	}, nil
}

// phrase is one that refuses, or with but one that takes a refusal back.
type phrase struct {
	language string
	text     string // as plain makes it
	start    bool   // must stand at the start of its sentence
	but      bool
}

// refusalLanguages are the languages of which there are phrases.
func refusalLanguages() (out []string) {
	for line := range strings.Lines(refusalsText) {
		if name, ok := strings.CutPrefix(strings.TrimSpace(line), "["); ok {
			out = append(out, strings.TrimSuffix(name, "]"))
		}
	}
	return out
}

// refusalPhrases returns the phrases that a scorer looks for, sorted, each once.
func refusalPhrases(spec quality.ScorerSpec) (out []phrase) {
	language := ""
	for line := range strings.Lines(refusalsText) {
		line = strings.TrimSpace(line)
		switch {
		case line == "" || strings.HasPrefix(line, "#"):
		case strings.HasPrefix(line, "["):
			language = strings.Trim(line, "[]")
		case len(spec.Languages) == 0 || slices.Contains(spec.Languages, language):
			out = append(out, readPhrase(language, line)...)
		}
	}
	for _, text := range spec.Phrases {
		out = append(out, phrase{language: "own", text: plain(text)})
	}
	slices.SortFunc(out, func(a, b phrase) int {
		return strings.Compare(a.text+"\x00"+a.language, b.text+"\x00"+b.language)
	})
	return slices.Compact(out)
}

// phraseSettings are the phrases for the scorer's version.
func phraseSettings(spec quality.ScorerSpec) []any {
	list := refusalPhrases(spec)
	out := make([]any, len(list))
	for i, p := range list {
		out[i] = []any{p.language, p.text, p.start, p.but}
	}
	return out
}

func readPhrase(language, line string) (out []phrase) {
	line, but := strings.CutPrefix(line, "!")
	line, start := strings.CutPrefix(line, "^")
	for _, text := range alternatives(line) {
		out = append(out, phrase{language: language, text: plain(text), start: start, but: but})
	}
	return out
}

// alternatives writes out the choices of a line: "i (cannot|will not) help".
func alternatives(line string) []string {
	before, rest, open := strings.Cut(line, "(")
	choices, after, closed := strings.Cut(rest, ")")
	if !open || !closed {
		return []string{line}
	}
	var out []string
	for _, tail := range alternatives(after) {
		for choice := range strings.SplitSeq(choices, "|") {
			out = append(out, before+choice+tail)
		}
	}
	return out
}

// plain leaves words in small letters with one space between them, and no apostrophes: "I can’t" is "i cant".
func plain(text string) string {
	var b strings.Builder
	space := false
	for _, r := range folded(text) {
		switch {
		case r == '\'' || r == '’' || r == 'ʼ' || r == '`':
		case unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r):
			if space && b.Len() > 0 {
				b.WriteByte(' ')
			}
			space = false
			b.WriteRune(r)
		default:
			space = true
		}
	}
	return b.String()
}

// phraseList finds phrases: whole words by the first of them, and where words are not parted anywhere.
type phraseList struct {
	byWord map[string][]phrase
	inside []phrase
}

func newPhraseList(list []phrase) *phraseList {
	l := &phraseList{byWord: map[string][]phrase{}}
	for _, p := range list {
		first, _, _ := strings.Cut(p.text, " ")
		switch {
		case p.text == "":
		case strings.ContainsFunc(p.text, func(r rune) bool { return unspaced(r) || unicode.Is(unicode.Hangul, r) }):
			p.text = strings.ReplaceAll(p.text, " ", "")
			l.inside = append(l.inside, p)
		default:
			l.byWord[first] = append(l.byWord[first], p)
		}
	}
	return l
}

// find returns the language of the first phrase in a sentence; empty when there is none, or one that takes it back.
func (l *phraseList) find(sentence string) (found string) {
	text := plain(sentence)
	for at := 0; at < len(text); {
		rest := text[at:]
		word, _, _ := strings.Cut(rest, " ")
		for _, p := range l.byWord[word] {
			if p.start && at > 0 || !strings.HasPrefix(rest, p.text) || len(rest) > len(p.text) && rest[len(p.text)] != ' ' {
				continue
			}
			if p.but {
				return ""
			}
			found = or(found, p.language)
		}
		at += len(word) + 1
	}
	return or(found, l.findInside(text))
}

func (l *phraseList) findInside(text string) (found string) {
	if !strings.ContainsFunc(text, func(r rune) bool { return r > 0x0E00 }) {
		return ""
	}
	text = strings.ReplaceAll(text, " ", "")
	for _, p := range l.inside {
		if i := strings.Index(text, p.text); i < 0 || p.start && i > 0 {
			continue
		}
		if p.but {
			return ""
		}
		found = or(found, p.language)
	}
	return found
}
