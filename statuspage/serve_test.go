package statuspage_test

import (
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
	"github.com/asgood-dev/asgood/statuspage"
)

func TestHeaders(t *testing.T) {
	f := worse(t, quality.SeverityMajor, -0.07).show(t)
	for _, tt := range []struct{ path, kind, cache, policy string }{
		{"/", "text/html; charset=utf-8", "public, max-age=0, must-revalidate", "default-src 'none'"},
		{"/incidents/inc-support", "text/html; charset=utf-8", "public, max-age=0, must-revalidate", "default-src 'none'"},
		{"/incidents/none", "text/html; charset=utf-8", "public, max-age=0, must-revalidate", "default-src 'none'"},
		{"/api/v2/summary.json", "application/json; charset=utf-8", "public, max-age=5", "default-src 'self'"},
		{f.page.Asset("css"), "text/css; charset=utf-8", "public, max-age=31536000, immutable", "default-src 'self'"},
		{f.page.Asset("js"), "text/javascript; charset=utf-8", "public, max-age=31536000, immutable", "default-src 'self'"},
	} {
		t.Run(tt.path, func(t *testing.T) {
			h := f.do(http.MethodGet, tt.path).Header()
			for name, want := range map[string]string{
				"Content-Type": tt.kind, "Cache-Control": tt.cache, "Vary": "Accept-Encoding", "X-Content-Type-Options": "nosniff",
				"Referrer-Policy": "strict-origin-when-cross-origin", "X-Frame-Options": "DENY", "Cross-Origin-Opener-Policy": "same-origin",
			} {
				if got := h.Get(name); got != want {
					t.Errorf("%s: got %q, want %q", name, got, want)
				}
			}
			policy := h.Get("Content-Security-Policy")
			if !strings.HasPrefix(policy, tt.policy) || strings.Contains(policy, "unsafe") || strings.Contains(policy, "*") || !strings.Contains(policy, "frame-ancestors 'none'") {
				t.Errorf("policy %q", policy)
			}
			if cors := h.Get("Access-Control-Allow-Origin"); (cors == "*") != strings.HasPrefix(tt.path, "/api/") {
				t.Errorf("Access-Control-Allow-Origin: %q", cors)
			}
			if h.Get("Set-Cookie") != "" {
				t.Error("sets a cookie")
			}
		})
	}
}

// The page holds nothing that its policy forbids, and nothing that is not for customers.
func TestNothingInline(t *testing.T) {
	inline := regexp.MustCompile(`(?i)<style|\sstyle=|<script[^>]*>[^<]|\son[a-z]+=|javascript:|https?://`)
	for _, s := range states {
		w := s.make(t)
		f := w.show(t)
		pages := f.get(t, "/")
		for _, i := range w.incidents {
			pages += f.get(t, "/incidents/"+i.ID)
		}
		for _, name := range w.features {
			pages += f.get(t, "/features/"+name.Name)
		}
		pages += f.get(t, "/about") + f.get(t, "/history")
		// Its own address stands in its head, and people write links.
		outside := strings.NewReplacer("http://www.w3.org/2000/svg", "", "https://status.northlight.example", "", `href="https://northlight.example/`, "").Replace(pages)
		if found := inline.FindString(outside); found != "" {
			t.Errorf("%s: the page holds %q", s.name, found)
		}
		pages += f.do(http.MethodGet, "/api/v2/summary.json").Body.String() + f.do(http.MethodGet, "/api/v2/incidents.json").Body.String()
		for _, secret := range []string{"internal:", "10.0.0.7", "api.example", "502"} {
			if strings.Contains(pages, secret) {
				t.Errorf("%s: the page shows %q", s.name, secret)
			}
		}
	}
}

