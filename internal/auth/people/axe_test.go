package people_test

import (
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/asgood-dev/asgood/internal/chromium"
	"github.com/asgood-dev/asgood/internal/quality"
)

// TestAxe finds nothing that keeps people with a disability out, on every page of signing in. The account lists two
// sessions, and that there is no passkey.
func TestAxe(t *testing.T) {
	b := chromium.Start(t)
	axe := chromium.NeedAxe(t)
	p := newWorld(t).process(nil)
	l, err := p.Link(t.Context(), "Ada Lovelace", quality.RoleEditor)
	if err != nil {
		t.Fatal(err)
	}
	x := b.Open(t)
	const there = `document.readyState === "complete" && document.querySelector("h1") !== null`
	axe.Look(t, x, "login", p.url+"/login", there, *shots)
	axe.Look(t, x, "link", l.URL, there, *shots)
	chromium.Value[int](t, x, `document.querySelector("button").click(); 0`)
	x.Await(t, `location.pathname === "/console"`)
	p.signIn(t, "Ada Lovelace", quality.RoleEditor) // elsewhere
	axe.Look(t, x, "account", p.url+"/account", there+` && document.querySelectorAll("li").length === 3`, *shots)
	x.Run(t, chromedp.Navigate(l.URL))
	axe.LookHere(t, x, "problem", *shots)
}
