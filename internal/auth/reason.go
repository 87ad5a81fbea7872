package auth

import (
	"fmt"
	"net/http"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
)

// Reason says why a request was refused; it is a label value.
type Reason string

// The reasons. None is empty.
const (
	ReasonMissing   Reason = "missing"    // no key was sent
	ReasonScheme    Reason = "scheme"     // Authorization has another scheme than Bearer
	ReasonSeveral   Reason = "several"    // two different keys were sent
	ReasonMalformed Reason = "malformed"  // what was sent has not the form of a key
	ReasonUnknown   Reason = "unknown"    // no key has this id, or not this secret
	ReasonExpired   Reason = "expired"    //
	ReasonRevoked   Reason = "revoked"    //
	ReasonScope     Reason = "scope"      // the key is not for this sort of data
	ReasonFeature   Reason = "feature"    // the key is not for this feature; counted by record
	ReasonAttempts  Reason = "attempts"   // too many failed attempts from one address
	ReasonRate      Reason = "rate"       // more records per second than the key may send
	ReasonBytes     Reason = "bytes"      // more bytes per second than the key may send
	ReasonTooLarge  Reason = "too_large"  // a body above the limit
	ReasonSlow      Reason = "slow"       // a body that stalls
	ReasonOrigin    Reason = "origin"     // a web page, or a name that is not this machine's, calls an internal route
	ReasonAudience  Reason = "undeclared" // the route declares no audience
	ReasonPerson    Reason = "person"     // a person must be signed in
	ReasonRole      Reason = "role"       // the person who is signed in may not
	ReasonForm      Reason = "form"       // the token of the session's forms is missing or wrong
	ReasonElsewhere Reason = "elsewhere"  // another machine calls an internal route
)

func reasons() []Reason {
	return []Reason{ReasonMissing, ReasonScheme, ReasonSeveral, ReasonMalformed, ReasonUnknown, ReasonExpired, ReasonRevoked, ReasonScope,
		ReasonFeature, ReasonAttempts, ReasonRate, ReasonBytes, ReasonTooLarge, ReasonSlow, ReasonOrigin, ReasonAudience,
		ReasonPerson, ReasonRole, ReasonForm, ReasonElsewhere}
}

// failed reports whether a request with this reason is an attempt by somebody who has no good key.
func (r Reason) failed() bool {
	switch r {
	case ReasonMissing, ReasonScheme, ReasonSeveral, ReasonMalformed, ReasonUnknown, ReasonExpired, ReasonRevoked:
		return true
	default:
		return false
	}
}

const howToSend = `send "Authorization: Bearer KEY" or "X-API-Key: KEY"`

// refusal is why somebody was refused, and what is known of the key.
type refusal struct {
	reason Reason
	scope  Scope
	sender *Sender // nil unless its key was found and its secret was right
	now    time.Time
}

// err is what the caller reads. It says more only to who holds the secret of a key.
func (r refusal) err() error {
	switch r.reason {
	case ReasonMissing:
		return quality.Errorf(quality.KindUnauthenticated, "a key is required: %s (asgood key create makes one)", howToSend)
	case ReasonScheme:
		return quality.Errorf(quality.KindUnauthenticated, "a key is required: Authorization has another scheme than Bearer; %s", howToSend)
	case ReasonSeveral:
		return quality.Errorf(quality.KindUnauthenticated, "two different keys were sent; want one")
	case ReasonMalformed:
		return quality.Errorf(quality.KindUnauthenticated, "this is not a key of the form asgood_ID_SECRET with %d characters; it may be cut short", tokenLen)
	case ReasonExpired:
		return quality.Errorf(quality.KindUnauthenticated, "key %s expired at %s", r.sender.ID(), r.sender.key.Load().Expires.Format(time.RFC3339))
	case ReasonRevoked:
		return quality.Errorf(quality.KindUnauthenticated, "key %s was revoked", r.sender.ID())
	case ReasonScope:
		return quality.Errorf(quality.KindForbidden, "key %s may not send %s (its scopes: %s)", r.sender.ID(), r.scope, scopeList(r.sender.key.Load().Scopes))
	case ReasonRate, ReasonBytes:
		return r.sender.overdrawn(r.reason, r.now)
	default:
		return quality.Errorf(quality.KindUnauthenticated, "the key is not known here")
	}
}

// challenge is the WWW-Authenticate header of the answer, after RFC 6750.
func (r refusal) challenge() string {
	const realm = `Bearer realm="asgood"`
	switch {
	case r.reason == ReasonMissing || r.reason == ReasonScheme:
		return realm
	case r.reason == ReasonScope:
		return fmt.Sprintf(`%s, error="insufficient_scope", scope=%q`, realm, string(r.scope))
	case r.reason.failed():
		return realm + `, error="invalid_token"`
	default:
		return ""
	}
}

func (r refusal) setHeader(h http.Header) {
	if c := r.challenge(); c != "" {
		h.Set("WWW-Authenticate", c)
	}
}
