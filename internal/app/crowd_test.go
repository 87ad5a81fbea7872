package app_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/asgood-dev/asgood/internal/auth"
	"github.com/asgood-dev/asgood/internal/quality"
)

// crowd is one person of each role, nobody, and a machine with a key of every sort.
type crowd struct {
	t    *testing.T
	url  string // of the internal listener
	key  string
	last map[quality.Role]*member
}

// member is a person with a browser.
type member struct {
	client *http.Client
	csrf   string
}

var formToken = regexp.MustCompile(`name="csrf" value="([^"]+)"`)

// member signs a person of a role in, by a link as asgood person link makes it. One whose session may be over is
// not asked again.
func (c *crowd) member(role quality.Role, fresh bool) *member {
	c.t.Helper()
	if m := c.last[role]; m != nil && !fresh {
		return m
	}
	body := `{"name":"The ` + role.String() + `","role":"` + role.String() + `"}`
	status, text := (&caller{n: 210}).call(c.t, http.MethodPost, c.url+"/v1/people/links", body)
	var link struct{ URL string }
	if err := json.Unmarshal([]byte(text), &link); status != http.StatusOK || err != nil {
		c.t.Fatalf("making a link: got %d %s (%v)", status, text, err)
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		c.t.Fatal(err)
	}
	m := &member{client: &http.Client{Jar: jar, Timeout: time.Minute, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
	if status, text := m.do(c.t, http.MethodPost, link.URL); status != http.StatusSeeOther {
		c.t.Fatalf("signing in: got %d %s", status, text)
	}
	_, page := m.do(c.t, http.MethodGet, c.url+"/account")
	found := formToken.FindStringSubmatch(page)
	if found == nil {
		c.t.Fatalf("no form's token in %s", page)
	}
	m.csrf = found[1]
	if c.last == nil {
		c.last = map[quality.Role]*member{}
	}
	c.last[role] = m
	return m
}

func (m *member) do(t *testing.T, method, url string, headers ...string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(""))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		if headers[i] == "Host" {
			req.Host = headers[i+1]
			continue
		}
		req.Header.Set(headers[i], headers[i+1])
	}
	res, err := m.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(body)
}

func safe(method string) bool { return method == http.MethodGet || method == http.MethodHead }

func refused(status int) bool {
	return status == http.StatusUnauthorized || status == http.StatusForbidden
}

