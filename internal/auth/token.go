package auth

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base32"
	"encoding/base64"
	"net/http"
	"strings"
)

// A token is "asgood_", the id, "_" and the secret. The prefix lets scanners of source code find keys
// that leaked; the id may be shown and logged.
const (
	tokenPrefix = "asgood_"
	idLen       = 10 // characters of base32
	secretLen   = 43 // characters of 32 bytes in base64url
	tokenLen    = len(tokenPrefix) + idLen + 1 + secretLen
)

// hash is the SHA-256 of a secret as it is written. A slow hash is for passwords, which can be guessed:
// a secret of 32 random bytes cannot, however fast guesses are made, and a slow one would let anybody
// make the listener work hard.
type hash [sha256.Size]byte

// newToken makes the id of a key, its token, which is shown once, and the hash that is kept.
func newToken() (id, token string, h hash) {
	id, secret, h := newSecret()
	return id, tokenPrefix + id + "_" + secret, h
}

func newSecret() (id, secret string, h hash) {
	var raw [7 + 32]byte
	_, _ = rand.Read(raw[:]) // never fails: see crypto/rand
	id = strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(raw[:7]))[:idLen]
	secret = base64.RawURLEncoding.EncodeToString(raw[7:])
	return id, secret, hashOf(secret)
}

// Secret is what a person or a customer is given to come in with: an id, which may be shown and logged, and
// what only its holder knows.
type Secret struct {
	ID     string
	secret string
}

// NewSecret makes one that nobody has.
func NewSecret() Secret {
	id, secret, _ := newSecret()
	return Secret{id, secret}
}

// ParseSecret reads what String wrote; false when it did not. Nothing is known of it yet.
func ParseSecret(s string) (Secret, bool) {
	id, secret, ok := splitToken(tokenPrefix + s)
	return Secret{id, secret}, ok
}

// String writes the secret as it is handed out, of characters that may stand in a URL.
func (s Secret) String() string { return s.ID + "_" + s.secret }

// Hash is what is kept.
func (s Secret) Hash() []byte {
	h := hashOf(s.secret)
	return h[:]
}

// Is reports whether this is the secret of a hash, in the same time whether it is or not.
func (s Secret) Is(hash []byte) bool { return subtle.ConstantTimeCompare(s.Hash(), hash) == 1 }

// Derive returns another secret that whoever knows this one can make, and nobody else.
func (s Secret) Derive(purpose string) string {
	m := hmac.New(sha256.New, []byte(s.secret))
	m.Write([]byte(purpose))
	return base64.RawURLEncoding.EncodeToString(m.Sum(nil))
}

func hashOf(secret string) hash {
	var b [secretLen]byte // on the stack
	copy(b[:], secret)
	return sha256.Sum256(b[:])
}

// splitToken cuts a token into id and secret; ok is false when it is none.
func splitToken(token string) (id, secret string, ok bool) {
	rest, ok := strings.CutPrefix(token, tokenPrefix)
	if !ok || len(token) != tokenLen || rest[idLen] != '_' {
		return "", "", false
	}
	for i := range idLen {
		if c := rest[i]; (c < 'a' || c > 'z') && (c < '2' || c > '7') {
			return "", "", false
		}
	}
	return rest[:idLen], rest[idLen+1:], true
}

// credential is what a request gives as its key.
type credential struct {
	token  string
	sent   bool
	reason Reason // set when what was sent cannot be a key
}

const bearer = "bearer "

// readHeader finds the key of a request. An Authorization of another scheme is not a key of ours.
func readHeader(h http.Header) credential {
	return readCredential(h["Authorization"], h["X-Api-Key"])
}

func readCredential(authorization, apiKey []string) credential {
	var c credential
	for _, v := range apiKey {
		c.add(v)
	}
	for _, v := range authorization {
		if len(v) >= len(bearer) && strings.EqualFold(v[:len(bearer)], bearer) {
			c.add(v[len(bearer):])
		} else if !c.sent && c.reason == "" {
			c.reason = ReasonScheme
		}
	}
	if c.sent && c.reason == ReasonScheme {
		c.reason = ""
	}
	return c
}

// add takes one value. Two keys in a request are one too many: which of them counts would be a guess.
func (c *credential) add(v string) {
	v = strings.TrimSpace(v)
	if c.sent && c.token != v {
		c.reason = ReasonSeveral
		return
	}
	c.token, c.sent = v, true
}
