package statuspage_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
)

// wide is a page of n features, each with ninety days.
func wide(b *testing.B, n int) fixture {
	w := &world{}
	for i := range n {
		name := fmt.Sprintf("f%d", i)
		w.features, w.statuses = append(w.features, feature(name, "Feature "+name)), append(w.statuses, watching(name))
		w.history(b, name, float64(i))
		w.up(name)
	}
	r := regression("f0", -0.07, 45*day/24)
	w.regressions = append(w.regressions, r)
	w.incidents = append(w.incidents, qualityIncident("f0", "Feature f0", quality.SeverityMajor, r))
	return w.show(b)
}

// BenchmarkRender draws the page, the JSON documents and their packed forms from what was read.
func BenchmarkRender(b *testing.B) {
	for _, n := range []int{1, 10, 100} {
		b.Run(fmt.Sprintf("features=%d", n), func(b *testing.B) {
			f := wide(b, n)
			b.ReportAllocs()
			for b.Loop() {
				if err := f.page.Rebuild(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// discard is a response whose body goes nowhere.
type discard struct{ header http.Header }

func (d discard) Header() http.Header         { return d.header }
func (d discard) Write(p []byte) (int, error) { return io.Discard.Write(p) }
func (d discard) WriteHeader(int)             {}

// BenchmarkServe answers through the whole routing from what was drawn.
func BenchmarkServe(b *testing.B) {
	f := wide(b, 10)
	etag := f.do("GET", "/").Header().Get("ETag")
	for _, tt := range []struct{ name, path, header, value string }{
		{"page", "/", "Accept-Encoding", "gzip"}, {"page/unchanged", "/", "If-None-Match", etag},
		{"summary", "/api/v2/summary.json", "Accept-Encoding", "gzip"}, {"summary/plain", "/api/v2/summary.json", "", ""},
		{"incident", "/incidents/inc-f0", "Accept-Encoding", "gzip"},
	} {
		b.Run(tt.name, func(b *testing.B) {
			r := httptest.NewRequest(http.MethodGet, tt.path, nil)
			if tt.header != "" {
				r.Header.Set(tt.header, tt.value)
			}
			b.ReportAllocs()
			for b.Loop() {
				f.engine.ServeHTTP(discard{http.Header{}}, r)
			}
		})
	}
}

// BenchmarkLarge draws the first page of five hundred features with five years of incidents, anew each time: what the first
// visitor after a change waits for, and, as build, what a change costs before that.
func BenchmarkLarge(b *testing.B) {
	w := &world{}
	const features, years = 500, 5
	for i := range features {
		name := fmt.Sprintf("f%d", i)
		w.features, w.statuses = append(w.features, feature(name, "Feature "+name)), append(w.statuses, watching(name))
		w.history(b, name, float64(i))
		w.up(name)
	}
	for d := range years * 365 { // one each day
		name := fmt.Sprintf("f%d", d%features)
		r := regression(name, -0.07, 45*day/24)
		r.ID = fmt.Sprintf("r%d", d)
		at := now.Add(-time.Duration(d+1) * day)
		end := at.Add(6 * time.Hour)
		r.StartedAt, r.DetectedAt, r.RecoveredAt = &at, at, &end
		i := qualityIncident(name, "Feature "+name, quality.SeverityMajor, r)
		i.ID, i.StartedAt, i.ResolvedAt = fmt.Sprintf("inc%d", d), at, &end
		w.regressions, w.incidents = append(w.regressions, r), append(w.incidents, i)
	}
	f := w.show(b)
	b.Run("build", func(b *testing.B) {
		for b.Loop() {
			if err := f.page.Renew(); err != nil {
				b.Fatal(err)
			}
		}
	})
	for _, path := range []string{"/", "/features/f1", "/history", "/api/v2/summary.json"} {
		b.Run("first"+path, func(b *testing.B) {
			for b.Loop() {
				b.StopTimer()
				if err := f.page.Renew(); err != nil {
					b.Fatal(err)
				}
				b.StartTimer()
				if w := f.do("GET", path, "Accept-Encoding", "gzip"); w.Code != http.StatusOK {
					b.Fatal(w.Code)
				}
			}
		})
		b.Run("kept"+path, func(b *testing.B) {
			for b.Loop() {
				f.do("GET", path, "Accept-Encoding", "gzip")
			}
		})
	}
}