func TestScopeNamesNobody(t *testing.T) {
	for _, tt := range []struct {
		slice quality.Slice
		want  string
	}{
		{nil, ""},
		{quality.Slice{"language": "de"}, "answers with language de"},
		{quality.Slice{"region": "eu", "language": "de"}, "answers with language de"},
		{quality.Slice{"customer": "acme"}, "a part of the answers"},
		{quality.Slice{"model": "m", "prompt": "p", "customer": "acme"}, "a part of the answers"},
		{quality.Slice{"customer": "acme", "language": "de"}, "answers with language de"},
	} {
		if got := statuspage.Scope(tt.slice); got != tt.want {
			t.Errorf("%v: got %q, want %q", tt.slice, got, tt.want)
		}
	}
}

func TestNotModified(t *testing.T) {
	w := quiet(t)
	f, r := w.open(t)
	f.refresh(t)
	for _, path := range []string{"/", "/api/v2/summary.json", "/api/v2/status.json", f.page.Asset("css")} {
		plain, packed := f.do("GET", path), f.do("GET", path, "Accept-Encoding", "br;q=1, gzip")
		a, b := plain.Header().Get("ETag"), packed.Header().Get("ETag")
		if a == "" || a == b {
			t.Fatalf("%s: ETags %q and %q of two encodings", path, a, b)
		}
		for _, have := range []string{a, `"other", ` + a, "W/" + a, "*"} {
			got := f.do("GET", path, "If-None-Match", have)
			if got.Code != http.StatusNotModified || got.Body.Len() != 0 || got.Header().Get("ETag") != a {
				t.Errorf("%s with %s: got %d, %d bytes, ETag %q", path, have, got.Code, got.Body.Len(), got.Header().Get("ETag"))
			}
		}
		if got := f.do("GET", path, "If-None-Match", b); got.Code != http.StatusOK {
			t.Errorf("%s: another encoding's ETag got %d", path, got.Code)
		}
	}
	before := f.do("GET", "/").Header().Get("ETag")
	w.statuses[0].State = quality.MonitorBlind
	r.statuses = always(w.statuses...)
	f.refresh(t)
	if got := f.do("GET", "/", "If-None-Match", before); got.Code != http.StatusOK {
		t.Errorf("a changed page got %d", got.Code)
	}
}

