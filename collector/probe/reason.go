package probe

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"
	"time"
)

// saidError is an error whose text is ours and fit to be kept.
type saidError struct{ text string }

func (e *saidError) Error() string { return e.text }

func said(format string, args ...any) error { return &saidError{fmt.Sprintf(format, args...)} }

// reasons are the texts of what goes wrong below the protocols. The errors themselves may repeat what the
// other side sent, or a URL with a key.
var reasons = []struct {
	err  error
	text string
}{
	{syscall.ECONNREFUSED, "connection refused"},
	{syscall.ECONNRESET, "connection reset"},
	{syscall.EPIPE, "connection reset"},
	{syscall.EHOSTUNREACH, "no route to the host"},
	{syscall.ENETUNREACH, "no route to the network"},
	{syscall.EACCES, "this machine does not allow the connection"},
	{syscall.EPERM, "this machine does not allow the connection"},
	{io.EOF, "the connection was closed without an answer"},
	{io.ErrUnexpectedEOF, "the connection was closed without an answer"},
}

// shortages are the machine's own troubles, which say nothing of the other side.
var shortages = []error{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM, syscall.EADDRNOTAVAIL}

// reason turns an error into one that is fit to be stored and logged.
func reason(ctx context.Context, err error, timeout time.Duration) error {
	var own *saidError
	var unsure *unknownError
	switch {
	case errors.As(err, &unsure):
		return unsure
	case errors.As(err, &own):
		return own
	}
	for _, s := range shortages {
		if errors.Is(err, s) {
			return unknown("this machine is short of something: %s", s)
		}
	}
	if ctx.Err() != nil || errors.Is(err, context.DeadlineExceeded) || isTimeout(err) {
		return said("no answer within %s", timeout)
	}
	if text := certificateReason(err); text != "" {
		return said("%s", text)
	}
	return said("%s", networkReason(err))
}

func isTimeout(err error) bool {
	var n net.Error
	return errors.As(err, &n) && n.Timeout()
}

func networkReason(err error) string {
	var dns *net.DNSError
	if errors.As(err, &dns) {
		if dns.IsNotFound {
			return "the host name is not known"
		}
		return "the host name could not be resolved"
	}
	for _, r := range reasons {
		if errors.Is(err, r.err) {
			return r.text
		}
	}
	return "the answer could not be understood"
}

// certificateReason names what is wrong with TLS, empty when that is not the matter.
func certificateReason(err error) string {
	var (
		host    x509.HostnameError
		signer  x509.UnknownAuthorityError
		invalid x509.CertificateInvalidError
		verify  *tls.CertificateVerificationError
		record  tls.RecordHeaderError
		alert   tls.AlertError
	)
	switch {
	case errors.As(err, &host):
		return "the certificate is not for this host name"
	case errors.As(err, &signer):
		return "the certificate is signed by nobody that is trusted"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "the certificate has expired or is not valid yet"
	case errors.As(err, &invalid), errors.As(err, &verify):
		return "the certificate does not verify"
	case errors.As(err, &record):
		return "the server does not speak TLS"
	case errors.As(err, &alert):
		return "the server refused the TLS handshake"
	default:
		return ""
	}
}
