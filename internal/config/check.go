package config

import (
	"encoding/base64"
	"fmt"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
)

// check reports what the form of the file allows and its meaning does not.
func (d *decoder) check(c *Config) {
	if c.Name == "" {
		d.bad("name", "must not be empty")
	}
	d.checkStorage(c.Storage)
	d.checkFeatures(c.Features)
	d.checkFalseAlarms(c.FalseAlarms, "false_alarms")
	d.checkRetention("retention.samples", c.Retention.Samples, day, "scores and samples are stored by the day")
	d.checkRetention("retention.scores", c.Retention.Scores, 14*day, "this week is compared with last week")
	if _, err := loadLocation(c.TimeZone); err != nil {
		d.bad("time_zone", "not a time zone (want a name of the IANA database, such as Europe/Berlin or UTC)")
	}
	d.checkCustomers(c.Customers)
	d.checkListen(c.Listen, c.Auth)
	d.checkIngest(c.Ingest)
	if c.StatusPage.URL != "" && !isWebURL(c.StatusPage.URL) {
		d.bad("statuspage.url", "want a URL such as https://status.example.com")
	}
	d.checkPublish(c.StatusPage)
	d.checkGroups(c.StatusPage.Groups, c.Features)
	d.checkTitles(c)
	d.checkPrivate(c.StatusPage.Private)
	d.checkPage(&c.StatusPage)
	d.checkReceivers(c.Alerts.Receivers)
	d.checkMail(c.Mail)
	d.checkChanges(c.Changes, c.Features)
	d.checkAuth(c.Auth)
}

// has reports whether the file holds something at path.
func (d *decoder) has(path string) bool {
	_, ok := d.places[path]
	return ok
}

var clickhouseSchemes = []string{"clickhouse", "tcp", "http", "https"}

func (d *decoder) checkStorage(s Storage) {
	// A DSN holds a password, and the parser's words would repeat it.
	if !s.EmbeddedClickHouse() && !isURL(s.ClickHouse, clickhouseSchemes) {
		d.hidden("storage.clickhouse", `want "embedded" or a DSN such as clickhouse://user:password@host:9000/asgood`)
	}
	if !s.EmbeddedNATS() && !isNATS(s.NATS) {
		d.hidden("storage.nats", `want "embedded" or a URL such as nats://host:4222`)
	}
	if s.EmbeddedClickHouse() && s.Cluster != "" {
		d.bad("storage.cluster", "the embedded engine has no cluster; give storage.clickhouse a DSN")
	}
	// The name goes into statements, between quotes.
	if !s.EmbeddedClickHouse() && s.Cluster != "" && (!identifier.MatchString(s.Cluster) || len(s.Cluster) > quality.MaxNameLen) {
		d.bad("storage.cluster", "want letters, digits, dots, dashes and underscores, a letter or digit first")
	}
	if !s.EmbeddedClickHouse() && s.Library != "" {
		d.bad("storage.library", "has no effect with a remote ClickHouse")
	}
	if s.Dir == "" {
		d.bad("storage.dir", "must not be empty")
	}
}

func isNATS(s string) bool {
	for part := range strings.SplitSeq(s, ",") {
		if !isURL(strings.TrimSpace(part), []string{"nats", "tls", "ws", "wss"}) {
			return false
		}
	}
	return true
}

func isURL(s string, schemes []string) bool {
	u, err := url.Parse(s)
	return err == nil && slices.Contains(schemes, u.Scheme) && u.Host != ""
}

func isWebURL(s string) bool {
	return isURL(s, []string{"http", "https"}) && !strings.ContainsAny(s, "\r\n\t ")
}

const minFalseAlarmPeriod = time.Minute

func (d *decoder) checkFalseAlarms(f quality.FalseAlarms, path string) {
	switch {
	case d.failed(path):
	case d.has(path+".samples") && !(f.Samples >= quality.MinFalseAlarmSamples && f.Samples <= quality.MaxFalseAlarmSamples):
		d.bad(path+".samples", "want %d to %.0f", quality.MinFalseAlarmSamples, quality.MaxFalseAlarmSamples)
	case f.Samples == 0 && f.Period == 0:
		d.bad(path, "want a duration such as 30d, or {samples: N}")
	case f.Samples == 0 && f.Period < minFalseAlarmPeriod:
		d.bad(path, "want a minute or more")
	}
}

