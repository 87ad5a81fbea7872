package probe_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/miekg/dns"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"

	"github.com/asgood-dev/asgood/collector/probe"
	"github.com/asgood-dev/asgood/internal/quality"
)

// authority signs certificates.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pool *x509.CertPool
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test authority"}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign, NotBefore: time.Now().Add(-90 * 24 * time.Hour), NotAfter: time.Now().Add(90 * 24 * time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	a := &authority{cert: cert, key: key, pool: x509.NewCertPool()}
	a.pool.AddCert(cert)
	return a
}

func (a *authority) sign(t *testing.T, end time.Time, ip string) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: big.NewInt(2), NotBefore: time.Now().Add(-48 * time.Hour), NotAfter: end,
		IPAddresses: []net.IP{net.ParseIP(ip)}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}, a.cert, &key.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// resolver answers on UDP and TCP of one port.
func resolver(t *testing.T) (addr string, overTCP *atomic.Int32) {
	t.Helper()
	overTCP = new(atomic.Int32)
	l := listen(t)
	packets, err := net.ListenPacket("udp", l.Addr().String())
	if err != nil {
		t.Skipf("the UDP port of the same number is taken: %v", err)
	}
	handler := dns.HandlerFunc(func(w dns.ResponseWriter, q *dns.Msg) { answer(w, q, overTCP) })
	for _, s := range []*dns.Server{{Listener: l, Handler: handler}, {PacketConn: packets, Handler: handler}} {
		started := make(chan struct{})
		s.NotifyStartedFunc = func() { close(started) }
		go s.ActivateAndServe()
		<-started
		t.Cleanup(func() { s.Shutdown() })
	}
	return l.Addr().String(), overTCP
}

var zone = map[string][]string{
	"a.example. A":         {"a.example. 60 IN A 192.0.2.7", "a.example. 60 IN A 192.0.2.8"},
	"a.example. AAAA":      {"a.example. 60 IN AAAA 2001:db8::7"},
	"alias.example. A":     {"alias.example. 60 IN CNAME a.example.", "a.example. 60 IN A 192.0.2.7"},
	"alias.example. CNAME": {"alias.example. 60 IN CNAME A.example."},
	"dead.example. A":      {"dead.example. 60 IN CNAME a.example."},
	"a.example. MX":        {"a.example. 60 IN MX 10 Mail.a.example."},
	"a.example. TXT":       {`a.example. 60 IN TXT "v=spf1 " "-all"`},
	"a.example. NS":        {"a.example. 60 IN NS ns1.a.example."},
	"localhost. A":         {"localhost. 60 IN A 192.0.2.9"},
	"long.example. A":      {"long.example. 60 IN A 192.0.2.10"},
}

func answer(w dns.ResponseWriter, q *dns.Msg, overTCP *atomic.Int32) {
	name := strings.ToLower(q.Question[0].Name)
	m := new(dns.Msg).SetReply(q)
	defer func() { _ = w.WriteMsg(m) }()
	_, tcp := w.RemoteAddr().(*net.TCPAddr)
	switch {
	case tcp:
		overTCP.Add(1)
	case name == "long.example.":
		m.Truncated = true
		return
	}
	switch name {
	case "refused.example.":
		m.Rcode = dns.RcodeRefused
		return
	case "mute.example.":
		m = new(dns.Msg) // an answer to another question
		return
	}
	for _, text := range zone[name+" "+dns.TypeToString[q.Question[0].Qtype]] {
		rr, err := dns.NewRR(text)
		if err == nil {
			m.Answer = append(m.Answer, rr)
		}
	}
	if len(m.Answer) == 0 && name != "a.example." && name != "alias.example." {
		m.Rcode = dns.RcodeNameError
	}
}