func TestEncodings(t *testing.T) {
	f := quiet(t).show(t)
	plain := f.do("GET", "/").Body.String()
	for accept, packed := range map[string]bool{
		"": false, "gzip": true, "GZIP": true, "deflate, gzip;q=0.5": true, "gzip;q=0": false, "gzip; q=0.000": false, "br": false, "gzipped": false,
		strings.Repeat("x,", 5000): false,
	} {
		w := f.do("GET", "/", "Accept-Encoding", accept)
		body := w.Body.String()
		if got := w.Header().Get("Content-Encoding") == "gzip"; got != packed {
			t.Errorf("Accept-Encoding %.40q: packed: %t, want %t", accept, got, packed)
			continue
		}
		if packed {
			r, err := gzip.NewReader(strings.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			text, err := io.ReadAll(r)
			if err != nil {
				t.Fatal(err)
			}
			body = string(text)
		}
		if body != plain {
			t.Errorf("Accept-Encoding %.40q: another page", accept)
		}
	}
}

func TestOddRequests(t *testing.T) {
	f := worse(t, quality.SeverityMajor, -0.07).show(t)
	long := strings.Repeat("a", 20000)
	for _, tt := range []struct {
		method, path string
		want         int
	}{
		{"POST", "/", 405}, {"PUT", "/api/v2/summary.json", 405}, {"DELETE", "/incidents/inc-support", 405}, {"OPTIONS", "/", 405},
		{"TRACE", "/", 405}, {"PROPFIND", "/", 405}, {"BREW", "/live", 405}, {"HEAD", "/live", 405},
		{"HEAD", "/", 200}, {"HEAD", "/api/v2/summary.json", 200}, {"HEAD", "/incidents/none", 404},
		{"GET", "/" + long, 404}, {"GET", "/incidents/" + long, 404}, {"GET", "/?" + long + "=" + long, 200}, {"GET", "/api/v2/summary.json?callback=" + long, 200},
		{"GET", "/incidents/..%2f..%2fetc%2fpasswd", 404}, {"GET", "/incidents/%00", 404}, {"GET", "/incidents/%ff%fe", 404},
		{"GET", "/incidents/<script>", 404}, {"GET", "/assets/../serve.go", 404}, {"GET", "/assets/", 404}, {"GET", "/templates/page.html", 404},
		{"GET", "/live", 426},
	} {
		r, err := http.NewRequest(tt.method, "http://status.example"+strings.ReplaceAll(tt.path, "<script>", "%3Cscript%3E"), nil)
		if err != nil {
			t.Fatal(err)
		}
		w := f.do(tt.method, r.URL.RequestURI())
		if w.Code != tt.want {
			t.Errorf("%s %.60s: got %d, want %d", tt.method, tt.path, w.Code, tt.want)
		}
		if body := w.Body.String(); strings.Contains(body, "<script>") && tt.want == 404 {
			t.Errorf("%s %.60s: the path comes back: %s", tt.method, tt.path, body)
		}
		if w.Body.Len() > 60000 {
			t.Errorf("%s %.60s: %d bytes", tt.method, tt.path, w.Body.Len())
		}
	}
	if got := f.do("GET", "/live").Header().Get("Upgrade"); got != "websocket" {
		t.Errorf("426 says Upgrade: %q", got)
	}
}

// Text stays text, in HTML and in JSON.
func TestHostileTexts(t *testing.T) {
	w := hostile(t)
	f := w.show(t)
	for _, page := range []string{f.get(t, "/"), f.get(t, "/incidents/"+w.incidents[0].ID)} {
		if n := strings.Count(page, "<script"); n != 1 {
			t.Errorf("got %d scripts, want 1", n)
		}
		for _, bad := range []string{"<img", "onerror=\"", "\x00", "href=\"javascript"} {
			if strings.Contains(page, bad) {
				t.Errorf("the page holds %q", bad)
			}
		}
	}
	var summary struct {
		Incidents []struct{ Name string }
	}
	decode(t, f, "/api/v2/summary.json", &summary)
	if got := summary.Incidents[0].Name; got != w.incidents[0].Name {
		t.Errorf("JSON: got %q, want %q", got, w.incidents[0].Name)
	}
}

// On an evening on which everything breaks the page stays readable, and counts what it leaves out.
func TestThousandIncidents(t *testing.T) {
	w := quiet(t)
	for n := range 1000 {
		at := now.Add(-time.Duration(n) * time.Minute)
		i := quality.Incident{ID: fmt.Sprintf("i%d", n), Kind: quality.IncidentQuality, Name: fmt.Sprintf("Incident %d", n), Status: quality.IncidentInvestigating, Severity: quality.SeverityMinor, StartedAt: at, CreatedAt: at, UpdatedAt: at, Features: []string{"support"}}
		for u := range 40 {
			i.Updates = append(i.Updates, quality.IncidentUpdate{ID: fmt.Sprint(u), Status: quality.IncidentInvestigating, Body: fmt.Sprintf("Update %d of %d", u, n), At: at})
		}
		if n%2 == 1 {
			i.ResolvedAt = &at
		}
		w.incidents = append(w.incidents, i)
	}
	f := w.show(t)
	page := f.get(t, "/")
	if len(page) > 120<<10 {
		t.Errorf("the page has %d bytes", len(page))
	}
	for _, want := range []string{"480 more open incidents", "37 earlier updates", "Update 39 of 0<", "Update 37 of 0<"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if strings.Contains(page, "Update 36 of 0<") {
		t.Error("the page tells more updates than it should")
	}
	if whole := f.get(t, "/incidents/i998"); !strings.Contains(whole, "Update 0 of 998<") || !strings.Contains(whole, "Update 39 of 998<") {
		t.Error("the page of an incident does not tell all of it")
	}
	var recent struct{ Incidents []struct{ ID string } }
	decode(t, f, "/api/v2/incidents.json", &recent)
	if len(recent.Incidents) != 50 || recent.Incidents[0].ID != "i0" {
		t.Errorf("got %d recent incidents, first %q; want 50, i0", len(recent.Incidents), recent.Incidents[0].ID)
	}
}
