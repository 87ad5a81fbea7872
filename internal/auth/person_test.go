package auth_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/asgood-dev/asgood/internal/auth"
	"github.com/asgood-dev/asgood/internal/quality"
)

func TestLocalPath(t *testing.T) {
	for next, want := range map[string]string{
		"/console": "/console", "/console?a=b#c": "/console?a=b#c", "/": "/",
		"": "/home", "console": "/home", "//evil.example": "/home", "https://evil.example/": "/home", `/\evil.example`: "/home",
		"/a\r\nb": "/home", "javascript:alert(1)": "/home", "/login": "/home", "/login/oidc": "/home", "/%5cevil.example": "/home",
		"/%2fevil.example": "/home", "%2f0": "/home", "/" + strings.Repeat("a", 3000): "/home", "\t//evil.example": "/home", "/\t/evil.example": "/home",
	} {
		if got := auth.LocalPath(next, "/home"); got != want {
			t.Errorf("%.60q: got %q, want %q", next, got, want)
		}
	}
}

func FuzzLocalPath(f *testing.F) {
	for _, s := range []string{"/a", "//a", `/\a`, "/%2f%2fa", "http:///a", "/a?next=//b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, next string) {
		got := auth.LocalPath(next, "/home")
		if !strings.HasPrefix(got, "/") || strings.HasPrefix(got, "//") || strings.HasPrefix(got, `/\`) || strings.ContainsAny(got, "\r\n\t") {
			t.Errorf("%q leads to %q", next, got)
		}
	})
}

func TestSecrets(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := auth.NewSecret()
		back, ok := auth.ParseSecret(s.String())
		if !ok || back != s || !back.Is(s.Hash()) || back.Is(auth.NewSecret().Hash()) || back.Is(nil) {
			t.Fatalf("%q is not what it was", s)
		}
		if s.Derive("a") == s.Derive("b") || s.Derive("a") != back.Derive("a") {
			t.Fatal("derived secrets are not those of the purpose")
		}
		if text := rapid.String().Draw(t, "text"); len(text) < 54 {
			if _, ok := auth.ParseSecret(text); ok {
				t.Fatalf("%q is taken", text)
			}
		}
	})
}

func TestActorOf(t *testing.T) {
	ctx := t.Context()
	if a := auth.ActorOf(ctx); a.Human() || a.Credential != "loopback" || auth.RoleOf(ctx) != quality.RoleNone || auth.CSRF(ctx) != "" || auth.FromOf(ctx) != "" {
		t.Errorf("nobody: got %+v", a)
	}
	k := keys(t, bucket(t))
	key, token := k.make(t, auth.Spec{Name: "bot"})
	sender, err := k.Sender(token, auth.ScopeSamples)
	if err != nil {
		t.Fatal(err)
	}
	if a := auth.ActorOf(auth.WithSender(ctx, sender)); a.Human() || a.ID != key.ID || a.Name != "bot" || a.Credential != "key" {
		t.Errorf("a key: got %+v", a)
	}
	ctx = auth.WithSignedIn(ctx, auth.SignedIn{ID: "local:ada", Name: "Ada", Role: auth.RoleEditor, CSRF: "x"})
	if a := auth.ActorOf(ctx); !a.Human() || a.ID != "local:ada" || a.Credential != "session" || auth.RoleOf(ctx) != auth.RoleEditor || auth.CSRF(ctx) != "x" {
		t.Errorf("a person: got %+v", a)
	}
}
