package config

import (
	"fmt"
	"net"
	"net/http"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
)

// probeFields holds the fields that each kind of probe takes beside those of every kind.
var probeFields = map[quality.ProbeKind][]string{
	quality.ProbeHTTP:      {"method", "headers", "status", "contains", "redirects", "verify"},
	quality.ProbeTCP:       {},
	quality.ProbeDNS:       {"type", "resolver", "expect"},
	quality.ProbeTLS:       {"expires_in", "verify"},
	quality.ProbeICMP:      {},
	quality.ProbeGRPC:      {"service", "secure", "verify"},
	quality.ProbeHeartbeat: {"grace"},
	quality.ProbeTraffic:   {},
}

// everyProbe holds the fields that every kind takes.
var everyProbe = []string{"name", "every"}

// checkedProbe holds the fields of the kinds whose checks reach out.
var checkedProbe = []string{"timeout", "retries", "retry_pause", "confirm", "recover"}

func probeTakes(kind quality.ProbeKind) []string {
	own := append([]string{string(kind)}, probeFields[kind]...)
	own = append(own, everyProbe...)
	switch kind {
	case quality.ProbeHeartbeat:
		return own
	case quality.ProbeTraffic:
		return append(own, "confirm", "recover")
	default:
		return append(own, checkedProbe...)
	}
}

const maxProbeName = 100

// checkProbes checks the probes of a feature. beats holds the place of each heartbeat in the file.
func (d *decoder) checkProbes(ps []quality.ProbeSpec, path string, beats map[string]string) {
	labels := map[string]int{}
	for i := range ps {
		p := fmt.Sprintf("%s[%d]", path, i)
		d.checkProbe(&ps[i], p)
		if d.failed(p) {
			continue
		}
		if first, ok := labels[ps[i].Label()]; ok {
			d.hidden(p, "is told apart from probes[%d] by nothing that is shown: give it another name", first)
		}
		labels[ps[i].Label()] = i
		name := ps[i].Heartbeat
		if first, ok := beats[name]; ok && name != "" {
			d.bad(p+".heartbeat", "%s waits for this heartbeat already", first)
		}
		beats[name] = p
	}
}

func (d *decoder) checkProbe(p *quality.ProbeSpec, path string) {
	kind, ok := d.probeKind(path)
	if !ok {
		return
	}
	takes := probeTakes(kind)
	for name := range fieldsOf(reflect.TypeFor[quality.ProbeSpec]()) {
		if d.has(path+"."+name) && !slices.Contains(takes, name) {
			d.hidden(path+"."+name, "has no effect on a probe of kind %s (it takes %s)", kind, strings.Join(takes, ", "))
		}
	}
	d.checkProbeAddress(p, kind, path+"."+string(kind))
	d.checkProbeNumbers(p, kind, path)
	switch kind {
	case quality.ProbeHTTP:
		d.checkHTTPProbe(p, path)
	case quality.ProbeDNS:
		d.checkDNSProbe(p, path)
	case quality.ProbeTraffic:
		d.checkTrafficProbe(p.Traffic, path+".traffic")
	}
	if d.has(path+".name") && (strings.TrimSpace(p.Name) == "" || len(p.Name) > maxProbeName || strings.ContainsAny(p.Name, "\r\n\t")) {
		d.bad(path+".name", "want 1 to %d characters in one line", maxProbeName)
	}
}

// probeKind returns the one kind that the file gives at path, and reports where there is none or several.
func (d *decoder) probeKind(path string) (quality.ProbeKind, bool) {
	var kinds, known []string
	for _, kind := range quality.ProbeKinds() {
		known = append(known, string(kind))
		if d.has(path + "." + string(kind)) {
			kinds = append(kinds, string(kind))
		}
	}
	switch {
	case len(kinds) == 1:
		return quality.ProbeKind(kinds[0]), true
	case len(kinds) > 1:
		d.hidden(path, "has %s: want exactly one", strings.Join(kinds, " and "))
	case !d.failed(path):
		d.hidden(path, "says nothing to check: want one of %s", strings.Join(known, ", "))
	}
	return "", false
}

