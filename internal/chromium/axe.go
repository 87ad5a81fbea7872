package chromium

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// Axe is the source of axe-core.
type Axe string

// NeedAxe reads axe-core, or skips the test where it is not installed.
func NeedAxe(t testing.TB) Axe {
	t.Helper()
	source, err := os.ReadFile(filepath.Join(root(t), "internal", "chromium", "testdata", "npm", "node_modules", "axe-core", "axe.min.js"))
	if err != nil {
		t.Skip("axe-core is not installed: run `make clients`")
	}
	return Axe(source)
}

// root is the folder of the module.
func root(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	for err == nil {
		if _, found := os.Stat(filepath.Join(dir, "go.mod")); found == nil {
			return dir
		}
		if dir == filepath.Dir(dir) {
			break
		}
		dir = filepath.Dir(dir)
	}
	t.Fatal("no go.mod above the test")
	return ""
}

// sight is one way to look at a page.
type sight struct {
	width  int64 // px
	scheme string
}

// sights are all ways to look at a page, and in a short test the two that differ most.
func sights() []sight {
	if testing.Short() {
		return []sight{{390, "dark"}, {1280, "light"}}
	}
	return []sight{{390, "light"}, {390, "dark"}, {1280, "dark"}, {1280, "light"}}
}

// violations runs the rules of WCAG 2.2 A and AA and of good practice, and of AAA those of contrast. The script is told to
// the browser and not to the page, so the page's policy holds for all that the page does itself. What is inside of an
// image is read by nobody but as its name, and there can be thousands of bars.
const violations = `axe.run({exclude: [["svg[role=img] *"]]}, {resultTypes: ["violations"], rules: {"color-contrast-enhanced": {enabled: true}, "target-size": {enabled: true}}}).then((r) =>
	r.violations.flatMap((v) => v.nodes.slice(0, 5).map((n) => v.id + ": " + v.help + "\n    " + n.html.slice(0, 300) + "\n    " + n.failureSummary.replaceAll("\n", " "))))`

// Look opens a page, waits until ready is true, and looks at it as LookHere does.
func (a Axe) Look(t testing.TB, x *Tab, name, url, ready, pictures string) {
	t.Helper()
	x.Run(t, chromedp.EmulateViewport(390, 900), chromedp.Navigate(url))
	x.Await(t, ready)
	a.LookHere(t, x, name, pictures)
}

// LookHere fails the test for each violation that axe-core finds on the page that is open, and for a page that is wider
// than its window, at 390 and 1280 px, light and dark. With a folder it takes pictures.
func (a Axe) LookHere(t testing.TB, x *Tab, name, pictures string) {
	t.Helper()
	if !Value[bool](t, x, string(a)+`; "axe" in window`) {
		t.Fatal("axe-core did not load")
	}
	for _, s := range sights() {
		x.Run(t, chromedp.EmulateViewport(s.width, 900), Media("screen", s.scheme))
		x.judge(t, name, s)
		if pictures != "" {
			x.Picture(t, pictures, fmt.Sprintf("%s-%d-%s.png", name, s.width, s.scheme))
		}
	}
}

func (x *Tab) judge(t testing.TB, name string, s sight) {
	t.Helper()
	if wide := Value[int64](t, x, `document.documentElement.scrollWidth`); wide > s.width {
		t.Errorf("%s is %d px wide in a window of %d px", name, wide, s.width)
	}
	if found := Value[[]string](t, x, violations); len(found) > 0 {
		t.Errorf("%s, %d px, %s: %d violations\n  %s", name, s.width, s.scheme, len(found), strings.Join(found, "\n  "))
	}
}
