package auth_test

import (
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/asgood-dev/asgood/internal/auth"
)

func FuzzHeader(f *testing.F) {
	good := "asgood_abcdefghij_" + strings.Repeat("A", 43)
	for _, a := range []string{"", "Bearer", "Bearer ", "bearer " + good, "Basic eDp5", "Bearer \x00", "BEARER\t" + good} {
		f.Add(a, good)
		f.Add(a, "")
	}
	f.Fuzz(func(t *testing.T, authorization, apiKey string) {
		h := http.Header{"Authorization": {authorization}}
		if apiKey != "" {
			h["X-Api-Key"] = []string{apiKey}
		}
		token, sent, reason := auth.ReadHeader(h)
		if sent && reason == auth.ReasonScheme || !sent && token != "" {
			t.Errorf("got %q, %v, %q", token, sent, reason)
		}
		if apiKey != "" && !sent {
			t.Errorf("X-API-Key %q was not seen", apiKey)
		}
		id, secret, ok := auth.SplitToken(token)
		if ok != (id != "") || ok && ("asgood_"+id+"_"+secret != token || len(id) != 10 || len(secret) != 43) {
			t.Errorf("%q: got %q, %q, %v", token, id, secret, ok)
		}
	})
}

func FuzzHost(f *testing.F) {
	for _, h := range []string{"localhost", "localhost:80", "127.0.0.1:1", "[::1]:2", "::1", "a.example", "localhost.a", "[::1%25eth0]:1", "127.0.0.1.nip.io", "1"} {
		f.Add(h)
	}
	f.Fuzz(func(t *testing.T, host string) {
		if auth.LocalHost(host) && !strings.EqualFold(strings.Split(host, ":")[0], "localhost") && !strings.ContainsAny(host, "0123456789:") {
			t.Errorf("%q passes for this machine", host)
		}
	})
}

// However many addresses fail, the map of them stays bounded, and those beyond are still limited.
func TestAttemptsAreBounded(t *testing.T) {
	f := auth.NewFailures()
	now := testNow
	waits := 0
	for i := range 3 * auth.MaxAddresses {
		addr := netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)})
		if w, _ := f.Fail(addr, now); w {
			waits++
		}
	}
	if f.Len() != auth.MaxAddresses || waits != 2*auth.MaxAddresses-20 {
		t.Errorf("got %d addresses and %d waits", f.Len(), waits)
	}
	// They are forgotten once they were silent for long enough.
	if _, logs := f.Fail(netip.MustParseAddr("192.0.2.1"), now.Add(2*time.Minute)); !logs || f.Len() != 1 {
		t.Errorf("got %d addresses, logged %v", f.Len(), logs)
	}
	// A whole network of IPv6 is one caller.
	f = auth.NewFailures()
	for i := range 30 {
		addr := netip.MustParseAddr("2001:db8::1").As16()
		addr[15] = byte(i)
		w, _ := f.Fail(netip.AddrFrom16(addr), now)
		if w != (i >= 20) {
			t.Errorf("attempt %d: got waits %v", i, w)
		}
	}
	f.Fail(netip.Addr{}, now)
	if f.Len() != 2 {
		t.Errorf("got %d addresses, want 2", f.Len())
	}
}

func BenchmarkCheck(b *testing.B) {
	f := keys(b, bucket(b))
	tokens := make([]string, 1000)
	for i := range tokens {
		_, tokens[i] = f.make(b, auth.Spec{Features: []string{"chat"}})
	}
	for _, bb := range []struct{ name, token string }{
		{"good", tokens[500]}, {"wrong", tokens[500][:60] + "~"}, {"unknown", "asgood_zzzzzzzzzz" + tokens[500][17:]}, {"malformed", "x"},
	} {
		b.Run(bb.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				f.Check(bb.token, auth.ScopeSamples, testNow)
			}
		})
	}
	b.Run("parallel", func(b *testing.B) {
		b.ReportAllocs()
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				f.Check(tokens[500], auth.ScopeSamples, testNow)
			}
		})
	})
}

// The hit path allocates nothing.
func TestCheckAllocatesNothing(t *testing.T) {
	f := keys(t, bucket(t))
	_, token := f.make(t, auth.Spec{Features: []string{"chat"}, Rate: 1e9})
	if n := testing.AllocsPerRun(1000, func() { f.Check(token, auth.ScopeSamples, testNow) }); n != 0 {
		t.Errorf("got %v allocations, want 0", n)
	}
}
