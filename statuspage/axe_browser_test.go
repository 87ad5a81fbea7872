package statuspage_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/asgood-dev/asgood/internal/chromium"
)

const (
	isLive  = `document.getElementById("live")?.textContent === "Live"`
	isThere = `document.readyState === "complete"`
)

// TestAxe finds nothing that keeps people with a disability out, on every kind of public page.
func TestAxe(t *testing.T) {
	b := chromium.Start(t)
	axe := chromium.NeedAxe(t)
	for _, s := range states {
		if testing.Short() && s.name != "everything" && s.name != "stale" {
			continue
		}
		t.Run(s.name, func(t *testing.T) {
			url, x := s.make(t).show(t).serve(t), b.Open(t)
			axe.Look(t, x, "axe-"+s.name, url, isLive, *shots)
			if s.name == "everything" {
				axePages(t, axe, b, url)
			}
		})
	}
	t.Run("embed", func(t *testing.T) {
		axe.Look(t, b.Open(t), "axe-embed", eventful(t).serve(t)+"/embed", `document.querySelectorAll("tbody tr").length === 4`, *shots)
	})
	t.Run("widget", func(t *testing.T) { axeWidget(t, axe, b) })
}

// axePages looks at the pages below the first one.
func axePages(t *testing.T, axe chromium.Axe, b chromium.Browser, url string) {
	x := b.Open(t)
	for _, path := range []string{"/?lang=de", "/features/support", "/features/search", "/history", "/history/2026-03", "/incidents/inc-support", "/incidents/inc-invoices", "/maintenances/mnt-1", "/maintenances/mnt-2", "/about", "/lost"} {
		ready := isLive
		if path == "/lost" {
			ready = isThere
		}
		axe.Look(t, x, "axe"+strings.NewReplacer("/", "-", "?", "-", "=", "-").Replace(path), url+path, ready, *shots)
	}
	// What is closed at first is looked at open.
	for _, path := range []string{"/", "/incidents/inc-support"} {
		opened := `document.readyState === "complete" && [...document.querySelectorAll("details")].every((d) => d.open = true)`
		axe.Look(t, x, "axe-opened"+strings.ReplaceAll(path, "/", "-"), url+path, opened, *shots)
	}
}

// axeWidget looks at the notice on somebody else's page, whose own faults are none.
func axeWidget(t *testing.T, axe chromium.Axe, b chromium.Browser) {
	url := many(t).show(t).serve(t)
	page := strings.Replace(shell, "<h1>", `<main><h1>`, 1) + `</main>%s</body></html>`
	pages := map[string]string{}
	for name, attributes := range map[string]string{"corner": "", "inline": `data-position="inline"`} {
		pages["/"+name] = fmt.Sprintf(page, `<script src="`+url+`/widget.js" `+attributes+`></script>`)
	}
	at := foreign(t, widgetPolicy(url), pages)
	for name := range pages {
		axe.Look(t, b.Open(t), "axe-widget"+strings.ReplaceAll(name, "/", "-"), at+name, `(`+noticeText+`||"").includes("gives worse answers")`, *shots)
	}
}
