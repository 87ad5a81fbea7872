// Package card draws the picture that stands for a status page where its address is passed on: what holds, in
// one sentence, and how the first features are.
//
// It owns the drawing: size, letters, colours, how long texts are broken or cut. What is said is its caller's.
package card

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
)

// The size of the picture in pixels, which those who show it ask for.
const (
	Width  = 1200
	Height = 630
)

// Card is what a picture shows.
type Card struct {
	Title    string
	Sentence string
	State    string // of the sentence; chooses the colour
	Lines    []Line
	More     string // such as "and 3 more"
}

// Line is how one feature is.
type Line struct {
	Name, Quality, QualityState, Uptime, UptimeState string
}

// Equal reports whether both look the same.
func (c Card) Equal(o Card) bool {
	return c.Title == o.Title && c.Sentence == o.Sentence && c.State == o.State && c.More == o.More && slices.Equal(c.Lines, o.Lines)
}

// Painter draws cards. It is for one goroutine at a time.
type Painter struct {
	letters                       *sfnt.Font
	title, sentence, name, figure font.Face
}

// New reads the letters.
func New() (*Painter, error) {
	regular, err := opentype.Parse(goregular.TTF)
	if err != nil {
		return nil, fmt.Errorf("reading a font: %w", err)
	}
	bold, err := opentype.Parse(gobold.TTF)
	if err != nil {
		return nil, fmt.Errorf("reading a font: %w", err)
	}
	p := &Painter{letters: bold}
	for _, f := range []struct {
		to   *font.Face
		from *opentype.Font
		size float64
	}{{&p.title, regular, 34}, {&p.sentence, bold, 64}, {&p.name, bold, 32}, {&p.figure, regular, 32}} {
		if *f.to, err = opentype.NewFace(f.from, &opentype.FaceOptions{Size: f.size, DPI: 72, Hinting: font.HintingNone}); err != nil {
			return nil, fmt.Errorf("reading a font: %w", err)
		}
	}
	return p, nil
}

// The colours of the page in light.
var (
	ground = color.RGBA{0xff, 0xff, 0xff, 0xff}
	ink    = color.RGBA{0x16, 0x19, 0x1d, 0xff}
	soft   = color.RGBA{0x47, 0x4d, 0x57, 0xff}
	rule   = color.RGBA{0xdc, 0xdf, 0xe4, 0xff}
)

func colourOf(state string) color.RGBA {
	switch state {
	case "usual", "up":
		return color.RGBA{0x14, 0x52, 0x3f, 0xff}
	case "better":
		return color.RGBA{0x2c, 0x34, 0x88, 0xff}
	case "slightly-worse":
		return color.RGBA{0x5f, 0x45, 0x00, 0xff}
	case "worse", "partly":
		return color.RGBA{0x7a, 0x33, 0x06, 0xff}
	case "much-worse", "down":
		return color.RGBA{0x8c, 0x1d, 0x18, 0xff}
	default:
		return soft
	}
}

// Where things stand, in pixels.
const (
	margin        = 72
	titleBase     = 108
	sentenceBase  = 200
	sentenceStep  = 78
	sentenceLines = 2
	lineBase      = 400
	lineStep      = 52
	qualityAt     = 620
	uptimeAt      = 930
)

// Draw returns the picture as PNG.
func (p *Painter) Draw(c Card) ([]byte, error) {
	img := image.NewRGBA(image.Rect(0, 0, Width, Height))
	draw.Draw(img, img.Bounds(), image.NewUniform(ground), image.Point{}, draw.Src)
	draw.Draw(img, image.Rect(0, 0, 24, Height), image.NewUniform(colourOf(c.State)), image.Point{}, draw.Src)
	p.write(img, p.title, soft, margin, titleBase, Width-margin, c.Title)
	for i, line := range p.broken(c.Sentence) {
		p.write(img, p.sentence, colourOf(c.State), margin, sentenceBase+i*sentenceStep, Width-margin, line)
	}
	draw.Draw(img, image.Rect(margin, lineBase-60, Width-margin, lineBase-58), image.NewUniform(rule), image.Point{}, draw.Src)
	for i, l := range c.Lines {
		y := lineBase + i*lineStep
		p.write(img, p.name, ink, margin, y, qualityAt-24, l.Name)
		p.write(img, p.figure, colourOf(l.QualityState), qualityAt, y, uptimeAt-24, l.Quality)
		p.write(img, p.figure, colourOf(l.UptimeState), uptimeAt, y, Width-margin, l.Uptime)
	}
	p.write(img, p.title, soft, margin, lineBase+len(c.Lines)*lineStep, Width-margin, c.More)
	var out bytes.Buffer
	if err := png.Encode(&out, img); err != nil {
		return nil, fmt.Errorf("writing a picture: %w", err)
	}
	return out.Bytes(), nil
}

// write draws one line of text that ends before right, cut where it is too long.
func (p *Painter) write(img draw.Image, face font.Face, colour color.Color, x, y, right int, text string) {
	d := font.Drawer{Dst: img, Src: image.NewUniform(colour), Face: face, Dot: fixed.P(x, y)}
	d.DrawString(cut(face, p.drawable(text), right-x))
}

// broken puts a text on as many lines as there are, at spaces.
func (p *Painter) broken(text string) []string {
	var lines []string
	line := ""
	words := strings.Fields(p.drawable(text))
	for i, word := range words {
		longer := strings.TrimSpace(line + " " + word)
		if line == "" || fits(p.sentence, longer, Width-2*margin) {
			line = longer
			continue
		}
		if len(lines) == sentenceLines-1 {
			line = strings.Join(append([]string{line}, words[i:]...), " ") // cut when it is drawn
			break
		}
		lines, line = append(lines, line), word
	}
	if line != "" {
		lines = append(lines, line)
	}
	return lines
}

func fits(face font.Face, text string, width int) bool {
	return font.MeasureString(face, text) <= fixed.I(width)
}

// cut leaves out the end of a text that is too long.
func cut(face font.Face, text string, width int) string {
	if fits(face, text, width) {
		return text
	}
	r := []rune(text)
	n := min(len(r), maxRunes)
	for ; n > 0 && !fits(face, string(r[:n])+"…", width); n-- {
	}
	return strings.TrimSpace(string(r[:n])) + "…"
}

// maxRunes is more than fit on a line of the smallest letters.
const maxRunes = 200

// drawable is a text on one line. One with letters that the font does not have is left out: boxes say nothing.
func (p *Painter) drawable(text string) string {
	text = strings.Join(strings.FieldsFunc(text, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }), " ")
	if r := []rune(text); len(r) > 4*maxRunes {
		text = string(r[:4*maxRunes])
	}
	var b sfnt.Buffer
	for _, r := range text {
		if i, err := p.letters.GlyphIndex(&b, r); r != ' ' && (err != nil || i == 0) {
			return ""
		}
	}
	return text
}
