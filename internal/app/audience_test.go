package app_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/asgood-dev/asgood/internal/app"
	"github.com/asgood-dev/asgood/internal/auth"
	"github.com/asgood-dev/asgood/internal/config"
)

const guarded = `
storage: {dir: %q}
listen: {public: "127.0.0.1:0", ingest: "127.0.0.1:0", grpc: "127.0.0.1:0", internal: "127.0.0.1:0"}
ingest: {require_key: true}
features:
  - name: bot
    match: {service.name: bot}
    probes: [{heartbeat: import, every: 1h}]
  - name: other
`

// caller calls from an address of its own, so that its failures are not counted with those of others.
type caller struct{ n byte }

func (c *caller) call(t *testing.T, method, url, body string, headers ...string) (int, string) {
	t.Helper()
	c.n++
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 1, c.n)}}
	client := http.Client{Transport: &http.Transport{DialContext: d.DialContext, DisableKeepAlives: true}, Timeout: time.Minute,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }} // where it leads is another route
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(headers); i += 2 {
		if headers[i] == "Host" {
			req.Host = headers[i+1]
		}
		req.Header.Set(headers[i], headers[i+1])
	}
	res, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	if err != nil && method != http.MethodHead {
		t.Fatal(err)
	}
	return res.StatusCode, string(data)
}

// payloads are requests that are good but for the key, for the feature bot.
var payloads = map[string]string{
	"/v1/samples": `{"feature":"bot","output":"x"}`,
	"/v1/scores":  `{"feature":"bot","sample":"s","metric":"stars","value":1}`,
	"/v1/changes": `{"features":["bot"],"layer":"prompt","title":"x"}`,
	"/v1/traces": `{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"bot"}}]},"scopeSpans":[{"spans":[
		{"traceId":"00000000000000000000000000000001","spanId":"0000000000000001","name":"chat","attributes":[
		{"key":"gen_ai.operation.name","value":{"stringValue":"chat"}},{"key":"gen_ai.completion","value":{"stringValue":"yes"}}]}]}]}]}`,
	"/v1/logs": `{"resourceLogs":[]}`,
}

type testKeys struct{ good, other, feature, expired, revoked, wrong string }

