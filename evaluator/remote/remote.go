// Package remote is how scorers reach endpoints: a client of HTTP that reads no more than it must, follows
// nobody elsewhere and tells failures that pass from those that stay, and the options of the OpenAI library
// over it. It is shared by the judge and by the scorers that ask; what is asked is theirs.
package remote

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"syscall"
	"time"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"

	"github.com/asgood-dev/asgood/internal/quality"
)

// MaxBody is the most bytes that are read of an answer.
const MaxBody = 4 << 20

const (
	maxHeader    = 64 << 10
	maxRedirects = 3
	dialTime     = 10 * time.Second
	longestRetry = time.Hour // of what an endpoint may ask us to wait
)

// errElsewhere keeps what was meant for one host from another.
var errElsewhere = errors.New("the endpoint redirects elsewhere")

// errRedirects is about a host that sends us round in circles.
var errRedirects = errors.New("the endpoint redirects more often than is followed")

// ErrNothing is about an answer that is null, which the library hands on as none at all.
var ErrNothing = errors.New("the answer is null")

// errLarge is about an answer without end.
var errLarge = errors.New("the answer has more than 4 MiB")

// NewClient returns a client for one endpoint, which keeps at most so many connections open.
func NewClient(conns int) *http.Client {
	return &http.Client{CheckRedirect: follow, Transport: bounded{&http.Transport{
		Proxy: http.ProxyFromEnvironment, DialContext: (&net.Dialer{Timeout: dialTime}).DialContext, ForceAttemptHTTP2: true,
		MaxResponseHeaderBytes: maxHeader, MaxIdleConnsPerHost: conns, IdleConnTimeout: 30 * time.Second,
	}}}
}

// follow stays with the host and the method that were asked.
func follow(next *http.Request, via []*http.Request) error {
	first := via[0]
	switch {
	case len(via) > maxRedirects:
		return errRedirects
	case next.URL.Host != first.URL.Host, next.URL.Scheme != first.URL.Scheme && next.URL.Scheme != "https", next.Method != first.Method:
		return errElsewhere
	}
	return nil
}

// bounded limits what is read of an answer.
type bounded struct{ http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := b.RoundTripper.RoundTrip(r)
	if err == nil {
		res.Body = &limited{ReadCloser: res.Body, left: MaxBody}
	}
	return res, err
}

type limited struct {
	io.ReadCloser
	left int
}

// Read fails where more comes than may be read.
func (l *limited) Read(p []byte) (int, error) {
	n, err := l.ReadCloser.Read(p)
	if l.left -= n; l.left < 0 {
		return n, errLarge
	}
	return n, err
}

// OpenAI returns the options of the library for the endpoint of a scorer. Nothing comes from the environment
// of the process, and tries are ours.
func OpenAI(spec *quality.ScorerSpec) []option.RequestOption {
	o := []option.RequestOption{
		option.WithBaseURL(spec.BaseURL), option.WithHTTPClient(NewClient(spec.Concurrency)), option.WithMaxRetries(0),
		option.WithHeader("User-Agent", "asgood"), option.WithRequestTimeout(spec.Timeout),
	}
	if spec.APIKey != "" {
		o = append(o, option.WithAPIKey(spec.APIKey))
	}
	return o
}

// Fault turns an error of a call into one that is fit to be stored: it repeats neither a URL nor what the
// endpoint said. It is of kind unavailable or too many where another try may fare better, and else invalid.
func Fault(err error, timeout time.Duration) error {
	var status *openai.Error
	var known *quality.Error
	switch {
	case errors.As(err, &known):
		return err
	case errors.As(err, &status):
		header := http.Header{}
		if status.Response != nil {
			header = status.Response.Header
		}
		return StatusFault(status.StatusCode, header, time.Now())
	case errors.Is(err, errElsewhere), errors.Is(err, errRedirects), errors.Is(err, errLarge):
		return quality.Errorf(quality.KindInvalid, "%s", innermost(err))
	case errors.Is(err, context.DeadlineExceeded) || isTimeout(err):
		return quality.Errorf(quality.KindUnavailable, "no answer within %s", timeout)
	case errors.Is(err, context.Canceled):
		return quality.Errorf(quality.KindUnavailable, "the call was given up")
	}
	if text, ok := broken(err); ok {
		return quality.Errorf(quality.KindUnavailable, "%s", text)
	}
	return quality.Errorf(quality.KindInvalid, "the answer could not be understood")
}

func innermost(err error) error {
	for _, known := range []error{errElsewhere, errRedirects, errLarge} {
		if errors.Is(err, known) {
			return known
		}
	}
	return err
}

func isTimeout(err error) bool {
	var n net.Error
	return errors.As(err, &n) && n.Timeout()
}

// broken says what is wrong with a connection: the question has met nobody.
func broken(err error) (string, bool) {
	var dns *net.DNSError
	var op *net.OpError
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return "connection refused", true
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return "connection reset", true
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "the connection was closed in the middle of the answer", true
	case errors.As(err, &dns):
		return "the host name could not be resolved", true
	case errors.As(err, &op):
		return "the endpoint could not be reached", true
	}
	return "", false
}

// StatusFault is the error of an answer with a bad status: 408, 425, 429 and 5xx pass, the others stay.
func StatusFault(status int, header http.Header, now time.Time) error {
	wait := min(retryAfter(header.Get("Retry-After"), now), longestRetry)
	switch {
	case status == http.StatusTooManyRequests:
		return quality.TooMany(wait, "status %d", status)
	case status == http.StatusRequestTimeout, status == http.StatusTooEarly, status >= 500:
		return &quality.Error{Kind: quality.KindUnavailable, Err: errStatus(status), Retry: wait}
	default:
		return quality.Errorf(quality.KindInvalid, "%w", errStatus(status))
	}
}

// errStatus is a bad status.
type errStatus int

// Error returns the status as text.
func (e errStatus) Error() string { return "status " + strconv.Itoa(int(e)) }

// StatusOf returns the bad status that an error of this package stands for, or 0.
func StatusOf(err error) int {
	var s errStatus
	if errors.As(err, &s) {
		return int(s)
	}
	return 0
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

// mostTokens is more than any model reads or writes in one call.
const mostTokens = 10_000_000

// Tokens bounds what an endpoint says that a call took: a figure below zero or beyond all models would spoil the
// account of every day that holds it.
func Tokens(n int64) int64 { return min(max(0, n), mostTokens) }

// Passes reports whether an error passes, so that another try may fare better.
func Passes(err error) bool {
	k := quality.KindOf(err)
	return err != nil && (k == quality.KindUnavailable || k == quality.KindTooMany)
}