// hostName is what a name or an address of a host consists of. The resolver knows best which are real.
var hostName = regexp.MustCompile(`^[A-Za-z0-9_:%.-]{1,253}$`)

func (d *decoder) checkProbeAddress(p *quality.ProbeSpec, kind quality.ProbeKind, path string) {
	if d.failed(path) {
		return
	}
	switch addr := p.Address(kind); kind {
	case quality.ProbeHTTP:
		if !isWebURL(addr) { // a token may stand in its query
			d.hidden(path, "want a URL such as https://api.example.com/health")
		}
	case quality.ProbeTCP, quality.ProbeTLS, quality.ProbeGRPC:
		if !isHostPort(addr) {
			d.bad(path, "want a host and a port, such as api.example.com:443")
		}
	case quality.ProbeICMP:
		if !hostName.MatchString(addr) {
			d.bad(path, "want a host, such as api.example.com")
		}
	case quality.ProbeDNS:
		if !hostName.MatchString(addr) || strings.Contains(addr, ":") {
			d.bad(path, "want a domain name, such as api.example.com")
		}
	case quality.ProbeHeartbeat:
		if len(addr) > maxProbeName || !identifier.MatchString(addr) {
			d.bad(path, "want 1 to %d letters, digits, dots, dashes and underscores, a letter or digit first", maxProbeName)
		}
	}
}

func isHostPort(s string) bool {
	host, port, err := net.SplitHostPort(s)
	n, perr := strconv.ParseUint(port, 10, 16)
	return err == nil && perr == nil && n > 0 && hostName.MatchString(host)
}

const (
	maxBeat       = 366 * day
	maxExpiresIn  = 366 * day
	maxRetries    = 5
	maxConfirm    = 100
	maxRetryPause = time.Minute
)

func (d *decoder) checkProbeNumbers(p *quality.ProbeSpec, kind quality.ProbeKind, path string) {
	longest := day
	if kind == quality.ProbeHeartbeat {
		longest = maxBeat
		d.required(path+".every", p.Every == 0, "required: the time between two beats, such as 1h")
	}
	d.checkSpan(path+".every", p.Every, time.Second, longest)
	d.checkSpan(path+".timeout", p.Timeout, time.Second, day)
	d.checkSpan(path+".retry_pause", p.RetryPause, 100*time.Millisecond, maxRetryPause)
	d.checkSpan(path+".grace", p.Grace, time.Second, maxBeat)
	d.checkSpan(path+".expires_in", p.ExpiresIn, time.Hour, maxExpiresIn)
	if p.Retries != nil {
		d.checkCount(path+".retries", *p.Retries, 0, maxRetries)
	}
	d.checkCount(path+".confirm", p.Confirm, 1, maxConfirm)
	d.checkCount(path+".recover", p.Recover, 1, maxConfirm)
}

func (d *decoder) required(path string, missing bool, text string) {
	if missing && !d.failed(path) {
		d.bad(path, "%s", text)
	}
}

func (d *decoder) checkSpan(path string, v, least, most time.Duration) {
	if d.has(path) && !d.failed(path) && (v < least || v > most) {
		d.bad(path, "want %s to %s", spanText(least), spanText(most))
	}
}

// spanText writes a duration as the file would.
func spanText(d time.Duration) string {
	for _, u := range []struct {
		unit time.Duration
		name string
	}{{day, "d"}, {time.Hour, "h"}, {time.Minute, "m"}, {time.Second, "s"}} {
		if d%u.unit == 0 {
			return strconv.FormatInt(int64(d/u.unit), 10) + u.name
		}
	}
	return strconv.FormatInt(d.Milliseconds(), 10) + "ms"
}

func (d *decoder) checkCount(path string, v, least, most int) {
	if d.has(path) && !d.failed(path) && (v < least || v > most) {
		d.bad(path, "want %d to %d", least, most)
	}
}

