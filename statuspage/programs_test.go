package statuspage_test

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"image/png"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	ics "github.com/arran4/golang-ical"
	"github.com/mmcdole/gofeed"
)

// Feeds tell of all that customers may see, to a reader of feeds.
func TestFeeds(t *testing.T) {
	f := eventful(t)
	for path, want := range map[string]struct {
		kind, format string
		items        int
	}{
		"/history.atom": {"application/atom+xml; charset=utf-8", "atom", 6}, "/history.rss": {"application/rss+xml; charset=utf-8", "rss", 6},
		"/feed.json": {"application/feed+json; charset=utf-8", "json", 6}, "/history.atom?feature=support": {"application/atom+xml; charset=utf-8", "atom", 2},
		"/features/notes/history.rss": {"application/rss+xml; charset=utf-8", "rss", 3}, "/features/search/feed.json": {"application/feed+json; charset=utf-8", "json", 1},
	} {
		w := f.do(http.MethodGet, path)
		if w.Code != http.StatusOK || w.Header().Get("Content-Type") != want.kind {
			t.Fatalf("%s: got %d, %q", path, w.Code, w.Header().Get("Content-Type"))
		}
		got, err := gofeed.NewParser().Parse(w.Body)
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		if got.FeedType != want.format || len(got.Items) != want.items {
			t.Errorf("%s: got %s with %d items, want %d", path, got.FeedType, len(got.Items), want.items)
		}
		ids := map[string]bool{}
		for _, i := range got.Items {
			ids[i.GUID] = true
			if !strings.HasPrefix(i.Link, "https://status.northlight.example/") || i.PublishedParsed == nil || i.Title == "" {
				t.Errorf("%s: got %+v", path, i)
			}
		}
		if len(ids) != len(got.Items) {
			t.Errorf("%s: ids are not unique", path)
		}
	}
	for _, path := range []string{"/history.atom?feature=none", "/features/none/history.rss", "/features/documents/feed.json", "/maintenance.ics?feature=" + url.QueryEscape(attack)} {
		if w := f.do(http.MethodGet, path); w.Code != http.StatusNotFound || w.Body.Len() > 400 {
			t.Errorf("%s: got %d", path, w.Code)
		}
	}
}

// Feeds change when something happened, and not with the time of the figures.
func TestFeedsAreStable(t *testing.T) {
	for _, w := range []*world{many(t), quiet(t)} {
		clock := now
		r := w.reader()
		f := newFixture(t, w.options(t, r, func() time.Time { return clock }))
		f.refresh(t)
		etags := map[string]string{}
		paths := []string{"/history.atom", "/history.rss", "/feed.json", "/maintenance.ics"}
		for _, p := range paths {
			etags[p] = f.do(http.MethodGet, p).Header().Get("ETag")
		}
		clock = now.Add(7 * time.Minute)
		f.refresh(t)
		for _, p := range paths {
			if got := f.do(http.MethodGet, p).Header().Get("ETag"); got != etags[p] {
				t.Errorf("%s changed although nothing happened", p)
			}
		}
	}
}

func TestHostileFeeds(t *testing.T) {
	f := hostile(t).show(t)
	for _, path := range []string{"/history.atom", "/history.rss", "/feed.json"} {
		got, err := gofeed.NewParser().Parse(f.do(http.MethodGet, path).Body)
		if err != nil || len(got.Items) != 1 {
			t.Fatalf("%s: %v", path, err)
		}
		html := got.Items[0].Content
		if path == "/history.rss" {
			html = got.Items[0].Description // there it is HTML, and plain text elsewhere
		}
		if html == "" || strings.Contains(html, "<script") || strings.Contains(html, "<img") {
			t.Errorf("%s: got %s", path, html)
		}
	}
}

func TestCalendarOfMaintenances(t *testing.T) {
	f := eventful(t)
	for path, want := range map[string]int{"/maintenance.ics": 4, "/features/notes/maintenance.ics": 3, "/maintenance.ics?feature=invoices": 0} {
		w := f.do(http.MethodGet, path)
		cal, err := ics.ParseCalendar(bytes.NewReader(w.Body.Bytes()))
		if err != nil || w.Header().Get("Content-Type") != "text/calendar; charset=utf-8" {
			t.Fatalf("%s: %v, %q", path, err, w.Header().Get("Content-Type"))
		}
		if got := len(cal.Events()); got != want {
			t.Errorf("%s: got %d events, want %d", path, got, want)
		}
		for _, e := range cal.Events() {
			from, err1 := e.GetStartAt()
			to, err2 := e.GetEndAt()
			if err1 != nil || err2 != nil || !to.After(from) || e.GetProperty(ics.ComponentPropertyDtstamp) == nil {
				t.Errorf("%s: %v %v %v %v", path, from, err1, to, err2)
			}
		}
	}
}

