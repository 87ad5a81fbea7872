package probe

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"log/slog"
	"net"
	"time"
)

// expiryWarning is how long before its end a certificate is spoken of, also where it is not down yet.
const expiryWarning = 14 * 24 * time.Hour

// tlsChecker looks at the certificate of a server.
type tlsChecker struct {
	addr, host string
	roots      *x509.CertPool
	verify     bool
	expiresIn  time.Duration
	expiry     func(time.Time)
	log        *slog.Logger
	warned     time.Time // the end that was spoken of; used by one check at a time
}

func (p *Prober) newTLS(w *watched) (*tlsChecker, error) {
	host, _, err := net.SplitHostPort(w.spec.TLS)
	if err != nil {
		return nil, errors.New("want host:port")
	}
	return &tlsChecker{
		addr: w.spec.TLS, host: host, roots: p.opts.Roots, verify: w.spec.Verifies(), expiresIn: w.spec.ExpiresIn,
		expiry: func(at time.Time) { p.metrics.expiry(w.feature, w.label, at) },
		log:    p.opts.Logger.With("feature", w.feature, "probe", w.label),
	}, nil
}

func (c *tlsChecker) check(ctx context.Context) error {
	certs, err := c.handshake(ctx)
	if err != nil {
		return err
	}
	// Certificates live by the real clock, whatever clock the outputs live by.
	now := time.Now()
	end, err := c.end(certs, now)
	c.expiry(end)
	if err != nil {
		return err
	}
	left := end.Sub(now)
	switch {
	case left <= 0:
		return said("the certificate has expired")
	case left <= c.expiresIn:
		return said("the certificate expires at %s", end.UTC().Format(time.RFC3339))
	case left <= expiryWarning && !end.Equal(c.warned):
		c.log.Warn("a certificate expires soon", "expires_at", end.UTC())
		c.warned = end
	}
	return nil
}

// handshake returns what the server shows. It is verified afterwards, so that its end is known even then.
func (c *tlsChecker) handshake(ctx context.Context) ([]*x509.Certificate, error) {
	d := tls.Dialer{Config: &tls.Config{ServerName: c.host, InsecureSkipVerify: true}} // verified by end
	conn, err := d.DialContext(ctx, "tcp", c.addr)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	t, ok := conn.(*tls.Conn)
	if !ok || len(t.ConnectionState().PeerCertificates) == 0 {
		return nil, said("the server shows no certificate")
	}
	return t.ConnectionState().PeerCertificates, nil
}

// end returns when the first certificate on the way to a trusted one ends; of several ways the longest.
func (c *tlsChecker) end(certs []*x509.Certificate, now time.Time) (time.Time, error) {
	own := earliest(certs[:1])
	if !c.verify {
		return own, nil
	}
	between := x509.NewCertPool()
	for _, cert := range certs[1:] {
		between.AddCert(cert)
	}
	chains, err := certs[0].Verify(x509.VerifyOptions{Roots: c.roots, Intermediates: between, DNSName: c.host, CurrentTime: now})
	if err != nil {
		return own, err
	}
	var best time.Time
	for _, chain := range chains {
		if end := earliest(chain); end.After(best) {
			best = end
		}
	}
	return best, nil
}

func earliest(certs []*x509.Certificate) time.Time {
	end := certs[0].NotAfter
	for _, c := range certs[1:] {
		if c.NotAfter.Before(end) {
			end = c.NotAfter
		}
	}
	return end
}
