package subscribe

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
)

// closed are the networks that no message to a stranger's address may reach beside those that netip knows as
// private: shared and reserved ones, those that carry IPv4 inside, and the ones of documentation and tests.
var closed = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("192.88.99.0/24"), netip.MustParsePrefix("198.18.0.0/15"),
	netip.MustParsePrefix("198.51.100.0/24"), netip.MustParsePrefix("203.0.113.0/24"), netip.MustParsePrefix("240.0.0.0/4"),
	netip.MustParsePrefix("168.63.129.16/32"), // metadata of Azure
	netip.MustParsePrefix("2001::/23"), netip.MustParsePrefix("2001:db8::/32"), netip.MustParsePrefix("2002::/16"),
	netip.MustParsePrefix("3fff::/20"),
}

// global is all of IPv6 that is given out as public addresses.
var global = netip.MustParsePrefix("2000::/3")

// public reports whether an address is one of the open internet.
func public(a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	if !a.IsValid() || !a.IsGlobalUnicast() || a.IsPrivate() || a.Is6() && !global.Contains(a) {
		return false
	}
	for _, p := range closed {
		if p.Contains(a) {
			return false
		}
	}
	return true
}

// guard refuses a connection before it is made. It sees the address that is called, after the name was looked up
// for this connection, so that a name which answers differently each time gains nothing. It sees addresses, and not
// what stands behind them: a public address of the installation itself, or of a proxy into it, is let through.
func guard(_, address string, _ syscall.RawConn) error {
	ap, err := netip.ParseAddrPort(address)
	if err != nil || !public(ap.Addr()) || ap.Port() != 443 {
		return quality.Errorf(quality.KindForbidden, "not a public address")
	}
	return nil
}

// outside returns a transport that reaches public addresses only. It uses no proxy: that would look names up
// itself, behind the guard.
func outside(resolver *net.Resolver) http.RoundTripper {
	d := &net.Dialer{Timeout: 10 * time.Second, Resolver: resolver, Control: guard}
	return &http.Transport{
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			return d.DialContext(ctx, network, addr)
		},
		// Strangers' addresses: nothing is kept open for long, and little is read.
		MaxIdleConns: 64, MaxIdleConnsPerHost: 2, IdleConnTimeout: 30 * time.Second,
		TLSHandshakeTimeout: 10 * time.Second, ResponseHeaderTimeout: 10 * time.Second, MaxResponseHeaderBytes: 64 << 10,
		ForceAttemptHTTP2: true,
	}
}
