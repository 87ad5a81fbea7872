package score

import (
	"iter"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// number is a figure in a text. 1,000 is a thousand or one, by who wrote it: values holds both.
type number struct {
	text   string
	values []string
	unit   string // a currency's sign or "%"; empty for none, or one that is not known
	start  int
	bare   bool // a figure of one digit with nothing about it: more often a count than a fact
}

// numberClaims leaves out figures of one digit and the numbers of lists.
func numberClaims(text string) (out []claim) {
	for n := range scanNumbers(text) {
		if n.bare || listed(text, n) {
			continue
		}
		out = append(out, claim{kind: claimNumbers, text: n.text, keys: n.values, unit: n.unit})
		if len(out) == maxClaims {
			break
		}
	}
	return out
}

// listed reports whether a figure numbers an item of a list: it begins a line and "." or ")" follows.
func listed(text string, n number) bool {
	line := strings.TrimLeft(text[strings.LastIndexByte(text[:n.start], '\n')+1:n.start], " \t*#-(")
	after := text[n.start+len(n.text):]
	return line == "" && len(n.text) <= 3 && len(after) > 1 && (after[0] == '.' || after[0] == ')') && (after[1] == ' ' || after[1] == '*')
}

func digit(c byte) bool { return c >= '0' && c <= '9' }

// scanNumbers goes through the figures of a text that are not part of a name such as GPT-4 or of a version
// such as 1.2.3.
func scanNumbers(text string) iter.Seq[number] {
	return func(yield func(number) bool) {
		for i := 0; i < len(text); {
			if !digit(text[i]) {
				i++
				continue
			}
			end, groups, marks := digits(text, i)
			n, ok := figure(text, i, end, groups, marks)
			if ok && !yield(n) {
				return
			}
			for i = end; i < len(text) && (digit(text[i]) || inASCIIWord(text[i])); i++ { // the rest of a name
				continue
			}
		}
	}
}

func inASCIIWord(c byte) bool { return c < utf8.RuneSelf && inWord(rune(c)) || c == '_' }

// digits reads groups of digits and the marks between them. A space parts thousands only.
func digits(text string, i int) (end int, groups []string, marks []rune) {
	for {
		start := i
		for i < len(text) && digit(text[i]) {
			i++
		}
		groups = append(groups, text[start:i])
		r, size := utf8.DecodeRuneInString(text[i:])
		next := i + size
		if next >= len(text) || !digit(text[next]) || len(groups) > 20 {
			return i, groups, marks
		}
		switch r {
		case '.', ',':
		case ' ', '\u00a0', '\u202f', '\u2009', '\'', '’':
			if len(groups[0]) > 3 || !three(text[next:]) {
				return i, groups, marks
			}
			r = ' '
		default:
			return i, groups, marks
		}
		marks = append(marks, r)
		i = next
	}
}

// three reports whether a text begins with exactly three digits.
func three(text string) bool {
	return len(text) >= 3 && digit(text[0]) && digit(text[1]) && digit(text[2]) && (len(text) == 3 || !digit(text[3]))
}

// figure makes a number of groups of digits, with what stands around them.
func figure(text string, start, end int, groups []string, marks []rune) (number, bool) {
	before, after := text[:start], text[end:]
	if wordBefore(before) || strings.HasSuffix(before, "-") && wordBefore(strings.TrimSuffix(before, "-")) || strings.HasSuffix(before, "_") {
		return number{}, false
	}
	plain := readings(groups, marks)
	if len(plain) == 0 || len(after) > 1 && inASCIIWord(after[0]) && digit(after[1]) {
		return number{}, false
	}
	unit, times := unitOf(before, after)
	n := number{text: text[start:end], unit: unit, start: start,
		bare: len(groups) == 1 && len(groups[0]) == 1 && unit == "" && times == 1}
	for _, p := range plain {
		v, err := strconv.ParseFloat(p, 64)
		if err != nil {
			continue // beyond what a figure can be
		}
		n.values = append(n.values, strconv.FormatFloat(v*times, 'g', 12, 64))
	}
	return n, len(n.values) > 0
}

// readings are the ways in which groups of digits can be read, in the form of Go.
func readings(groups []string, marks []rune) []string {
	last := len(groups) - 1
	switch {
	case last == 0:
		return groups
	case last == 1 && marks[0] == ' ':
		return []string{groups[0] + groups[1]}
	case last == 1 && len(groups[1]) == 3 && len(groups[0]) <= 3 && groups[0][0] != '0':
		return []string{groups[0] + groups[1], groups[0] + "." + groups[1]}
	case last == 1:
		return []string{groups[0] + "." + groups[1]}
	}
	same := true
	for _, m := range marks[1 : last-1] {
		same = same && m == marks[0]
	}
	switch whole := strings.Join(groups[:last], ""); {
	case !same || !thousands(groups[:last]):
		return nil // a version, an address or a list
	case marks[last-1] != marks[0]:
		return []string{whole + "." + groups[last]}
	case len(groups[last]) == 3:
		return []string{whole + groups[last]}
	}
	return nil
}

// thousands reports whether groups have three digits but for the first; in India all but the last have two.
func thousands(groups []string) bool {
	for _, g := range groups[1:] {
		if len(g) != 3 && len(g) != 2 {
			return false
		}
	}
	return len(groups[0]) <= 3
}

// currencies by sign or code.
func currency(s string) string {
	switch s {
	case "$", "usd", "dollar", "dollars":
		return "$"
	case "€", "eur", "euro", "euros":
		return "€"
	case "£", "gbp", "pounds":
		return "£"
	case "¥", "￥", "jpy", "yen", "cny":
		return "¥"
	case "₹", "inr", "rupees":
		return "₹"
	case "chf":
		return "chf"
	case "%", "percent", "prozent", "pct", "％":
		return "%"
	}
	return ""
}

func factor(s string) float64 {
	switch s {
	case "k", "thousand", "tausend", "mille", "mil":
		return 1e3
	case "m", "mn", "mio", "million", "millions", "millionen", "millones":
		return 1e6
	case "b", "bn", "mrd", "billion", "milliarden", "milliards":
		return 1e9
	}
	return 1
}

// unitOf reads the sign before a figure, and the word or sign behind it.
func unitOf(before, after string) (unit string, times float64) {
	r, _ := utf8.DecodeLastRuneInString(strings.TrimRight(before, " \u00a0"))
	unit = currency(string(r))
	if unit == "%" {
		unit = ""
	}
	word, rest := nextWord(after)
	if times = factor(word); times != 1 {
		word, _ = nextWord(strings.TrimPrefix(rest, "."))
	}
	if u := currency(word); u != "" {
		unit = u
	}
	return unit, times
}

// nextWord returns the word or sign that follows, in small letters, with at most one space before it.
func nextWord(text string) (word, rest string) {
	for _, space := range []string{" ", "\u00a0", "\u202f"} {
		if t, ok := strings.CutPrefix(text, space); ok {
			text = t
			break
		}
	}
	r, size := utf8.DecodeRuneInString(text)
	if text == "" || r == '\n' {
		return "", ""
	}
	if !unicode.IsLetter(r) {
		return string(r), text[size:]
	}
	end := strings.IndexFunc(text, func(r rune) bool { return !unicode.IsLetter(r) })
	if end < 0 {
		end = len(text)
	}
	if end > 16 {
		return "", text
	}
	return strings.ToLower(text[:end]), text[end:]
}
