// Package passkey makes and judges passkeys (WebAuthn): it owns which site they are for, what an authenticator is
// asked, and whether its answer is good.
//
// It leaves out sessions, pages and where passkeys are kept. It remembers nothing of what was asked: whoever asks
// keeps the Question and hands it back, once.
package passkey

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"github.com/asgood-dev/asgood/internal/quality"
)

// Site is what passkeys are bound to.
type Site struct {
	ID     string // host, which passkeys never leave
	Origin string // of the pages, such as https://console.example.com
}

const localhost = "localhost"

// SiteOf returns the site of pages that people reach at a URL. An address of this machine itself is the site
// localhost. Other addresses and other hosts by plain http have no passkeys: no browser would make one.
func SiteOf(address string) (Site, error) {
	u, err := url.Parse(address)
	if err != nil || u.Hostname() == "" {
		return Site{}, quality.Errorf(quality.KindInvalid, "passkeys need auth.url to be a URL with a host")
	}
	host := u.Hostname()
	if ip, err := netip.ParseAddr(host); err == nil {
		if !ip.Unmap().IsLoopback() {
			return Site{}, quality.Errorf(quality.KindInvalid, "passkeys need a name, not an address: set auth.url to a URL with a name")
		}
		host = localhost
	}
	if u.Scheme != "https" && host != localhost {
		return Site{}, quality.Errorf(quality.KindInvalid, "passkeys need https: set auth.url to a URL with https")
	}
	origin := u.Scheme + "://" + host
	if u.Port() != "" {
		origin = u.Scheme + "://" + net.JoinHostPort(host, u.Port())
	}
	return Site{ID: host, Origin: origin}, nil
}

// Holder is who a passkey is for.
type Holder struct {
	Handle []byte // that authenticators keep; random, 1 to 64 bytes
	Name   string // that the person sees in their list of passkeys
	Has    []Credential
}

// NewHandle makes a handle that tells nothing of the person.
func NewHandle() []byte {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // never fails
	return b
}

// Credential is what is kept of a passkey. None of it is secret.
type Credential struct {
	ID         []byte   `json:"id"`
	PublicKey  []byte   `json:"public_key"`
	Count      uint32   `json:"count"`      // of signatures, 0 where the authenticator does not count
	Eligible   bool     `json:"eligible"`   // may be copied to other devices of the person
	Transports []string `json:"transports"` // by which browsers find it
}

// Question is what an authenticator is asked. It is good for one answer.
type Question struct {
	Options json.RawMessage // for the browser
	session webauthn.SessionData
}

// Challenge is the random part of the question, in base64url.
func (q Question) Challenge() string { return q.session.Challenge }

// Party asks for a site.
type Party struct {
	site Site
	w    *webauthn.WebAuthn
}

// New returns who asks for a site.
func New(s Site) (*Party, error) {
	w, err := webauthn.New(&webauthn.Config{
		RPID: s.ID, RPDisplayName: "Asgood", RPOrigins: []string{s.Origin}, AttestationPreference: protocol.PreferNoAttestation,
		// The passkey is all that a person shows, so the authenticator must have asked who holds it.
		AuthenticatorSelection: protocol.AuthenticatorSelection{
			ResidentKey: protocol.ResidentKeyRequirementRequired, RequireResidentKey: protocol.ResidentKeyRequired(), UserVerification: protocol.VerificationRequired,
		},
		// Password managers answer with extensions that nobody asked for.
		ExtensionsUnsolicitedOutputPolicy: protocol.UnsolicitedOutputPolicyIgnore,
	})
	if err != nil {
		return nil, fmt.Errorf("preparing passkeys of %q: %w", s.ID, err)
	}
	return &Party{s, w}, nil
}

// AskNew asks for a new passkey. Authenticators that hold one of the person refuse.
func (p *Party) AskNew(h Holder) (Question, error) {
	asked, session, err := p.w.BeginRegistration(user{h}, webauthn.WithExclusions(user{h}.descriptors()))
	if err != nil {
		return Question{}, fmt.Errorf("asking for a passkey: %w", err)
	}
	return question(asked.Response, session)
}

// AskAny asks for any passkey of the site; its answer says whose it is.
func (p *Party) AskAny() (Question, error) {
	asked, session, err := p.w.BeginDiscoverableLogin()
	if err != nil {
		return Question{}, fmt.Errorf("asking for a passkey: %w", err)
	}
	return question(asked.Response, session)
}

func question(options any, s *webauthn.SessionData) (Question, error) {
	data, err := json.Marshal(options)
	if err != nil {
		return Question{}, fmt.Errorf("encoding a question for a passkey: %w", err)
	}
	return Question{Options: data, session: *s}, nil
}

