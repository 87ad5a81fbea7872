package statuspage_test

import (
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/asgood-dev/asgood/internal/chromium"
	"github.com/asgood-dev/asgood/internal/quality"
)

// TestKeyboard goes through the page by keys alone.
func TestKeyboard(t *testing.T) {
	b := chromium.Start(t)
	t.Run("path", func(t *testing.T) { keyboardPath(t, b) })
	t.Run("live", func(t *testing.T) { keyboardLive(t, b) })
	t.Run("zone", func(t *testing.T) { keyboardZone(t, b) })
}

// isTrue fails the test for each expression that is not.
func isTrue(t *testing.T, x *chromium.Tab, expressions map[string]string) {
	t.Helper()
	for what, expression := range expressions {
		if !chromium.Value[bool](t, x, expression) {
			t.Errorf("%s: %s is false", what, expression)
		}
	}
}

// tabTo presses the tab key until the expression is true.
func tabTo(t *testing.T, x *chromium.Tab, expression string) {
	t.Helper()
	for range 60 {
		x.Run(t, chromedp.KeyEvent(kb.Tab))
		if chromium.Value[bool](t, x, expression) {
			return
		}
	}
	t.Fatalf("no key press leads to where %s", expression)
}

const (
	onBars = `document.activeElement.matches(".bars")`
	read   = `document.activeElement.closest(".days").querySelector(".read").textContent`
)

// keyboardPath skips what is above, sees where it is, reads days of a row, and opens one.
func keyboardPath(t *testing.T, b chromium.Browser) {
	x := b.Open(t)
	x.Run(t, chromedp.EmulateViewport(1280, 900), chromedp.Navigate(everything(t).show(t).serve(t)))
	x.Await(t, isLive)
	x.Run(t, chromedp.KeyEvent(kb.Tab))
	isTrue(t, x, map[string]string{
		"the first stop is the skip link": `document.activeElement.matches(".skip")`,
		"it is seen":                      `document.activeElement.getBoundingClientRect().top >= 0`,
	})
	x.Run(t, chromedp.KeyEvent(kb.Enter))
	x.Await(t, `location.hash === "#page"`)
	x.Run(t, chromedp.KeyEvent(kb.Tab))
	isTrue(t, x, map[string]string{"it leads into the page": `document.activeElement.closest("main") !== null`})
	tabTo(t, x, onBars)
	isTrue(t, x, map[string]string{
		"focus is seen":            `getComputedStyle(document.activeElement).outlineStyle === "solid"`,
		"the last day is read":     read + `.startsWith("Tue 31 Mar")`,
		"its name says what it is": `document.activeElement.querySelector("svg").getAttribute("aria-label").startsWith("Quality")`,
	})
	for _, k := range []struct{ key, day string }{{kb.ArrowLeft, "Mon 30 Mar"}, {kb.ArrowLeft, "Sun 29 Mar"}, {kb.ArrowRight, "Mon 30 Mar"}, {kb.Home, "Thu 1 Jan"}, {kb.ArrowLeft, "Thu 1 Jan"}, {kb.PageDown, "Thu 8 Jan"}, {kb.End, "Tue 31 Mar"}, {kb.ArrowRight, "Tue 31 Mar"}, {kb.PageUp, "Tue 24 Mar"}} {
		x.Run(t, chromedp.KeyEvent(k.key))
		isTrue(t, x, map[string]string{"the day is read": read + `.startsWith("` + k.day + `")`, "its bar is marked": `document.querySelectorAll(".here").length === 1`})
	}
	x.Run(t, chromedp.KeyEvent(kb.Enter))
	x.Await(t, `location.pathname.startsWith("/features/") && location.hash === "#2026-03-24" && document.readyState === "complete"`)
	x.Await(t, `document.querySelector("tr:target") !== null`)
	x.Check(t)
}

// keyboardLive keeps the focus and the day that is read while the page changes.
func keyboardLive(t *testing.T, b chromium.Browser) {
	w := worse(t, quality.SeverityMajor, -0.07)
	f, r := w.open(t)
	f.refresh(t)
	x := b.Open(t)
	x.Run(t, chromedp.Navigate(f.serve(t)))
	x.Await(t, isLive)
	tabTo(t, x, onBars+` && document.activeElement.querySelector("svg.uptime") !== null`)
	x.Run(t, chromedp.KeyEvent(kb.PageUp))
	i := w.incidents[0]
	i.Severity = quality.SeverityCritical
	r.incidents = always(i)
	f.refresh(t)
	x.Await(t, `document.querySelector(".tile.quality .word").textContent.trim() === "Much worse"`)
	isTrue(t, x, map[string]string{
		"the focus stays":     onBars + ` && document.activeElement.querySelector("svg.uptime") !== null`,
		"the day stays":       `document.activeElement.dataset.day === "82"`,
		"it is read":          `document.activeElement.closest(".days").querySelector(".read").textContent.startsWith("Tue 24 Mar")`,
		"the change is told":  `document.getElementById("news").textContent.includes("much worse")`,
		"it is still a focus": `document.activeElement.matches(":focus-visible")`,
	})
	x.Check(t)
}

// keyboardZone tells times of the visitor's zone, remembers that, and goes back.
func keyboardZone(t *testing.T, b chromium.Browser) {
	url, x := many(t).show(t).serve(t), b.Open(t)
	x.Run(t, chromium.Command(emulation.SetTimezoneOverride, emulation.SetTimezoneOverrideParams{TimezoneID: "America/New_York"}), chromedp.Navigate(url))
	x.Await(t, isLive)
	const asof = `document.querySelector(".asof").textContent`
	isTrue(t, x, map[string]string{"the page's zone": asof + `.includes("14:05 Europe/Berlin")`, "the choice": `document.getElementById("zone").textContent === "Show times of my zone (America/New_York)"`})
	tabTo(t, x, `document.activeElement.id === "zone"`)
	x.Run(t, chromedp.KeyEvent(kb.Enter))
	own := map[string]string{
		"the visitor's zone":  asof + `.includes("08:05 America/New_York")`,
		"a time of a tile":    `document.querySelector(".tile time").textContent.includes("11:05")`,
		"the way back":        `document.getElementById("zone").textContent.includes("Europe/Berlin")`,
		"times stay machines": `document.querySelector(".tile time").dateTime === "2026-03-29T17:05:00+02:00"`,
	}
	isTrue(t, x, own)
	x.Run(t, chromedp.Navigate(url))
	x.Await(t, isLive)
	isTrue(t, x, own)
	tabTo(t, x, `document.activeElement.id === "zone"`)
	x.Run(t, chromedp.KeyEvent(kb.Enter))
	isTrue(t, x, map[string]string{"back": asof + `.includes("14:05 Europe/Berlin")`, "a time as before": `document.querySelector(".tile time").textContent.includes("17:05")`})
	x.Check(t)
}
