package statuspage_test

import (
	"context"
	"flag"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/asgood-dev/asgood/internal/chromium"
	"github.com/asgood-dev/asgood/internal/quality"
	"github.com/asgood-dev/asgood/internal/web"
)

var shots = flag.String("shots", "", "folder into which the browser test writes pictures of every state")

// serve answers on a port of this machine until the test ends.
func (f fixture) serve(t *testing.T) string {
	t.Helper()
	s, err := web.Listen("127.0.0.1:0", f.engine, nil)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- s.Serve() }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
		defer cancel()
		_ = s.Shutdown(ctx) // connections that browsers keep in hand are cut
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return "http://" + s.Addr()
}

func TestBrowser(t *testing.T) {
	b := chromium.Start(t)
	t.Run("states", func(t *testing.T) { browseStates(t, b) })
	t.Run("live", func(t *testing.T) { browseLive(t, b) })
	t.Run("reconnect", func(t *testing.T) { browseReconnect(t, b) })
	t.Run("no script", func(t *testing.T) { browseNoScript(t, b) })
	t.Run("hostile", func(t *testing.T) { browseHostile(t, b) })
	t.Run("print", func(t *testing.T) { browsePrint(t, b) })
}

var widths = []int64{1280, 390}

// browseStates looks at every state at both widths, light and dark.
func browseStates(t *testing.T, b chromium.Browser) {
	for _, s := range states {
		if testing.Short() && s.name != "everything" && s.name != "resolved" {
			continue
		}
		t.Run(s.name, func(t *testing.T) {
			w := s.make(t)
			url := w.show(t).serve(t)
			paths := map[string]string{"": "/"}
			if len(w.incidents) > 0 {
				paths["-incident"] = "/incidents/" + w.incidents[0].ID
			}
			if s.name == "everything" {
				paths["-feature"], paths["-history"], paths["-about"] = "/features/support", "/history/2026-03", "/about"
				paths["-maintenance"], paths["-german"], paths["-german-incident"] = "/maintenances/mnt-1", "/?lang=de", "/incidents/inc-support?lang=de"
				paths["-german-about"] = "/about?lang=de"
			}
			if s.name == "no-features" {
				paths["-lost"] = "/incidents/none"
			}
			x := b.Open(t)
			for suffix, path := range paths {
				for _, width := range widths {
					look(t, x, s.name+suffix, url+path, width)
				}
			}
			if s.name != "no-features" { // whose lost page is told of as a failed load
				x.Check(t)
			}
		})
	}
}

// look checks one page at one width in both schemes.
func look(t *testing.T, x *chromium.Tab, name, url string, width int64) {
	t.Helper()
	for _, s := range []string{"light", "dark"} {
		x.Run(t, chromedp.EmulateViewport(width, 900), chromium.Media("", s), chromedp.Navigate(url))
		if !strings.HasSuffix(name, "-lost") {
			x.Await(t, `document.getElementById("live").textContent === "Live"`)
		}
		if wide := chromium.Value[int64](t, x, `document.documentElement.scrollWidth`); wide > width {
			t.Errorf("%s is %d px wide in a window of %d px", name, wide, width)
		}
		dark := chromium.Value[string](t, x, `getComputedStyle(document.body).backgroundColor`) == "rgb(17, 20, 23)"
		if dark != (s == "dark") {
			t.Errorf("%s: ground is dark: %t, scheme %s", name, dark, s)
		}
		if *shots != "" {
			x.Picture(t, *shots, fmt.Sprintf("%s-%d-%s.png", name, width, s))
		}
	}
}

