package config_test

import (
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/asgood-dev/asgood/internal/config"
	"github.com/asgood-dev/asgood/internal/quality"
)

func parseProbes(t *testing.T, lines ...string) (*config.Config, error) {
	t.Helper()
	text := "features:\n  - name: bot\n    probes:\n"
	for _, l := range lines {
		text += "      - " + l + "\n"
	}
	return config.Parse("p.yaml", []byte(text), func(name string) (string, bool) { return "s3cr3t\n", name == "SECRET" })
}

func TestProbes(t *testing.T) {
	for _, line := range []string{
		`{http: "https://x.example/health?key=${SECRET}"}`, // the line break of a variable ends up in no URL
		`{http: "http://127.0.0.1:8080"}`,
		`{http: "http://x", method: HEAD, status: [204, 200-299], redirects: 10, retries: 0}`,
		`{tcp: "[::1]:80"}`, `{tcp: "x_y.example:1", name: Database}`,
		`{dns: _dmarc.x.example, type: TXT, resolver: "2001:db8::1"}`, `{dns: x, resolver: "[2001:db8::1]:53"}`, `{dns: x, resolver: 192.0.2.1}`,
		`{tls: "x:443"}`, `{tls: "x:443", expires_in: 2w, verify: false}`,
		`{icmp: 192.0.2.1}`, `{icmp: "fe80::1%eth0"}`,
		`{grpc: "x:443", service: a.B, secure: true}`,
		`{heartbeat: import.daily-1, every: 1d}`, `{heartbeat: x, every: 1m, grace: 1s, name: Import}`,
		`{traffic: {errors_above: 0}}`, `{traffic: {errors_above: 0.99, min: 1, window: 1d}, every: 1m, confirm: 2}`,
	} {
		_, err := parseProbes(t, line)
		if strings.Contains(line, "SECRET") != (err != nil) {
			t.Errorf("%s: %v", line, err)
		}
		if err != nil && strings.Contains(err.Error(), "s3cr3t") {
			t.Errorf("%s: the secret is told: %v", line, err)
		}
	}
}

func TestBadProbes(t *testing.T) {
	for line, want := range map[string]string{
		`{}`:                                            "p.yaml:4:9: features[0].probes[0]: says nothing to check: want one of http, tcp, dns, tls, icmp, grpc, heartbeat, traffic",
		`{name: x}`:                                     "says nothing to check",
		`{htp: "x:1"}`:                                  `unknown field "htp" (did you mean "http"?)`,
		`{tcp: "x:1", http: "http://x"}`:                "has http and tcp: want exactly one",
		`{http: "ftp://x?t=secret1"}`:                   "p.yaml:4:16: features[0].probes[0].http: want a URL",
		`{http: }`:                                      "want a URL",
		`{http: "http://x", method: get}`:               `method "get": want one of GET, HEAD`,
		`{http: "http://x", status: [20]}`:              `status[0] "20": want a status such as 204`,
		`{http: "http://x", status: [299-200]}`:         "or a range such as 200-299",
		`{http: "http://x", contains: ""}`:              "want 1 to 1024 bytes",
		`{http: "http://x", contains: x, method: HEAD}`: "has no body",
		`{http: "http://x", redirects: 11}`:             "want 0 to 10",
		`{http: "http://x", headers: {"a b": secret1}}`: "headers.a b: not the name of a header",
		`{http: "http://x", headers: {A: "${SECRET}"}}`: "headers.A: want a value of one line",
		`{http: "http://x", headers: secret1}`:          "want a mapping",
		`{http: "http://x", grace: 5m}`:                 "has no effect on a probe of kind http",
		`{http: "http://x", every: 1ms}`:                "want 1s to 1d",
		`{http: "http://x", retries: 6}`:                "want 0 to 5",
		`{http: "http://x", retries: -1}`:               "want 0 to 5",
		`{http: "http://x", retry_pause: 2m}`:           "want 100ms to 1m",
		`{http: "http://x", confirm: 0}`:                "want 1 to 100",
		`{http: "http://x", recover: 101}`:              "want 1 to 100",
		`{http: "http://x", name: ""}`:                  "want 1 to 100 characters",
		`{tcp: x.example}`:                              `tcp "x.example": want a host and a port`,
		`{tcp: ":80"}`:                                  "want a host and a port",
		`{tcp: "x:0"}`:                                  "want a host and a port",
		`{tcp: "x:99999"}`:                              "want a host and a port",
		`{dns: "http://x"}`:                             "want a domain name",
		`{dns: x, type: PTR}`:                           "want one of A, AAAA, CNAME, MX, TXT, NS",
		`{dns: x, resolver: "a b"}`:                     "want a host, such as 192.0.2.53",
		`{dns: x, resolver: "x:dns"}`:                   "want a host, such as 192.0.2.53",
		`{dns: x, expect: ""}`:                          "want 1 to 1024 bytes",
		`{tls: "x:443", expires_in: 1m}`:                "want 1h to 366d",
		`{icmp: "a/b"}`:                                 "want a host",
		`{grpc: "x"}`:                                   "want a host and a port",
		`{heartbeat: x}`:                                "every: required: the time between two beats",
		`{heartbeat: a/b, every: 1h}`:                   "want 1 to 100 letters",
		`{heartbeat: x, every: 1h, confirm: 3}`:         "has no effect on a probe of kind heartbeat (it takes heartbeat, grace, name, every)",
		`{heartbeat: x, every: 400d}`:                   "want 1s to 366d",
		`{traffic: }`:                                   "want {errors_above: SHARE}",
		`{traffic: 0.2}`:                                "want a mapping",
		`{traffic: {min: 5}}`:                           "want a share of 0 or more and less than 1",
		`{traffic: {errors_above: 1}}`:                  "want a share of 0 or more and less than 1",
		`{traffic: {errors_above: 0.2, window: 90s}}`:   "want whole minutes",
		`{traffic: {errors_above: 0.2, window: 30s}}`:   "want 1m to 1d",
		`{traffic: {errors_above: 0.2, min: 0}}`:        "want 1 to 1000000",
		`{traffic: {errors_above: 0.2}, timeout: 5s}`:   "has no effect on a probe of kind traffic",
	} {
		_, err := parseProbes(t, line)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", line, err, want)
		}
		if err != nil && (strings.Contains(err.Error(), "secret1") || strings.Contains(err.Error(), "s3cr3t") || strings.Count(err.Error(), "\n") > 1) {
			t.Errorf("%s: tells a secret, or too much: %v", line, err)
		}
	}
}

