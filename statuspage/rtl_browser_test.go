package statuspage_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"unicode"

	"github.com/chromedp/chromedp"
	"golang.org/x/net/html"

	"github.com/asgood-dev/asgood/internal/chromium"
)

// mirrored writes all texts of a page in letters that run from right to left, a third longer than they were.
func mirrored(t *testing.T, page []byte) []byte {
	t.Helper()
	doc, err := html.Parse(bytes.NewReader(page))
	if err != nil {
		t.Error(err)
		return nil
	}
	for n := range doc.Descendants() {
		switch {
		case n.Type == html.ElementNode && n.Data == "html":
			n.Attr = []html.Attribute{{Key: "lang", Val: "ar"}, {Key: "dir", Val: "rtl"}}
		case n.Type == html.TextNode && n.Parent.Data != "script" && n.Parent.Data != "style":
			n.Data = pseudo(n.Data)
		}
	}
	var out bytes.Buffer
	if err := html.Render(&out, doc); err != nil {
		t.Error(err)
	}
	return out.Bytes()
}

func pseudo(text string) string {
	letters, n := []rune("ابتثجحخدذرزسشصضطظعغفقكلمنهوي"), 0
	var b strings.Builder
	for _, r := range text {
		if !unicode.IsLetter(r) {
			b.WriteRune(r)
			continue
		}
		b.WriteRune(letters[int(r)%len(letters)])
		if n++; n%3 == 0 {
			b.WriteRune('و')
		}
	}
	return b.String()
}

// TestRightToLeft: in a language that is written from right to left nothing leaves the page, and bars and charts still run
// with the time from left to right, as their days do.
func TestRightToLeft(t *testing.T) {
	b := chromium.Start(t)
	f := everything(t).show(t)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.Contains(r.Header.Get("Accept"), "text/html") {
			f.engine.ServeHTTP(w, r)
			return
		}
		r.Header.Del("Accept-Encoding")
		a := httptest.NewRecorder()
		f.engine.ServeHTTP(a, r)
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Security-Policy", a.Header().Get("Content-Security-Policy"))
		w.WriteHeader(a.Code)
		_, _ = w.Write(mirrored(t, a.Body.Bytes()))
	}))
	t.Cleanup(s.Close)
	x := b.Open(t)
	for _, path := range []string{"/", "/features/support", "/history/2026-03", "/incidents/inc-support", "/maintenances/mnt-1", "/about", "/embed"} {
		for _, width := range []int64{360, 1280} {
			x.Run(t, chromedp.EmulateViewport(width, 900), chromium.Media("screen", "light"), chromedp.Navigate(s.URL+path))
			x.Await(t, isThere)
			if wide := chromium.Value[int64](t, x, `document.documentElement.scrollWidth`); wide > width {
				t.Errorf("%s is %d px wide in a window of %d px", path, wide, width)
			}
			isTrue(t, x, map[string]string{
				"it runs from right to left": `getComputedStyle(document.body).direction === "rtl"`,
				"nothing is left of it":      `[...document.querySelectorAll("main *:not(.unseen):not(svg *)")].every((e) => e.closest(".wide, .unseen") || e.getBoundingClientRect().left >= -1)`,
				"days run as the bars do":    `[...document.querySelectorAll(".axis")].every((e) => e.firstElementChild.getBoundingClientRect().left < e.lastElementChild.getBoundingClientRect().left)`,
			})
			if *shots != "" {
				x.Picture(t, *shots, "rtl"+strings.ReplaceAll(path, "/", "-")+map[bool]string{true: "-360.png", false: "-1280.png"}[width == 360])
			}
		}
	}
}
