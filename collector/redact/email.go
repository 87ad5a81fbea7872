package redact

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// encodedEmail finds an address whose at sign is written as in a URL.
func (sc *scan) encodedEmail(i int) hit {
	if !strings.HasPrefix(sc.s[i:], "%40") {
		return hit{}
	}
	return sc.email(i, len("%40"))
}

// email finds the address around the at sign at i. Its parts are bounded by at signs themselves, so a text of
// many is still read once.
func (sc *scan) email(i, size int) hit {
	start := sc.localStart(i)
	if start == i {
		return hit{}
	}
	end := sc.domainEnd(i + size)
	if end == 0 || isAsset(sc.s[i+size:end]) {
		return hit{}
	}
	return hit{start, end, Email}
}

// localStart returns where the part before the at sign begins, i when there is none.
func (sc *scan) localStart(i int) int {
	if sc.before(i) == '"' {
		return sc.quotedStart(i)
	}
	start := i
	var run script
	for start > sc.done {
		c, size := utf8.DecodeLastRuneInString(sc.s[sc.done:start])
		if !isLocal(c) || c == '.' && sc.at(start) == '.' || !run.joins(c) {
			break
		}
		start -= size
	}
	if start > sc.done && sc.s[start-1] == '\\' {
		start = sc.skipEscape(start, i)
	}
	for start < i && strings.IndexByte(".'+-", sc.s[start]) >= 0 {
		start++
	}
	return start
}

// skipEscape passes over the letters of an escape such as \n or \u003c, whose backslash stands before start.
func (sc *scan) skipEscape(start, limit int) int {
	switch {
	case isEscape(sc.s[start]) && start+1 < limit:
		return start + 1
	case sc.s[start] == 'u' && start+5 < limit:
		return start + 5
	default:
		return start
	}
}

const maxQuoted = 64

// quotedStart finds a local part in quotes, which may hold spaces.
func (sc *scan) quotedStart(i int) int {
	from := max(sc.done, i-maxQuoted)
	open := strings.LastIndexByte(sc.s[from:i-1], '"')
	if open < 0 || from+open+2 == i {
		return i
	}
	return from + open
}

func isLocal(c rune) bool {
	if c < utf8.RuneSelf {
		return isAlnum(byte(c)) || strings.IndexByte("._+-'", byte(c)) >= 0
	}
	return c != utf8.RuneError && (unicode.IsLetter(c) || unicode.IsDigit(c) || unicode.IsMark(c))
}

// script keeps the letters of scripts that put no spaces between words apart from others: the text
// before and after an address is not part of it.
type script int8

func (s *script) joins(c rune) bool {
	kind := script(0)
	switch {
	case c < utf8.RuneSelf && !isLetter(byte(c)):
	case c >= 0x0e00 && unicode.In(c, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul, unicode.Thai, unicode.Lao, unicode.Khmer):
		kind = 1
	default:
		kind = 2
	}
	if kind != 0 && *s != 0 && kind != *s {
		return false
	}
	if kind != 0 {
		*s = kind
	}
	return true
}

const maxDomain = 253

// domainEnd returns where the domain that begins at i ends, 0 when none begins there. A domain has two
// labels or more, and its last begins with two letters: what follows them may be the text's.
func (sc *scan) domainEnd(i int) int {
	limit := min(len(sc.s), i+maxDomain)
	end := 0
	for labels := 1; i < limit; labels++ {
		stop, top := sc.label(i, limit)
		if stop == i {
			break
		}
		if labels > 1 && top > i {
			end = top
		}
		if stop >= limit || sc.s[stop] != '.' {
			break
		}
		i = stop + 1
	}
	return end
}

// label returns the end of the label at i, and the end of what of it can be the last of a domain.
func (sc *scan) label(i, limit int) (stop, top int) {
	stop, top = i, i
	letters := 0
	encoded := strings.HasPrefix(sc.s[i:], "xn--")
	var run script
	for stop < limit {
		c, size := utf8.DecodeRuneInString(sc.s[stop:])
		if c == '.' || c == '_' || c == '+' || c == '\'' || !isLocal(c) || !run.joins(c) {
			break
		}
		if top == stop && (unicode.IsLetter(c) || unicode.IsMark(c) || encoded) {
			top += size
			letters++
		}
		stop += size
	}
	if letters < 2 {
		top = i
	}
	return stop, top
}

// isAsset tells names of files such as logo@2x.png from addresses.
func isAsset(domain string) bool {
	scale, kind, _ := strings.Cut(domain, ".")
	if !isDigit(scale[0]) || scale[len(scale)-1] != 'x' {
		return false
	}
	switch kind {
	case "png", "jpg", "jpeg", "gif", "svg", "webp":
		return true
	default:
		return false
	}
}