// failed reports whether something at or in path was reported before, or could not be read because of
// what is around it: what follows from it is not said again.
func (d *decoder) failed(path string) bool {
	for p := path; p != ""; p = around(p) {
		if d.wrong[p] {
			return true
		}
	}
	return slices.ContainsFunc(d.problems, func(p Problem) bool {
		rest, ok := strings.CutPrefix(p.Path, path)
		return ok && (rest == "" || rest[0] == '.' || rest[0] == '[')
	})
}

func (d *decoder) checkRetention(path string, v, least time.Duration, why string) {
	switch {
	case d.failed(path):
	case v < least:
		d.bad(path, "want %dd or more: %s", least/day, why)
	case v%day != 0:
		d.bad(path, "want whole days: data is dropped by the day")
	}
}

func (d *decoder) checkCustomers(cs []quality.Customer) {
	seen := map[string]int{}
	for i, c := range cs {
		d.name("customers", i, c.Name, nil, seen)
	}
	d.checkAliases(cs, seen)
}

// identifier is the form of names that become parts of URLs, keys and labels.
var identifier = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]*$`)

// name checks the name of an entry of a list: required, and once in the list. A nil form allows any text.
func (d *decoder) name(list string, i int, name string, form *regexp.Regexp, seen map[string]int) {
	path := fmt.Sprintf("%s[%d].name", list, i)
	first, taken := seen[name]
	switch {
	case d.failed(path):
	case strings.TrimSpace(name) == "":
		d.bad(path, "required")
	case len(name) > quality.MaxNameLen:
		d.bad(path, "%d bytes, at most %d", len(name), quality.MaxNameLen)
	case form != nil && !form.MatchString(name):
		d.bad(path, "want letters, digits, dots, dashes and underscores, a letter or digit first")
	case taken:
		d.bad(path, "%s[%d] has this name already", list, first)
	default:
		seen[name] = i
	}
}

func (d *decoder) checkListen(l Listen, a Auth) {
	d.checkAddr("listen.public", l.Public)
	d.checkAddr("listen.ingest", l.Ingest)
	d.checkAddr("listen.grpc", l.GRPC)
	if d.checkAddr("listen.internal", l.Internal) && !isLoopback(l.Internal) && !a.open() {
		d.bad("listen.internal", "not a loopback address: this listener asks nobody for a key, so it may be open to this machine only (such as 127.0.0.1:8081) unless people sign in by auth.oidc, with an auth.url of https")
	}
	d.checkProxies(l.TrustedProxies)
	seen := map[string]string{}
	for _, a := range []struct{ path, addr string }{
		{"listen.public", l.Public}, {"listen.ingest", l.Ingest}, {"listen.grpc", l.GRPC}, {"listen.internal", l.Internal},
	} {
		if d.failed(a.path) {
			continue
		}
		if first, ok := seen[a.addr]; ok && !strings.HasSuffix(a.addr, ":0") {
			d.bad(a.path, "the same address as %s", first)
		}
		seen[a.addr] = a.path
	}
}

func (d *decoder) checkAddr(path, addr string) bool {
	if d.failed(path) {
		return false
	}
	_, port, err := net.SplitHostPort(addr)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil {
		d.bad(path, "want an address with a port, such as 127.0.0.1:4318 or :8080")
	}
	return err == nil
}

func isLoopback(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return false
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func (d *decoder) checkReceivers(rs []quality.Receiver) {
	seen := map[string]int{}
	for i, r := range rs {
		path := fmt.Sprintf("alerts.receivers[%d]", i)
		d.name("alerts.receivers", i, r.Name, identifier, seen)
		if r.Webhook == nil {
			if !d.failed(path + ".webhook") {
				d.bad(path, "has no channel (want webhook: {url: URL, secret: SECRET})")
			}
			continue
		}
		d.checkWebhook(*r.Webhook, path+".webhook")
	}
}

func (d *decoder) checkWebhook(w quality.WebhookReceiver, path string) {
	// The URL of a webhook is often all that a caller needs to know.
	if !isWebURL(w.URL) && !d.failed(path+".url") {
		d.hidden(path+".url", "want a URL such as https://hooks.example.com/asgood")
	}
	if !isWebhookSecret(w.Secret) && !d.failed(path+".secret") {
		d.hidden(path+".secret", `want "whsec_" and 24 to 64 bytes in base64 (make one: echo whsec_$(openssl rand -base64 32))`)
	}
}

func isWebhookSecret(s string) bool {
	encoded, ok := strings.CutPrefix(s, "whsec_")
	key, err := base64.StdEncoding.DecodeString(encoded)
	return ok && err == nil && len(key) >= 24 && len(key) <= 64
}
