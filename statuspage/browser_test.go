package statuspage_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/asgood-dev/asgood/internal/quality"
	"github.com/asgood-dev/asgood/internal/web"
)

var shots = flag.String("shots", "", "folder into which the browser test writes pictures of every state")

// chrome is a running browser.
type chrome struct{ ctx context.Context }

// startBrowser starts a Chromium that ends with the test, or skips it.
func startBrowser(t *testing.T) chrome {
	t.Helper()
	program := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"} {
		if path, err := exec.LookPath(name); err == nil && program == "" {
			program = path
		}
	}
	if program == "" {
		t.Skip("no chromium or google-chrome on the PATH: `make chromium` installs one where it can")
	}
	options := []chromedp.ExecAllocatorOption{chromedp.ExecPath(program)} // its data are in an empty folder
	for _, name := range []string{"headless", "no-sandbox", "disable-gpu", "disable-quic", "no-first-run", "disable-background-networking", "disable-component-update", "disable-sync", "disable-dev-shm-usage", "hide-scrollbars"} {
		options = append(options, chromedp.Flag(name, true))
	}
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("starting %s: %v", program, err)
	}
	return chrome{ctx}
}

// tab is a page in the browser, with all it complained of and all it asked for.
type tab struct {
	context.Context
	mu         sync.Mutex
	complaints []string
	requests   []string
	bytes      float64
}

func newTab(t *testing.T, b chrome) *tab {
	t.Helper()
	ctx, cancel := chromedp.NewContext(b.ctx)
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatal(err)
	}
	ctx, cancel = context.WithTimeout(ctx, 2*time.Minute)
	t.Cleanup(cancel)
	x := &tab{Context: ctx}
	if err := chromedp.Listen(ctx, x.hear); err != nil {
		t.Fatal(err)
	}
	x.run(t, command(network.Enable, network.EnableParams{}), command(cdplog.Enable, cdp.Empty{}), command(runtime.Enable, cdp.Empty{}))
	return x
}

// command is an action of the protocol whose result does not matter.
func command[P, R any](c cdp.Command[P, R], params P) chromedp.Action[chromedp.Void] {
	return func(ctx context.Context, target *chromedp.Target) (chromedp.Void, error) {
		_, err := cdp.Call(ctx, target, c, params)
		return chromedp.Void{}, err
	}
}

func (x *tab) hear(event any) {
	x.mu.Lock()
	defer x.mu.Unlock()
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		x.complaints = append(x.complaints, "exception: "+e.ExceptionDetails.Text)
	case *runtime.EventConsoleAPICalled:
		x.complaints = append(x.complaints, fmt.Sprintf("console.%s", e.Type))
	case *cdplog.EventEntryAdded: // violations of the policy are told here
		x.complaints = append(x.complaints, fmt.Sprintf("%s: %s %s", e.Entry.Level, e.Entry.Text, e.Entry.URL))
	case *network.EventLoadingFailed:
		x.complaints = append(x.complaints, "not loaded: "+e.ErrorText)
	case *network.EventRequestWillBeSent:
		x.requests = append(x.requests, e.Request.URL)
	case *network.EventLoadingFinished:
		x.bytes += e.EncodedDataLength
	}
}

// check fails the test when the page complained.
func (x *tab) check(t *testing.T) {
	t.Helper()
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, c := range x.complaints {
		t.Errorf("the browser says: %s", c)
	}
}

func (x *tab) run(t *testing.T, actions ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	if err := chromedp.Do(x, actions...); err != nil {
		t.Fatal(err)
	}
}

// value evaluates an expression.
func value[T any](t *testing.T, x *tab, expression string) T {
	t.Helper()
	v, err := chromedp.Run(x, chromedp.Evaluate[T](expression))
	if err != nil {
		t.Fatalf("evaluating %s: %v", expression, err)
	}
	return v
}

// await waits until an expression is true.
func (x *tab) await(t *testing.T, expression string) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !value[bool](t, x, expression) {
		select {
		case <-x.Done():
			t.Fatalf("waited in vain for %s", expression)
		case <-tick.C:
		}
	}
}

func media(kind, scheme string) chromedp.Action[chromedp.Void] {
	return command(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Media: kind, Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
	})
}

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
	b := startBrowser(t)
	t.Run("states", func(t *testing.T) { browseStates(t, b) })
	t.Run("size", func(t *testing.T) { browseSize(t, b) })
	t.Run("live", func(t *testing.T) { browseLive(t, b) })
	t.Run("reconnect", func(t *testing.T) { browseReconnect(t, b) })
	t.Run("no script", func(t *testing.T) { browseNoScript(t, b) })
	t.Run("hostile", func(t *testing.T) { browseHostile(t, b) })
	t.Run("print", func(t *testing.T) { browsePrint(t, b) })
}

var widths = []int64{1280, 390}

// browseStates looks at every state at both widths, light and dark.
func browseStates(t *testing.T, b chrome) {
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
			x := newTab(t, b)
			for suffix, path := range paths {
				for _, width := range widths {
					look(t, x, s.name+suffix, url+path, width)
				}
			}
			if s.name != "no-features" { // whose lost page is told of as a failed load
				x.check(t)
			}
		})
	}
}

