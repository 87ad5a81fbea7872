package statuspage_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// widgetPolicy is what a page with a strict policy has to allow for the widget: scripts and answers of the status
// page, and no style.
func widgetPolicy(url string) string {
	return fmt.Sprintf("default-src 'none'; img-src data:; script-src %s; connect-src %s; frame-src %s; base-uri 'none'", url, url, url)
}

const noticeText = `(() => { for (const e of document.querySelectorAll("div")) if (e.shadowRoot) return e.hidden ? "" : e.shadowRoot.textContent; return null; })()`

// TestWidget shows the notice on a page of another origin with a strict policy.
func TestWidget(t *testing.T) {
	b := startBrowser(t)
	url := many(t).show(t).serve(t)
	pages := map[string]string{}
	for name, attributes := range map[string]string{"corner": "", "left": `data-position="top-left"`, "inline": `data-position="inline"`, "support": `data-feature="support"`, "notes": `data-feature="notes, search"`} {
		pages["/"+name] = shell + `<script src="` + url + `/widget.js" ` + attributes + `></script><p>The end.</p>`
	}
	at := foreign(t, widgetPolicy(url), pages)
	x := newTab(t, b)
	for _, name := range []string{"corner", "left", "inline", "support"} {
		for _, scheme := range []string{"light", "dark"} {
			for _, width := range widths {
				x.run(t, chromedp.EmulateViewport(width, 700), media("screen", scheme), chromedp.Navigate(at+"/"+name))
				x.await(t, `(`+noticeText+`||"").includes("gives worse answers")`)
				if value[bool](t, x, `document.documentElement.scrollWidth > innerWidth`) {
					t.Errorf("%s: the page scrolls sideways at %d", name, width)
				}
				if *shots != "" {
					picture(t, x, fmt.Sprintf("widget-%s-%s-%d.png", name, scheme, width))
				}
			}
		}
	}
	const root = `[...document.querySelectorAll("div")].find((e) => e.shadowRoot).shadowRoot`
	if got := value[string](t, x, root+`.querySelector("a").href`); got != "https://status.northlight.example/incidents/inc-support" {
		t.Errorf("links to %s", got)
	}
	if !value[bool](t, x, root+`.adoptedStyleSheets.length === 1 && getComputedStyle(`+root+`.querySelector(".box")).position === "fixed"`) {
		t.Error("the style is not there")
	}
	if !value[bool](t, x, root+`.querySelector("[role=status]") !== null && `+root+`.querySelector("button").getAttribute("aria-label") !== null`) {
		t.Error("no region or no name of the button")
	}
	x.run(t, chromedp.Navigate(at+"/notes"))
	x.await(t, noticeText+` === ""`) // nothing concerns them
	x.run(t, chromedp.Navigate(at+"/corner"))
	x.await(t, `(`+noticeText+`||"") !== ""`)
	value[bool](t, x, root+`.querySelector("button").click() === undefined`)
	x.run(t, chromedp.Navigate(at+"/left"))
	x.await(t, noticeText+` === ""`) // closed once, on every page of the tab
	x.check(t)
	for _, u := range x.requests {
		if !strings.HasPrefix(u, url) && !strings.HasPrefix(u, at) && !strings.HasPrefix(u, "data:") {
			t.Errorf("asks %s", u)
		}
	}
}

// TestFrame shows the page in a frame of another origin.
func TestFrame(t *testing.T) {
	b := startBrowser(t)
	url := eventful(t).serve(t)
	at := foreign(t, widgetPolicy(url), map[string]string{"/": shell + `<iframe title="Status" src="` + url + `/embed" width="360" height="420"></iframe>`})
	x := newTab(t, b)
	x.run(t, chromedp.Navigate(at))
	for _, scheme := range []string{"light", "dark"} {
		for _, width := range widths {
			x.run(t, chromedp.EmulateViewport(width, 700), media("screen", scheme), chromedp.Navigate(url+"/embed"))
			x.await(t, `document.querySelectorAll("tbody tr").length === 4`)
			if value[bool](t, x, `document.documentElement.scrollWidth > innerWidth`) {
				t.Errorf("scrolls sideways at %d", width)
			}
			if *shots != "" {
				picture(t, x, fmt.Sprintf("embed-%s-%d.png", scheme, width))
			}
		}
	}
	x.check(t)
}

// TestBadgeWidths: the letters of the browser take the room that was computed for them, within a tenth.
func TestBadgeWidths(t *testing.T) {
	b := startBrowser(t)
	url := eventful(t).serve(t)
	x := newTab(t, b)
	for _, style := range []string{"flat", "plastic", "for-the-badge"} {
		x.run(t, chromedp.Navigate(url+"/badges/support/quality.svg?text=percent&style="+style))
		got := value[[]float64](t, x, `[...document.querySelectorAll("text")].map((e) => { const n = parseFloat(e.getAttribute("textLength")); e.removeAttribute("textLength"); return e.getComputedTextLength() / n; })`)
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
