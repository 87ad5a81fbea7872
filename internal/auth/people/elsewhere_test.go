package people_test

import (
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/asgood-dev/asgood/internal/quality"
)

// far is a listener whose callers seem to call from another machine.
type far struct{ net.Listener }

func (f far) Accept() (net.Conn, error) {
	c, err := f.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return farConn{c}, nil
}

type farConn struct{ net.Conn }

// RemoteAddr is an address of another machine.
func (farConn) RemoteAddr() net.Addr { return &net.TCPAddr{IP: net.IPv4(192, 0, 2, 7), Port: 4711} }

// ownAddress is an address of this machine that others could reach; empty where there is none.
func ownAddress(t *testing.T) string {
	t.Helper()
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range addrs {
		if n, ok := a.(*net.IPNet); ok && n.IP.To4() != nil && n.IP.IsGlobalUnicast() {
			return n.IP.String()
		}
	}
	return ""
}

// Who calls from elsewhere is asked who they are, by whatever address it comes.
func TestCallersFromElsewhere(t *testing.T) {
	for _, kind := range []string{"another machine", "an address of this machine"} {
		t.Run(kind, func(t *testing.T) {
			p := newWorld(t).process(nil)
			addr := "127.0.0.1"
			if kind != "another machine" {
				if addr = ownAddress(t); addr == "" {
					t.Skip("this machine has no other address")
				}
			}
			l, err := net.Listen("tcp", net.JoinHostPort(addr, "0"))
			if err != nil {
				t.Skipf("not listening at %s: %v", addr, err)
			}
			if kind == "another machine" {
				l = far{l}
			}
			s := &httptest.Server{Listener: l, Config: &http.Server{Handler: p.engine()}}
			s.Start()
			t.Cleanup(s.Close)
			p.url = s.URL
			admin, editor := p.signIn(t, "Ann", quality.RoleAdmin), p.signIn(t, "Edgar", quality.RoleEditor)
			for _, tt := range []struct {
				name string
				got  answer
				want int
				text string
			}{
				{"nobody", newBrowser(t).get(p.url + "/v1/people"), 403, "role admin"},
				{"nobody, as a proxy of this machine", newBrowser(t).get(p.url+"/v1/people", "X-Forwarded-For", "127.0.0.1"), 403, "role admin"},
				{"nobody, by the name of this machine", newBrowser(t).get(p.url+"/v1/people", "Host", "localhost"), 403, "role admin"},
				{"nobody makes a link", newBrowser(t).json(p.url+"/v1/people/links", map[string]string{"name": "Eve", "role": "admin"}), 403, "role admin"},
				{"an editor", editor.get(p.url + "/v1/people"), 403, "role admin"},
				{"an admin", admin.get(p.url + "/v1/people"), 200, "Edgar"},
				{"an admin without the token", admin.json(p.url+"/v1/people/links", map[string]string{"name": "Bob", "role": "viewer"}), 403, "token"},
				{"an admin with the token", admin.json(p.url+"/v1/people/links", map[string]string{"name": "Bob", "role": "viewer"}, "X-CSRF-Token", admin.csrf(p).Get("csrf")), 200, "/login/link/"},
				{"an editor at the console", editor.get(p.url + "/console"), 200, "editor"},
				{"nobody at the console", newBrowser(t).get(p.url + "/console"), 303, ""},
			} {
				if tt.got.status != tt.want || !strings.Contains(tt.got.body, tt.text) {
					t.Errorf("%s: got %d %.300s, want %d with %q", tt.name, tt.got.status, tt.got.body, tt.want, tt.text)
				}
			}
		})
	}
}
