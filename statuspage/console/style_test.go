package console_test

import (
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
)

// luminance is that of WCAG 2, of a colour such as ffcc00.
func luminance(t *testing.T, h string) float64 {
	t.Helper()
	if len(h) == 3 {
		h = string([]byte{h[0], h[0], h[1], h[1], h[2], h[2]})
	}
	sum := 0.0
	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		v, err := strconv.ParseUint(h[2*i:2*i+2], 16, 8)
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

// Text has a contrast of 7:1 and marks of 3:1, in both schemes.
func TestContrast(t *testing.T) {
	css, err := os.ReadFile(filepath.Join("assets", "console.css"))
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile(`(?s):root \{(.*?)\}`).FindAllSubmatch(css, 2)
	if len(blocks) != 2 {
		t.Fatalf("%d schemes, want 2", len(blocks))
	}
	for i, block := range blocks {
		colour := map[string]string{}
		for _, v := range regexp.MustCompile(`--([a-z-]+): #([0-9a-f]+)`).FindAllSubmatch(block[1], -1) {
			colour[string(v[1])] = string(v[2])
		}
		for name, least := range map[string]float64{"ink": 7, "soft": 7, "accent": 7, "slight-ink": 7, "worse-ink": 7, "much-ink": 7, "good-ink": 7, "quality-ink": 7,
			"quality": 3, "slight": 3, "worse": 3, "none": 3, "edge": 3} {
			for _, ground := range []string{"ground", "card"} {
				x, y := luminance(t, colour[name]), luminance(t, colour[ground])
				if got := (max(x, y) + 0.05) / (min(x, y) + 0.05); got < least {
					t.Errorf("scheme %d: %s on %s has a contrast of %.2f, want %g", i, name, ground, got, least)
				}
			}
		}
	}
}
