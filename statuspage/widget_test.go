package statuspage_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/asgood-dev/asgood/internal/chromium"
)

// widgetPolicy is what a page with a strict policy has to allow for the widget: scripts and answers of the status
// page, and no style.
func widgetPolicy(url string) string {
	return fmt.Sprintf("default-src 'none'; img-src data:; script-src %s; connect-src %s; frame-src %s; base-uri 'none'", url, url, url)
}

const noticeText = `(() => { for (const e of document.querySelectorAll("div")) if (e.shadowRoot) return e.hidden ? "" : e.shadowRoot.textContent; return null; })()`

// TestWidget shows the notice on a page of another origin with a strict policy.
func TestWidget(t *testing.T) {
	b := chromium.Start(t)
	url := many(t).show(t).serve(t)
	pages := map[string]string{}
	for name, attributes := range map[string]string{"corner": "", "left": `data-position="top-left"`, "inline": `data-position="inline"`, "support": `data-feature="support"`, "notes": `data-feature="notes, search"`} {
		pages["/"+name] = shell + `<script src="` + url + `/widget.js" ` + attributes + `></script><p>The end.</p>`
	}
	at := foreign(t, widgetPolicy(url), pages)
	x := b.Open(t)
	for _, name := range []string{"corner", "left", "inline", "support"} {
		for _, scheme := range []string{"light", "dark"} {
			for _, width := range widths {
				x.Run(t, chromedp.EmulateViewport(width, 700), chromium.Media("screen", scheme), chromedp.Navigate(at+"/"+name))
				x.Await(t, `(`+noticeText+`||"").includes("gives worse answers")`)
				if chromium.Value[bool](t, x, `document.documentElement.scrollWidth > innerWidth`) {
					t.Errorf("%s: the page scrolls sideways at %d", name, width)
				}
				if *shots != "" {
					x.Picture(t, *shots, fmt.Sprintf("widget-%s-%s-%d.png", name, scheme, width))
				}
			}
		}
	}
	const root = `[...document.querySelectorAll("div")].find((e) => e.shadowRoot).shadowRoot`
	if got := chromium.Value[string](t, x, root+`.querySelector("a").href`); got != "https://status.northlight.example/incidents/inc-support" {
		t.Errorf("links to %s", got)
	}
	if !chromium.Value[bool](t, x, root+`.adoptedStyleSheets.length === 1 && getComputedStyle(`+root+`.querySelector(".box")).position === "fixed"`) {
		t.Error("the style is not there")
	}
	if !chromium.Value[bool](t, x, root+`.querySelector("[role=status]") !== null && `+root+`.querySelector("button").getAttribute("aria-label") !== null`) {
		t.Error("no region or no name of the button")
	}
	x.Run(t, chromedp.Navigate(at+"/notes"))
	x.Await(t, noticeText+` === ""`) // nothing concerns them
	x.Run(t, chromedp.Navigate(at+"/corner"))
	x.Await(t, `(`+noticeText+`||"") !== ""`)
	chromium.Value[bool](t, x, root+`.querySelector("button").click() === undefined`)
	x.Run(t, chromedp.Navigate(at+"/left"))
	x.Await(t, noticeText+` === ""`) // closed once, on every page of the tab
	x.Check(t)
	requests, _ := x.Traffic()
	for _, u := range requests {
		if !strings.HasPrefix(u, url) && !strings.HasPrefix(u, at) && !strings.HasPrefix(u, "data:") {
			t.Errorf("asks %s", u)
		}
	}
}

// TestFrame shows the page in a frame of another origin.
func TestFrame(t *testing.T) {
	b := chromium.Start(t)
	url := eventful(t).serve(t)
	at := foreign(t, widgetPolicy(url), map[string]string{"/": shell + `<iframe title="Status" src="` + url + `/embed" width="360" height="420"></iframe>`})
	x := b.Open(t)
	x.Run(t, chromedp.Navigate(at))
	for _, scheme := range []string{"light", "dark"} {
		for _, width := range widths {
			x.Run(t, chromedp.EmulateViewport(width, 700), chromium.Media("screen", scheme), chromedp.Navigate(url+"/embed"))
			x.Await(t, `document.querySelectorAll("tbody tr").length === 4`)
			if chromium.Value[bool](t, x, `document.documentElement.scrollWidth > innerWidth`) {
				t.Errorf("scrolls sideways at %d", width)
			}
			if *shots != "" {
				x.Picture(t, *shots, fmt.Sprintf("embed-%s-%d.png", scheme, width))
			}
		}
	}
	x.Check(t)
}

// TestBadgeWidths: the letters of the browser take the room that was computed for them, within a tenth.
func TestBadgeWidths(t *testing.T) {
	b := chromium.Start(t)
	url := eventful(t).serve(t)
	x := b.Open(t)
	for _, style := range []string{"flat", "plastic", "for-the-badge"} {
		x.Run(t, chromedp.Navigate(url+"/badges/support/quality.svg?text=percent&style="+style))
		got := chromium.Value[[]float64](t, x, `[...document.querySelectorAll("text")].map((e) => { const n = parseFloat(e.getAttribute("textLength")); e.removeAttribute("textLength"); return e.getComputedTextLength() / n; })`)
		for i, ratio := range got {
			limit := 1.1
			if style == "for-the-badge" {
				limit = 1.25 // its letters are spread by the width
			}
			if ratio > limit || ratio < 1/limit {
				t.Errorf("%s: text %d is %.2f of the computed width", style, i, ratio)
			}
		}
	}
}
