package config

import (
	"fmt"
	"strings"

	"github.com/asgood-dev/asgood/internal/quality"
)

// Bounds of what pages of customers need.
const (
	leastPrivate = 30 // below, chance decides what an interval says
	mostPrivate  = 1_000_000
	maxAliases   = 100
)

// Private configures the pages that customers see by a link.
type Private struct {
	Least int `yaml:"least"` // answers of their own that a figure of their own needs
}

func (d *decoder) checkPrivate(p Private) {
	if !d.failed("statuspage.private.least") && (p.Least < leastPrivate || p.Least > mostPrivate) {
		d.bad("statuspage.private.least", "want %d to %d answers", leastPrivate, mostPrivate)
	}
}

// checkAliases checks the other names of customers: what one carries is shown to it, so that a name belongs to one only.
// names holds those that customers have themselves.
func (d *decoder) checkAliases(cs []quality.Customer, names map[string]int) {
	aliases := map[string]string{}
	for i, c := range cs {
		list := fmt.Sprintf("customers[%d].aliases", i)
		if len(c.Aliases) > maxAliases && !d.failed(list) {
			d.bad(list, "%d names, at most %d", len(c.Aliases), maxAliases)
		}
		for n, alias := range c.Aliases {
			d.checkAlias(fmt.Sprintf("%s[%d]", list, n), alias, names, aliases)
		}
	}
}

func (d *decoder) checkAlias(path, alias string, names map[string]int, aliases map[string]string) {
	owner, named := names[alias]
	first, taken := aliases[alias]
	switch {
	case d.failed(path):
	case strings.TrimSpace(alias) == "":
		d.bad(path, "want a name")
	case len(alias) > quality.MaxNameLen:
		d.bad(path, "%d bytes, at most %d", len(alias), quality.MaxNameLen)
	case named:
		d.bad(path, "customers[%d] has this name", owner)
	case taken:
		d.bad(path, "%s is this name already", first)
	default:
		aliases[alias] = path
	}
}
