package badge

import "unicode"

// widths are the advances of Verdana's characters from U+0020 to U+007E, in 1/2048 of the size. DejaVu Sans,
// which stands in for it where it is absent, was drawn to nearly the same ones.
var widths = [...]int{
	720, 806, 940, 1676, 1302, 2204, 1488, 550, 930, 930, 1302, 1676, 745, 930, 745, 930, // space to /
	1302, 1302, 1302, 1302, 1302, 1302, 1302, 1302, 1302, 1302, 930, 930, 1676, 1676, 1676, 1117, // 0 to ?
	2048, 1400, 1404, 1430, 1578, 1295, 1177, 1588, 1539, 862, 931, 1419, 1140, 1726, 1532, 1612, // @ to O
	1235, 1612, 1424, 1400, 1262, 1499, 1400, 2025, 1403, 1260, 1403, 930, 930, 930, 1676, 1302, // P to _
	1302, 1230, 1276, 1067, 1276, 1220, 720, 1276, 1296, 562, 705, 1212, 562, 1992, 1296, 1243, // ` to o
	1276, 1276, 874, 1067, 807, 1296, 1212, 1676, 1212, 1212, 1076, 1300, 930, 1300, 1676, // p to ~
}

const (
	emUnits    = 2048
	otherWidth = 1330 // of letters that have no entry: wider than most
	boldFactor = 1.13
)

// Width is how wide a text is at a size in pixels.
func Width(text string, size float64) float64 {
	units := 0
	for _, r := range text {
		units += advance(r)
	}
	return float64(units) * size / emUnits
}

func advance(r rune) int {
	switch {
	case r >= ' ' && int(r-' ') < len(widths):
		return widths[r-' ']
	case r == '\u00a0', r == '\u202f':
		return widths[0]
	case unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf):
		return 0 // drawn over the letter before
	case r >= 0x1100 && unicode.In(r, unicode.Han, unicode.Hangul, unicode.Hiragana, unicode.Katakana) || r >= 0x1f000:
		return emUnits
	default:
		return otherWidth
	}
}
