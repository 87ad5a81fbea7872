package probe_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/asgood-dev/asgood/collector/probe"
	"github.com/asgood-dev/asgood/internal/quality"
)

// once makes one check of one probe.
func once(t *testing.T, spec quality.ProbeSpec, o probe.Options) probe.Result {
	t.Helper()
	if spec.Retries == nil {
		spec.Retries = new(0)
	}
	o.Features, o.Sink = []quality.Feature{{Name: "chat", Probes: []quality.ProbeSpec{spec}}}, probe.Silent{}
	if o.Now == nil {
		o.Now = func() time.Time { return testNow }
	}
	p, err := probe.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return probe.Once(t.Context(), p)[0]
}

// expect checks that a result is up where want is empty, or down for a reason that contains want.
func expect(t *testing.T, name string, r probe.Result, want string) {
	t.Helper()
	if r.Unknown || r.Up != (want == "") || !strings.Contains(r.Error, want) || !r.Time.Equal(testNow) || r.Latency <= 0 {
		t.Errorf("%s: got %+v, want error %q", name, r, want)
	}
}

// closedPort is an address where nobody listens.
func closedPort(t *testing.T) string {
	t.Helper()
	l := listen(t)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	return l.Addr().String()
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func TestHTTP(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("/ok", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	mux.HandleFunc("/bad", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) })
	mux.HandleFunc("/text", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "all is well") })
	mux.HandleFunc("/post", func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost || r.Header.Get("X-Key") != "k" || r.Host != "api.example" || r.UserAgent() != "asgood-probe" {
			w.WriteHeader(http.StatusForbidden)
		}
	})
	mux.HandleFunc("/once", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/ok", http.StatusFound) })
	mux.HandleFunc("/loop", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/loop", http.StatusFound) })
	mux.HandleFunc("/slow", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	mux.HandleFunc("/trickle", func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusOK)
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	})
	mux.HandleFunc("/endless", func(w http.ResponseWriter, r *http.Request) {
		for r.Context().Err() == nil {
			if _, err := w.Write(make([]byte, 64<<10)); err != nil {
				return
			}
		}
	})
	mux.HandleFunc("/headers", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Long", strings.Repeat("x", 1<<20))
		w.WriteHeader(http.StatusOK)
	})
	server := httptest.NewServer(mux)
	defer server.Close()
	for _, tt := range []struct {
		path string
		spec quality.ProbeSpec
		want string
	}{
		{"/ok", quality.ProbeSpec{}, ""},
		{"/once", quality.ProbeSpec{}, ""},
		{"/once", quality.ProbeSpec{Redirects: new(0), Status: []string{"302"}}, ""},
		{"/once", quality.ProbeSpec{Redirects: new(1)}, ""},
		{"/endless", quality.ProbeSpec{}, ""},
		{"/trickle", quality.ProbeSpec{}, ""},
		{"/post", quality.ProbeSpec{Method: "POST", Headers: map[string]string{"x-key": "k", "Host": "api.example"}}, ""},
		{"/text", quality.ProbeSpec{Contains: "is well"}, ""},
		{"/text", quality.ProbeSpec{Status: []string{"204", "200-201"}}, ""},
		{"/none", quality.ProbeSpec{Status: []string{"404"}}, ""},
		{"/post", quality.ProbeSpec{}, "status 403"},
		{"/text", quality.ProbeSpec{Status: []string{"204"}}, "status 200"},
		{"/text", quality.ProbeSpec{Contains: "is bad"}, "lacks the expected text"},
		{"/endless", quality.ProbeSpec{Contains: "well"}, "first 256 KiB of the body lack"},
		{"/trickle", quality.ProbeSpec{Contains: "well"}, "no answer within 100ms"},
		{"/headers", quality.ProbeSpec{}, "could not be understood"},
		{"/bad", quality.ProbeSpec{}, "status 503"},
		{"/none", quality.ProbeSpec{}, "status 404"},
		{"/loop", quality.ProbeSpec{}, "more than 5 redirects"},
		{"/slow", quality.ProbeSpec{}, "no answer within 100ms"},
	} {
		tt.spec.HTTP, tt.spec.Timeout = server.URL+tt.path+"?key=secret", 10*time.Second
		if strings.Contains(tt.want, "100ms") {
			tt.spec.Timeout = 100 * time.Millisecond
		}
		expect(t, tt.path, once(t, tt.spec, probe.Options{}), tt.want)
	}
	expect(t, "closed port", once(t, quality.ProbeSpec{HTTP: "http://" + closedPort(t)}, probe.Options{}), "connection refused")
	expect(t, "unknown host", once(t, quality.ProbeSpec{HTTP: "http://nowhere.invalid"}, probe.Options{}), "host name")
}