func TestDNS(t *testing.T) {
	addr, overTCP := resolver(t)
	for _, tt := range []struct {
		name, kind, expect, want string
	}{
		{"a.example", "", "", ""},
		{"a.example.", "A", "192.0.2.8", ""},
		{"a.example", "AAAA", "2001:DB8:0::7", ""},
		{"alias.example", "A", "192.0.2.7", ""},
		{"alias.example", "CNAME", "a.EXAMPLE", ""},
		{"a.example", "MX", "mail.a.example", ""},
		{"a.example", "MX", "10  mail.a.example.", ""},
		{"a.example", "TXT", "v=spf1 -all", ""},
		{"a.example", "NS", "ns1.a.example.", ""},
		{"localhost", "A", "192.0.2.9", ""}, // asked, not looked up in the hosts file
		{"long.example", "A", "192.0.2.10", ""},
		{"a.example", "A", "192.0.2.1", "none of 2 A records is the expected one"},
		{"a.example", "MX", "20 mail.a.example", "none of 1 MX records"},
		{"alias.example", "TXT", "", "the name has no TXT record"},
		{"dead.example", "A", "", "the name has no A record"},
		{"none.example", "A", "", "the name does not exist"},
		{"refused.example", "A", "", "answers with code 5"},
		{"mute.example", "A", "", "no answer within"},
	} {
		spec := quality.ProbeSpec{DNS: tt.name, Type: tt.kind, Expect: tt.expect, Resolver: addr, Timeout: 5 * time.Second}
		if tt.name == "mute.example" {
			spec.Timeout = 100 * time.Millisecond
		}
		expect(t, tt.name+" "+tt.kind, once(t, spec, probe.Options{}), tt.want)
	}
	if overTCP.Load() != 1 {
		t.Errorf("asked %d times by TCP, want once: for the long answer", overTCP.Load())
	}
}

func TestGRPC(t *testing.T) {
	ca := newAuthority(t)
	serve := func(withHealth bool, opts ...grpc.ServerOption) string {
		s, l := grpc.NewServer(opts...), listen(t)
		if withHealth {
			h := health.NewServer()
			h.SetServingStatus("good", grpc_health_v1.HealthCheckResponse_SERVING)
			h.SetServingStatus("bad", grpc_health_v1.HealthCheckResponse_NOT_SERVING)
			grpc_health_v1.RegisterHealthServer(s, h)
		}
		go s.Serve(l)
		t.Cleanup(s.Stop)
		return l.Addr().String()
	}
	creds := func(a *authority) grpc.ServerOption {
		cert := a.sign(t, time.Now().Add(24*time.Hour), "127.0.0.1")
		return grpc.Creds(credentials.NewServerTLSFromCert(&cert))
	}
	plain, secure, foreign, bare := serve(true), serve(true, creds(ca)), serve(true, creds(newAuthority(t))), serve(false)
	mute := listen(t).Addr().String()
	for _, tt := range []struct {
		name, addr string
		spec       quality.ProbeSpec
		want       string
	}{
		{"server", plain, quality.ProbeSpec{}, ""},
		{"service", plain, quality.ProbeSpec{Service: "good"}, ""},
		{"secure", secure, quality.ProbeSpec{Secure: true}, ""},
		{"foreign, not verified", foreign, quality.ProbeSpec{Secure: true, Verify: new(false)}, ""},
		{"bad service", plain, quality.ProbeSpec{Service: "bad"}, "status NOT_SERVING"},
		{"unknown service", plain, quality.ProbeSpec{Service: "none"}, "does not know the service"},
		{"no health service", bare, quality.ProbeSpec{}, "has no health service"},
		{"foreign", foreign, quality.ProbeSpec{Secure: true}, "signed by nobody that is trusted"},
		{"closed", closedPort(t), quality.ProbeSpec{}, "connection refused"},
		{"mute", mute, quality.ProbeSpec{Timeout: 100 * time.Millisecond}, "no answer within 100ms"},
		{"TLS to a plain server", plain, quality.ProbeSpec{Secure: true}, "not speak TLS"},
	} {
		tt.spec.GRPC = tt.addr
		expect(t, tt.name, once(t, tt.spec, probe.Options{Roots: ca.pool}), tt.want)
	}
}
