package subscribe

import (
	"flag"
	"net/http/httptest"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/asgood-dev/asgood/internal/chromium"
)

var shots = flag.String("shots", "", "folder into which the browser test writes pictures of every page")

// TestAxe finds nothing that keeps people with a disability out, on every page of subscribers.
func TestAxe(t *testing.T) {
	b := chromium.Start(t)
	axe := chromium.NeedAxe(t)
	w := newWorld(t, func(o *Options) { o.Styles = []string{"/page.css"} })
	w.engine.StaticFile("/page.css", "../assets/page.css") // of the status page, whose style these pages share
	sub := w.active(KindEmail, "ada@example.com", nil)
	asked := w.active(KindEmail, "bob@example.com", func(s *Subscriber) { s.State = StateUnconfirmed })
	s := httptest.NewServer(w.engine)
	t.Cleanup(s.Close)
	x := b.Open(t)
	look := func(name, path, ready string) {
		axe.Look(t, x, name, s.URL+path, `document.readyState === "complete" && `+ready, *shots)
	}
	look("form", "/subscribe", `document.querySelector("#address") !== null`)
	look("confirm", w.s.pages.relative(asked).Confirm, `document.querySelector("button") !== null`)
	look("manage", w.s.pages.relative(sub).Manage, `document.querySelectorAll("form").length === 2`)
	look("leave", w.s.pages.relative(sub).Unsubscribe, `document.querySelector("button") !== null`)
	x.Check(t)
	look("lost", "/subscribe/manage/none", `document.querySelector("h1") !== null`)
	axeAfterForms(t, axe, b, w, s.URL)
}

// axeAfterForms looks at what comes after a form, which the browser sends.
func axeAfterForms(t *testing.T, axe chromium.Axe, b chromium.Browser, w *world, url string) {
	send := func(name, path, fill, ready string) {
		x := b.Open(t)
		x.Run(t, chromedp.Navigate(url+path))
		chromium.Value[int](t, x, fill+`; document.querySelector("form:last-of-type button").click(); 0`)
		x.Await(t, `document.readyState === "complete" && `+ready)
		axe.LookHere(t, x, name, *shots)
	}
	address := func(a string) string {
		return `document.querySelector("[name=kind]").checked = true; document.querySelector("#address").value = "` + a + `"`
	}
	send("asked", "/subscribe", address("eve@example.com"), `document.querySelector("h1").textContent === "One more step"`)
	send("refused", "/subscribe", address("no address"), `document.querySelector("[role=alert]") !== null`)
	sub := w.active(KindEmail, "cy@example.com", func(s *Subscriber) { s.State = StateUnconfirmed })
	links := w.s.pages.relative(sub)
	send("confirmed", links.Confirm, "0", `document.body.innerText.includes("You are subscribed.")`)
	send("left", links.Unsubscribe, "0", `document.body.innerText.includes("Nothing more is sent")`)
}
