package passkey_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/asgood-dev/asgood/internal/auth/passkey"
	"github.com/asgood-dev/asgood/internal/quality"
)

func TestSiteOf(t *testing.T) {
	for _, tt := range []struct{ url, id, origin string }{
		{"https://console.example.com", "console.example.com", "https://console.example.com"},
		{"https://console.example.com:8443", "console.example.com", "https://console.example.com:8443"},
		{"http://127.0.0.1:8081", "localhost", "http://localhost:8081"},
		{"http://[::1]:8081", "localhost", "http://localhost:8081"},
		{"http://localhost:8081", "localhost", "http://localhost:8081"},
		{"http://console.example.com", "", "https"},
		{"https://192.0.2.1", "", "not an address"},
		{"http://0.0.0.0:8081", "", "not an address"},
		{"", "", "host"},
		{"http://%zz", "", "host"},
	} {
		s, err := passkey.SiteOf(tt.url)
		if tt.id == "" {
			if quality.KindOf(err) != quality.KindInvalid || !strings.Contains(err.Error(), tt.origin) {
				t.Errorf("%s: got %+v %v, want an error with %q", tt.url, s, err, tt.origin)
			}
			continue
		}
		if err != nil || s.ID != tt.id || s.Origin != tt.origin {
			t.Errorf("%s: got %+v %v", tt.url, s, err)
		}
		if _, err := passkey.New(s); err != nil {
			t.Errorf("%s: %v", tt.url, err)
		}
	}
}

func TestCounts(t *testing.T) {
	for _, tt := range []struct {
		stored, got uint32
		want        bool
	}{{0, 0, true}, {0, 1, true}, {1, 1, false}, {2, 1, false}, {1, 0, false}, {1, 2, true}} {
		if got := passkey.Counts(tt.stored, tt.got); got != tt.want {
			t.Errorf("%d after %d: got %v", tt.got, tt.stored, got)
		}
	}
}

// Whatever a browser answers is refused with one text, and breaks nothing.
func FuzzAnswers(f *testing.F) {
	for _, s := range []string{"", "{}", "null", `{"id":"AA","rawId":"AA","type":"public-key","response":{}}`,
		`{"id":"AA","rawId":"AA","type":"public-key","response":{"clientDataJSON":"e30","authenticatorData":"AAAA","signature":"AA","userHandle":"AA"}}`,
		`{"id":"AA","rawId":"AA","type":"public-key","response":{"clientDataJSON":"e30","attestationObject":"o2NmbXRkbm9uZWdhdHRTdG10oGhhdXRoRGF0YUA"}}`} {
		f.Add([]byte(s))
	}
	p, err := passkey.New(passkey.Site{ID: "localhost", Origin: "http://localhost"})
	if err != nil {
		f.Fatal(err)
	}
	h := passkey.Holder{Handle: passkey.NewHandle(), Name: "Ada"}
	fresh, err := p.AskNew(h)
	if err != nil {
		f.Fatal(err)
	}
	known, err := p.AskAny()
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		_, err := p.TakeNew(h, fresh, data)
		_, err2 := p.TakeAny(known, data, func(id []byte) (passkey.Credential, []byte, bool) {
			return passkey.Credential{ID: id, PublicKey: data}, h.Handle, true
		})
		for _, err := range []error{err, err2} {
			if !errors.Is(err, passkey.ErrRefused) || err.Error() != passkey.ErrRefused.Error() || passkey.Reason(err) == "" {
				t.Errorf("got %v", err)
			}
		}
	})
}