// leak is what must never come back: the checked server repeats what it was sent wherever it can.
const leak = "s3cr3t-value"

func TestNoSecretIsToldOrSentElsewhere(t *testing.T) {
	var mu sync.Mutex
	var seen []string
	other := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		seen = append(seen, fmt.Sprint(r.Header, r.URL, r.Host))
	}))
	defer other.Close()
	echo := func(r *http.Request) string {
		return r.Header.Get("X-Key") + r.URL.RawQuery + r.Header.Get("Authorization")
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/elsewhere", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, other.URL, http.StatusFound) })
	mux.HandleFunc("/location", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", "http://%zz"+echo(r))
		w.WriteHeader(http.StatusFound)
	})
	mux.HandleFunc("/host", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", "http://"+leak+".invalid/")
		w.WriteHeader(http.StatusFound)
	})
	mux.HandleFunc("/scheme", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", leak+"://x/")
		w.WriteHeader(http.StatusFound)
	})
	mux.HandleFunc("/raw", func(w http.ResponseWriter, r *http.Request) {
		conn, buf, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer conn.Close()
		fmt.Fprintf(buf, "HTTP/1.1 %s\r\n\r\n", echo(r))
		buf.Flush()
	})
	mux.HandleFunc("/body", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, echo(r)) })
	mux.HandleFunc("/status", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Echo", echo(r))
		w.WriteHeader(http.StatusUnauthorized)
	})
	server := httptest.NewServer(mux)
	defer server.Close()
	var log bytes.Buffer
	registry := prometheus.NewRegistry()
	var specs []quality.ProbeSpec
	for _, path := range []string{"/elsewhere", "/location", "/host", "/scheme", "/raw", "/body", "/status"} {
		u := strings.Replace(server.URL, "://", "://user:"+leak+"@", 1)
		specs = append(specs, quality.ProbeSpec{
			HTTP: u + path + "?key=" + leak, Headers: map[string]string{"X-Key": leak, "Cookie": leak}, Contains: "not there" + leak, Retries: new(0),
		})
	}
	specs = append(specs, quality.ProbeSpec{HTTP: "http://u:" + leak + "@" + closedPort(t) + "/?" + leak, Retries: new(0)})
	ctx, cancel := context.WithCancel(t.Context())
	sink := &memory{}
	sink.recorded = func(n int) {
		if n == len(specs) {
			cancel()
		}
	}
	p, err := probe.New(probe.Options{
		Features: []quality.Feature{{Name: "chat", Probes: specs}}, Sink: sink, Registerer: registry,
		Logger: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Run(ctx); err != nil {
		t.Error(err)
	}
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	mu.Lock()
	defer mu.Unlock()
	told := fmt.Sprintf("%+v %+v %s %v", sink.results, sink.statuses, log.String(), families)
	if strings.Contains(told, leak) {
		t.Errorf("the secret is told:\n%s", told)
	}
	if len(seen) != 1 || strings.Contains(seen[0], leak) || strings.Contains(seen[0], "Authorization") {
		t.Errorf("another host got %q, want one request without the secret", seen)
	}
	for _, r := range sink.results {
		if r.Up {
			t.Errorf("%s is up, want down", r.Probe)
		}
	}
}

func TestHeadersStayOnTheSameHost(t *testing.T) {
	var got string
	mux := http.NewServeMux()
	mux.HandleFunc("/from", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/to", http.StatusFound) })
	mux.HandleFunc("/to", func(_ http.ResponseWriter, r *http.Request) { got = r.Header.Get("X-Key") + r.Referer() })
	server := httptest.NewServer(mux)
	defer server.Close()
	once(t, quality.ProbeSpec{HTTP: server.URL + "/from?q=1", Headers: map[string]string{"X-Key": "k"}}, probe.Options{})
	if got != "k" {
		t.Errorf("got %q, want the header and no referrer", got)
	}
}

func TestTCP(t *testing.T) {
	expect(t, "open", once(t, quality.ProbeSpec{TCP: listen(t).Addr().String()}, probe.Options{}), "")
	expect(t, "closed", once(t, quality.ProbeSpec{TCP: closedPort(t)}, probe.Options{}), "connection refused")
}

func TestTLS(t *testing.T) {
	ca := newAuthority(t)
	serve := func(cert tls.Certificate) string {
		l := tls.NewListener(listen(t), &tls.Config{Certificates: []tls.Certificate{cert}})
		go func() {
			for {
				conn, err := l.Accept()
				if err != nil {
					return
				}
				go func() { conn.(*tls.Conn).Handshake(); conn.Close() }()
			}
		}()
		return l.Addr().String()
	}
	const hour = time.Hour
	now := time.Now()
	good := serve(ca.sign(t, now.Add(30*24*hour), "127.0.0.1"))
	short := serve(ca.sign(t, now.Add(36*hour), "127.0.0.1"))
	expired := serve(ca.sign(t, now.Add(-hour), "127.0.0.1"))
	foreign := serve(newAuthority(t).sign(t, now.Add(30*24*hour), "127.0.0.1"))
	misnamed := serve(ca.sign(t, now.Add(30*24*hour), "192.0.2.1"))
	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	for _, tt := range []struct {
		name, addr string
		spec       quality.ProbeSpec
		want       string
	}{
		{"good", good, quality.ProbeSpec{ExpiresIn: 14 * 24 * hour}, ""},
		{"short", short, quality.ProbeSpec{ExpiresIn: 48 * hour}, "the certificate expires at " + now.Add(36*hour).UTC().Format("2006-01-02T15")},
		{"short but long enough", short, quality.ProbeSpec{ExpiresIn: 24 * hour}, ""},
		{"short, only its end counts", short, quality.ProbeSpec{}, ""},
		{"expired", expired, quality.ProbeSpec{}, "has expired"},
		{"expired, not verified", expired, quality.ProbeSpec{Verify: new(false)}, "has expired"},
		{"foreign", foreign, quality.ProbeSpec{}, "signed by nobody that is trusted"},
		{"foreign, not verified", foreign, quality.ProbeSpec{Verify: new(false)}, ""},
		{"misnamed", misnamed, quality.ProbeSpec{}, "not for this host name"},
		{"plain", strings.TrimPrefix(plain.URL, "http://"), quality.ProbeSpec{}, "does not speak TLS"},
		{"closed", closedPort(t), quality.ProbeSpec{}, "connection refused"},
	} {
		tt.spec.TLS = tt.addr
		expect(t, tt.name, once(t, tt.spec, probe.Options{Roots: ca.pool}), tt.want)
	}
	for want, spec := range map[string]quality.ProbeSpec{
		"signed by nobody": {HTTP: "https://" + foreign}, "has expired": {HTTP: "https://" + expired},
	} {
		expect(t, "https "+want, once(t, spec, probe.Options{Roots: ca.pool}), want)
	}
}

func TestTLSWarnsOnce(t *testing.T) {
	ca := newAuthority(t)
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, 0)
	server.TLS = &tls.Config{Certificates: []tls.Certificate{ca.sign(t, time.Now().Add(48*time.Hour), "127.0.0.1")}}
	server.StartTLS()
	defer server.Close()
	var log bytes.Buffer
	registry := prometheus.NewRegistry()
	p, err := probe.New(probe.Options{
		Features: []quality.Feature{{Name: "chat", Probes: []quality.ProbeSpec{{TLS: strings.TrimPrefix(server.URL, "https://")}}}},
		Sink:     probe.Silent{}, Roots: ca.pool, Logger: slog.New(slog.NewTextHandler(&log, nil)), Registerer: registry,
	})
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if r := probe.Once(t.Context(), p)[0]; !r.Up {
			t.Errorf("got %+v, want up", r)
		}
	}
	if n := strings.Count(log.String(), "a certificate expires soon"); n != 1 {
		t.Errorf("warned %d times, want once:\n%s", n, log.String())
	}
	if got := gauge(t, registry, "asgood_probe_certificate_expiry_timestamp_seconds"); got < float64(time.Now().Unix()) {
		t.Errorf("got an expiry of %v, want one in the future", got)
	}
}