// maxCredentialID is the longest id of a credential, in bytes, after WebAuthn.
const maxCredentialID = 1023

// TakeNew judges the answer to AskNew.
func (p *Party) TakeNew(h Holder, q Question, answer []byte) (Credential, error) {
	parsed, err := protocol.ParseCredentialCreationResponseBytes(answer)
	if err != nil {
		return Credential{}, refused(err)
	}
	got, err := p.w.CreateCredential(user{h}, q.session, parsed)
	if err != nil {
		return Credential{}, refused(err)
	}
	if len(got.ID) == 0 || len(got.ID) > maxCredentialID {
		return Credential{}, refused(fmt.Errorf("the credential has an id of %d bytes", len(got.ID)))
	}
	c := Credential{ID: got.ID, PublicKey: got.PublicKey, Count: got.Authenticator.SignCount, Eligible: got.Flags.BackupEligible}
	for _, t := range got.Transport[:min(len(got.Transport), maxTransports)] {
		if len(t) <= maxTransport {
			c.Transports = append(c.Transports, string(t))
		}
	}
	return c, nil
}

// Bounds of what a browser says of how an authenticator is reached.
const (
	maxTransports = 8
	maxTransport  = 32 // bytes
)

// TakeAny judges the answer to AskAny. find returns the passkey of an id with the handle of its person. The result
// has the counter of the answer; whether that went on, Counts tells, of the newest that is stored.
func (p *Party) TakeAny(q Question, answer []byte, find func(id []byte) (c Credential, handle []byte, ok bool)) (Credential, error) {
	parsed, err := protocol.ParseCredentialRequestResponseBytes(answer)
	if err != nil {
		return Credential{}, refused(err)
	}
	var known Credential
	_, _, err = p.w.ValidatePasskeyLogin(func(id, _ []byte) (webauthn.User, error) {
		c, handle, ok := find(id)
		if !ok {
			return nil, errors.New("nobody has this passkey")
		}
		known = c
		return user{Holder{Handle: handle, Has: []Credential{c}}}, nil // the handle of the answer is compared with it
	}, q.session, parsed)
	if err != nil {
		return Credential{}, refused(err)
	}
	known.Count = parsed.Response.AuthenticatorData.Counter
	return known, nil
}

// Counts reports whether a counter of signatures went on from the one that is stored. One that stands or goes back
// tells of a copy of the passkey, unless the authenticator does not count at all.
func Counts(stored, got uint32) bool { return got > stored || stored == 0 && got == 0 }

// ErrRefused is all that is told of an answer that is not good: who tries one out learns nothing.
var ErrRefused = quality.Errorf(quality.KindUnauthenticated, "this passkey is not good here: it may have been removed, or the answer took too long; begin again")

// Refused is an answer that is not good, and why, for the log.
type Refused struct{ Why error }

func refused(why error) error { return Refused{why} }

// Error returns what the caller is told.
func (Refused) Error() string { return ErrRefused.Error() }

// Unwrap returns ErrRefused.
func (Refused) Unwrap() error { return ErrRefused }

// Reason returns why an answer was refused, for the log.
func Reason(err error) string {
	var r Refused
	if !errors.As(err, &r) {
		return err.Error()
	}
	var p *protocol.Error
	if errors.As(r.Why, &p) {
		return p.Details + " " + p.DevInfo
	}
	return r.Why.Error()
}

// user is a holder as the library knows one.
type user struct{ h Holder }

// WebAuthnID returns the handle.
func (u user) WebAuthnID() []byte { return u.h.Handle }

// WebAuthnName returns the name.
func (u user) WebAuthnName() string { return u.h.Name }

// WebAuthnDisplayName returns the name.
func (u user) WebAuthnDisplayName() string { return u.h.Name }

// WebAuthnCredentials returns the passkeys.
func (u user) WebAuthnCredentials() []webauthn.Credential {
	out := make([]webauthn.Credential, len(u.h.Has))
	for i, c := range u.h.Has {
		out[i] = webauthn.Credential{
			ID: c.ID, PublicKey: c.PublicKey, Flags: webauthn.CredentialFlags{BackupEligible: c.Eligible},
			Authenticator: webauthn.Authenticator{SignCount: c.Count},
		}
		for _, t := range c.Transports {
			out[i].Transport = append(out[i].Transport, protocol.AuthenticatorTransport(t))
		}
	}
	return out
}

func (u user) descriptors() []protocol.CredentialDescriptor {
	return webauthn.Credentials(u.WebAuthnCredentials()).CredentialDescriptors()
}
