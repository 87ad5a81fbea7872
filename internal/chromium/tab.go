package chromium

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// Tab is a page in the browser, with all it complained of and all it asked for.
type Tab struct {
	context.Context
	mu         sync.Mutex
	complaints []string
	requests   []string
	bytes      float64
}

// Open opens an empty tab that is closed with the test.
func (b Browser) Open(t testing.TB) *Tab {
	t.Helper()
	ctx, cancel := chromedp.NewContext(b.ctx)
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatal(err)
	}
	ctx, cancel = context.WithTimeout(ctx, tabTime)
	t.Cleanup(cancel)
	x := &Tab{Context: ctx}
	if err := chromedp.Listen(ctx, x.hear); err != nil {
		t.Fatal(err)
	}
	x.Run(t, Command(network.Enable, network.EnableParams{}), Command(cdplog.Enable, cdp.Empty{}), Command(runtime.Enable, cdp.Empty{}))
	return x
}

func (x *Tab) hear(event any) {
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

// Check fails the test when the page complained.
func (x *Tab) Check(t testing.TB) {
	t.Helper()
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, c := range x.complaints {
		t.Errorf("the browser says: %s", c)
	}
}

// Traffic is all that was asked for, and the bytes that came, heads included, as they were sent.
func (x *Tab) Traffic() (requests []string, bytes float64) {
	x.mu.Lock()
	defer x.mu.Unlock()
	return slices.Clone(x.requests), x.bytes
}

// Run does actions one after the other.
func (x *Tab) Run(t testing.TB, actions ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	if err := chromedp.Do(x, actions...); err != nil {
		t.Fatal(err)
	}
}

// Value evaluates an expression, and waits for what it promises.
func Value[T any](t testing.TB, x *Tab, expression string) T {
	t.Helper()
	v, err := chromedp.Run(x, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatalf("evaluating %.300s: %v", expression, err)
	}
	return v
}

// Await waits until an expression is true.
func (x *Tab) Await(t testing.TB, expression string) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !Value[bool](t, x, expression) {
		select {
		case <-x.Done():
			t.Fatalf("waited in vain for %s", expression)
		case <-tick.C:
		}
	}
}
