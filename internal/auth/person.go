package auth

import (
	"context"
	"net/http"
	"net/netip"

	"github.com/asgood-dev/asgood/internal/quality"
)

// Role says what a person may do.
type Role = quality.Role

// The roles, the least first.
const (
	RoleViewer    = quality.RoleViewer
	RoleAccount   = quality.RoleAccount
	RoleResponder = quality.RoleResponder
	RoleEditor    = quality.RoleEditor
	RoleAdmin     = quality.RoleAdmin
)

// SignedIn is a person that is signed in, by one session.
type SignedIn struct {
	ID      string // stays the same over sign-ins
	Name    string
	Role    Role
	Session string // id of the session, which is no secret
	CSRF    string // that forms of the session carry
}

// People knows who is signed in.
type People interface {
	// SignedIn returns who sent a request; false when nobody is signed in.
	SignedIn(r *http.Request) (SignedIn, bool)
}

// The credentials of actors.
const (
	credentialSession  = "session"
	credentialKey      = "key"
	credentialLoopback = "loopback"
)

// caller is who sent a request.
type caller struct {
	sender *Sender   // nil without a key
	person *SignedIn // nil when nobody is signed in
	from   netip.Addr
}

type callerKey struct{}

func withCaller(ctx context.Context, c caller) context.Context {
	return context.WithValue(ctx, callerKey{}, c)
}

func callerOf(ctx context.Context) caller {
	c, _ := ctx.Value(callerKey{}).(caller)
	return c
}

// WithSignedIn returns a context in which a person acts.
func WithSignedIn(ctx context.Context, p SignedIn) context.Context {
	c := callerOf(ctx)
	c.person = &p
	return withCaller(ctx, c)
}

// SignedInOf returns the person who acts, if one does.
func SignedInOf(ctx context.Context) (SignedIn, bool) {
	if p := callerOf(ctx).person; p != nil {
		return *p, true
	}
	return SignedIn{}, false
}

// ActorOf returns who acts: a person by their session, a machine by its key, or this machine.
func ActorOf(ctx context.Context) quality.Actor {
	c := callerOf(ctx)
	switch {
	case c.person != nil:
		return quality.Actor{Kind: quality.ActorHuman, ID: c.person.ID, Name: c.person.Name, Credential: credentialSession}
	case c.sender != nil:
		return quality.Actor{Kind: quality.ActorMachine, ID: c.sender.id, Name: c.sender.Key().Name, Credential: credentialKey}
	default:
		return quality.Actor{Kind: quality.ActorMachine, ID: credentialLoopback, Credential: credentialLoopback}
	}
}

// RoleOf returns the role of the person who acts, none when no person does.
func RoleOf(ctx context.Context) Role {
	if p := callerOf(ctx).person; p != nil {
		return p.Role
	}
	return quality.RoleNone
}

// CSRF returns what forms of the session carry in the field csrf, and scripts in the header X-CSRF-Token; it
// is empty when nobody is signed in.
func CSRF(ctx context.Context) string {
	if p := callerOf(ctx).person; p != nil {
		return p.CSRF
	}
	return ""
}

// FromOf returns the address of the caller; it is empty where it is not known.
func FromOf(ctx context.Context) string {
	if from := callerOf(ctx).from; from.IsValid() {
		return from.String()
	}
	return ""
}

// AddrOf returns the address that a request came from.
func AddrOf(r *http.Request) netip.Addr { return remoteAddr(r.RemoteAddr).Unmap() }
