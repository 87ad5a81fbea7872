package mail_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha1"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/asgood-dev/asgood/internal/mail"
)

// relay is a real mail server with a certificate of its own and one person who may log in.
type relay struct {
	port int
	api  string
	pool *x509.CertPool
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// startRelay starts the server, which takes nothing without encryption and login.
func startRelay(t *testing.T, encryption string) *relay {
	t.Helper()
	binary := filepath.Join("..", "..", "bin", "mailpit")
	if _, err := os.Stat(binary); err != nil {
		t.Skip("the mail server is not built: run `make senders`")
	}
	dir := t.TempDir()
	r := &relay{port: freePort(t), pool: certificate(t, dir)}
	web := freePort(t)
	r.api = fmt.Sprintf("http://127.0.0.1:%d/api/v1", web)
	sum := sha1.Sum([]byte("right word")) // of the ways that the server knows the one that the standard library has
	if err := os.WriteFile(filepath.Join(dir, "people"), []byte("ada:{SHA}"+base64.StdEncoding.EncodeToString(sum[:])+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(binary, "--smtp", fmt.Sprintf("127.0.0.1:%d", r.port), "--listen", fmt.Sprintf("127.0.0.1:%d", web), "--disable-version-check", "--quiet",
		"--smtp-disable-rdns", "--database", filepath.Join(dir, "mail.db"), "--smtp-auth-file", filepath.Join(dir, "people"),
		"--smtp-tls-cert", filepath.Join(dir, "cert.pem"), "--smtp-tls-key", filepath.Join(dir, "key.pem"), encryption)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	late := time.After(30 * time.Second)
	for r.count() < 0 {
		select {
		case <-tick.C:
		case <-late:
			t.Fatal("the mail server is not there after 30 s")
		}
	}
	return r
}

// certificate writes one for 127.0.0.1 and returns who trusts it.
func certificate(t *testing.T, dir string) *x509.CertPool {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	public := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	for name, data := range map[string][]byte{"cert.pem": public, "key.pem": pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(public)
	return pool
}

// count is how many mails have come; -1 while nobody answers.
func (r *relay) count() int {
	res, err := http.Get(r.api + "/messages")
	if err != nil {
		return -1
	}
	defer res.Body.Close()
	var out struct{ Total int }
	if json.NewDecoder(res.Body).Decode(&out) != nil {
		return -1
	}
	return out.Total
}

// TestEncryptionAndLogin: mails go to a relay that is who it says, over encryption, with the right password, and no
// other way; and no failure tells the password.
func TestEncryptionAndLogin(t *testing.T) {
	for _, mode := range []struct {
		tls  mail.TLS
		flag string
	}{{mail.StartTLS, "--smtp-require-starttls"}, {mail.ImplicitTLS, "--smtp-require-tls"}} {
		t.Run(string(mode.tls), func(t *testing.T) {
			r := startRelay(t, mode.flag)
			trusting := &tls.Config{RootCAs: r.pool, ServerName: "127.0.0.1", MinVersion: tls.VersionTLS12}
			for _, tt := range []struct {
				name, password string
				tls            mail.TLS
				config         *tls.Config
				taken          bool
			}{
				{"all is right", "right word", mode.tls, trusting, true},
				{"wrong password", "wrong word", mode.tls, trusting, false},
				{"unknown certificate", "right word", mode.tls, nil, false},
				{"no encryption", "right word", mail.NoTLS, nil, false},
			} {
				if tt.tls == mail.NoTLS && mode.tls == mail.ImplicitTLS {
					continue // both wait for the other to speak first
				}
				before := r.count()
				err := send(t, mail.Options{Host: "127.0.0.1", Port: r.port, Username: "ada", Password: tt.password, From: "Acme <s@acme.example>", TLS: tt.tls, Config: tt.config})
				if (err == nil) != tt.taken || r.count()-before != map[bool]int{true: 1}[tt.taken] {
					t.Errorf("%s: got %v and %d mails", tt.name, err, r.count()-before)
				}
				var failed *mail.Error
				if err != nil && (!errors.As(err, &failed) || failed.Fault != mail.FaultRelay || strings.Contains(err.Error(), tt.password)) {
					t.Errorf("%s: got %v, want a fault of the relay that does not tell the password", tt.name, err)
				}
			}
		})
	}
}

func send(t *testing.T, o mail.Options) error {
	t.Helper()
	s, err := mail.New(o)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Flush()
	return s.Send(t.Context(), mail.Message{ID: "x@acme.example", To: "ada@example.com", Subject: "Hello", Text: "text", HTML: "<p>text</p>", Date: time.Now()})
}
