package web_test

import (
	"strings"
	"testing"

	"github.com/gin-gonic/gin"
)

// What stands in a path and lets in whoever reads it is in no line of the log.
func TestTokensAreNotLogged(t *testing.T) {
	f := newFixture()
	for _, route := range []string{"/login/link/:token", "/subscribe/confirm/:token", "/unsubscribe/:token", "/features/:name"} {
		f.engine.GET(route, func(c *gin.Context) { c.Status(204) })
	}
	const token = "tok-0123456789abcdef"
	for _, path := range []string{
		"/login/link/" + token, "/subscribe/confirm/" + token, "/unsubscribe/" + token + "?x=" + token,
		"/login/lnik/" + token, "/" + token, "/unsubscribe/" + token + "/more", "/login/link/" + token + "/",
	} {
		f.do("GET", path)
	}
	f.do("POST", "/login/link/"+token)
	f.do("GET", "/features/support")
	log := f.log.String()
	if strings.Contains(log, token) || strings.Contains(log, token[:len(token)-3]) {
		t.Errorf("a token is in the log:\n%s", log)
	}
	for _, want := range []string{"path=/login/link/:token", "path=/features/support", "path=/login…"} {
		if !strings.Contains(log, want) {
			t.Errorf("no %q in the log:\n%s", want, log)
		}
	}
}