// checkPerson asks for a route as everybody: it is open exactly to who has the role.
func (c *crowd) checkPerson(method, url string, least quality.Role) {
	c.t.Helper()
	nobody := &member{client: &http.Client{Timeout: time.Minute, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
	if status, body := nobody.do(c.t, method, url); status != http.StatusUnauthorized {
		c.t.Errorf("%s %s by nobody: got %d %.200s, want 401", method, url, status, body)
	}
	if status, body := nobody.do(c.t, method, url, "X-API-Key", c.key); status != http.StatusForbidden || !strings.Contains(body, "person") {
		c.t.Errorf("%s %s by a machine: got %d %.200s, want 403", method, url, status, body)
	}
	for _, role := range quality.Roles() {
		m := c.member(role, false)
		if !safe(method) {
			if status, body := m.do(c.t, method, url); status != http.StatusForbidden {
				c.t.Errorf("%s %s by a %s without the form's token: got %d %.200s, want 403", method, url, role, status, body)
			}
			if status, body := m.do(c.t, method, url, "X-CSRF-Token", m.csrf, "Origin", "https://evil.example"); status != http.StatusForbidden {
				c.t.Errorf("%s %s by a page of elsewhere for a %s: got %d %.200s, want 403", method, url, role, status, body)
			}
			defer c.member(role, true) // the session may be over
		}
		status, body := m.do(c.t, method, url, "X-CSRF-Token", m.csrf)
		if refused(status) != (role < least) {
			c.t.Errorf("%s %s by a %s: got %d %.200s; it is for %s", method, url, role, status, body, least)
		}
	}
}

// checkInternal asks for a route as if from elsewhere: only who may do everything comes through.
func (c *crowd) checkInternal(method, url string) {
	c.t.Helper()
	if strings.Contains(url, "/debug/pprof") {
		return // some of those take their time
	}
	nobody := &member{client: &http.Client{Timeout: time.Minute}}
	if status, body := nobody.do(c.t, method, url, "X-Forwarded-For", "192.0.2.1"); status != http.StatusForbidden {
		c.t.Errorf("%s %s by nobody elsewhere: got %d %.200s, want 403", method, url, status, body)
	}
	if status, body := nobody.do(c.t, method, url, "X-Forwarded-For", "192.0.2.1", "X-API-Key", c.key); status != http.StatusForbidden {
		c.t.Errorf("%s %s by a machine elsewhere: got %d %.200s, want 403", method, url, status, body)
	}
	for _, role := range quality.Roles() {
		m := c.member(role, false)
		status, body := m.do(c.t, method, url, "X-Forwarded-For", "192.0.2.1", "X-CSRF-Token", m.csrf)
		if refused(status) != (role < auth.RoleAdmin) {
			c.t.Errorf("%s %s by a %s elsewhere: got %d %.200s", method, url, role, status, body)
		}
	}
}

// checkActing changes something on this machine as everybody: a session is held to what its person may do.
func (c *crowd) checkActing(method, url string, least quality.Role) {
	c.t.Helper()
	if safe(method) || strings.Contains(url, "/debug/pprof") {
		return
	}
	for _, role := range quality.Roles() {
		status, body := c.member(role, false).do(c.t, method, url)
		if refused(status) != (role < least) {
			c.t.Errorf("%s %s on this machine by a %s: got %d %.200s; it is for %s", method, url, role, status, body, least)
		}
	}
}

// checkLocal asks for a route as this machine, as each role on it, and as everybody elsewhere: it is open to this
// machine, and to exactly who has the role wherever they are.
func (c *crowd) checkLocal(method, url string, least quality.Role) {
	c.t.Helper()
	nobody := &member{client: &http.Client{Timeout: time.Minute}}
	for _, tt := range []struct {
		name    string
		headers []string
		refused bool
	}{
		{"this machine", nil, false},
		{"a name that is not this machine's", []string{"Host", "evil.example"}, true},
		{"a page of elsewhere", []string{"Origin", "https://evil.example"}, !safe(method)},
		{"nobody elsewhere", []string{"X-Forwarded-For", "192.0.2.1"}, true},
		{"a machine elsewhere", []string{"X-Forwarded-For", "192.0.2.1", "X-API-Key", c.key}, true},
	} {
		if status, body := nobody.do(c.t, method, url, tt.headers...); refused(status) != tt.refused {
			c.t.Errorf("%s %s by %s: got %d %.200s, want it refused: %v", method, url, tt.name, status, body, tt.refused)
		}
	}
	for _, role := range quality.Roles() {
		m := c.member(role, false)
		for _, headers := range [][]string{nil, {"X-Forwarded-For", "192.0.2.1"}} {
			status, body := m.do(c.t, method, url, append([]string{"X-CSRF-Token", m.csrf}, headers...)...)
			if refused(status) != (role < least) {
				c.t.Errorf("%s %s by a %s %q: got %d %.200s; it is for %s", method, url, role, headers, status, body, least)
			}
			if status, body := m.do(c.t, method, url, headers...); !safe(method) && !refused(status) {
				c.t.Errorf("%s %s by a %s without the form's token: got %d %.200s, want 403", method, url, role, status, body)
			}
		}
	}
}

// checkNoKey asks for a machine's route as a person, which is nobody there.
func (c *crowd) checkNoKey(method, url string) {
	c.t.Helper()
	for _, role := range quality.Roles() {
		m := c.member(role, false)
		if status, body := m.do(c.t, method, url, "X-CSRF-Token", m.csrf); status != http.StatusUnauthorized && status != http.StatusTooManyRequests {
			c.t.Errorf("%s %s by a %s: got %d %.200s, want 401", method, url, role, status, body)
		}
	}
}
