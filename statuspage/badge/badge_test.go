package badge_test

import (
	"encoding/xml"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/asgood-dev/asgood/statuspage/badge"
)

var styles = []badge.Style{badge.Flat, badge.FlatSquare, badge.Plastic, badge.ForTheBadge}

// svg is what is checked of a badge.
type svg struct {
	Width  float64 `xml:"width,attr"`
	Height float64 `xml:"height,attr"`
	Role   string  `xml:"role,attr"`
	Label  string  `xml:"aria-label,attr"`
	Title  string  `xml:"title"`
	Groups []struct {
		Rects []struct {
			X     float64 `xml:"x,attr"`
			Width float64 `xml:"width,attr"`
			Fill  string  `xml:"fill,attr"`
		} `xml:"rect"`
		Texts []struct {
			X      float64 `xml:"x,attr"`
			Length float64 `xml:"textLength,attr"`
			Text   string  `xml:",chardata"`
		} `xml:"text"`
	} `xml:"g"`
}

func parse(t *testing.T, b badge.Badge) svg {
	t.Helper()
	var got svg
	if err := xml.Unmarshal(b.Draw(), &got); err != nil {
		t.Fatalf("%v\n%s", err, b.Draw())
	}
	return got
}

func TestBadge(t *testing.T) {
	for _, style := range styles {
		got := parse(t, badge.Badge{Label: "quality", Message: "as good as usual", State: "usual", Style: style})
		if got.Role != "img" || got.Label != "quality: as good as usual" || got.Title != got.Label {
			t.Errorf("%s: role %q, label %q, title %q", style, got.Role, got.Label, got.Title)
		}
		rects, texts := got.Groups[0].Rects, got.Groups[1].Texts
		if len(texts) != 2 || math.Abs(rects[0].Width+rects[1].Width-got.Width) > 0.2 || math.Abs(rects[1].X-rects[0].Width) > 0.2 {
			t.Errorf("%s: got %+v", style, got)
		}
		for i, text := range texts {
			if text.X-text.Length/2 < rects[i].X+3 || text.X+text.Length/2 > rects[i].X+rects[i].Width-3 {
				t.Errorf("%s: text %d from %g to %g stands out of its box", style, i, text.X-text.Length/2, text.X+text.Length/2)
			}
		}
	}
	if got := parse(t, badge.Badge{Message: "up", State: "up"}); len(got.Groups[0].Rects) != 1 || got.Title != "up" {
		t.Errorf("without a label: got %+v", got)
	}
}

func TestStyles(t *testing.T) {
	for _, style := range append(styles, "") {
		if _, err := badge.ParseStyle(string(style)); err != nil {
			t.Error(err)
		}
	}
	for _, style := range []string{"social", "flat ", "<svg>"} {
		if got, err := badge.ParseStyle(style); err == nil {
			t.Errorf("%q: got %q, want an error", style, got)
		}
	}
	if badge.CheckLabel(strings.Repeat("ü", badge.MaxLabel)) != nil || badge.CheckLabel(strings.Repeat("x", badge.MaxLabel+1)) == nil {
		t.Error("the bound of labels does not hold")
	}
}

var fill = regexp.MustCompile(`fill="(#[0-9a-f]{6})"`)

// White letters have a contrast of 7:1 on every colour.
func TestContrast(t *testing.T) {
	for _, state := range []string{"usual", "better", "not-enough", "cannot-tell", "slightly-worse", "worse", "much-worse", "up", "partly", "down", "unknown", "none", "minor", "major", "critical", "maintenance"} {
		for _, m := range fill.FindAllStringSubmatch(string(badge.Badge{Label: "a", Message: "b", State: state}.Draw()), -1) {
			if got := 1.05 / (luminance(t, m[1]) + 0.05); got < 7 {
				t.Errorf("%s: white on %s has a contrast of %.2f", state, m[1], got)
			}
		}
	}
}

func luminance(t *testing.T, colour string) float64 {
	t.Helper()
	sum := 0.0
	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		v, err := strconv.ParseUint(colour[1+2*i:3+2*i], 16, 8)
		if err != nil {
			t.Fatal(err)
		}
		c := float64(v) / 255
		if c <= 0.04045 {
			c /= 12.92
		} else {
			c = math.Pow((c+0.055)/1.055, 2.4)
		}
		sum += weight * c
	}
	return sum
}

// FuzzBadge: whatever a label holds, the badge is one element of XML that says it and does nothing.
func FuzzBadge(f *testing.F) {
	f.Add("quality", "as good as usual", "flat")
	f.Add("</text><script>alert(1)</script>", "\x00\u202e\xff\ufffe", "for-the-badge")
	f.Add(`" onload="x`, "日本語 🚦 ßẞ", "plastic")
	f.Fuzz(func(t *testing.T, label, message, style string) {
		b := badge.Badge{Label: label, Message: message, Style: badge.Style(style)}
		data := b.Draw()
		var got svg
		d := xml.NewDecoder(strings.NewReader(string(data)))
		if err := d.Decode(&got); err != nil {
			t.Fatalf("%v\n%s", err, data)
		}
		if text := string(data); strings.Count(text, "<text") > 2 || strings.Contains(text, "<script") || strings.Contains(text, `" on`) {
			t.Fatalf("got %s", text)
		}
		if !(got.Width > 0) || math.IsInf(got.Width, 0) {
			t.Fatalf("width %g", got.Width)
		}
	})
}

func BenchmarkDraw(b *testing.B) {
	x := badge.Badge{Label: "quality", Message: "as good as usual", State: "usual", Style: badge.Plastic}
	b.ReportAllocs()
	for b.Loop() {
		x.Draw()
	}
}
