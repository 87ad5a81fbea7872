package canary

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"syscall"
	"time"
)

// failure is why a call has no answer. Its text is ours and fit to be kept.
type failure struct {
	text  string
	again bool          // another try may fare better
	after time.Duration // how long the endpoint asks to wait before it
}

func (f *failure) Error() string { return f.text }

func failed(format string, args ...any) *failure {
	return &failure{text: fmt.Sprintf(format, args...)}
}

// broken are errors of the connection: the question has met nobody, so another try may fare better. The
// errors themselves may repeat what the other side sent, or a URL with a key.
var broken = []struct {
	err  error
	text string
}{
	{syscall.ECONNREFUSED, "connection refused"},
	{syscall.ECONNRESET, "connection reset"},
	{syscall.EPIPE, "connection reset"},
	{syscall.EHOSTUNREACH, "no route to the host"},
	{syscall.ENETUNREACH, "no route to the network"},
	{io.EOF, "the connection was closed without an answer"},
	{io.ErrUnexpectedEOF, "the connection was closed in the middle of the answer"},
}

// failureOf turns an error of a try into one that is fit to be stored and logged. ctx is that of the try.
func failureOf(ctx context.Context, err error, timeout time.Duration) *failure {
	var own *failure
	if errors.As(err, &own) {
		return own
	}
	var n net.Error
	timedOut := errors.As(err, &n) && n.Timeout()
	if ctx.Err() != nil || timedOut || errors.Is(err, context.DeadlineExceeded) {
		return failed("no answer within %s", timeout)
	}
	for _, b := range broken {
		if errors.Is(err, b.err) {
			return &failure{text: b.text, again: true}
		}
	}
	var dns *net.DNSError
	if errors.As(err, &dns) {
		return &failure{text: "the host name could not be resolved", again: !dns.IsNotFound}
	}
	var verify *tls.CertificateVerificationError
	var signer x509.UnknownAuthorityError
	var record tls.RecordHeaderError
	switch {
	case errors.As(err, &verify), errors.As(err, &signer):
		return failed("the certificate does not verify")
	case errors.As(err, &record), errors.Is(err, http.ErrSchemeMismatch):
		return failed("the server does not speak TLS")
	default:
		return failed("the answer could not be understood")
	}
}
