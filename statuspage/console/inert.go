package console

import (
	"fmt"
	"html/template"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/asgood-dev/asgood/internal/markdown"
)

// Bounds of foreign text on a page, in bytes.
const (
	foldAt  = 2_000  // what is longer is folded
	cutAt   = 64_000 // what is longer is cut
	shortAt = 160    // in a line of a table
)

// inertText is foreign text that can be shown: escaped, with what is invisible made visible.
type inertText struct {
	Head template.HTML
	Rest template.HTML // folded; empty when all of it is in Head
	Size int           // bytes of the whole
	Left int           // bytes that are not shown
}

// inertOf cuts a text and makes it inert.
func inertOf(s string) inertText {
	t := inertText{Size: len(s)}
	kept := cutText(s, cutAt)
	t.Left = len(s) - len(kept)
	head := cutText(kept, foldAt)
	t.Head, t.Rest = visible(head, true), visible(kept[len(head):], true)
	return t
}

// cutText returns at most n bytes, whole characters of them.
func cutText(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// short is foreign text in one line.
func short(s string) template.HTML {
	kept := cutText(s, shortAt)
	out := visible(kept, false)
	if len(kept) < len(s) {
		out += "…"
	}
	return out
}

// say is a foreign text of a few sentences, in one line.
func say(s string) template.HTML { return visible(cutText(s, foldAt), false) }

// visible escapes a text for HTML. Characters that cannot be seen, or that reorder what is around them, are
// written as their names. lines keeps new lines and tabs.
func visible(s string, lines bool) template.HTML {
	var b strings.Builder
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `<b class="ctl">\x%02X</b>`, s[i])
		case lines && (r == '\n' || r == '\t'):
			b.WriteRune(r)
		case hidden(r, s[:i], s[i+size:]):
			fmt.Fprintf(&b, `<b class="ctl">U+%04X</b>`, r)
		default:
			b.WriteString(template.HTMLEscapeString(s[i : i+size]))
		}
		i += size
	}
	return template.HTML(b.String()) //nolint:gosec // every character was escaped above
}

// said is a text for customers as they read it: its Markdown as HTML, with what is invisible made visible.
func said(s string) template.HTML {
	s = cutText(s, cutAt)
	var b strings.Builder
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		if r == '\n' || r == '\t' || !hidden(r, s[:i], s[i+size:]) {
			b.WriteString(s[i : i+size])
		} else {
			fmt.Fprintf(&b, "U+%04X", r)
		}
		i += size
	}
	return markdown.HTML(b.String())
}

// hidden reports whether a character cannot be seen or changes the order of others. Joiners within words of
// other scripts and within emoji are what they are for.
func hidden(r rune, before, after string) bool {
	const nonJoiner, joiner = '\u200c', '\u200d'
	switch {
	case r == nonJoiner || r == joiner:
		last, _ := utf8.DecodeLastRuneInString(before)
		next, _ := utf8.DecodeRuneInString(after)
		return last < utf8.RuneSelf || next < utf8.RuneSelf
	case unicode.IsControl(r), unicode.In(r, unicode.Cf, unicode.Co, unicode.Zl, unicode.Zp):
		return true
	default:
		return false
	}
}