func gauge(t *testing.T, r *prometheus.Registry, name string) float64 {
	t.Helper()
	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == name {
			return f.GetMetric()[0].GetGauge().GetValue()
		}
	}
	t.Fatalf("no metric %s", name)
	return 0
}

func TestICMP(t *testing.T) {
	r := once(t, quality.ProbeSpec{ICMP: "127.0.0.1", Timeout: 2 * time.Second}, probe.Options{})
	if r.Unknown && strings.Contains(r.Error, "net.ipv4.ping_group_range") {
		t.Skipf("the kernel forbids it here: %s", r.Error)
	}
	expect(t, "loopback", r, "")
	expect(t, "unknown host", once(t, quality.ProbeSpec{ICMP: "nowhere.invalid"}, probe.Options{}), "host name")
}

func TestRetries(t *testing.T) {
	for _, tt := range []struct {
		retries, failures, tries int
		up                       bool
	}{{0, 1, 1, false}, {1, 1, 2, true}, {2, 1, 2, true}, {2, 2, 3, true}, {2, 5, 3, false}} {
		tries := 0
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			if tries++; tries <= tt.failures {
				w.WriteHeader(http.StatusBadGateway)
			}
		}))
		r := once(t, quality.ProbeSpec{HTTP: server.URL, Retries: new(tt.retries), RetryPause: time.Millisecond}, probe.Options{})
		server.Close()
		if r.Up != tt.up || tries != tt.tries {
			t.Errorf("%d retries, %d failures: got up %v after %d tries, want %v after %d", tt.retries, tt.failures, r.Up, tries, tt.up, tt.tries)
		}
	}
}

