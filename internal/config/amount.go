package config

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

func (d *decoder) bytes(n ast.Node, out *Bytes, path string) {
	const want = "an amount such as 512MiB or 2GB"
	s, ok := d.text(n, path, want)
	if !ok {
		return
	}
	v, err := parseBytes(s)
	if err != nil {
		d.bad(path, "want %s", want)
		return
	}
	*out = v
}

var amount = regexp.MustCompile(`^([0-9]+(?:\.[0-9]+)?) ?(B|KB|MB|GB|TB|KiB|MiB|GiB|TiB)?$`)

// parseBytes reads a number with a unit; KB is 1000 bytes and KiB 1024.
func parseBytes(s string) (Bytes, error) {
	m := amount.FindStringSubmatch(s)
	if m == nil {
		return 0, errors.New("not an amount")
	}
	n, err := strconv.ParseFloat(m[1], 64)
	if err != nil {
		return 0, fmt.Errorf("reading %q: %w", s, err)
	}
	base, unit := 1000.0, m[2]
	if strings.Contains(unit, "i") {
		base = 1024
	}
	n *= math.Pow(base, float64(max(0, strings.IndexByte("BKMGT", (unit + "B")[0]))))
	if n >= math.MaxInt64/2 {
		return 0, errors.New("too large")
	}
	return Bytes(n), nil
}
