package config

import (
	"fmt"
	"net/netip"
	"strings"
)

// maxProxies bounds the networks of proxies: each request is compared with all of them.
const maxProxies = 100

// checkProxies checks the networks whose word about the caller is taken. All addresses together are refused: then
// every caller could name another.
func (d *decoder) checkProxies(list []string) {
	if len(list) > maxProxies {
		d.bad("listen.trusted_proxies", "%d networks, want at most %d", len(list), maxProxies)
		return
	}
	for i, text := range list {
		path := fmt.Sprintf("listen.trusted_proxies[%d]", i)
		if d.failed(path) {
			continue
		}
		if !strings.Contains(text, "/") {
			if a, err := netip.ParseAddr(text); err != nil || a.Zone() != "" {
				d.bad(path, "want a network such as 10.0.0.0/8 or an address such as 10.0.0.7")
			}
			continue
		}
		p, err := netip.ParsePrefix(text)
		switch {
		case err != nil:
			d.bad(path, "want a network such as 10.0.0.0/8 or an address such as 10.0.0.7")
		case p.Bits() == 0:
			d.bad(path, "every address: then each caller could name another; want the network of the proxies")
		}
	}
}
