package subscribe

import (
	"net/mail"
	"net/netip"
	"net/url"
	"strings"

	"golang.org/x/net/idna"
)

// Bounds of addresses, in bytes.
const (
	maxEmail = 254
	maxLocal = 64
	maxURL   = 1024
)

// normalise returns an address in the one form in which it is stored and compared. An error is of kind invalid
// and says what is wrong without repeating the address.
func normalise(k Kind, address string) (string, error) {
	address = strings.TrimSpace(address)
	switch k {
	case KindEmail:
		return normaliseEmail(address)
	case KindWebhook:
		return normaliseURL(address, func(string) bool { return true }, "")
	case KindSlack:
		return normaliseURL(address, func(h string) bool { return h == "hooks.slack.com" }, "subscribe.wrong.slack")
	case KindTeams:
		return normaliseURL(address, isTeams, "subscribe.wrong.teams")
	}
	return "", wrong("subscribe.wrong.kind")
}

// isTeams reports whether a host is one of Power Automate, which runs the Workflows of Teams.
func isTeams(host string) bool {
	return strings.HasSuffix(host, ".logic.azure.com") || strings.HasSuffix(host, ".api.powerplatform.com")
}

var errEmail = wrong("subscribe.wrong.email")

// normaliseEmail takes one bare address. The domain is written in lower case and ASCII, so is the local part: no
// mail host of today tells Ada from ada, and two subscriptions of one mailbox are none too few.
func normaliseEmail(address string) (string, error) {
	if len(address) > maxURL || strings.ContainsAny(address, "\r\n\x00<>,;\" ") {
		return "", errEmail
	}
	a, err := mail.ParseAddress(address)
	if err != nil || a.Name != "" {
		return "", errEmail
	}
	at := strings.LastIndexByte(a.Address, '@')
	local, domain := strings.ToLower(a.Address[:at]), a.Address[at+1:]
	if domain, err = idna.Lookup.ToASCII(domain); err != nil || !strings.Contains(domain, ".") || isIP(domain) {
		return "", errEmail
	}
	// A local part beyond ASCII needs relays that few have.
	if len(local) > maxLocal || !printable(local) || len(local)+1+len(domain) > maxEmail {
		return "", errEmail
	}
	return local + "@" + domain, nil
}

func printable(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] >= 0x7f {
			return false
		}
	}
	return s != ""
}

func isIP(host string) bool {
	_, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil
}

// normaliseURL takes an https URL to a named host. Whether its name leads to a public address is looked at when
// it is called, not now: names change.
func normaliseURL(address string, allowed func(host string) bool, want string) (string, error) {
	if len(address) > maxURL || !printable(address) {
		return "", wrong("subscribe.wrong.url", "Most", maxURL)
	}
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" || u.Host == "" || u.Opaque != "" {
		return "", wrong("subscribe.wrong.https")
	}
	if u.User != nil {
		return "", wrong("subscribe.wrong.user")
	}
	host, err := idna.Lookup.ToASCII(strings.TrimSuffix(u.Hostname(), "."))
	if err != nil || isIP(host) || !strings.Contains(host, ".") {
		return "", wrong("subscribe.wrong.host")
	}
	if port := u.Port(); port != "" && port != "443" {
		return "", wrong("subscribe.wrong.port")
	}
	if !allowed(host) {
		return "", wrong(want)
	}
	u.Host, u.Fragment, u.RawFragment = host, "", ""
	return u.String(), nil
}

// obfuscate shows of an address what its owner would know it by, and not enough to use it.
func obfuscate(k Kind, address string) string {
	if k == KindEmail {
		local, domain, _ := strings.Cut(address, "@")
		return local[:min(1, len(local))] + "***@" + domain
	}
	u, err := url.Parse(address)
	if err != nil {
		return "***"
	}
	return u.Scheme + "://" + u.Host + "/***"
}
