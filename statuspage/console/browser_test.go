package console_test

import (
	"context"
	"flag"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

var shots = flag.String("shots", "", "folder into which the browser test writes pictures of every page")

// tab is a page in a browser, with all that it complained of.
type tab struct {
	context.Context
	complaints chan string
}

// command is an action of the protocol whose result does not matter.
func command[P, R any](c cdp.Command[P, R], params P) chromedp.Action[chromedp.Void] {
	return func(ctx context.Context, target *chromedp.Target) (chromedp.Void, error) {
		_, err := cdp.Call(ctx, target, c, params)
		return chromedp.Void{}, err
	}
}

// newTab starts a Chromium that ends with the test, or skips it.
func newTab(t *testing.T) *tab {
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
	options := []chromedp.ExecAllocatorOption{chromedp.ExecPath(program)}
	for _, name := range []string{"headless", "no-sandbox", "disable-gpu", "disable-quic", "no-first-run", "disable-background-networking", "disable-component-update", "disable-sync", "disable-dev-shm-usage", "hide-scrollbars"} {
		options = append(options, chromedp.Flag(name, true))
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewExecAllocator(ctx, options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("starting %s: %v", program, err)
	}
	x := &tab{ctx, make(chan string, 100)}
	if err := chromedp.Listen(ctx, x.hear); err != nil {
		t.Fatal(err)
	}
	x.run(t, command(cdplog.Enable, cdp.Empty{}), command(runtime.Enable, cdp.Empty{}))
	return x
}

// hear keeps complaints; those beyond the hundredth say nothing new.
func (x *tab) hear(event any) {
	text := ""
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		text = "exception: " + e.ExceptionDetails.Text
	case *runtime.EventConsoleAPICalled:
		text = "console." + string(e.Type)
	case *cdplog.EventEntryAdded: // violations of the policy are told here
		text = e.Entry.Text + " " + e.Entry.URL
	default:
		return
	}
	select {
	case x.complaints <- text:
	default:
	}
}

func (x *tab) check(t *testing.T) {
	t.Helper()
	for {
		select {
		case c := <-x.complaints:
			t.Errorf("the browser says: %s", c)
		default:
			return
		}
	}
}

func (x *tab) run(t *testing.T, actions ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	if err := chromedp.Do(x, actions...); err != nil {
		t.Fatal(err)
	}
}

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
	for until := time.Now().Add(20 * time.Second); !value[bool](t, x, expression); <-tick.C {
		if time.Now().After(until) {
			t.Fatalf("waited in vain for %s", expression)
		}
	}
}

func scheme(s string) chromedp.Action[chromedp.Void] {
	return command(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: s}}})
}

func (w *world) listen(t *testing.T) string {
	t.Helper()
	s := httptest.NewServer(w.serve(t))
	t.Cleanup(s.Close)
	return s.URL
}

func TestBrowser(t *testing.T) {
	x := newTab(t)
	t.Run("pages", func(t *testing.T) { browsePages(t, x) })
	t.Run("keyboard", func(t *testing.T) { browseKeyboard(t, x) })
	t.Run("form", func(t *testing.T) { browseForm(t, x) })
	t.Run("no script", func(t *testing.T) { browseNoScript(t, x) })
}

// Every page fits both widths, follows the scheme, and what is hostile on it does nothing.
func browsePages(t *testing.T, x *tab) {
	url := newWorld().listen(t)
	for _, p := range pages {
		if testing.Short() && p.golden == "" {
			continue
		}
		for _, width := range []int64{1280, 390} {
			for _, s := range []string{"light", "dark"} {
				x.run(t, chromedp.EmulateViewport(width, 900), scheme(s), chromedp.Navigate(url+p.path))
				x.looks(t, p.path, width, s)
				if *shots != "" && p.golden != "" {
					x.picture(t, p.golden+"-"+map[int64]string{1280: "wide", 390: "narrow"}[width]+"-"+s+".png")
				}
			}
		}
	}
	x.check(t)
}

