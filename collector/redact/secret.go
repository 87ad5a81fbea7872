package redact

import "strings"

// colon finds what a colon is part of.
func (sc *scan) colon(i int) hit {
	if sc.w.r.on[IP] {
		if h := sc.ipv6(i); h.found() {
			return h
		}
	}
	if !sc.w.r.on[Secret] {
		return hit{}
	}
	if strings.HasPrefix(sc.s[i+1:], "//") {
		return sc.userinfo(i)
	}
	return sc.assignment(i)
}

const maxAuthority = 512

// userinfo finds the name and password in a URL whose colon is at i. A name alone is one only where it
// is likely a token: ssh://git@host holds nothing secret.
func (sc *scan) userinfo(i int) hit {
	start := i + len("://")
	authority := sc.s[start:min(len(sc.s), start+maxAuthority)]
	if stop := strings.IndexAny(authority, "/?# \t\r\n\"'<>\\`,"); stop >= 0 {
		authority = authority[:stop]
	}
	end := strings.LastIndexByte(authority, '@')
	if end < 1 {
		return hit{}
	}
	web := strings.HasSuffix(sc.s[sc.done:i], "http") || strings.HasSuffix(sc.s[sc.done:i], "https")
	if !web && strings.IndexByte(authority[:end], ':') < 0 || sc.w.r.holdsPseudonym(authority[:end]) {
		return hit{}
	}
	return hit{start, start + end, Secret}
}

// hyphen finds what a hyphen is part of.
func (sc *scan) hyphen(i int) hit {
	if sc.at(i+1) == '-' {
		return sc.privateKey(i)
	}
	return sc.token(i)
}

// privateKey finds a PEM block with a private key; one without an end reaches to the end of the text.
func (sc *scan) privateKey(i int) hit {
	const begin, end, label, longest = "-----BEGIN ", "-----END ", "PRIVATE KEY", 40
	rest, ok := strings.CutPrefix(sc.s[i:], begin)
	if !ok || !strings.Contains(rest[:min(len(rest), longest)], label) {
		return hit{}
	}
	stop := strings.Index(rest, end)
	if stop < 0 {
		return hit{i, len(sc.s), Secret}
	}
	stop += i + len(begin) + len(end)
	if dashes := strings.Index(sc.s[stop:min(len(sc.s), stop+longest)], "-----"); dashes >= 0 {
		stop += dashes + len("-----")
	}
	return hit{i, stop, Secret}
}

// issued is a form of tokens that begin with a mark of who issued them.
type issued struct {
	prefix string // up to the first hyphen or underscore
	then   string // what follows it
	least  int    // characters behind
	solid  int    // of which so many stand together with a digit or capital among them
}

// issuers are the tokens whose mark ends with a hyphen or underscore.
var issuers = [...]issued{
	{"sk-", "", 16, 10}, {"sk_", "live_", 16, 16}, {"sk_", "test_", 16, 16}, {"rk_", "live_", 16, 16}, {"rk_", "test_", 16, 16},
	{"ghp_", "", 20, 20}, {"gho_", "", 20, 20}, {"ghu_", "", 20, 20}, {"ghs_", "", 20, 20}, {"ghr_", "", 20, 20}, {"github_", "pat_", 20, 16},
	{"glpat-", "", 16, 8}, {"xoxb-", "", 10, 8}, {"xoxp-", "", 10, 8}, {"xoxa-", "", 10, 8}, {"xoxr-", "", 10, 8}, {"xoxs-", "", 10, 8},
	{"xoxe-", "", 10, 8}, {"xapp-", "", 10, 8}, {"hf_", "", 20, 20}, {"npm_", "", 20, 20}, {"gsk_", "", 20, 20}, {"pypi-", "", 20, 16},
	{"shpat_", "", 20, 20}, {"shpss_", "", 20, 20}, {"glsa_", "", 20, 20}, {"dop_", "v1_", 20, 20}, {"whsec_", "", 20, 16}, {"pcsk_", "", 20, 16},
	{"nvapi-", "", 20, 16}, {"xai-", "", 20, 16}, {"tvly-", "", 16, 16}, {"r8_", "", 20, 20}, {"lin_", "api_", 20, 20}, {"key-", "", 32, 32},
	{"sq0atp-", "", 16, 10}, {"sq0csp-", "", 16, 10}, {"AGE-", "SECRET-KEY-1", 40, 40},
}

const maxPrefix = 8

// token finds a token whose mark ends with the hyphen or underscore at i.
func (sc *scan) token(i int) hit {
	start := i
	for start > sc.done && i-start < maxPrefix && isAlnum(sc.s[start-1]) {
		start--
	}
	if i-start < 2 {
		return hit{}
	}
	if start-1 >= sc.done && sc.s[start-1] == '\\' {
		start = sc.skipEscape(start, i)
	}
	if c := sc.before(start); isWord(c) && !sc.escapeBefore(start) || c == '-' {
		return hit{}
	}
	mark := sc.s[start : i+1]
	for k := range issuers {
		t := &issuers[k]
		if mark != t.prefix || !strings.HasPrefix(sc.s[i+1:], t.then) {
			continue
		}
		from := i + 1 + len(t.then)
		end := sc.tokenEnd(from)
		if end-from >= t.least && isSolid(sc.s[from:end], t.solid) {
			return hit{start, end, Secret}
		}
	}
	return hit{}
}

