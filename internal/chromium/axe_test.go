package chromium_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/asgood-dev/asgood/internal/chromium"
)

// complaints takes what a check says instead of failing the test.
type complaints struct {
	*testing.T
	said []string
}

func (c *complaints) Errorf(_ string, args ...any) {
	for _, a := range args {
		if s, ok := a.(string); ok {
			c.said = append(c.said, s)
		}
	}
}

// A page with faults is found out, behind a policy that lets in no script at all.
func TestAxeFindsFaults(t *testing.T) {
	b := chromium.Start(t)
	axe := chromium.NeedAxe(t)
	const page = `<!doctype html><html><head><title>Shop</title></head><body><main><h1>Shop</h1><p><font color="#666666">Pale.</font> <font color="#888888">Paler.</font></p><input name="x"><img src="data:,"></main></body></html>`
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Security-Policy", "default-src 'none'")
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte(page))
	}))
	t.Cleanup(s.Close)
	c := &complaints{T: t}
	axe.Look(c, b.Open(t), "shop", s.URL, `document.readyState === "complete"`, "")
	said := strings.Join(c.said, "\n")
	for _, want := range []string{"html-has-lang", "color-contrast", "color-contrast-enhanced", "label", "image-alt"} {
		if !strings.Contains(said, want+":") {
			t.Errorf("%s was not found:\n%s", want, said)
		}
	}
}
