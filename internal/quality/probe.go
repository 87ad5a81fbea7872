package quality

import (
	"net/url"
	"strconv"
	"strings"
	"time"
)

// ProbeKind says how availability is checked.
type ProbeKind string

// The kinds of probes. Each is also the key that configures it.
const (
	ProbeHTTP      ProbeKind = "http"
	ProbeTCP       ProbeKind = "tcp"
	ProbeDNS       ProbeKind = "dns"
	ProbeTLS       ProbeKind = "tls"
	ProbeICMP      ProbeKind = "icmp"
	ProbeGRPC      ProbeKind = "grpc"
	ProbeHeartbeat ProbeKind = "heartbeat"
	ProbeTraffic   ProbeKind = "traffic"
)

// ProbeKinds lists all kinds.
func ProbeKinds() []ProbeKind {
	return []ProbeKind{ProbeHTTP, ProbeTCP, ProbeDNS, ProbeTLS, ProbeICMP, ProbeGRPC, ProbeHeartbeat, ProbeTraffic}
}

// ProbeSpec configures an availability check. Exactly one of the first eight keys after the name is set.
type ProbeSpec struct {
	Name string `yaml:"name"` // shown instead of the address

	HTTP      string        `yaml:"http"`      // URL; up when it answers as expected
	TCP       string        `yaml:"tcp"`       // host:port; up when it takes a connection
	DNS       string        `yaml:"dns"`       // name; up when it resolves
	TLS       string        `yaml:"tls"`       // host:port; up while its certificate verifies and lasts
	ICMP      string        `yaml:"icmp"`      // host; up when it answers a ping
	GRPC      string        `yaml:"grpc"`      // host:port; up when its health service says SERVING
	Heartbeat string        `yaml:"heartbeat"` // name; up while the watched thing calls in time
	Traffic   *TrafficProbe `yaml:"traffic"`   // up while few outputs carry an error

	Method    string            `yaml:"method"`     // http; default GET
	Headers   map[string]string `yaml:"headers"`    // http; values may be secret and are never shown
	Status    []string          `yaml:"status"`     // http: expected statuses, such as 204 or 200-299; empty means below 400
	Contains  string            `yaml:"contains"`   // http: text in the first 256 KiB of the body
	Redirects *int              `yaml:"redirects"`  // http: followed at most; 0 judges the redirect itself; default 5
	Verify    *bool             `yaml:"verify"`     // http, tls, grpc: whether the certificate must verify; default true
	Type      string            `yaml:"type"`       // dns: A (default), AAAA, CNAME, MX, TXT or NS
	Resolver  string            `yaml:"resolver"`   // dns: host or host:port; empty means the machine's own
	Expect    string            `yaml:"expect"`     // dns: a value that must be among the answers
	ExpiresIn time.Duration     `yaml:"expires_in"` // tls: down when the certificate ends sooner; 0 means when it has ended
	Service   string            `yaml:"service"`    // grpc: name of the service; empty means the server as a whole
	Secure    bool              `yaml:"secure"`     // grpc: speak TLS
	Grace     time.Duration     `yaml:"grace"`      // heartbeat: how late a beat may be; default a tenth of every, at least 10 s

	Every      time.Duration `yaml:"every"`       // between checks, default 30 s; of a heartbeat: between its beats
	Timeout    time.Duration `yaml:"timeout"`     // of one try; default 10 s
	Retries    *int          `yaml:"retries"`     // further tries within one check that fails; default 1
	RetryPause time.Duration `yaml:"retry_pause"` // before each of them; default 1 s
	Confirm    int           `yaml:"confirm"`     // failed checks in a row before it counts as down; default 2, of traffic 1
	Recover    int           `yaml:"recover"`     // good checks in a row before it counts as up again; default 1
}

// TrafficProbe tells availability by the outputs that arrive.
type TrafficProbe struct {
	ErrorsAbove float64       `yaml:"errors_above"` // down while a larger share of outputs carries an error; 0 to 1
	Min         int           `yaml:"min"`          // outputs in the window below which nothing is said; default 20
	Window      time.Duration `yaml:"window"`       // whole minutes; default 5 min
}

// Defaults of a probe.
const (
	probeEvery      = 30 * time.Second
	probeTimeout    = 10 * time.Second
	probeRetries    = 1
	probeRetryPause = time.Second
	probeConfirm    = 2
	probeRecover    = 1
	probeRedirects  = 5
	probeMinGrace   = 10 * time.Second
	trafficMin      = 20
	trafficWindow   = 5 * time.Minute
)

// Kinds returns the kinds that are set, which should be one.
func (p *ProbeSpec) Kinds() []ProbeKind {
	var set []ProbeKind
	for _, kind := range ProbeKinds() {
		if p.Address(kind) != "" || kind == ProbeTraffic && p.Traffic != nil {
			set = append(set, kind)
		}
	}
	return set
}

// Kind returns the kind of the probe, empty when none is set.
func (p *ProbeSpec) Kind() ProbeKind {
	if set := p.Kinds(); len(set) > 0 {
		return set[0]
	}
	return ""
}

