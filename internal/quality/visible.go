package quality

import "strings"

// Visible returns a text without what a reader does not see and a terminal or page may obey: control characters
// but line breaks and tabs, marks that turn the direction of writing, invisible characters that join or part
// nothing, and tags. Joiners of scripts and emoji stay.
func Visible(text string) string {
	return strings.Map(visible, strings.ToValidUTF8(text, "\uFFFD"))
}

func visible(r rune) rune {
	switch {
	case r == '\n', r == '\t':
		return r
	case r == 0x85, r == 0x2028, r == 0x2029:
		return '\n'
	case r < ' ', r >= 0x7f && r <= 0x9f, // controls
		r == 0x00ad, r == 0x061c, r == 0x180e, r == 0x200b, r == 0x200e, r == 0x200f, // hyphens and spaces that are not there, marks of direction
		r >= 0x202a && r <= 0x202e, r >= 0x2060 && r <= 0x206f, // turns, and operators that are not there
		r == 0xfeff, r >= 0xfff9 && r <= 0xfffb, r >= 0xe0000 && r <= 0xe007f:
		return -1
	}
	return r
}
