package canary

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
)

// Bounds on what an endpoint can make us read and follow.
const (
	maxBody      = 4 << 20
	maxHeader    = 64 << 10
	maxRedirects = 3
	maxAnswer    = 1 << 20 // bytes of an output, and of a context
	maxDepth     = 200     // of nested JSON
	dialTime     = 10 * time.Second
)

const userAgent = "asgood-canary"

// answer is what an endpoint said.
type answer struct {
	output  quality.Content
	tools   []quality.ToolCall
	context []quality.Document
	model   string
	usage   *quality.Usage
}

// asker asks a prompt once. Its error is a failure where the endpoint is at fault.
type asker interface {
	ask(ctx context.Context, p *quality.CanaryPrompt) (answer, error)
	rest() // no question comes soon
}

func newAsker(spec quality.CanarySpec, roots *x509.CertPool, s secrets) (asker, error) {
	switch {
	case spec.Chat != nil:
		return newChat(spec, roots, s)
	case spec.HTTP != nil:
		return newTemplated(spec, roots, s)
	default:
		return nil, errors.New("says nowhere to ask")
	}
}

// endpoint sends requests to one URL.
type endpoint struct {
	method  string
	url     *url.URL
	headers http.Header
	secrets secrets
	client  *http.Client
}

func newEndpoint(method, address string, roots *x509.CertPool, conns int, s secrets) (*endpoint, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, errors.New("the URL cannot be used") // its text may hold a key
	}
	e := &endpoint{method: method, url: u, headers: http.Header{}, secrets: s}
	e.headers.Set("User-Agent", userAgent)
	e.client = &http.Client{CheckRedirect: e.follow, Transport: &http.Transport{
		Proxy: http.ProxyFromEnvironment, DialContext: (&net.Dialer{Timeout: dialTime}).DialContext,
		TLSClientConfig: &tls.Config{RootCAs: roots}, ForceAttemptHTTP2: true,
		MaxResponseHeaderBytes: maxHeader, MaxIdleConnsPerHost: conns, IdleConnTimeout: 30 * time.Second,
	}}
	return e, nil
}

func (e *endpoint) rest() { e.client.CloseIdleConnections() }

// openHeaders are those that another host may see.
var openHeaders = []string{"User-Agent", "Content-Type", "Accept"}

// follow bounds the redirects, and gives another host nothing that was meant for this one.
func (e *endpoint) follow(next *http.Request, via []*http.Request) error {
	if len(via) > maxRedirects {
		return failed("more than %d redirects", maxRedirects)
	}
	if next.Method != e.method {
		return failed("the endpoint redirects in a way that loses the question (method %s)", next.Method)
	}
	next.Header.Del("Referer")
	if next.URL.Host == e.url.Host && (next.URL.Scheme == e.url.Scheme || next.URL.Scheme == "https") {
		return nil
	}
	if bodyHolds(next, e.secrets) {
		return failed("the endpoint redirects to another host, and the body holds a secret")
	}
	kept := http.Header{}
	for _, name := range openHeaders {
		if v := via[0].Header.Get(name); v != "" {
			kept.Set(name, v)
		}
	}
	next.Header, next.Host = kept, ""
	return nil
}

// bodyHolds reports whether the body of a request holds a secret, or cannot be looked at.
func bodyHolds(r *http.Request, s secrets) bool {
	if r.GetBody == nil {
		return r.Body != nil && r.Body != http.NoBody
	}
	body, err := r.GetBody()
	if err != nil {
		return true
	}
	defer body.Close()
	data, err := io.ReadAll(body)
	return err != nil || s.in(string(data))
}

// call sends a body and returns that of a good answer.
func (e *endpoint) call(ctx context.Context, body []byte) ([]byte, http.Header, error) {
	req, err := http.NewRequestWithContext(ctx, e.method, e.url.String(), bytes.NewReader(body))
	if err != nil {
		return nil, nil, failed("the request cannot be made")
	}
	req.Header = e.headers.Clone()
	req.Host = req.Header.Get("Host")
	req.Header.Del("Host")
	res, err := e.client.Do(req)
	if err != nil {
		return nil, nil, err
	}
	defer res.Body.Close()
	data, err := io.ReadAll(io.LimitReader(res.Body, maxBody+1))
	if res.StatusCode < 200 || res.StatusCode > 299 {
		return nil, nil, e.refusal(res, data)
	}
	if err != nil {
		return nil, nil, err
	}
	if len(data) > maxBody {
		return nil, nil, failed("the answer has more than %d MiB", maxBody>>20)
	}
	return data, res.Header, nil
}

// code is the form of error codes that are fit to be kept, such as model_not_found.
var code = regexp.MustCompile(`^[a-z][a-z0-9_.-]{0,39}$`)

// refusal is the failure of an answer with a bad status. Of what the endpoint says only a code is kept.
func (e *endpoint) refusal(res *http.Response, data []byte) *failure {
	f := failed("status %d", res.StatusCode)
	var said struct {
		Error struct {
			Code any    `json:"code"`
			Type string `json:"type"`
		} `json:"error"`
	}
	if json.Unmarshal(data, &said) == nil {
		for _, c := range []any{said.Error.Code, said.Error.Type} {
			if c, ok := c.(string); ok && code.MatchString(c) && !e.secrets.in(c) {
				f.text += " (" + c + ")"
				break
			}
		}
	}
	f.again = res.StatusCode == http.StatusTooManyRequests || res.StatusCode >= 500
	if f.again {
		f.after = retryAfter(res.Header.Get("Retry-After"), time.Now())
	}
	return f
}

// retryAfter reads seconds or a date; 0 when there is neither.
func retryAfter(s string, now time.Time) time.Duration {
	if n, err := strconv.ParseUint(s, 10, 31); err == nil {
		return time.Duration(n) * time.Second
	}
	if at, err := http.ParseTime(s); err == nil {
		return max(0, at.Sub(now))
	}
	return 0
}

// notJSON says what came in the place of JSON.
func notJSON(h http.Header) *failure {
	kind, _, err := mime.ParseMediaType(h.Get("Content-Type"))
	switch {
	case err == nil && kind == "text/html":
		return failed("the answer is a web page, not JSON")
	case err == nil && kind == "text/event-stream":
		return failed("the answer is a stream, and none was asked for")
	default:
		return failed("the answer is not JSON of the expected form")
	}
}

// depth returns how deep JSON is nested, without building it.
func depth(data []byte) (deepest int) {
	now, inString := 0, false
	for i := 0; i < len(data); i++ {
		switch c := data[i]; {
		case inString && c == '\\':
			i++
		case c == '"':
			inString = !inString
		case inString:
		case c == '{' || c == '[':
			now++
			deepest = max(deepest, now)
		case c == '}' || c == ']':
			now--
		}
	}
	return deepest
}

// outputOf is an answer as an output. One without any text is kept as an empty message: it is an answer,
// and a bad one, where a call without an answer is an error.
func outputOf(text string) (quality.Content, error) {
	if len(text) > maxAnswer {
		return quality.Content{}, failed("the answer has more than %d MiB", maxAnswer>>20)
	}
	if text == "" {
		return quality.Content{Messages: []quality.Message{{Role: "assistant"}}}, nil
	}
	return quality.Text(strings.ToValidUTF8(text, "\uFFFD")), nil
}
