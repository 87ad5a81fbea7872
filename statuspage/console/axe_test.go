package console_test

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/asgood-dev/asgood/internal/chromium"
)

// TestAxe finds nothing that keeps people with a disability out, on every page of the console.
func TestAxe(t *testing.T) {
	b := chromium.Start(t)
	axe := chromium.NeedAxe(t)
	s := httptest.NewServer(newWorld().serve(t))
	t.Cleanup(s.Close)
	x := b.Open(t)
	for _, p := range pages {
		if p.golden != "" {
			axe.Look(t, x, p.golden, s.URL+p.path, `document.readyState === "complete"`, *shots)
		}
	}
	for _, path := range []string{"/console/regressions/reg_1", "/console/incidents/inc_1", "/console/keys", "/console/changes"} {
		opened := `document.readyState === "complete" && [...document.querySelectorAll("details")].every((d) => d.open = true)`
		axe.Look(t, x, "opened-"+path[strings.LastIndex(path, "/")+1:], s.URL+path, opened, *shots)
	}
	x.Check(t)
}
