// Package webhook sends one message to one address, signed by the rules of Standard Webhooks
// (https://www.standardwebhooks.com), and says of a failure whether trying again can help.
//
// It owns the request and the signature. When to try again, and which addresses may be called at all, is the
// business of who sends: alerts and subscriptions.
package webhook

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"syscall"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

// timeout bounds one attempt, answerBytes and headerBytes what is read of an answer.
const (
	timeout     = 15 * time.Second
	answerBytes = 4 << 10
	headerBytes = 64 << 10
)

// Error is a failed attempt.
type Error struct {
	Retry      bool          // trying again may help
	RetryAfter time.Duration // what the receiver asked for; 0 when it did not
	Reason     string        // one of Reasons, for metrics
	Err        error
}

// The reasons of failures.
const (
	ReasonNetwork = "network" // not reached, or the connection broke
	ReasonTimeout = "timeout" // no answer in time
	ReasonStatus  = "status"  // answered, and not with 2xx
	ReasonGone    = "gone"    // answered 410: it wants no more messages
	ReasonRequest = "request" // the address or the secret cannot be used
)

// Reasons returns every reason.
func Reasons() []string {
	return []string{ReasonNetwork, ReasonTimeout, ReasonStatus, ReasonGone, ReasonRequest}
}

// Error returns the reason in words. It holds no secret, no address, and nothing that the receiver wrote.
func (e *Error) Error() string { return e.Err.Error() }

// Unwrap returns the wrapped error.
func (e *Error) Unwrap() error { return e.Err }

// Sender sends messages.
type Sender struct {
	client *http.Client
	now    func() time.Time
}

// New returns a sender. A nil transport means one of its own; a nil clock means time.Now.
func New(transport http.RoundTripper, now func() time.Time) *Sender {
	if now == nil {
		now = time.Now
	}
	if transport == nil {
		transport = &http.Transport{Proxy: http.ProxyFromEnvironment, MaxIdleConnsPerHost: 2, IdleConnTimeout: time.Minute, MaxResponseHeaderBytes: headerBytes}
	}
	return &Sender{now: now, client: &http.Client{
		Transport: transport, Timeout: timeout,
		// A signed message goes to the address that was configured and to no other.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// CheckSecret says what is wrong with a secret, or nothing.
func CheckSecret(secret string) error {
	raw, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	if err != nil || len(raw) < 24 || len(raw) > 64 {
		return errors.New("want whsec_ and the base64 of 24 to 64 random bytes")
	}
	return nil
}

// Send posts the payload, a JSON document, under an id that stays the same when it is sent again. The
// error is an *Error.
func (s *Sender) Send(ctx context.Context, url, secret, id string, payload []byte) error {
	_, err := s.Ask(ctx, url, secret, id, payload)
	return err
}

// Ask is Send that returns what was answered: at most 4 KiB of it.
func (s *Sender) Ask(ctx context.Context, url, secret, id string, payload []byte) ([]byte, error) {
	req, err := newRequest(ctx, url, payload)
	if err != nil {
		return nil, err
	}
	if err := s.sign(req, secret, id, payload); err != nil {
		return nil, err
	}
	return s.do(req)
}

// Post posts a JSON document without a signature, to an address that is itself the secret. The error is an *Error.
func (s *Sender) Post(ctx context.Context, url string, payload []byte) error {
	req, err := newRequest(ctx, url, payload)
	if err != nil {
		return err
	}
	_, err = s.do(req)
	return err
}

func (s *Sender) do(req *http.Request) ([]byte, error) {
	res, err := s.client.Do(req)
	if err != nil {
		return nil, network(err)
	}
	defer res.Body.Close()
	// Read to the end, so that the connection can be used again.
	answer, err := io.ReadAll(io.LimitReader(res.Body, answerBytes))
	if res.StatusCode < 200 || res.StatusCode >= 300 {
		return nil, refused(res, s.now())
	}
	// What was taken is taken, whatever becomes of the words about it.
	if err != nil {
		answer = nil
	}
	return answer, nil
}

func newRequest(ctx context.Context, url string, payload []byte) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(payload))
	if err != nil {
		return nil, &Error{Reason: ReasonRequest, Err: errors.New("the address cannot be used")}
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "asgood-webhook")
	return req, nil
}

func (s *Sender) sign(req *http.Request, secret, id string, payload []byte) error {
	signer, err := standardwebhooks.NewWebhook(strings.TrimPrefix(secret, "whsec_"))
	if err != nil {
		return &Error{Reason: ReasonRequest, Err: errors.New("the secret cannot be used")}
	}
	at := s.now()
	signature, err := signer.Sign(id, at, payload)
	if err != nil {
		return &Error{Reason: ReasonRequest, Err: errors.New("the secret cannot be used")}
	}
	req.Header.Set(standardwebhooks.HeaderWebhookID, id)
	req.Header.Set(standardwebhooks.HeaderWebhookTimestamp, strconv.FormatInt(at.Unix(), 10))
	req.Header.Set(standardwebhooks.HeaderWebhookSignature, signature)
	return nil
}

// network leaves out the address, which may hold a key, and what the receiver wrote.
func network(err error) error {
	var timed interface{ Timeout() bool }
	if errors.As(err, &timed) && timed.Timeout() {
		return &Error{Retry: true, Reason: ReasonTimeout, Err: fmt.Errorf("no answer within %s", timeout)}
	}
	return &Error{Retry: true, Reason: ReasonNetwork, Err: errors.New("not reached: " + networkText(err))}
}

func networkText(err error) string {
	var dns *net.DNSError
	var code syscall.Errno
	switch {
	case errors.As(err, &dns):
		return dns.Err
	case errors.As(err, &code):
		return code.Error()
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "the connection was closed"
	}
	for inner := errors.Unwrap(err); inner != nil; inner = errors.Unwrap(err) {
		err = inner
	}
	if text := err.Error(); strings.HasPrefix(text, "tls: ") || strings.HasPrefix(text, "x509: ") {
		return text
	}
	return "no usable answer"
}

// refused is an answer other than 2xx. Only 410 is final: a receiver that is being set up or moved answers
// with 401, 404 or a redirect, and what it was sent then must not be lost.
func refused(res *http.Response, now time.Time) error {
	e := &Error{Retry: true, Reason: ReasonStatus, RetryAfter: retryAfter(res.Header.Get("Retry-After"), now),
		Err: errors.New(strings.TrimSpace(fmt.Sprintf("answered %d %s", res.StatusCode, http.StatusText(res.StatusCode))))}
	if res.StatusCode == http.StatusGone {
		e.Retry, e.Reason, e.RetryAfter = false, ReasonGone, 0
	}
	return e
}

// maxRetryAfter is more than any receiver can mean.
const maxRetryAfter = 365 * 24 * time.Hour

func retryAfter(v string, now time.Time) time.Duration {
	wait := time.Duration(0)
	if n, err := strconv.ParseUint(v, 10, 32); err == nil || errors.Is(err, strconv.ErrRange) {
		wait = time.Duration(n) * time.Second
	} else if at, err := http.ParseTime(v); err == nil {
		wait = at.Sub(now)
	}
	return min(max(0, wait), maxRetryAfter)
}
