package statuspage_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/asgood-dev/asgood/internal/chromium"
)

// ten is a page of ten features with what many has on it.
func ten(t testing.TB) *world {
	w := many(t)
	for i := len(w.features); i < 10; i++ {
		f := feature(fmt.Sprintf("feature-%d", i), fmt.Sprintf("Feature number %d", i))
		w.features, w.statuses = append(w.features, f), append(w.statuses, watching(f.Name))
		w.history(t, f.Name, float64(i))
		w.up(f.Name)
	}
	return w
}

// TestFirstView: ten features are readable after at most 60 KB in three requests, all of them to us.
func TestFirstView(t *testing.T) {
	b := chromium.Start(t)
	f := ten(t).show(t)
	url, x := f.serve(t), b.Open(t)
	x.Run(t, chromedp.Navigate(url))
	x.Await(t, isLive)
	if n := chromium.Value[int](t, x, `document.querySelectorAll("article.feature").length`); n != 10 {
		t.Errorf("got %d features, want 10", n)
	}
	requests, bytes := x.Traffic()
	if slices.ContainsFunc(requests, func(u string) bool { return !strings.HasPrefix(u, url) && !strings.HasPrefix(u, "data:") }) {
		t.Errorf("asks elsewhere: %q", requests)
	}
	if len(requests) > 3 {
		t.Errorf("got %d requests, want 3: %q", len(requests), requests)
	}
	if bytes > 60_000 {
		t.Errorf("first view takes %.0f bytes, want at most 60,000", bytes)
	}
	t.Logf("first view of ten features: %.0f bytes in %d requests", bytes, len(requests))
	x.Check(t)
}

// TestPolicies: no page lets in scripts or styles that are written into it, or anything from elsewhere.
func TestPolicies(t *testing.T) {
	f := everything(t).show(t)
	for _, path := range []string{"/", "/features/support", "/history", "/history/2026-03", "/incidents/inc-support", "/maintenances/mnt-1", "/about", "/lost", "/embed"} {
		policy := f.do(http.MethodGet, path, "Accept", "text/html").Header().Get("Content-Security-Policy")
		if !strings.Contains(policy, "default-src 'none'") {
			t.Errorf("%s: policy %q lets in what it does not name", path, policy)
		}
		for _, bad := range []string{"unsafe-inline", "unsafe-eval", "unsafe-hashes", "src *", "http:", "https:"} {
			if strings.Contains(policy, bad) {
				t.Errorf("%s: policy %q has %s", path, policy, bad)
			}
		}
	}
}