// Address returns what a probe of a kind checks as configured, empty when it is of another kind.
func (p *ProbeSpec) Address(kind ProbeKind) string {
	switch kind {
	case ProbeHTTP:
		return p.HTTP
	case ProbeTCP:
		return p.TCP
	case ProbeDNS:
		return p.DNS
	case ProbeTLS:
		return p.TLS
	case ProbeICMP:
		return p.ICMP
	case ProbeGRPC:
		return p.GRPC
	case ProbeHeartbeat:
		return p.Heartbeat
	default:
		return ""
	}
}

// Label is how results and states name the probe: its name, or what it checks without anything secret.
// It tells the probes of a feature apart.
func (p *ProbeSpec) Label() string {
	kind := p.Kind()
	switch {
	case p.Name != "":
		return p.Name
	case kind == ProbeHTTP:
		return urlLabel(p.HTTP)
	case kind == ProbeDNS && p.Type != "" && p.Type != "A":
		return "dns " + p.DNS + " " + p.Type
	case kind == ProbeGRPC && p.Service != "":
		return "grpc " + p.GRPC + " " + p.Service
	default:
		return strings.TrimSpace(string(kind) + " " + p.Address(kind))
	}
}

// urlLabel is the URL without user and query, which may hold secrets.
func urlLabel(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return "unreadable URL"
	}
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()
}

// WithDefaults returns the probe with what it left out filled in.
func (p ProbeSpec) WithDefaults() ProbeSpec {
	kind := p.Kind()
	p.Every = positive(p.Every, probeEvery)
	p.Timeout = positive(p.Timeout, probeTimeout)
	p.RetryPause = positive(p.RetryPause, probeRetryPause)
	p.Recover = positive(p.Recover, probeRecover)
	p.Confirm = positive(p.Confirm, confirmOf(kind))
	if p.Retries == nil {
		p.Retries = new(probeRetries)
	}
	switch kind {
	case ProbeHTTP:
		p.httpDefaults()
	case ProbeDNS:
		if p.Type == "" {
			p.Type = "A"
		}
	case ProbeHeartbeat:
		p.Retries = new(0)
		p.Grace = positive(p.Grace, max(p.Every/10, probeMinGrace))
	case ProbeTraffic:
		p.trafficDefaults()
	}
	return p
}

// confirmOf leaves out the confirmation where a window or a grace does it already.
func confirmOf(kind ProbeKind) int {
	if kind == ProbeHeartbeat || kind == ProbeTraffic {
		return 1
	}
	return probeConfirm
}

func (p *ProbeSpec) httpDefaults() {
	if p.Method == "" {
		p.Method = "GET"
	}
	if p.Redirects == nil {
		p.Redirects = new(probeRedirects)
	}
}

func (p *ProbeSpec) trafficDefaults() {
	t := *p.Traffic // a copy: the caller's stays what it was
	t.Min = positive(t.Min, trafficMin)
	t.Window = positive(t.Window, trafficWindow)
	p.Traffic, p.Retries = &t, new(0)
}

func positive[T int | time.Duration](v, fallback T) T {
	if v <= 0 {
		return fallback
	}
	return v
}

// Verifies reports whether the certificate of the server must verify.
func (p *ProbeSpec) Verifies() bool { return p.Verify == nil || *p.Verify }

// StatusRange reads an expected status of HTTP, such as 204 or 200-299. It reports false when it is neither.
func StatusRange(s string) (low, high int, ok bool) {
	first, last, ranged := strings.Cut(s, "-")
	if !ranged {
		last = first
	}
	low, err1 := strconv.Atoi(first)
	high, err2 := strconv.Atoi(last)
	return low, high, err1 == nil && err2 == nil && 100 <= low && low <= high && high <= 599
}

// ProbeResult is one availability check of a feature.
type ProbeResult struct {
	Feature string        `json:"feature"`
	Probe   string        `json:"probe"` // what was checked: the probe's label
	Time    time.Time     `json:"time"`
	Up      bool          `json:"up"`
	Latency time.Duration `json:"latency"`
	Error   string        `json:"error,omitempty"` // why it is down; never shown to customers
}

// ProbeStatus is the present state of one probe, after confirmation.
type ProbeStatus struct {
	Feature     string    `json:"feature"`
	Probe       string    `json:"probe"`
	State       UpState   `json:"state"`
	Since       time.Time `json:"since"`      // when the state began
	CheckedAt   time.Time `json:"checked_at"` // last check
	Error       string    `json:"error,omitempty"`
	Failures    int       `json:"failures,omitempty"`    // failed checks in a row, up to now
	FailedAt    time.Time `json:"failed_at,omitzero"`    // the first of them
	Successes   int       `json:"successes,omitempty"`   // while down: good checks in a row, up to now
	SucceededAt time.Time `json:"succeeded_at,omitzero"` // the first of them
}

// UpState says whether something answers. The zero value is UpUnknown.
type UpState string

// The states of availability.
const (
	UpUnknown UpState = ""
	Up        UpState = "up"
	Down      UpState = "down"
)