// browseLive changes what is so, and sees the open page change without being loaded again.
func browseLive(t *testing.T, b chromium.Browser) {
	w := worse(t, quality.SeverityMajor, -0.07)
	f, r := w.open(t)
	f.refresh(t)
	x := b.Open(t)
	x.Run(t, chromedp.Navigate(f.serve(t)))
	x.Await(t, `document.getElementById("live").textContent === "Live"`)
	chromium.Value[int](t, x, `window.mark = "same page"; document.querySelector("details").open = true; document.querySelector("summary").focus(); 0`)
	word := `document.querySelector(".tile.quality .word").textContent.trim()`
	if got := chromium.Value[string](t, x, word); got != "Worse" {
		t.Fatalf("got %q, want Worse", got)
	}
	i := w.incidents[0]
	i.Severity = quality.SeverityCritical
	r.incidents = always(i)
	f.refresh(t)
	x.Await(t, word+` === "Much worse"`)
	for what, expression := range map[string]string{
		"not loaded again":      `window.mark === "same page"`,
		"opened details stay":   `document.querySelector("details").open`,
		"the focus stays":       `document.activeElement.tagName === "SUMMARY"`,
		"the change is told":    `document.getElementById("news").textContent.includes("much worse")`,
		"it says that it lives": `document.getElementById("live").textContent === "Live"`,
	} {
		if !chromium.Value[bool](t, x, expression) {
			t.Errorf("%s: %s is false", what, expression)
		}
	}
	x.Check(t)
}

// browseReconnect loses the server, and comes back with it.
func browseReconnect(t *testing.T, b chromium.Browser) {
	w := quiet(t)
	f, r := w.open(t)
	f.refresh(t)
	x := b.Open(t)
	x.Run(t, chromedp.Navigate(f.serve(t)))
	x.Await(t, `document.getElementById("live").textContent === "Live"`)
	f.page.CutClients()
	x.Await(t, `document.getElementById("live").textContent === "Reconnecting"`)
	w.statuses[0].State = quality.MonitorBlind
	r.statuses = always(w.statuses...)
	f.refresh(t) // while nobody listens
	x.Await(t, `document.querySelector(".tile.quality .word").textContent.trim() === "Cannot tell"`)
	x.Await(t, `document.getElementById("live").textContent === "Live"`)
}

// browseNoScript shows the same to those who allow no scripts.
func browseNoScript(t *testing.T, b chromium.Browser) {
	url := worse(t, quality.SeverityMajor, -0.07).show(t).serve(t)
	x := b.Open(t)
	x.Run(t, chromium.Command(emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true}), chromedp.Navigate(url))
	text := strings.ReplaceAll(chromium.Value[string](t, x, `document.querySelector("main").innerText`), "\u00a0", " ")
	for _, want := range []string{"Support assistant is up, and worse than usual", "93 % of baseline, 95 % interval 91 to 95", "since about Sun 29 Mar, 17:05", "99.96 % of checks", "As of 14:05"} {
		if !strings.Contains(text, want) {
			t.Errorf("without scripts the page does not say %q:\n%s", want, text)
		}
	}
	if strings.Contains(text, "Live") || strings.Contains(text, "Reconnecting") {
		t.Errorf("without scripts the page says that it is live:\n%s", text)
	}
}

// browseHostile shows names and texts that want to be more than text.
func browseHostile(t *testing.T, b chromium.Browser) {
	url := hostile(t).show(t).serve(t)
	x := b.Open(t)
	for _, path := range []string{"/", "/incidents/inc-support"} {
		for _, width := range widths {
			look(t, x, "hostile"+strings.ReplaceAll(path, "/", "-"), url+path, width)
			if chromium.Value[bool](t, x, `"owned" in window || document.querySelector("main script, main img, main iframe") !== null`) {
				t.Error("text became markup")
			}
		}
	}
	x.Check(t)
	if requests, _ := x.Traffic(); slices.ContainsFunc(requests, func(u string) bool { return !strings.HasPrefix(u, url) }) {
		t.Errorf("asks elsewhere: %q", requests)
	}
}

// browsePrint prints dark pages in light.
func browsePrint(t *testing.T, b chromium.Browser) {
	url := many(t).show(t).serve(t)
	x := b.Open(t)
	x.Run(t, chromedp.EmulateViewport(794, 1123), chromium.Media("print", "dark"), chromedp.Navigate(url))
	if ground := chromium.Value[string](t, x, `getComputedStyle(document.body).backgroundColor`); ground != "rgb(255, 255, 255)" {
		t.Errorf("prints on %s", ground)
	}
	if *shots != "" {
		x.Picture(t, *shots, "print.png")
	}
}
