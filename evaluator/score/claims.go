package score

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// claimReader finds claims in a text.
type claimReader struct {
	url, identifier, quote, gap *regexp.Regexp
	written                     []dateForm
}

func newReader() *claimReader {
	return &claimReader{
		url:        regexp.MustCompile(`https?://[^\s<>"'\])}]+`),
		identifier: regexp.MustCompile(`\b[A-Za-z]+[-_]?[0-9][A-Za-z0-9_-]*\b|\b[0-9]+[A-Za-z]+[0-9][A-Za-z0-9_-]*\b`),
		quote:      regexp.MustCompile(`"([^"\n]+)"|“([^”\n]+)”|«([^»\n]+)»|„([^“”\n]+)[“”]|「([^」\n]+)」`),
		gap:        regexp.MustCompile(`\[?(?:…|\.\.\.)\]?`),
		written:    dateForms(),
	}
}

// claims returns the claims of the kinds, at most maxClaims. What is a URL, a date or an identifier is not
// taken for numbers as well.
func (r *claimReader) claims(text string, kinds []string) (out []claim) {
	want := func(kind string) bool { return slices.Contains(kinds, kind) }
	if want(claimQuotes) {
		out = append(out, r.quotes(text)...)
	}
	var urls, dates, names []claim
	urls, text = r.cutOut(r.url, claimURLs, text)
	dates, text = r.cutDates(text)
	names, text = r.cutOut(r.identifier, claimIdentifiers, text)
	for kind, list := range map[string][]claim{claimURLs: urls, claimDates: dates, claimIdentifiers: names} {
		if !want(kind) {
			continue
		}
		out = append(out, list...)
	}
	if want(claimNumbers) {
		out = append(out, numberClaims(text)...)
	}
	slices.SortStableFunc(out, func(a, b claim) int { return strings.Compare(a.kind, b.kind) })
	return out[:min(len(out), maxClaims)]
}

// cutOut takes what a pattern finds out of the text.
func (r *claimReader) cutOut(re *regexp.Regexp, kind, text string) ([]claim, string) {
	var found []claim
	rest := re.ReplaceAllStringFunc(text, func(m string) string {
		if len(found) < maxClaims {
			name := strings.TrimRight(m, ".,;:!?/")
			found = append(found, claim{kind: kind, text: name, keys: []string{folded(name)}})
		}
		return " ¦ "
	})
	return found, rest
}

// quotes of three words or more: shorter ones are names, or words meant ironically. What stands before and
// after a gap is looked for by itself.
func (r *claimReader) quotes(text string) (out []claim) {
	for _, m := range r.quote.FindAllStringSubmatch(text, maxClaims) {
		whole := strings.Join(m[1:], "")
		if _, n := words(whole, 0); n < 3 {
			continue
		}
		c := claim{kind: claimQuotes, text: whole, all: true}
		for _, part := range r.gap.Split(whole, -1) {
			if key := plainWords(part); key != "" {
				c.keys = append(c.keys, key)
			}
		}
		out = append(out, c)
	}
	return out
}

// plainWords are the words of a text in small letters with one space between them.
func plainWords(text string) string {
	list, _ := words(folded(text), len(text))
	return strings.Join(list, " ")
}

// dateForm reads one way of writing a date; the places are the groups of year, month and day.
type dateForm struct {
	re               *regexp.Regexp
	year, month, day int
	either           bool // month and day may stand for each other
}

func dateForms() []dateForm {
	return []dateForm{
		{re: regexp.MustCompile(`\b([0-9]{4})[-/.]([0-9]{1,2})[-/.]([0-9]{1,2})\b`), year: 1, month: 2, day: 3},
		{re: regexp.MustCompile(`\b([0-9]{1,2})[./-]([0-9]{1,2})[./-]([0-9]{4})\b`), year: 3, month: 2, day: 1, either: true},
		{re: regexp.MustCompile(`\b([0-9]{1,2})(?:st|nd|rd|th|er|º|\.)?\s+(?:of\s+|de\s+)?(\p{L}{3,12})\.?,?\s+(?:de\s+)?([0-9]{4})\b`), year: 3, month: 2, day: 1},
		{re: regexp.MustCompile(`\b(\p{L}{3,12})\.?\s+([0-9]{1,2})(?:st|nd|rd|th)?,?\s+([0-9]{4})\b`), year: 3, month: 1, day: 2},
	}
}

// dates returns the dates of a text with their days as keys.
func (r *claimReader) dates(text string) (out []claim) {
	for _, f := range r.written {
		for _, m := range f.re.FindAllStringSubmatch(text, -1) {
			if keys := f.days(m); len(keys) > 0 {
				out = append(out, claim{kind: claimDates, text: m[0], keys: keys})
			}
		}
	}
	return out
}

// cutDates takes the dates out of a text.
func (r *claimReader) cutDates(text string) (out []claim, rest string) {
	for _, f := range r.written {
		text = f.re.ReplaceAllStringFunc(text, func(written string) string {
			keys := f.days(f.re.FindStringSubmatch(written))
			if len(keys) == 0 {
				return written
			}
			out = append(out, claim{kind: claimDates, text: written, keys: keys})
			return " ¦ "
		})
	}
	return out, text
}

// days are the days that a date may mean: 3/4/2026 is in March or in April.
func (f dateForm) days(m []string) (keys []string) {
	if len(m) == 0 {
		return nil
	}
	month, day := monthOf(m[f.month]), atoi(m[f.day])
	add := func(month, day int) {
		if key := fmt.Sprintf("%s-%02d-%02d", m[f.year], month, day); month >= 1 && month <= 12 && day >= 1 && day <= 31 && !slices.Contains(keys, key) {
			keys = append(keys, key)
		}
	}
	add(month, day)
	if f.either {
		add(day, month)
	}
	return keys
}

func atoi(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		return 0
	}
	return n
}

// monthNames are the beginnings that tell the months apart, in English, German, French, Spanish, Italian,
// Portuguese and Dutch.
func monthNames() [12]string {
	return [12]string{"jan jän ene gen", "feb fév fev", "mar mär maa", "apr avr abr", "may mai mag mei", "jun juin giu", "jul juil lug",
		"aug aoû ago", "sep set", "oct okt out ott", "nov", "dec dez déc dic"}
}

// monthOf reads a month by number or name, 0 when it is none. Juin and juil part at their fourth letter.
func monthOf(s string) int {
	if n := atoi(s); n > 0 {
		return n
	}
	s = folded(s)
	for i, names := range monthNames() {
		for name := range strings.FieldsSeq(names) {
			if strings.HasPrefix(s, name) {
				return i + 1
			}
		}
	}
	return 0
}

func wordBefore(text string) bool {
	r, _ := utf8.DecodeLastRuneInString(text)
	return text != "" && inWord(r)
}

func wordAfter(text string) bool {
	r, _ := utf8.DecodeRuneInString(text)
	return text != "" && inWord(r)
}
