package people_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"

	"github.com/asgood-dev/asgood/internal/quality"
)

var shots = flag.String("shots", "", "folder into which the browser test writes pictures of the pages")

// tab is a page of a real browser, with what it complained of.
type tab struct {
	context.Context
	mu         sync.Mutex
	complaints []string
}

// openTab starts a Chromium that ends with the test, or skips it.
func openTab(t *testing.T) *tab {
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
	for _, name := range []string{"headless", "no-sandbox", "disable-gpu", "no-first-run", "disable-background-networking", "disable-component-update", "disable-sync", "disable-dev-shm-usage", "hide-scrollbars"} {
		options = append(options, chromedp.Flag(name, true))
	}
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("starting %s: %v", program, err)
	}
	ctx, cancel = context.WithTimeout(ctx, 2*time.Minute)
	t.Cleanup(cancel)
	x := &tab{Context: ctx}
	if err := chromedp.Listen(ctx, x.hear); err != nil {
		t.Fatal(err)
	}
	x.run(t, command(cdplog.Enable, cdp.Empty{}), command(runtime.Enable, cdp.Empty{}))
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
	case *cdplog.EventEntryAdded: // violations of the policy are told here
		if e.Entry.Level != cdplog.EntryLevelInfo && !strings.HasSuffix(e.Entry.URL, "/favicon.ico") {
			x.complaints = append(x.complaints, fmt.Sprintf("%s: %s %s", e.Entry.Level, e.Entry.Text, e.Entry.URL))
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

// await waits until an expression is true. It may fail while a page gives way to the next.
func (x *tab) await(t *testing.T, expression string) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		if ok, err := chromedp.Run(x, chromedp.Evaluate[bool](expression)); err == nil && ok {
			return
		}
		select {
		case <-x.Done():
			t.Fatalf("waited in vain for %s", expression)
		case <-tick.C:
		}
	}
}

func (x *tab) click(t *testing.T, selector string) {
	t.Helper()
	value[bool](t, x, fmt.Sprintf("(document.querySelector(%q).click(), true)", selector))
}

// look takes a picture at two widths in light and dark, and fails where the page is wider than the window.
func (x *tab) look(t *testing.T, name string) {
	t.Helper()
	for _, width := range []int64{390, 1280} {
		for _, scheme := range []string{"light", "dark"} {
			x.run(t, command(emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: width, Height: 900, DeviceScaleFactor: 1}),
				command(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}}))
			if w := value[int64](t, x, "document.documentElement.scrollWidth"); w > width {
				t.Errorf("%s is %d wide in a window of %d", name, w, width)
			}
			if n := value[int](t, x, `[...document.querySelectorAll("button, .button, input:not([type=hidden])")].filter(e => e.offsetParent && e.getBoundingClientRect().height < 44).length`); n > 0 {
				t.Errorf("%s: %d controls are lower than 44 pixels", name, n)
			}
			x.picture(t, fmt.Sprintf("%s-%d-%s.png", name, width, scheme))
		}
	}
}

func (x *tab) picture(t *testing.T, name string) {
	t.Helper()
	if *shots == "" {
		return
	}
	data, err := chromedp.Run(x, chromedp.FullScreenshot(100))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(*shots, name), data, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestBrowser(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a browser")
	}
	x := openTab(t)
	yes := true
	x.run(t, command(webauthn.Enable, webauthn.EnableParams{}), command(webauthn.AddVirtualAuthenticator, webauthn.AddVirtualAuthenticatorParams{Options: &webauthn.VirtualAuthenticatorOptions{
		Protocol: webauthn.AuthenticatorProtocolCtap2, Transport: webauthn.AuthenticatorTransportInternal,
		HasResidentKey: yes, HasUserVerification: yes, IsUserVerified: yes, AutomaticPresenceSimulation: yes,
	}}))
	w := newWorld(t)
	p := w.process(nil)
	site := strings.Replace(p.url, "127.0.0.1", "localhost", 1)
	l, err := p.Link(t.Context(), "Ada Lovelace", quality.RoleViewer)
	if err != nil {
		t.Fatal(err)
	}
	open := func(url, until string) {
		t.Helper()
		x.run(t, chromedp.Navigate(url))
		x.await(t, until)
	}
	open(strings.Replace(l.URL, p.url, site, 1), `document.querySelector("form button") !== null`)
	x.look(t, "link")
	x.click(t, "form button")
	x.await(t, `location.pathname === "/console"`)

	open(site+"/account", `document.querySelector("[data-passkey]")?.offsetParent != null`)
	value[bool](t, x, `(document.getElementById("passkey-name").value = "Laptop", true)`)
	x.click(t, "[data-passkey]")
	x.await(t, `document.querySelector("input[name=name]")?.value === "Laptop"`)
	x.look(t, "account")
	x.click(t, "[data-passkey]") // this device has one already
	x.await(t, `document.getElementById("passkey-said").textContent.includes("already")`)

	x.click(t, `form[action="/logout"] button`)
	x.await(t, `location.pathname === "/login" && document.querySelector("[data-passkey]")?.offsetParent != null`)
	x.look(t, "login")
	x.click(t, "[data-passkey]")
	x.await(t, `location.pathname === "/console"`)
	if body := value[string](t, x, "document.body.textContent"); !strings.HasPrefix(body, "local:ada lovelace viewer") {
		t.Errorf("got %s", body)
	}

	if got := w.actions(); got != "signin_link.made signin passkey.made signout signin" {
		t.Errorf("audited %q", got)
	}
	open(p.url+"/login", `document.body.textContent.includes("Passkeys work at")`)
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, c := range x.complaints {
		t.Errorf("the browser says: %s", c)
	}
}
