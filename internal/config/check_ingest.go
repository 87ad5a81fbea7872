package config

import (
	"errors"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"
)

// Ingest bounds what senders may send.
type Ingest struct {
	RequireKey  bool  `yaml:"require_key"`  // also on a loopback address
	MaxBody     Bytes `yaml:"max_body"`     // of one request, as it is sent
	PerCustomer Rate  `yaml:"per_customer"` // outputs of one customer of a feature; 0 means no limit
}

// Rate is so many per second, written as 2000/s, 500/m or 10/h.
type Rate float64

// KeyRequired reports whether a listener with an address asks machines for keys: it does unless only this machine
// can reach it.
func (c *Config) KeyRequired(addr string) bool { return c.Ingest.RequireKey || !isLoopback(addr) }

// Bounds of a body.
const (
	minMaxBody = 64 << 10
	maxMaxBody = 64 << 20
)

func (d *decoder) checkIngest(i Ingest) {
	if !d.failed("ingest.max_body") && (i.MaxBody < minMaxBody || i.MaxBody > maxMaxBody) {
		d.bad("ingest.max_body", "want 64KiB to 64MiB")
	}
	if d.has("ingest.per_customer") && !d.failed("ingest.per_customer") && i.PerCustomer <= 0 {
		d.bad("ingest.per_customer", "want more than 0; without the key there is no limit")
	}
}

func (d *decoder) rate(n ast.Node, out *Rate, path string) {
	const want = "a number for each second, minute or hour such as 2000/s"
	s, ok := d.text(n, path, want)
	if !ok {
		return
	}
	v, err := ParseRate(s)
	if err != nil {
		d.bad(path, "want %s", want)
		return
	}
	*out = v
}

var (
	errRate     = errors.New("not a rate")
	rateForm    = regexp.MustCompile(`^ *([0-9_]*[0-9][0-9_]*(?:\.[0-9]+)?) */ *(s|sec|second|m|min|minute|h|hour) *$`)
	ratePeriods = map[byte]time.Duration{'s': time.Second, 'm': time.Minute, 'h': time.Hour}
)

// ParseRate reads a number and a period, such as 2000/s or 30/m. Underscores may part the digits.
func ParseRate(s string) (Rate, error) {
	m := rateForm.FindStringSubmatch(s)
	if m == nil {
		return 0, errRate
	}
	n, err := strconv.ParseFloat(strings.ReplaceAll(m[1], "_", ""), 64)
	if err != nil || n > math.MaxInt32 {
		return 0, errRate
	}
	return Rate(n / ratePeriods[m[2][0]].Seconds()), nil
}

// ParseBytes reads an amount such as 512MiB or 2GB.
func ParseBytes(s string) (Bytes, error) { return parseBytes(s) }

// ParseDuration reads a sum of numbers with units, such as 90d or 1d12h. A day is 24 hours.
func ParseDuration(s string) (time.Duration, error) { return parseDuration(s) }