func (x *tab) looks(t *testing.T, path string, width int64, scheme string) {
	t.Helper()
	if wide := value[int64](t, x, `document.documentElement.scrollWidth`); wide > width {
		t.Errorf("%s is %d px wide in a window of %d px", path, wide, width)
	}
	if ground := value[string](t, x, `getComputedStyle(document.body).backgroundColor`); (ground == "rgb(17, 20, 23)") != (scheme == "dark") {
		t.Errorf("%s: ground %s, scheme %s", path, ground, scheme)
	}
	if n := value[int64](t, x, `document.querySelectorAll("main script, main img, main iframe, main [onerror]").length`); n > 0 {
		t.Errorf("%s: %d elements that a text must not make", path, n)
	}
}

func (x *tab) picture(t *testing.T, name string) {
	t.Helper()
	png, err := chromedp.Run(x, chromedp.FullScreenshot(100))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(*shots, name), png, 0o600); err != nil {
		t.Fatal(err)
	}
}

const key = `((key, on) => { (on ?? document.activeElement).dispatchEvent(new KeyboardEvent("keydown", {key, bubbles: true, cancelable: true})); return true })`

// The search is reached, gone through and left by keys.
func browseKeyboard(t *testing.T, x *tab) {
	url := newWorld().listen(t)
	x.run(t, chromedp.Navigate(url+"/console"))
	value[bool](t, x, key+`("/", document.body)`)
	x.await(t, `document.activeElement.id === "q"`)
	value[bool](t, x, key+`("Escape")`)
	x.await(t, `document.activeElement.id !== "q"`)
	value[bool](t, x, key+`("/", document.body)`)
	value[bool](t, x, `document.activeElement.value = "support", document.activeElement.form.requestSubmit(), true`)
	x.await(t, `location.pathname === "/console/search" && document.readyState === "complete" && document.querySelectorAll(".hits a").length > 1`)
	value[bool](t, x, key+`("/", document.body)`)
	for range 2 {
		value[bool](t, x, key+`("ArrowDown")`)
	}
	x.await(t, `document.activeElement === document.querySelectorAll(".hits a")[1]`)
	value[bool](t, x, key+`("ArrowUp")`)
	x.await(t, `document.activeElement === document.querySelectorAll(".hits a")[0]`)
	value[bool](t, x, `document.activeElement.click(), true`) // what Enter does to a link
	x.await(t, `location.pathname === "/console/features/support"`)
	x.check(t)
}

// A form carries the token of the session and leads to a page that says what it did.
func browseForm(t *testing.T, x *tab) {
	w := newWorld()
	url := w.listen(t)
	x.run(t, chromedp.Navigate(url+"/console/incidents/inc_1"))
	if got := value[string](t, x, `document.querySelector("#veto form [name=csrf]").value`); got != "token-of-the-session" {
		t.Errorf("token %q", got)
	}
	value[bool](t, x, `document.querySelector("#veto [name=reason]").value = "a drill", document.querySelector("#veto form").requestSubmit(), true`)
	x.await(t, `location.search === "?done=vetoed" && document.readyState === "complete"`)
	if said := value[string](t, x, `document.querySelector(".done").textContent`); !strings.Contains(said, "No rule will publish") {
		t.Errorf("the page says %q", said)
	}
	if got := strings.Join(w.did, "; "); got != "veto inc_1 a drill" {
		t.Errorf("did %q", got)
	}
	x.check(t)
}

// Without JavaScript the search and the forms work.
func browseNoScript(t *testing.T, x *tab) {
	w := newWorld()
	url := w.listen(t)
	x.run(t, command(emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true}), chromedp.Navigate(url+"/console/search?q=support"))
	if n := value[int64](t, x, `document.querySelectorAll(".hits a").length`); n < 2 {
		t.Errorf("%d hits", n)
	}
	x.run(t, chromedp.Navigate(url+"/console/incidents/inc_1"))
	value[bool](t, x, `document.querySelector("#own [name=owner]").value = "ada", document.querySelector("#own button").click(), true`)
	x.await(t, `location.search === "?done=taken" && document.readyState === "complete"`)
	if got := strings.Join(w.did, "; "); got != "drive inc_1 ada" {
		t.Errorf("did %q", got)
	}
}