func TestAPanicIsAFailureOfItsCheck(t *testing.T) {
	p, err := probe.New(probe.Options{
		Features: []quality.Feature{{Name: "chat", Probes: []quality.ProbeSpec{{TCP: "127.0.0.1:1", Retries: new(0)}}}}, Sink: probe.Silent{},
	})
	if err != nil {
		t.Fatal(err)
	}
	probe.Replace(p, 0, func(context.Context) error { panic(leak) })
	if r := probe.Once(t.Context(), p)[0]; r.Up || r.Unknown || strings.Contains(r.Error, leak) {
		t.Errorf("got %+v, want down", r)
	}
}

func TestNewRefuses(t *testing.T) {
	for want, probes := range map[string][]quality.ProbeSpec{
		"does not say what to check":   {{Name: "x"}},
		"another probe of this name":   {{TCP: "h:1"}, {Name: "tcp h:1", TCP: "h:2"}},
		"the URL cannot be used":       {{HTTP: "ftp://x"}},
		"is not known":                 {{DNS: "x", Type: "PTR"}},
		"want host:port":               {{TLS: "x"}},
		"nothing keeps the beats":      {{Heartbeat: "x"}},
		"nothing counts the traffic":   {{Traffic: &quality.TrafficProbe{ErrorsAbove: 0.1}}},
		"an expected status cannot be": {{HTTP: "http://x", Status: []string{"fine"}}},
	} {
		_, err := probe.New(probe.Options{Features: []quality.Feature{{Name: "chat", Probes: probes}}, Sink: probe.Silent{}})
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), `feature "chat"`) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	if _, err := probe.New(probe.Options{}); err == nil {
		t.Error("a prober without a sink was made")
	}
}
