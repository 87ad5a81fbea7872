// Package badge draws small pictures that say how something is, for other people's pages: SVG with a label and
// a message, in the styles that badges have everywhere.
//
// It owns the drawing: widths, colours, what may stand in a label. It does not know features or figures, and
// what a badge says is its caller's.
package badge

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/asgood-dev/asgood/internal/quality"
)

// Type is the content type of badges.
const Type = "image/svg+xml; charset=utf-8"

// MaxLabel is how many characters a label has at most.
const MaxLabel = 64

// Style is the shape of a badge.
type Style string

// The styles.
const (
	Flat        Style = "flat"
	FlatSquare  Style = "flat-square"
	Plastic     Style = "plastic"
	ForTheBadge Style = "for-the-badge"
)

// ParseStyle reads a style; none is Flat.
func ParseStyle(s string) (Style, error) {
	switch Style(s) {
	case "":
		return Flat, nil
	case Flat, FlatSquare, Plastic, ForTheBadge:
		return Style(s), nil
	default:
		return "", quality.Errorf(quality.KindInvalid, "style: want flat, flat-square, plastic or for-the-badge")
	}
}

// CheckLabel reports what a label may not be.
func CheckLabel(s string) error {
	if n := utf8.RuneCountInString(s); n > MaxLabel || len(s) > 4*MaxLabel {
		return quality.Errorf(quality.KindInvalid, "label: %d characters, at most %d", n, MaxLabel)
	}
	return nil
}

// Badge is what is drawn.
type Badge struct {
	Label   string
	Message string
	State   string // chooses the colour; one that is not known is grey
	Style   Style
}

// Colours of the message by state: white text on them has a contrast of 7:1 and more. The message says in
// words what the colour says.
const (
	labelColour = "#3d3d3d"
	grey        = "#4f5660"
)

func colourOf(state string) string {
	switch state {
	case "usual":
		return "#2c3488"
	case "up":
		return "#14523f"
	case "better", "maintenance":
		return "#0b4a7d"
	case "slightly-worse", "minor":
		return "#5f4500"
	case "worse", "partly", "major":
		return "#7a3306"
	case "much-worse", "down", "critical":
		return "#8c1d18"
	default:
		return grey
	}
}

// form is what the styles differ in. Lengths are in pixels.
type form struct {
	height, size, pad, radius float64
	spacing                   float64 // between letters
	bold                      bool    // of the message
	capitals, shade           bool
}

func formOf(s Style) form {
	switch s {
	case FlatSquare:
		return form{height: 20, size: 11, pad: 6}
	case Plastic:
		return form{height: 18, size: 11, pad: 6, radius: 4, shade: true}
	case ForTheBadge:
		return form{height: 28, size: 10, pad: 10, spacing: 1, capitals: true, bold: true}
	default:
		return form{height: 20, size: 11, pad: 6, radius: 3}
	}
}

// part is one of the two halves.
type part struct {
	text            string
	x, width, inner float64 // inner is the width of the text alone
}

// Draw returns the badge as SVG. Texts are given the widths that were computed for them, so that they fit
// whatever font is there.
func (b Badge) Draw() []byte {
	f := formOf(b.Style)
	label, message := f.part(clean(b.Label), 0, false), f.part(clean(b.Message), 0, f.bold)
	if label.text == "" {
		label.width = 0
	}
	message.x = label.width
	width := label.width + message.width
	name := strings.TrimPrefix(clean(b.Label)+": "+clean(b.Message), ": ")
	var out strings.Builder
	fmt.Fprintf(&out, `<svg xmlns="http://www.w3.org/2000/svg" width="%s" height="%s" role="img" aria-label="%s"><title>%s</title>`,
		number(width), number(f.height), escape(name), escape(name))
	clip := ""
	if f.radius > 0 {
		fmt.Fprintf(&out, `<clipPath id="r"><rect width="%s" height="%s" rx="%s"/></clipPath>`, number(width), number(f.height), number(f.radius))
		clip = ` clip-path="url(#r)"`
	}
	if f.shade {
		out.WriteString(`<linearGradient id="s" x2="0" y2="100%"><stop offset="0" stop-color="#fff" stop-opacity=".12"/><stop offset="1" stop-opacity=".2"/></linearGradient>`)
	}
	fmt.Fprintf(&out, `<g%s>`, clip)
	f.box(&out, label, labelColour)
	f.box(&out, message, colourOf(b.State))
	if f.shade {
		fmt.Fprintf(&out, `<rect width="%s" height="%s" fill="url(#s)"/>`, number(width), number(f.height))
	}
	fmt.Fprintf(&out, `</g><g fill="#fff" text-anchor="middle" font-family="Verdana,DejaVu Sans,Geneva,sans-serif" font-size="%s">`, number(f.size))
	f.write(&out, label, false)
	f.write(&out, message, f.bold)
	out.WriteString("</g></svg>\n")
	return []byte(out.String())
}

func (f form) part(text string, x float64, bold bool) part {
	if f.capitals {
		text = strings.ToUpper(text)
	}
	w := Width(text, f.size) + f.spacing*float64(utf8.RuneCountInString(text))
	if bold {
		w *= boldFactor
	}
	return part{text: text, x: x, inner: w, width: w + 2*f.pad}
}

func (f form) box(out *strings.Builder, p part, colour string) {
	if p.width > 0 {
		fmt.Fprintf(out, `<rect x="%s" width="%s" height="%s" fill="%s"/>`, number(p.x), number(p.width), number(f.height), colour)
	}
}

func (f form) write(out *strings.Builder, p part, bold bool) {
	if p.text == "" {
		return
	}
	weight := ""
	if bold {
		weight = ` font-weight="bold"`
	}
	// The baseline that centres capitals, which are 0.73 em high.
	fmt.Fprintf(out, `<text x="%s" y="%s" textLength="%s"%s>%s</text>`, number(p.x+p.width/2), number(f.height/2+0.365*f.size), number(p.inner), weight, escape(p.text))
}

// number is a length with one decimal at most.
func number(v float64) string {
	return strings.TrimSuffix(fmt.Sprintf("%.1f", v), ".0")
}

// clean is text on one line without what SVG cannot hold or what would turn it around.
func clean(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case r == utf8.RuneError, unicode.IsControl(r), unicode.Is(unicode.Bidi_Control, r), r == 0xfffe, r == 0xffff:
			return ' '
		default:
			return r
		}
	}, s)
	return strings.Join(strings.Fields(s), " ")
}

func escape(s string) string { return escaper.Replace(s) }

// escaper is read only.
var escaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&#34;", "'", "&#39;")
