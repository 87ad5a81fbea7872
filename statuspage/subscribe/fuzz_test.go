package subscribe

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/asgood-dev/asgood/internal/quality"
)

// FuzzAddress: an address that is taken is in its one form, and holds nothing that would break a header, a command
// to a relay or the guard.
func FuzzAddress(f *testing.F) {
	for _, s := range []string{"Ada@EXAMPLE.com", "a@bücher.example", "https://Hooks.Example.com:443/x?y=1#z", slackHook, teamsHook, "https://127.0.0.1/", "https://a:b@c.example/", "a@b.example\r\nBcc: c@d.example"} {
		for k := range Kinds() {
			f.Add(byte(k), s)
		}
	}
	f.Fuzz(func(t *testing.T, k byte, address string) {
		kind := Kinds()[int(k)%len(Kinds())]
		got, err := normalise(kind, address)
		if err != nil {
			if quality.KindOf(err) != quality.KindInvalid || got != "" {
				t.Fatalf("%q: got %q and %v", address, got, err)
			}
			return
		}
		again, err := normalise(kind, got)
		if err != nil || again != got {
			t.Fatalf("%q: %q becomes %q, %v", address, got, again, err)
		}
		if !printable(got) || len(got) > 4*maxURL || kind == KindEmail && strings.ContainsAny(got, "<>,;\" ") || kind != KindEmail && !strings.HasPrefix(got, "https://") {
			t.Fatalf("%q is taken as %q", address, got)
		}
		if shown := obfuscate(kind, got); strings.Contains(got, shown) && len(shown) > 3 {
			t.Fatalf("%q is shown as %q", got, shown)
		}
	})
}

// FuzzRequests: whatever comes to the form and to the interface, the answer is one of few, and what is taken is
// written down once.
func FuzzRequests(f *testing.F) {
	f.Add(false, "application/x-www-form-urlencoded", wish(KindEmail, "ada@example.com").Encode())
	f.Add(true, "application/x-www-form-urlencoded", "subscriber%5Bemail%5D=ada%40example.com&subscriber%5Bcomponent_ids%5D%5B%5D=search")
	f.Add(true, "application/json", `{"subscriber":{"email":"ada@example.com","component_ids":["search"],"topics":["quality"]}}`)
	f.Add(true, "application/json", `{"subscriber":{"endpoint":"https://hooks.example.com/x","language":"xx"}}`)
	f.Add(true, "text/plain", "x")
	f.Add(false, "multipart/form-data; boundary=x", "--x")
	w := newWorld(f, nil)
	f.Fuzz(func(t *testing.T, api bool, kind, body string) {
		w.s.limits, w.s.asks, w.outbox.docs = newLimits(), newAsks(w.s), map[string][]byte{}
		path, taken := "/subscribe", 200
		if api {
			path, taken = "/api/v2/subscribers.json", 201
		}
		r := httptest.NewRequestWithContext(t.Context(), "POST", path, strings.NewReader(body))
		r.RemoteAddr = w.from
		r.Header.Set("Content-Type", kind)
		out := httptest.NewRecorder()
		w.engine.ServeHTTP(out, r)
		switch out.Code {
		case taken:
			if len(w.outbox.docs) != 1 {
				t.Fatalf("taken, and %d documents", len(w.outbox.docs))
			}
		case 400, 413, 415:
			if len(w.outbox.docs) != 0 {
				t.Fatal("refused, and stored")
			}
		default:
			t.Fatalf("got %d %s", out.Code, out.Body)
		}
	})
}