func TestBadges(t *testing.T) {
	f := eventful(t)
	for path, want := range map[string]string{
		"/badges/status.svg": "status: minor service outage", "/badges/support/quality.svg": "quality: worse", "/badges/support/uptime.svg": "uptime: 99.96 %",
		"/badges/support/quality.svg?text=percent": "quality: 93 % of baseline", "/badges/support/uptime.svg?text=word": "uptime: up",
		"/badges/notes/quality.svg?text=percent": "quality: cannot tell", "/badges/support/quality.svg?style=plastic&label=" + url.QueryEscape(attack[:60]): "",
		"/badges/support/quality.svg?style=for-the-badge&label=": "worse",
	} {
		w := f.do(http.MethodGet, path)
		var got struct {
			Title string `xml:"title"`
		}
		if err := xml.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != http.StatusOK || w.Header().Get("Content-Type") != "image/svg+xml; charset=utf-8" {
			t.Fatalf("%s: %v, got %d %q", path, err, w.Code, w.Header().Get("Content-Type"))
		}
		if want != "" && got.Title != want {
			t.Errorf("%s: got %q, want %q", path, got.Title, want)
		}
		if strings.Contains(w.Body.String(), "<script") || w.Header().Get("Cache-Control") != "public, max-age=60" {
			t.Errorf("%s: got %s, %q", path, w.Body, w.Header().Get("Cache-Control"))
		}
	}
	w := f.do(http.MethodGet, "/badges/none/quality.svg")
	if w.Code != http.StatusNotFound || !strings.Contains(w.Body.String(), "<title>status: unknown</title>") {
		t.Errorf("an unknown feature: got %d %s", w.Code, w.Body)
	}
	for _, query := range []string{"style=social", "text=all", "label=" + strings.Repeat("x", 65)} {
		if w := f.do(http.MethodGet, "/badges/status.svg?"+query); w.Code != http.StatusBadRequest {
			t.Errorf("%s: got %d", query, w.Code)
		}
	}
}

// The picture is drawn once for what it shows.
func TestPicture(t *testing.T) {
	clock := now
	w := many(t)
	f := newFixture(t, w.options(t, w.reader(), func() time.Time { return clock }))
	f.refresh(t)
	first := f.do(http.MethodGet, "/og.png")
	img, err := png.Decode(bytes.NewReader(first.Body.Bytes()))
	if err != nil || img.Bounds().Dx() != 1200 || img.Bounds().Dy() != 630 || first.Header().Get("Content-Type") != "image/png" {
		t.Fatalf("%v, %v", err, img.Bounds())
	}
	clock = now.Add(2 * time.Minute)
	f.refresh(t)
	if got := f.do(http.MethodGet, "/og.png").Header().Get("ETag"); got != first.Header().Get("ETag") {
		t.Error("the picture changed although what it shows did not")
	}
	if got := quiet(t).show(t).do(http.MethodGet, "/og.png").Header().Get("ETag"); got == first.Header().Get("ETag") {
		t.Error("two states have the same picture")
	}
}

func TestEmbed(t *testing.T) {
	f := eventful(t)
	w := f.do(http.MethodGet, "/embed")
	csp := w.Header().Get("Content-Security-Policy")
	if w.Code != http.StatusOK || w.Header().Get("X-Frame-Options") != "" || !strings.Contains(csp, "frame-ancestors *") || strings.Contains(csp, "unsafe") {
		t.Errorf("got %d, %q, %q", w.Code, w.Header().Get("X-Frame-Options"), csp)
	}
	for _, want := range []string{"Support assistant", "Meeting notes", "/incidents/inc-support", "/maintenances/m-now"} {
		if !strings.Contains(w.Body.String(), want) {
			t.Errorf("no %q in %s", want, w.Body)
		}
	}
	one := f.get(t, "/embed?feature=search")
	if strings.Contains(one, "Meeting notes") || !strings.Contains(one, "Search in your documents") || !strings.Contains(one, "m-check") {
		t.Errorf("got %s", one)
	}
	if w := f.do(http.MethodGet, "/embed?feature=none"); w.Code != http.StatusNotFound {
		t.Errorf("got %d", w.Code)
	}
	if got := f.do(http.MethodGet, "/").Header(); got.Get("X-Frame-Options") != "DENY" || !strings.Contains(got.Get("Content-Security-Policy"), "frame-ancestors 'none'") {
		t.Error("the page itself may be framed")
	}
}

// BenchmarkPrograms makes each kind of document anew.
func BenchmarkPrograms(b *testing.B) {
	for _, n := range []int{10, 500} {
		f := wide(b, n)
		for name, path := range map[string]string{"summary": "/api/v2/summary.json", "components": "/api/v2/components.json", "atom": "/history.atom", "badge": "/badges/f0/quality.svg?label=x"} {
			b.Run(fmt.Sprintf("%s/features=%d", name, n), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					b.StopTimer()
					f.page.Forget()
					b.StartTimer()
					if w := f.do(http.MethodGet, path); w.Code != http.StatusOK {
						b.Fatal(w.Code)
					}
				}
			})
		}
	}
}
