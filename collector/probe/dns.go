package probe

import (
	"context"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/miekg/dns"

	"github.com/asgood-dev/asgood/internal/quality"
)

const (
	resolvConf   = "/etc/resolv.conf" // names the machine's own resolvers
	maxResolvers = 3                  // as the C library
	dnsDatagram  = 1232               // bytes that pass anywhere in one piece
)

// dnsChecker asks a resolver itself: the machine's hosts file and search list take no part.
type dnsChecker struct {
	name     string // fully qualified
	kind     string
	qtype    uint16
	resolver string // host:port; empty means the machine's own
	expect   string // in canonical form
}

var dnsTypes = map[string]uint16{
	"A": dns.TypeA, "AAAA": dns.TypeAAAA, "CNAME": dns.TypeCNAME, "MX": dns.TypeMX, "TXT": dns.TypeTXT, "NS": dns.TypeNS,
}

func newDNS(spec quality.ProbeSpec) (*dnsChecker, error) {
	qtype, ok := dnsTypes[spec.Type]
	if !ok {
		return nil, fmt.Errorf("type %q of DNS records is not known", spec.Type)
	}
	c := &dnsChecker{name: dns.Fqdn(spec.DNS), kind: spec.Type, qtype: qtype, resolver: spec.Resolver}
	if _, ok := dns.IsDomainName(c.name); !ok {
		return nil, fmt.Errorf("%q is not a domain name", spec.DNS)
	}
	if _, _, err := net.SplitHostPort(c.resolver); err != nil && c.resolver != "" {
		c.resolver = net.JoinHostPort(strings.Trim(c.resolver, "[]"), "53")
	}
	if spec.Expect != "" {
		c.expect = canonical(spec.Type, spec.Expect)
	}
	return c, nil
}

func (c *dnsChecker) check(ctx context.Context) error {
	resolvers := []string{c.resolver}
	if c.resolver == "" {
		conf, err := dns.ClientConfigFromFile(resolvConf)
		if err != nil || len(conf.Servers) == 0 {
			return unknown("this machine names no resolver in %s", resolvConf)
		}
		resolvers = nil
		for _, s := range conf.Servers[:min(len(conf.Servers), maxResolvers)] {
			resolvers = append(resolvers, net.JoinHostPort(s, conf.Port))
		}
	}
	answer, err := c.first(ctx, resolvers)
	if err != nil {
		return err
	}
	return c.judge(answer)
}

// first returns the answer of the first resolver that gives one. Each gets its part of the time.
func (c *dnsChecker) first(ctx context.Context, resolvers []string) (answer *dns.Msg, err error) {
	for i, r := range resolvers {
		part := time.Second
		if deadline, ok := ctx.Deadline(); ok {
			part = max(time.Until(deadline)/time.Duration(len(resolvers)-i), time.Millisecond)
		}
		if answer, err = c.ask(ctx, r, part); err == nil {
			break
		}
	}
	return answer, err
}

// ask sends the question by UDP, and by TCP when the answer does not fit.
func (c *dnsChecker) ask(ctx context.Context, resolver string, within time.Duration) (*dns.Msg, error) {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	q := new(dns.Msg).SetQuestion(c.name, c.qtype)
	q.SetEdns0(dnsDatagram, false)
	answer, _, err := (&dns.Client{Net: "udp", Timeout: within}).ExchangeContext(ctx, q, resolver)
	if err == nil && answer.Truncated {
		answer, _, err = (&dns.Client{Net: "tcp", Timeout: within}).ExchangeContext(ctx, q, resolver)
	}
	return answer, err
}

func (c *dnsChecker) judge(answer *dns.Msg) error {
	switch {
	case answer.Rcode == dns.RcodeNameError:
		return said("the name does not exist")
	case answer.Rcode != dns.RcodeSuccess:
		return said("the resolver answers with code %d", answer.Rcode)
	}
	n := 0
	for _, rr := range answer.Answer {
		if rr.Header().Rrtype != c.qtype {
			continue // such as the alias on the way to an address
		}
		n++
		if c.expect == "" || c.matches(rr) {
			return nil
		}
	}
	if n == 0 {
		return said("the name has no %s record", c.kind)
	}
	return said("none of %d %s records is the expected one", n, c.kind)
}

// matches compares with the expected value. That of MX may leave the preference out.
func (c *dnsChecker) matches(rr dns.RR) bool {
	switch rr := rr.(type) {
	case *dns.A:
		return canonical(c.kind, rr.A.String()) == c.expect
	case *dns.AAAA:
		return canonical(c.kind, rr.AAAA.String()) == c.expect
	case *dns.CNAME:
		return canonical(c.kind, rr.Target) == c.expect
	case *dns.NS:
		return canonical(c.kind, rr.Ns) == c.expect
	case *dns.TXT:
		return strings.Join(rr.Txt, "") == c.expect
	case *dns.MX:
		host := canonical(c.kind, rr.Mx)
		return host == c.expect || fmt.Sprintf("%d %s", rr.Preference, host) == c.expect
	default:
		return false
	}
}

// canonical writes a value so that equal ones are the same text.
func canonical(kind, v string) string {
	switch kind {
	case "TXT":
		return v
	case "A", "AAAA":
		if ip := net.ParseIP(v); ip != nil {
			return ip.String()
		}
		return v
	default:
		return strings.ToLower(strings.TrimSuffix(strings.Join(strings.Fields(v), " "), "."))
	}
}