func TestProbesAreToldApart(t *testing.T) {
	for _, tt := range []struct {
		lines []string
		want  string
	}{
		{[]string{`{http: "http://x/?a=1"}`, `{http: "http://x/?a=2"}`}, "p.yaml:5:9: features[0].probes[1]: is told apart from probes[0] by nothing"},
		{[]string{`{http: "http://x/?a=1"}`, `{http: "http://x/?a=2", name: second}`}, ""},
		{[]string{`{tcp: "x:1", name: a}`, `{tcp: "x:2", name: a}`}, "give it another name"},
		{[]string{`{dns: x}`, `{dns: x, type: MX}`}, ""},
		{[]string{`{heartbeat: x, every: 1h}`, `{heartbeat: x, every: 2h, name: b}`}, "features[0].probes[0] waits for this heartbeat already"},
	} {
		_, err := parseProbes(t, tt.lines...)
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %q", tt.lines, err, tt.want)
		}
	}
	_, err := config.Parse("p.yaml", []byte("features:\n- name: a\n  probes: [{heartbeat: x, every: 1h}]\n- name: b\n  probes: [{heartbeat: x, every: 1h}]\n"), os.LookupEnv)
	if err == nil || !strings.Contains(err.Error(), "p.yaml:5:24: features[1].probes[0].heartbeat \"x\": features[0].probes[0] waits") {
		t.Errorf("got %v, want that the heartbeat is taken", err)
	}
}

func TestProbeDefaults(t *testing.T) {
	c, err := parseProbes(t, `{http: "http://x/"}`, `{tcp: "x:1", confirm: 7, retries: 0}`, `{dns: x}`,
		`{heartbeat: x, every: 10h}`, `{heartbeat: y, every: 1m}`, `{traffic: {errors_above: 0.2}}`)
	if err != nil {
		t.Fatal(err)
	}
	common := quality.ProbeSpec{Every: 30 * time.Second, Timeout: 10 * time.Second, Retries: new(1), RetryPause: time.Second, Confirm: 2, Recover: 1}
	var want []quality.ProbeSpec
	for i, change := range []func(*quality.ProbeSpec){
		func(p *quality.ProbeSpec) { p.HTTP, p.Method, p.Redirects = "http://x/", "GET", new(5) },
		func(p *quality.ProbeSpec) { p.TCP, p.Confirm, p.Retries = "x:1", 7, new(0) },
		func(p *quality.ProbeSpec) { p.DNS, p.Type = "x", "A" },
		func(p *quality.ProbeSpec) {
			p.Heartbeat, p.Every, p.Grace, p.Confirm, p.Retries = "x", 10*time.Hour, time.Hour, 1, new(0)
		},
		func(p *quality.ProbeSpec) {
			p.Heartbeat, p.Every, p.Grace, p.Confirm, p.Retries = "y", time.Minute, 10*time.Second, 1, new(0)
		},
		func(p *quality.ProbeSpec) {
			p.Traffic, p.Confirm, p.Retries = &quality.TrafficProbe{ErrorsAbove: 0.2, Min: 20, Window: 5 * time.Minute}, 1, new(0)
		},
	} {
		p := common
		change(&p)
		want = append(want, p)
		if got := c.Features[0].Probes[i]; !reflect.DeepEqual(got, p) {
			t.Errorf("probe %d: got %+v, want %+v", i, got, p)
		}
	}
	if again := want[0].WithDefaults(); !reflect.DeepEqual(again, want[0]) {
		t.Errorf("defaults twice: got %+v, want %+v", again, want[0])
	}
}
