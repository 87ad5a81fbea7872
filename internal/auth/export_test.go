package auth

import (
	"context"
	"net/http"
	"net/netip"
	"time"
)

// Sender checks a token.
func (k *Keys) Sender(token string, scope Scope) (*Sender, error) {
	s, r := k.admit(credential{token: token, sent: true}, scope, true)
	if r.reason != "" {
		return nil, r.err()
	}
	return s, nil
}

// Check is the check alone.
func (k *Keys) Check(token string, scope Scope, now time.Time) (*Sender, Reason) {
	return k.check(token, scope, now)
}

// WithSender is what a gate does.
var WithSender = withSender

// NoteUsed stores when keys were used.
func (k *Keys) NoteUsed(ctx context.Context) { k.noteUsed(ctx) }

// ReadHeader finds the key of a request.
func ReadHeader(h http.Header) (token string, sent bool, reason Reason) {
	c := readHeader(h)
	return c.token, c.sent, c.reason
}

// SplitToken cuts a token.
var SplitToken = splitToken

// LocalHost judges a Host header.
var LocalHost = localHost

// MaxAddresses bounds the addresses that failed.
const MaxAddresses = maxAddresses

// Failures counts failed attempts in a map of its own.
type Failures struct{ a *Attempts }

// NewFailures has seen none.
func NewFailures() Failures { return Failures{NewAttempts()} }

// Fail notes one and reports whether the address is told to wait, and whether a line is logged.
func (f Failures) Fail(addr netip.Addr, now time.Time) (waits, logs bool) {
	v := f.a.Fail(addr, now)
	return v.Wait > 0, v.Log
}

// Len is how many addresses are held.
func (f Failures) Len() int { return len(f.a.by) }