const (
	maxHeaders   = 32
	maxHeader    = 8 << 10
	maxContains  = 1 << 10
	maxRedirects = 10
	maxStatus    = 20
)

var (
	probeMethods = []string{
		http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions,
	}
	headerName = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$")
)

func (d *decoder) checkHTTPProbe(p *quality.ProbeSpec, path string) {
	if d.has(path+".method") && !slices.Contains(probeMethods, p.Method) {
		d.bad(path+".method", "want one of %s", strings.Join(probeMethods, ", "))
	}
	d.checkHeaders(p.Headers, path+".headers")
	if len(p.Status) > maxStatus {
		d.bad(path+".status", "%d entries, at most %d", len(p.Status), maxStatus)
	}
	for i, s := range p.Status {
		at := fmt.Sprintf("%s.status[%d]", path, i)
		if _, _, ok := quality.StatusRange(s); !ok && !d.failed(at) {
			d.bad(at, "want a status such as 204, or a range such as 200-299")
		}
	}
	if d.has(path+".contains") && !d.failed(path+".contains") {
		switch {
		case p.Contains == "" || len(p.Contains) > maxContains:
			d.bad(path+".contains", "want 1 to %d bytes", maxContains)
		case p.Method == http.MethodHead:
			d.bad(path+".contains", "the answer to HEAD has no body")
		}
	}
	if p.Redirects != nil {
		d.checkCount(path+".redirects", *p.Redirects, 0, maxRedirects)
	}
}

// checkHeaders shows no value: they are where keys stand.
func (d *decoder) checkHeaders(headers map[string]string, path string) {
	if len(headers) > maxHeaders {
		d.hidden(path, "%d headers, at most %d", len(headers), maxHeaders)
	}
	for name, value := range headers {
		at := join(path, name)
		switch {
		case d.failed(at):
		case !headerName.MatchString(name):
			d.hidden(at, "not the name of a header")
		case len(value) > maxHeader || strings.ContainsFunc(value, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }):
			d.hidden(at, "want a value of one line, at most %d bytes", maxHeader)
		}
	}
}

var dnsTypes = []string{"A", "AAAA", "CNAME", "MX", "TXT", "NS"}

func (d *decoder) checkDNSProbe(p *quality.ProbeSpec, path string) {
	if d.has(path+".type") && !d.failed(path+".type") && !slices.Contains(dnsTypes, p.Type) {
		d.bad(path+".type", "want one of %s", strings.Join(dnsTypes, ", "))
	}
	if r := strings.Trim(p.Resolver, "[]"); d.has(path+".resolver") && !isHostPort(p.Resolver) && (!hostName.MatchString(r) || strings.Contains(r, ":") && net.ParseIP(r) == nil) {
		d.bad(path+".resolver", "want a host, such as 192.0.2.53, or a host and a port")
	}
	if d.has(path+".expect") && !d.failed(path+".expect") && (p.Expect == "" || len(p.Expect) > maxContains) {
		d.bad(path+".expect", "want 1 to %d bytes", maxContains)
	}
}

const maxTrafficMin = 1_000_000

func (d *decoder) checkTrafficProbe(t *quality.TrafficProbe, path string) {
	if d.failed(path) {
		return
	}
	if t == nil {
		d.bad(path, "want {errors_above: SHARE}, with min and window where the defaults do not fit")
		return
	}
	if !d.has(path+".errors_above") || t.ErrorsAbove < 0 || t.ErrorsAbove >= 1 {
		d.bad(path+".errors_above", "want a share of 0 or more and less than 1, such as 0.2")
	}
	d.checkCount(path+".min", t.Min, 1, maxTrafficMin)
	d.checkSpan(path+".window", t.Window, time.Minute, day)
	if d.has(path+".window") && !d.failed(path+".window") && t.Window%time.Minute != 0 {
		d.bad(path+".window", "want whole minutes: traffic is counted by the minute")
	}
}
