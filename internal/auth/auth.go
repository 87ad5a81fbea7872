// Package auth knows who calls. It owns the keys of machines that send data: how they look, where they
// are stored, what each may do and how much, and the gates of the listeners, which ask every request for
// the key that its route's audience needs. People and their sessions are not here yet.
//
// A check reads memory only. Every process watches the bucket of keys, so that a key that is revoked
// fails at the next request of whoever holds it, also on connections that are open.
//
// It leaves out what requests mean. What a key may do with single records, rooms ask for through the
// context of the request, by small interfaces that they declare; Guard is made for them.
package auth

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
)

// Scope is a sort of data that a key may send.
type Scope string

// The scopes.
const (
	ScopeSamples    Scope = "samples"
	ScopeScores     Scope = "scores"
	ScopeTraces     Scope = "traces" // OTLP traces and logs
	ScopeChanges    Scope = "changes"
	ScopeHeartbeats Scope = "heartbeats"
)

// Scopes returns all scopes.
func Scopes() []Scope {
	return []Scope{ScopeSamples, ScopeScores, ScopeTraces, ScopeChanges, ScopeHeartbeats}
}

// Spec says what a key shall be allowed to do.
type Spec struct {
	Name     string    `json:"name"`               // of the source that sends with it
	Scopes   []Scope   `json:"scopes"`             // at least one
	Features []string  `json:"features,omitempty"` // that it may send for; empty means all
	Expires  time.Time `json:"expires,omitzero"`   // zero means never
	Rate     float64   `json:"rate,omitempty"`     // records per second, 0 without limit
	Bytes    int64     `json:"bytes,omitempty"`    // bytes per second as sent, 0 without limit
	MaxBody  int64     `json:"max_body,omitempty"` // bytes of one body as sent, 0 for the listener's limit
}

// Key is a key without its secret, which nobody knows but its holder.
type Key struct {
	ID string `json:"id"`
	Spec
	Created  time.Time `json:"created"`
	Revoked  time.Time `json:"revoked,omitzero"`
	LastUsed time.Time `json:"last_used,omitzero"` // to about a minute
}

// State returns active, expired or revoked.
func (k Key) State(now time.Time) string {
	switch {
	case !k.Revoked.IsZero():
		return "revoked"
	case k.expired(now):
		return "expired"
	default:
		return "active"
	}
}

func (k *Key) expired(now time.Time) bool { return !k.Expires.IsZero() && !now.Before(k.Expires) }

// Bounds of a key.
const (
	maxFeatures = 1000
	maxRate     = 1e9
	minBody     = 1 << 10
)

var nameForm = regexp.MustCompile(`^[\pL\pN][\pL\pN ._/@:-]*$`)

// Validate reports what is wrong with a spec. known lists the configured features.
func (s *Spec) Validate(known []string, now time.Time) error {
	switch {
	case len(s.Name) > quality.MaxNameLen || !nameForm.MatchString(s.Name):
		return quality.Errorf(quality.KindInvalid, "field %q: want 1 to %d bytes of letters, digits, spaces and ._/@:-, a letter or digit first", "name", quality.MaxNameLen)
	case !s.Expires.IsZero() && !s.Expires.After(now):
		return quality.Errorf(quality.KindInvalid, "field %q: %s has passed", "expires", s.Expires.Format(time.RFC3339))
	case s.Rate < 0 || s.Rate > maxRate: // a number of JSON is never NaN
		return quality.Errorf(quality.KindInvalid, "field %q: want 0 to %g records per second", "rate", float64(maxRate))
	case s.Bytes < 0 || s.Bytes > 0 && s.Bytes < minBody:
		return quality.Errorf(quality.KindInvalid, "field %q: want %d bytes per second or more", "bytes", minBody)
	case s.MaxBody < 0 || s.MaxBody > 0 && s.MaxBody < minBody:
		return quality.Errorf(quality.KindInvalid, "field %q: want %d bytes or more", "max_body", minBody)
	}
	if err := checkScopes(s.Scopes); err != nil {
		return err
	}
	return checkFeatures(s.Features, known)
}

func checkScopes(scopes []Scope) error {
	if len(scopes) == 0 {
		return quality.Errorf(quality.KindInvalid, "field %q: want at least one of %s", "scopes", scopeList(Scopes()))
	}
	for i, s := range scopes {
		if !slices.Contains(Scopes(), s) {
			return quality.Errorf(quality.KindInvalid, "field %q: no scope %.40q (known: %s)", "scopes", string(s), scopeList(Scopes()))
		}
		if slices.Contains(scopes[:i], s) {
			return quality.Errorf(quality.KindInvalid, "field %q: %s stands twice", "scopes", s)
		}
	}
	return nil
}

func checkFeatures(features, known []string) error {
	if len(features) > maxFeatures {
		return quality.Errorf(quality.KindInvalid, "field %q: %d entries, at most %d", "features", len(features), maxFeatures)
	}
	for _, f := range features {
		if !slices.Contains(known, f) {
			return quality.Errorf(quality.KindInvalid, "field %q: no feature %.80q is configured (known: %s)", "features", f, few(known))
		}
	}
	return nil
}

func scopeList(scopes []Scope) string {
	names := make([]string, len(scopes))
	for i, s := range scopes {
		names[i] = string(s)
	}
	return strings.Join(names, ", ")
}

// few lists the first of many names.
func few(names []string) string {
	const most = 20
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}
