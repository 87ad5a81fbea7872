package probe

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/asgood-dev/asgood/internal/quality"
)

// Bounds on what a checked server can make us read.
const (
	httpBody   = 256 << 10
	httpHeader = 64 << 10
)

// httpChecker asks a URL. Each check makes its own connection, so that it finds what a new caller would.
type httpChecker struct {
	url       *url.URL
	method    string
	host      string // the Host header where one is configured
	headers   http.Header
	status    [][2]int // ranges; empty means below 400
	contains  string
	redirects int
	client    *http.Client
}

func newHTTP(spec quality.ProbeSpec, o Options) (*httpChecker, error) {
	u, err := url.Parse(spec.HTTP)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, errors.New("the URL cannot be used")
	}
	c := &httpChecker{url: u, method: spec.Method, contains: spec.Contains, redirects: *spec.Redirects, headers: http.Header{}}
	c.headers.Set("User-Agent", o.UserAgent)
	for k, v := range spec.Headers {
		c.headers.Set(k, v)
	}
	c.host = c.headers.Get("Host")
	c.headers.Del("Host")
	for _, s := range spec.Status {
		low, high, ok := quality.StatusRange(s)
		if !ok {
			return nil, errors.New("an expected status cannot be read")
		}
		c.status = append(c.status, [2]int{low, high})
	}
	c.client = &http.Client{CheckRedirect: c.follow, Transport: &http.Transport{
		Proxy: http.ProxyFromEnvironment, DialContext: (&net.Dialer{}).DialContext,
		TLSClientConfig:   &tls.Config{RootCAs: o.Roots, InsecureSkipVerify: !spec.Verifies()}, // as configured
		DisableKeepAlives: true, ForceAttemptHTTP2: true, MaxResponseHeaderBytes: httpHeader,
	}}
	return c, nil
}

// follow bounds the redirects, and gives another host nothing that was meant for this one: neither the
// configured headers nor, as a referrer, the URL with its query.
func (c *httpChecker) follow(next *http.Request, via []*http.Request) error {
	if c.redirects == 0 {
		return http.ErrUseLastResponse
	}
	if len(via) > c.redirects {
		return said("more than %d redirects", c.redirects)
	}
	next.Header.Del("Referer")
	if next.URL.Host == c.url.Host && (next.URL.Scheme == c.url.Scheme || next.URL.Scheme == "https") {
		return nil
	}
	agent := next.Header.Get("User-Agent")
	next.Header, next.Host = http.Header{"User-Agent": {agent}}, ""
	return nil
}

func (c *httpChecker) check(ctx context.Context) error {
	req := (&http.Request{
		Method: c.method, URL: c.url, Host: c.host, Header: c.headers.Clone(),
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}).WithContext(ctx)
	res, err := c.client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if !c.expected(res.StatusCode) {
		return said("status %d", res.StatusCode)
	}
	if c.contains == "" {
		return nil
	}
	return c.search(res.Body)
}

func (c *httpChecker) expected(status int) bool {
	for _, r := range c.status {
		if r[0] <= status && status <= r[1] {
			return true
		}
	}
	return len(c.status) == 0 && status < http.StatusBadRequest
}

func (c *httpChecker) search(body io.Reader) error {
	data, err := io.ReadAll(io.LimitReader(body, httpBody))
	switch {
	case strings.Contains(string(data), c.contains):
		return nil
	case err != nil:
		return err
	case len(data) == httpBody:
		return said("the first %d KiB of the body lack the expected text", httpBody>>10)
	default:
		return said("the body lacks the expected text")
	}
}
