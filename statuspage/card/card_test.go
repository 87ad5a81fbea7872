package card_test

import (
	"bytes"
	"flag"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/asgood-dev/asgood/statuspage/card"
)

var shots = flag.String("shots", "", "folder into which the pictures are written")

func cards() map[string]card.Card {
	long := strings.Repeat("Donaudampfschifffahrtsgesellschaft ", 60)
	line := card.Line{Name: "Support assistant", Quality: "Slightly worse", QualityState: "slightly-worse", Uptime: "Up", UptimeState: "up"}
	return map[string]card.Card{
		"empty": {Title: "Northlight AI status", Sentence: "Nothing is watched yet", State: "not-enough"},
		"usual": {Title: "Northlight AI status", Sentence: "Everything is up, and as good as usual", State: "usual", Lines: []card.Line{{Name: "Support assistant", Quality: "As good as usual", QualityState: "usual", Uptime: "Up", UptimeState: "up"}}},
		"worse": {Title: "Northlight AI status", Sentence: "Support assistant is up, and slightly worse than usual; of Meeting notes we cannot tell", State: "slightly-worse", Lines: []card.Line{line, line, line, line}, More: "and 12 more"},
		"long":  {Title: long, Sentence: long, State: "down", Lines: []card.Line{{Name: long, Quality: long, Uptime: long}}, More: long},
		"other": {Title: "状態", Sentence: "\x00\u202e", State: "?", Lines: []card.Line{{Name: "Übersetzung für Ελλάδα и Київ"}}},
	}
}

func TestDraw(t *testing.T) {
	p, err := card.New()
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range cards() {
		data, err := p.Draw(c)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		img, err := png.Decode(bytes.NewReader(data))
		if err != nil || img.Bounds().Dx() != card.Width || img.Bounds().Dy() != card.Height {
			t.Fatalf("%s: %v, %v", name, err, img.Bounds())
		}
		if len(data) > 200<<10 {
			t.Errorf("%s: %d bytes", name, len(data))
		}
		for y := range card.Height { // nothing runs out of the picture
			if r, g, b, _ := img.At(card.Width-8, y).RGBA(); r+g+b != 3*0xffff {
				t.Fatalf("%s: something is drawn at the right edge, line %d", name, y)
			}
		}
		if again, _ := p.Draw(c); !bytes.Equal(data, again) {
			t.Errorf("%s: drawn differently the second time", name)
		}
		if *shots != "" {
			if err := os.WriteFile(filepath.Join(*shots, "card-"+name+".png"), data, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// The colour at the edge tells the state from afar.
func TestStates(t *testing.T) {
	p, err := card.New()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[color.Color]string{}
	for _, state := range []string{"usual", "better", "slightly-worse", "worse", "much-worse", "cannot-tell"} {
		data, err := p.Draw(card.Card{State: state})
		if err != nil {
			t.Fatal(err)
		}
		img, err := png.Decode(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		if other, ok := seen[img.At(4, 4)]; ok {
			t.Errorf("%s has the colour of %s", state, other)
		}
		seen[img.At(4, 4)] = state
	}
}

func TestEqual(t *testing.T) {
	all := cards()
	for a := range all {
		for b := range all {
			if all[a].Equal(all[b]) != (a == b) {
				t.Errorf("%s and %s: got %v", a, b, a != b)
			}
		}
	}
}

func BenchmarkDraw(b *testing.B) {
	p, err := card.New()
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := p.Draw(cards()["worse"]); err != nil {
			b.Fatal(err)
		}
	}
}