// look checks one page at one width in both schemes.
func look(t *testing.T, x *tab, name, url string, width int64) {
	t.Helper()
	for _, s := range []string{"light", "dark"} {
		x.run(t, chromedp.EmulateViewport(width, 900), media("", s), chromedp.Navigate(url))
		if !strings.HasSuffix(name, "-lost") {
			x.await(t, `document.getElementById("live").textContent === "Live"`)
		}
		if wide := value[int64](t, x, `document.documentElement.scrollWidth`); wide > width {
			t.Errorf("%s is %d px wide in a window of %d px", name, wide, width)
		}
		dark := value[string](t, x, `getComputedStyle(document.body).backgroundColor`) == "rgb(17, 20, 23)"
		if dark != (s == "dark") {
			t.Errorf("%s: ground is dark: %t, scheme %s", name, dark, s)
		}
		if *shots != "" {
			picture(t, x, fmt.Sprintf("%s-%d-%s.png", name, width, s))
		}
	}
}

func picture(t *testing.T, x *tab, name string) {
	t.Helper()
	png, err := chromedp.Run(x, chromedp.FullScreenshot(100))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(*shots, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(*shots, name), png, 0o644); err != nil {
		t.Fatal(err)
	}
}

// browseSize counts what a first visit costs: the page, its style, its script, and the live connection.
func browseSize(t *testing.T, b chrome) {
	url := many(t).show(t).serve(t)
	x := newTab(t, b)
	x.run(t, chromedp.Navigate(url))
	x.await(t, `document.getElementById("live").textContent === "Live"`)
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, r := range x.requests {
		if !strings.HasPrefix(r, url) {
			t.Errorf("asks elsewhere: %s", r)
		}
	}
	if len(x.requests) > 3 {
		t.Errorf("got %d requests, want 3: %q", len(x.requests), x.requests)
	}
	if x.bytes > 60<<10 {
		t.Errorf("first view takes %.0f bytes, want at most 60 KiB", x.bytes)
	}
	t.Logf("first view of four features: %.0f bytes in %d requests", x.bytes, len(x.requests))
}

// browseLive changes what is so, and sees the open page change without being loaded again.
func browseLive(t *testing.T, b chrome) {
	w := worse(t, quality.SeverityMajor, -0.07)
	f, r := w.open(t)
	f.refresh(t)
	x := newTab(t, b)
	x.run(t, chromedp.Navigate(f.serve(t)))
	x.await(t, `document.getElementById("live").textContent === "Live"`)
	value[int](t, x, `window.mark = "same page"; document.querySelector("details").open = true; document.querySelector("summary").focus(); 0`)
	word := `document.querySelector(".tile.quality .word").textContent.trim()`
	if got := value[string](t, x, word); got != "Worse" {
		t.Fatalf("got %q, want Worse", got)
	}
	i := w.incidents[0]
	i.Severity = quality.SeverityCritical
	r.incidents = always(i)
	f.refresh(t)
	x.await(t, word+` === "Much worse"`)
	for what, expression := range map[string]string{
		"not loaded again":      `window.mark === "same page"`,
		"opened details stay":   `document.querySelector("details").open`,
		"the focus stays":       `document.activeElement.tagName === "SUMMARY"`,
		"the change is told":    `document.getElementById("news").textContent.includes("much worse")`,
		"it says that it lives": `document.getElementById("live").textContent === "Live"`,
	} {
		if !value[bool](t, x, expression) {
			t.Errorf("%s: %s is false", what, expression)
		}
	}
	x.check(t)
}

// browseReconnect loses the server, and comes back with it.
func browseReconnect(t *testing.T, b chrome) {
	w := quiet(t)
	f, r := w.open(t)
	f.refresh(t)
	x := newTab(t, b)
	x.run(t, chromedp.Navigate(f.serve(t)))
	x.await(t, `document.getElementById("live").textContent === "Live"`)
	f.page.CutClients()
	x.await(t, `document.getElementById("live").textContent === "Reconnecting"`)
	w.statuses[0].State = quality.MonitorBlind
	r.statuses = always(w.statuses...)
	f.refresh(t) // while nobody listens
	x.await(t, `document.querySelector(".tile.quality .word").textContent.trim() === "Cannot tell"`)
	x.await(t, `document.getElementById("live").textContent === "Live"`)
}

// browseNoScript shows the same to those who allow no scripts.
func browseNoScript(t *testing.T, b chrome) {
	url := worse(t, quality.SeverityMajor, -0.07).show(t).serve(t)
	x := newTab(t, b)
	x.run(t, command(emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true}), chromedp.Navigate(url))
	text := strings.ReplaceAll(value[string](t, x, `document.querySelector("main").innerText`), "\u00a0", " ")
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
func browseHostile(t *testing.T, b chrome) {
	url := hostile(t).show(t).serve(t)
	x := newTab(t, b)
	for _, path := range []string{"/", "/incidents/inc-support"} {
		for _, width := range widths {
			look(t, x, "hostile"+strings.ReplaceAll(path, "/", "-"), url+path, width)
			if value[bool](t, x, `"owned" in window || document.querySelector("main script, main img, main iframe") !== null`) {
				t.Error("text became markup")
			}
		}
	}
	x.check(t)
	x.mu.Lock()
	defer x.mu.Unlock()
	if slices.ContainsFunc(x.requests, func(u string) bool { return !strings.HasPrefix(u, url) }) {
		t.Errorf("asks elsewhere: %q", x.requests)
	}
}

// browsePrint prints dark pages in light.
func browsePrint(t *testing.T, b chrome) {
	url := many(t).show(t).serve(t)
	x := newTab(t, b)
	x.run(t, chromedp.EmulateViewport(794, 1123), media("print", "dark"), chromedp.Navigate(url))
	if ground := value[string](t, x, `getComputedStyle(document.body).backgroundColor`); ground != "rgb(255, 255, 255)" {
		t.Errorf("prints on %s", ground)
	}
	if *shots != "" {
		picture(t, x, "print.png")
	}
}
