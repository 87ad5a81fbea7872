package tracker

import "strings"

// mask replaces what a template fills in anew for each request or day, so that a prompt that tells the date is the
// same prompt tomorrow: dates, times, weekdays, long numbers, and ids in hexadecimal. Names are left:
// which of them are filled in cannot be known.
func mask(text string) string {
	spans := masked(text)
	if len(spans) == 0 {
		return text
	}
	var b strings.Builder
	b.Grow(len(text))
	at := 0
	for _, s := range spans {
		b.WriteString(text[at:s.from])
		b.WriteByte(0)
		at = s.to
	}
	b.WriteString(text[at:])
	return b.String()
}

// piece is a word of a text that may be masked.
type piece struct {
	from, to int
	kind     kind
}

type kind uint8

const (
	plain  kind = iota
	hidden      // always masked
	number      // masked beside a month
	month       // masked beside a number
)

// masked returns the parts to leave out, in order.
func masked(text string) []piece {
	var found, out []piece
	for i := 0; i < len(text); {
		if !wordByte(text[i]) {
			i++
			continue
		}
		from, digits := i, false
		for i < len(text) && wordByte(text[i]) {
			digits = digits || text[i] <= '9' && text[i] >= '0'
			i++
		}
		if !digits && (text[from] < 'A' || text[from] > 'Z') { // most words
			continue
		}
		word := strings.TrimRight(text[from:i], ".:-+/")
		if k := kindOf(word); k != plain {
			found = append(found, piece{from, from + len(word), k})
		}
	}
	for i, p := range found {
		if p.kind == hidden || p.kind != plain && dated(found, i) {
			out = append(out, p)
		}
	}
	return out
}

// dated reports whether a number or month is part of a date such as "3 March 2026" or "March 3, 2026".
func dated(found []piece, i int) bool {
	want := month
	if found[i].kind == month {
		want = number
	}
	for _, step := range []int{-1, 1} {
		for j, n := i+step, 0; j >= 0 && j < len(found) && n < 2; j, n = j+step, n+1 {
			a, b := found[min(j, j-step)], found[max(j, j-step)]
			if b.from-a.to > 2 { // other words between them
				break
			}
			if found[j].kind == want {
				return true
			}
		}
	}
	return false
}

func wordByte(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80 ||
		c == '.' || c == ':' || c == '-' || c == '+' || c == '/' || c == '_'
}

// shape counts what a word is made of.
type shape struct{ digits, hex, parts, separators int }

func shapeOf(word string) (s shape) {
	for i := range len(word) {
		switch c := word[i]; {
		case c >= '0' && c <= '9':
			s.digits++
			s.hex++
		case c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F':
			s.hex++
		case c == '-' || c == ':' || c == '/' || c == '.' || c == '+':
			s.separators++
		default:
			s.parts++
		}
	}
	return s
}

func kindOf(word string) kind {
	if word == "" {
		return plain
	}
	s := shapeOf(word)
	switch {
	case s.digits == 0:
		return named(word)
	case s.digits >= 6 && s.hex+s.separators+s.parts == s.digits: // an id, or a time in seconds
		return hidden
	case s.hex >= 16 && s.parts == 0 && s.digits >= 4: // a hash or UUID
		return hidden
	case word[0] < '0' || word[0] > '9':
		return plain
	case s.separators >= 1 && s.digits >= 3 && s.parts+s.hex-s.digits <= 2 && timeOrDate(word):
		return hidden
	case s.digits <= 4 && s.separators == 0 && ordinal(word[s.digits:]):
		return number
	}
	return plain
}

func ordinal(rest string) bool {
	switch rest {
	case "", "st", "nd", "rd", "th":
		return true
	}
	return false
}

// timeOrDate tells 2026-03-01, 1/3/2026, 1.3.2026, 12:30 and 2026-03-01T12:30:00Z from 3.14 and 1.2.3.
func timeOrDate(word string) bool {
	if strings.Contains(word, ":") {
		return true
	}
	for _, sep := range []string{"-", "/", "."} {
		if parts := strings.Split(word, sep); len(parts) == 3 && (len(parts[0]) == 4 || len(parts[2]) == 4) {
			return true
		}
	}
	return false
}

// named knows the English names of days and months as they stand in dates, with a capital: "may" is a word.
func named(word string) kind {
	switch word {
	case "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday":
		return hidden
	case "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December",
		"Jan", "Feb", "Mar", "Apr", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec":
		return month
	}
	return plain
}
