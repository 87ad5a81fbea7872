// Package chromium lets tests open pages in a real Chromium: what a page shows, what it asks for and what it complains
// of, and whether axe-core finds anything to complain of in it. It is for tests only, so nothing of it is in the
// program; it knows none of our pages.
package chromium

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// tabTime is how long a tab may be used.
const tabTime = 4 * time.Minute

// Browser is a running browser.
type Browser struct{ ctx context.Context }

// Program is the path of a Chromium or Chrome of this machine; empty without one.
func Program() string {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}

// Start starts a browser that ends with the test, or skips the test where there is none.
func Start(t testing.TB) Browser {
	t.Helper()
	program := Program()
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
	return Browser{ctx}
}

// Command is an action of the protocol whose result does not matter.
func Command[P, R any](c cdp.Command[P, R], params P) chromedp.Action[chromedp.Void] {
	return func(ctx context.Context, target *chromedp.Target) (chromedp.Void, error) {
		_, err := cdp.Call(ctx, target, c, params)
		return chromedp.Void{}, err
	}
}

// Media lets a page believe that it is on "screen" or in "print", in a "light" or "dark" scheme.
func Media(kind, scheme string) chromedp.Action[chromedp.Void] {
	return Command(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Media: kind, Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
	})
}

// Picture writes the whole page of a tab into a folder, as PNG.
func (x *Tab) Picture(t testing.TB, dir, name string) {
	t.Helper()
	png, err := chromedp.Run(x, chromedp.FullScreenshot(100))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name), png, 0o600); err != nil {
		t.Fatal(err)
	}
}