func makeKeys(t *testing.T, a *app.App, scope auth.Scope) (k testKeys) {
	t.Helper()
	var others []auth.Scope
	for _, s := range auth.Scopes() {
		if s != scope {
			others = append(others, s)
		}
	}
	create := func(s app.KeySpec) string {
		s.Name = "test"
		token, err := a.CreateKey(t.Context(), s)
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	mine := []auth.Scope{scope}
	k.good, k.other = create(app.KeySpec{Scopes: mine}), create(app.KeySpec{Scopes: others})
	k.feature = create(app.KeySpec{Scopes: mine, Features: []string{"other"}})
	k.revoked = create(app.KeySpec{Scopes: mine})
	k.expired = create(app.KeySpec{Scopes: mine, Expires: time.Now().Add(300 * time.Millisecond)})
	k.wrong = k.good[:len(k.good)-3] + "~~~"
	id := strings.Split(k.revoked, "_")[1]
	if status, body := (&caller{n: 200}).call(t, http.MethodDelete, "http://"+a.Addr("internal")+"/v1/keys/"+id, ""); status != 200 {
		t.Fatalf("revoking: got %d %s", status, body)
	}
	return k
}

func startGuarded(t *testing.T) *app.App {
	t.Helper()
	needEngine(t)
	cfg, err := config.Parse("test.yaml", fmt.Appendf(nil, guarded, t.TempDir()), func(string) (string, bool) { return "", false })
	if err != nil {
		t.Fatal(err)
	}
	a, _ := start(t, cfg)
	return a
}

// Every route of every listener declares its audience, and lets nobody else in.
func TestEveryRouteHasItsAudience(t *testing.T) {
	a := startGuarded(t)
	keys := map[auth.Scope]testKeys{}
	for _, s := range auth.Scopes() {
		keys[s] = makeKeys(t, a, s)
	}
	expired := time.NewTimer(300 * time.Millisecond)
	<-expired.C
	from, table, seen := &caller{}, app.Audiences(), 0
	crowd := &crowd{t: t, url: "http://" + a.Addr("internal"), key: keys[auth.ScopeSamples].good}
	for listener, routes := range app.Routes(a) {
		for _, r := range routes {
			seen++
			audience, ok := table.Of(r.Method, r.Path)
			if !ok {
				t.Errorf("%s: %s %s declares no audience", listener, r.Method, r.Path)
				continue
			}
			path := strings.NewReplacer(":name", "import", ":id", "aaaaaaaaaa").Replace(r.Path)
			url := "http://" + a.Addr(listener) + path
			scope, machine := audience.Scope()
			least, person := audience.Role()
			acting, internal := audience.ActingRole()
			role, local := audience.Local()
			switch {
			case person:
				crowd.checkPerson(r.Method, url, least)
			case internal:
				if status, body := from.call(t, r.Method, url, "", "Host", "evil.example"); status != http.StatusForbidden {
					t.Errorf("%s %s by a name that is not this machine's: got %d %.200s", r.Method, path, status, body)
				}
				crowd.checkInternal(r.Method, url)
				crowd.checkActing(r.Method, url, acting)
			case local:
				crowd.checkLocal(r.Method, url, role)
			case machine:
				crowd.checkNoKey(r.Method, url)
				checkMachine(t, from, r.Method, url, path, keys[scope])
			case path == "/live", path == "/login/passkey/finish": // the one is a stream, the other asks for a passkey
			default:
				if status, body := from.call(t, r.Method, url, "{}"); status == http.StatusUnauthorized || status == http.StatusForbidden {
					t.Errorf("%s %s is %s: got %d %.200s", r.Method, path, audience, status, body)
				}
			}
		}
	}
	if seen < 30 {
		t.Errorf("got %d routes, want all of them", seen)
	}
}

func checkMachine(t *testing.T, from *caller, method, url, path string, k testKeys) {
	t.Helper()
	for _, tt := range []struct {
		name, key string
		want      int
	}{
		{"a good key", k.good, 200}, {"no key", "", 401}, {"a wrong key", k.wrong, 401}, {"a key of another scope", k.other, 403},
		{"an expired key", k.expired, 401}, {"a revoked key", k.revoked, 401}, {"a key of another feature", k.feature, 403},
	} {
		headers := []string{"X-API-Key", tt.key}
		if tt.key == "" {
			headers = nil
		}
		status, body := from.call(t, method, url, payloads[path], headers...)
		if tt.key == k.feature && (path == "/v1/traces" || path == "/v1/logs") { // OTLP tells of single records in a partial success
			if path == "/v1/traces" && (status != 200 || !strings.Contains(body, "may not send for")) {
				t.Errorf("%s %s with %s: got %d %s, want a partial success", method, path, tt.name, status, body)
			}
			continue
		}
		if status != tt.want {
			t.Errorf("%s %s with %s: got %d %.300s, want %d", method, path, tt.name, status, body, tt.want)
		}
	}
}

func TestEveryMethodHasItsAudience(t *testing.T) {
	a := startGuarded(t)
	k := makeKeys(t, a, auth.ScopeTraces)
	if methods := app.Methods(a); len(methods) != 2 {
		t.Errorf("got methods %v; call new ones below", methods)
	}
	conn, err := grpc.NewClient(a.Addr("grpc"), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	req := ptraceotlp.NewExportRequest()
	if err := req.UnmarshalJSON([]byte(payloads["/v1/traces"])); err != nil {
		t.Fatal(err)
	}
	td := ptrace.NewTraces()
	req.Traces().CopyTo(td)
	expired := time.NewTimer(300 * time.Millisecond)
	<-expired.C
	for _, tt := range []struct {
		name, key string
		want      codes.Code
	}{
		{"a good key", k.good, codes.OK}, {"no key", "", codes.Unauthenticated}, {"a wrong key", k.wrong, codes.Unauthenticated},
		{"a key of another scope", k.other, codes.PermissionDenied}, {"an expired key", k.expired, codes.Unauthenticated},
		{"a revoked key", k.revoked, codes.Unauthenticated}, {"a key of another feature", k.feature, codes.OK},
	} {
		ctx := t.Context()
		if tt.key != "" {
			ctx = metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+tt.key)
		}
		traces, err := ptraceotlp.NewGRPCClient(conn).Export(ctx, ptraceotlp.NewExportRequestFromTraces(td))
		if status.Code(err) != tt.want {
			t.Errorf("traces with %s: got %v, want %v", tt.name, err, tt.want)
		}
		if tt.key == k.feature && err == nil && traces.PartialSuccess().RejectedSpans() != 1 {
			t.Errorf("traces with %s: got %d spans rejected, want 1", tt.name, traces.PartialSuccess().RejectedSpans())
		}
		if _, err = plogotlp.NewGRPCClient(conn).Export(ctx, plogotlp.NewExportRequest()); status.Code(err) != tt.want {
			t.Errorf("logs with %s: got %v, want %v", tt.name, err, tt.want)
		}
	}
}

// A route that nobody declared keeps the process from starting.
func TestARouteWithoutAnAudience(t *testing.T) {
	e := gin.New()
	e.GET("/metrics", func(*gin.Context) {})
	if err := app.CheckAudiences(app.Audiences(), e); err != nil {
		t.Error(err)
	}
	e.GET("/v1/secrets", func(*gin.Context) {})
	if err := app.CheckAudiences(app.Audiences(), e); err == nil || !strings.Contains(err.Error(), "GET /v1/secrets") {
		t.Errorf("got %v, want an error that names the route", err)
	}
}
