package probe

import (
	"context"
	"errors"
	"net"
	"os"
	"time"

	probing "github.com/prometheus-community/pro-bing"
)

// icmpChecker sends one ping.
type icmpChecker struct{ host string }

func (c icmpChecker) check(ctx context.Context) error {
	ip, err := c.resolve(ctx)
	if err != nil {
		return err
	}
	err = ping(ctx, ip, false)
	if errors.Is(err, os.ErrPermission) {
		err = ping(ctx, ip, true)
	}
	if errors.Is(err, os.ErrPermission) {
		return unknown("this process may not ping: allow its group in net.ipv4.ping_group_range, or give it CAP_NET_RAW")
	}
	return err
}

// resolve also asks for a route, without sending: where there is none the library would try without end.
func (c icmpChecker) resolve(ctx context.Context) (*net.IPAddr, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "udp", net.JoinHostPort(c.host, "7"))
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	addr, ok := conn.RemoteAddr().(*net.UDPAddr)
	if !ok {
		return nil, said("the host has no address")
	}
	return &net.IPAddr{IP: addr.IP, Zone: addr.Zone}, nil
}

func ping(ctx context.Context, ip *net.IPAddr, privileged bool) error {
	p := probing.New("")
	p.SetIPAddr(ip)
	p.SetPrivileged(privileged)
	p.SetLogger(probing.NoopLogger{})
	p.Count, p.RecordRtts, p.RecordTTLs = 1, false, false
	if deadline, ok := ctx.Deadline(); ok {
		p.Timeout = max(time.Until(deadline), time.Millisecond)
	}
	if err := p.RunWithContext(ctx); err != nil {
		return err
	}
	if p.Statistics().PacketsRecv == 0 {
		return context.DeadlineExceeded
	}
	return nil
}
