package people_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

// Flags of what an authenticator says.
const (
	flagPresent  = 1
	flagVerified = 4
	flagData     = 64
)

// authenticator is a device that holds one passkey. Its fields may be changed to lie.
type authenticator struct {
	key    *ecdsa.PrivateKey
	id     []byte
	handle []byte
	count  uint32
	flags  byte
	site   string // that it says it signs for
	origin string // that its browser says the page is of
}

func newAuthenticator(t testing.TB, p *process) *authenticator {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	id := make([]byte, 32)
	_, _ = rand.Read(id)
	return &authenticator{key: key, id: id, flags: flagPresent | flagVerified, site: "localhost", origin: strings.Replace(p.url, "127.0.0.1", "localhost", 1)}
}

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// client is what the browser of the device writes.
func (a *authenticator) client(kind, challenge string) []byte {
	data, err := json.Marshal(map[string]any{"type": kind, "challenge": challenge, "origin": a.origin, "crossOrigin": false})
	if err != nil {
		panic(err)
	}
	return data
}

func (a *authenticator) data(more byte) []byte {
	site := sha256.Sum256([]byte(a.site))
	return binary.BigEndian.AppendUint32(append(site[:], a.flags|more), a.count)
}

// make answers a question for a new passkey.
func (a *authenticator) make(challenge string) map[string]any {
	pub, err := a.key.PublicKey.Bytes() // 4, x, y
	if err != nil {
		panic(err)
	}
	data := append(a.data(flagData), make([]byte, 16)...)
	data = binary.BigEndian.AppendUint16(data, uint16(len(a.id)))
	data = append(data, a.id...)
	// A COSE key of ES256: {1: 2, 3: -7, -1: 1, -2: x, -3: y}.
	data = append(data, 0xa5, 1, 2, 3, 0x26, 0x20, 1, 0x21, 0x58, 32)
	data = append(append(append(data, pub[1:33]...), 0x22, 0x58, 32), pub[33:65]...)
	var object bytes.Buffer
	object.WriteString("\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x59")
	object.Write(binary.BigEndian.AppendUint16(nil, uint16(len(data))))
	object.Write(data)
	return map[string]any{
		"id": b64(a.id), "rawId": b64(a.id), "type": "public-key", "clientExtensionResults": map[string]any{},
		"response": map[string]any{"clientDataJSON": b64(a.client("webauthn.create", challenge)), "attestationObject": b64(object.Bytes()), "transports": []string{"internal"}},
	}
}

// show answers a question for a passkey.
func (a *authenticator) show(challenge string) map[string]any {
	client, data := a.client("webauthn.get", challenge), a.data(0)
	sum := sha256.Sum256(client)
	signed := sha256.Sum256(append(bytes.Clone(data), sum[:]...))
	signature, err := ecdsa.SignASN1(rand.Reader, a.key, signed[:])
	if err != nil {
		panic(err)
	}
	return map[string]any{
		"id": b64(a.id), "rawId": b64(a.id), "type": "public-key", "clientExtensionResults": map[string]any{},
		"response": map[string]any{"clientDataJSON": b64(client), "authenticatorData": b64(data), "signature": b64(signature), "userHandle": b64(a.handle)},
	}
}

// json posts as the script does.
func (b *browser) json(url string, body any, headers ...string) answer {
	b.t.Helper()
	data, err := json.Marshal(body)
	if err != nil {
		b.t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(b.t.Context(), http.MethodPost, url, bytes.NewReader(data))
	if err != nil {
		b.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json")
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	return b.do(req)
}

type question struct {
	Challenge string `json:"challenge"`
	User      struct {
		ID   string `json:"id"`
		Name string `json:"name"`
	} `json:"user"`
	Exclude []struct {
		ID string `json:"id"`
	} `json:"excludeCredentials"`
	RP struct {
		ID string `json:"id"`
	} `json:"rp"`
	Verification string `json:"userVerification"`
	Selection    struct {
		Resident     string `json:"residentKey"`
		Verification string `json:"userVerification"`
	} `json:"authenticatorSelection"`
}

// ask has a browser asked for a passkey.
func (b *browser) ask(url string, headers ...string) question {
	b.t.Helper()
	a := b.json(url, struct{}{}, headers...)
	var q question
	if err := json.Unmarshal([]byte(a.body), &q); a.status != http.StatusOK || err != nil {
		b.t.Fatalf("got %d %s", a.status, a.body)
	}
	return q
}

// enrol makes a passkey for who is signed in.
func (b *browser) enrol(p *process, a *authenticator, name string) answer {
	b.t.Helper()
	token := b.csrf(p).Get("csrf")
	q := b.ask(p.url+"/account/passkeys/begin", "X-CSRF-Token", token)
	handle, err := base64.RawURLEncoding.DecodeString(q.User.ID)
	if err != nil {
		b.t.Fatal(err)
	}
	a.handle = handle
	return b.json(p.url+"/account/passkeys/finish", map[string]any{"name": name, "credential": a.make(q.Challenge)}, "X-CSRF-Token", token)
}

// enter signs in by a passkey.
func (b *browser) enter(p *process, a *authenticator) answer {
	b.t.Helper()
	q := b.ask(p.url + "/login/passkey/begin?next=/publish")
	return b.json(p.url+"/login/passkey/finish", map[string]any{"credential": a.show(q.Challenge)})
}
