package subscribe

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"strings"

	"github.com/asgood-dev/asgood/internal/quality"
)

// purpose is what a token allows. A token of one purpose is none of another.
type purpose string

const (
	toConfirm     purpose = "confirm"
	toManage      purpose = "manage"
	toUnsubscribe purpose = "unsubscribe"
	toVerify      purpose = "verify" // the secret by which a webhook knows us
)

// tokens makes what links hold. A token is a keyed hash of 256 bits over 256 random bits of the subscriber, so
// that it can be put into every mail and is stored nowhere: who reads the store cannot make one without the key of
// the installation.
type tokens struct{ key []byte }

const (
	idBytes  = 16
	macBytes = sha256.Size
)

// newNonce returns 256 random bits. With a new one the tokens of before end.
func newNonce() []byte {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // never fails: see crypto/rand
	return b
}

func (t tokens) mac(parts ...string) []byte {
	h := hmac.New(sha256.New, t.key)
	for _, p := range parts {
		// The length keeps parts apart.
		h.Write([]byte{byte(len(p) >> 8), byte(len(p))})
		h.Write([]byte(p))
	}
	return h.Sum(nil)
}

// id is the key of a subscriber's document: the same for the same address, so that there is one at most, and not
// to be guessed from it. Its first letter tells the kind.
func (t tokens) id(k Kind, address string) string {
	return string(k) + "_" + hex.EncodeToString(t.mac("subscriber", string(k), address)[:idBytes])
}

// kindOf is the kind of the subscriber of an id.
func kindOf(id string) Kind {
	k, _, _ := strings.Cut(id, "_")
	return Kind(k)
}

// make returns the token of a subscriber for a purpose.
func (t tokens) make(s Subscriber, p purpose) string {
	k, rest, _ := strings.Cut(s.ID, "_")
	raw, err := hex.DecodeString(rest)
	if err != nil {
		raw = nil // an id that is not ours has no token that is good
	}
	return k[:min(1, len(k))] + base64.RawURLEncoding.EncodeToString(append(raw, t.sum(s, p)...))
}

func (t tokens) sum(s Subscriber, p purpose) []byte {
	return t.mac("token", string(p), s.ID, string(s.Nonce))
}

// good reports whether a token is one of the subscriber for the purpose.
func (t tokens) good(s Subscriber, p purpose, mac []byte) bool { return hmac.Equal(mac, t.sum(s, p)) }

// read takes a token apart. Whether it is good only its subscriber tells.
func (tokens) read(token string) (id string, mac []byte, err error) {
	bad := quality.Errorf(quality.KindNotFound, "no such link")
	if len(token) != 1+base64.RawURLEncoding.EncodedLen(idBytes+macBytes) {
		return "", nil, bad
	}
	raw, err := base64.RawURLEncoding.DecodeString(token[1:])
	if err != nil {
		return "", nil, bad
	}
	for _, k := range Kinds() {
		if k[0] == token[0] {
			return string(k) + "_" + hex.EncodeToString(raw[:idBytes]), raw[idBytes:], nil
		}
	}
	return "", nil, bad
}

// secret is what signs the messages to a webhook, in the form of Standard Webhooks.
func (t tokens) secret(s Subscriber) string {
	return "whsec_" + base64.StdEncoding.EncodeToString(t.sum(s, toVerify))
}