// tokenEnd returns the end of the characters of a token. As no token begins behind a hyphen, an underscore,
// a letter or a digit, none of them is read for two tokens.
func (sc *scan) tokenEnd(i int) int {
	for i < len(sc.s) && (isWord(sc.s[i]) || sc.s[i] == '-') {
		i++
	}
	return i
}

// isSolid reports whether so many letters and digits stand together, with a digit or capital among them.
// Names that programs use consist of short words.
func isSolid(s string, least int) bool {
	run, mixed := 0, false
	for i := range len(s) {
		c := s[i]
		if !isAlnum(c) {
			run, mixed = 0, false
			continue
		}
		run++
		mixed = mixed || isDigit(c) || c <= 'Z'
		if run >= least && mixed {
			return true
		}
	}
	return false
}

// letter finds tokens that are told by a letter in their mark.
func (sc *scan) letter(i int) hit {
	switch s := sc.s[i:]; {
	case s[0] == 'J' && i >= sc.done+2 && sc.s[i-2:i] == "ey":
		return sc.webToken(i - 2)
	case s[0] == 'I' && (strings.HasPrefix(s, "IA") || strings.HasPrefix(s, "Iza")):
		return sc.cloudKey(i)
	case s[0] == 'G' && strings.HasPrefix(s, "G.") && sc.before(i) == 'S':
		return sc.mailKey(i - 1)
	case s[0]|0x20 == 'b' && sc.w.r.on[Secret]:
		return sc.bearer(i)
	default:
		return hit{}
	}
}

// webToken finds a JSON Web Token: parts in base64, parted by dots, the first of which is a JSON object.
func (sc *scan) webToken(start int) hit {
	const leastPart, parts = 8, 5
	if c := sc.before(start); c == '-' || c == '.' || sc.wordBefore(start) {
		return hit{}
	}
	end, part := start, 0
	for part < parts {
		stop := sc.tokenEnd(end)
		if part < 2 && stop-end < leastPart {
			return hit{}
		}
		end = stop
		part++
		if sc.at(end) != '.' || part == parts || part >= 2 && !isWord(sc.at(end+1)) {
			break
		}
		end++
	}
	if part < 2 {
		return hit{}
	}
	return hit{start, end, Secret}
}

// cloudKey finds key ids of AWS, AKIA and ASIA with 16 characters, and keys of Google, AIza with 35.
func (sc *scan) cloudKey(i int) hit {
	start, size := i-1, len("AIza")+35
	if strings.HasPrefix(sc.s[i:], "IA") {
		start, size = i-2, len("AKIA")+16
	}
	if start < sc.done || sc.s[start] != 'A' || sc.wordBefore(start) {
		return hit{}
	}
	if c := sc.before(i); size == 20 && c != 'K' && c != 'S' {
		return hit{}
	}
	end := sc.tokenEnd(start)
	if end-start != size || size == 20 && strings.ContainsAny(sc.s[start:end], "abcdefghijklmnopqrstuvwxyz-_") {
		return hit{}
	}
	return hit{start, end, Secret}
}

// mailKey finds keys of SendGrid, SG. and two parts.
func (sc *scan) mailKey(start int) hit {
	const least = 16
	if sc.wordBefore(start) {
		return hit{}
	}
	first := start + len("SG.")
	mid := sc.tokenEnd(first)
	if mid-first < least || sc.at(mid) != '.' {
		return hit{}
	}
	end := sc.tokenEnd(mid + 1)
	if end-mid <= least {
		return hit{}
	}
	return hit{start, end, Secret}
}

// bearer finds the token behind the word Bearer.
func (sc *scan) bearer(i int) hit {
	const word = "bearer "
	if len(sc.s)-i <= len(word) || !strings.EqualFold(sc.s[i:i+len(word)], word) || sc.wordBefore(i) {
		return hit{}
	}
	start := i + len(word)
	end := start
	for end < len(sc.s) && isCredential(sc.s[end]) {
		end++
	}
	for end > start && sc.s[end-1] == '.' {
		end--
	}
	if !isRandom(sc.s[start:end]) {
		return hit{}
	}
	return hit{start, end, Secret}
}

func isCredential(c byte) bool { return isWord(c) || strings.IndexByte("-.~+/=", c) >= 0 }

const minRandom = 8

// isRandom reports whether a text looks made by a machine: no space, eight characters or more, a digit.
func isRandom(s string) bool {
	digits := 0
	for i := range len(s) {
		switch c := s[i]; {
		case c == ' ' || c == '\t' || c == '\r' || c == '\n':
			return false
		case isDigit(c):
			digits++
		}
	}
	return len(s) >= minRandom && digits > 0
}
