package statuspage_test

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/asgood-dev/asgood/statuspage"
)

// colours reads the variables of each scheme from the style sheet, light first.
func colours(t *testing.T) [2]map[string]string {
	t.Helper()
	css, err := statuspage.StyleSheet()
	if err != nil {
		t.Fatal(err)
	}
	var out [2]map[string]string
	for i, block := range regexp.MustCompile(`(?s):root \{(.*?)\}`).FindAllStringSubmatch(css, 2) {
		out[i] = map[string]string{}
		for _, v := range regexp.MustCompile(`--([a-z-]+): (#[0-9a-f]+)`).FindAllStringSubmatch(block[1], -1) {
			out[i][v[1]] = v[2]
		}
	}
	return out
}

// luminance is that of WCAG 2.
func luminance(t *testing.T, colour string) float64 {
	t.Helper()
	h := strings.TrimPrefix(colour, "#")
	if len(h) == 3 {
		h = string([]byte{h[0], h[0], h[1], h[1], h[2], h[2]})
	}
	sum := 0.0
	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		v, err := strconv.ParseUint(h[2*i:2*i+2], 16, 8)
		if err != nil {
			t.Fatalf("colour %q: %v", colour, err)
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

func contrast(t *testing.T, a, b string) float64 {
	t.Helper()
	x, y := luminance(t, a), luminance(t, b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

// Text has a contrast of 7:1 and marks of 3:1, in both schemes.
func TestContrast(t *testing.T) {
	for i, scheme := range colours(t) {
		for name, least := range map[string]float64{
			"ink": 7, "soft": 7, "accent": 7, "slight-ink": 7, "worse-ink": 7, "much-ink": 7, "good-ink": 7, "quality-ink": 7,
			"quality": 3, "better": 3, "uptime": 3, "slight": 3, "worse": 3, "much": 3, "none": 3,
		} {
			for _, ground := range []string{"ground", "card"} {
				if scheme[name] == "" {
					t.Fatalf("scheme %d has no colour %q", i, name)
				}
				if got := contrast(t, scheme[name], scheme[ground]); got < least {
					t.Errorf("scheme %d: %s on %s has a contrast of %.2f, want %g", i, name, ground, got, least)
				}
			}
		}
	}
}

// The first view is small whatever the state.
func TestSizes(t *testing.T) {
	f := many(t).show(t)
	total := 0
	for _, path := range []string{"/", f.page.Asset("css"), f.page.Asset("js")} {
		w := f.do("GET", path, "Accept-Encoding", "gzip")
		t.Logf("%-30s %6d bytes packed, %6d plain", path, w.Body.Len(), f.do("GET", path).Body.Len())
		total += w.Body.Len()
	}
	if total > 60<<10 {
		t.Errorf("four features take %d bytes packed, want at most 60 KiB", total)
	}
}
