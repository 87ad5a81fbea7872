package auth

import (
	"crypto/rand"
	"crypto/sha256"
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
	var raw [7 + 32]byte
	_, _ = rand.Read(raw[:]) // never fails: see crypto/rand
	id = strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(raw[:7]))[:idLen]
	secret := base64.RawURLEncoding.EncodeToString(raw[7:])
	return id, tokenPrefix + id + "_" + secret, hashOf(secret)
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
