package probe

import (
	"context"
	"net"
)

// tcpChecker opens a connection and closes it.
type tcpChecker struct{ addr string }

func (c tcpChecker) check(ctx context.Context) error {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", c.addr)
	if err != nil {
		return err
	}
	_ = conn.Close() // nothing was sent
	return nil
}
