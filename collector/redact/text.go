package redact

import (
	"encoding/json"
	"strings"
	"unicode"
)

// maxPasses bounds how often a text is read again after something in it was replaced. What stood beside
// it may be a match now; the second pass nearly always finds nothing.
const maxPasses = 8

// maxNesting bounds how deep JSON in strings of JSON is looked into; deeper ones are text.
const maxNesting = 4

// text redacts one text. depth counts the strings of JSON around it.
func (w *worker) text(s string, depth int) string {
	for range maxPasses {
		next, changed := w.pass(s, depth)
		if !changed {
			return s
		}
		s = next
	}
	return s
}

func (w *worker) pass(s string, depth int) (string, bool) {
	if depth < maxNesting && isJSON(s) {
		return w.document(s, documentOptions{depth: depth, text: true})
	}
	s, changed := w.own(s)
	sc := scan{w: w, s: s, out: w.out[:0]}
	if sc.run() {
		sc.out = append(sc.out, s[sc.done:]...)
		s, changed = string(sc.out), true
	}
	w.out = sc.out[:0]
	return s, changed
}

// isJSON reports whether a text is a JSON object or list. Its strings are redacted one by one then, so
// that it stays what it is.
func isJSON(s string) bool {
	rest := strings.TrimLeft(s, " \t\r\n")
	return rest != "" && (rest[0] == '{' || rest[0] == '[') && isValid(s)
}

func isValid(s string) bool { return json.Valid(bytesOf(s)) }

func isLetterOrNumber(c rune) bool { return unicode.IsLetter(c) || unicode.IsNumber(c) }

// own applies the own patterns, one after the other.
func (w *worker) own(s string) (string, bool) {
	changed := false
	for i := range w.r.patterns {
		if next, ok := w.applyPattern(&w.r.patterns[i], s); ok {
			s, changed = next, true
		}
	}
	return s, changed
}

func (w *worker) applyPattern(p *pattern, s string) (string, bool) {
	if !p.re.MatchString(s) {
		return s, false
	}
	var out []byte
	done := 0
	for _, m := range p.re.FindAllStringSubmatchIndex(s, -1) {
		from, to := m[2*p.group], m[2*p.group+1]
		for from >= 0 && from < to {
			start, end := w.free(s, max(from, done), to)
			if strings.ContainsFunc(s[start:end], isLetterOrNumber) {
				out = append(out, s[done:start]...)
				out = w.pseudonym(out, Pattern, p.name, s[start:end])
				done = end
			}
			from = max(end, from+1)
		}
	}
	if done == 0 {
		return s, false
	}
	return string(append(out, s[done:]...)), true
}

// free returns the first part of a range that no pseudonym covers; an empty one at its end when all is covered.
func (w *worker) free(s string, from, to int) (start, end int) {
	for i := max(0, from-maxPseudonym); i < from; i++ {
		if s[i] == '[' {
			from = max(from, w.r.pseudonymAt(s, i))
		}
	}
	for from < to && s[from] == '[' && w.r.pseudonymAt(s, from) > 0 {
		from = w.r.pseudonymAt(s, from)
	}
	if from >= to {
		return to, to
	}
	for i := from; i < to; i++ {
		if s[i] == '[' && w.r.pseudonymAt(s, i) > 0 {
			return from, i
		}
	}
	return from, to
}
