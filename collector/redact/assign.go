package redact

import "strings"

// strength says how sure a name makes us that its value is a secret.
type strength int8

const (
	noSecret strength = iota
	random            // where the value looks random
	certain           // whatever the value
)

const (
	maxSecretName = 48
	maxSpaces     = 3

	// How much of a value decides whether it is a secret. A name may stand in the value of another, so without
	// a bound a text of names alone would be read again for each.
	maxQuotedValue = 1024
	maxPlainValue  = 96
)

// secretNames are endings of names whose value is a secret, in small letters and without hyphens, dots and underscores.
var secretNames = [...]struct {
	ending string
	how    strength
}{
	{"password", certain}, {"passwd", certain}, {"pwd", certain}, {"passphrase", certain}, {"passwort", certain}, {"kennwort", certain},
	{"secret", random}, {"token", random}, {"apikey", random}, {"accesskey", random}, {"secretkey", random}, {"privatekey", random},
	{"accountkey", random}, {"authkey", random}, {"encryptionkey", random}, {"signingkey", random}, {"authorization", random},
	{"credential", random}, {"credentials", random},
}

// nameStrength looks at a name of a key, a variable or a header.
func nameStrength(name string) strength {
	if len(name) < 3 || len(name) > maxSecretName {
		return noSecret
	}
	switch name[len(name)-1] | 0x20 {
	case 'd', 'e', 't', 'n', 'y', 'l', 's':
	default:
		return noSecret
	}
	var plain [maxSecretName]byte
	n := 0
	for i := range len(name) {
		if isAlnum(name[i]) {
			plain[n] = lower(name[i])
			n++
		}
	}
	for i := range secretNames {
		end := secretNames[i].ending
		if n >= len(end) && plain[n-1] == end[len(end)-1] && string(plain[n-len(end):n]) == end {
			return secretNames[i].how
		}
	}
	return noSecret
}

// assignment finds the value behind the colon or equals sign at i, when the name before it is one of a secret.
func (sc *scan) assignment(i int) hit {
	how := nameStrength(sc.nameBefore(i))
	if how == noSecret {
		return hit{}
	}
	start := i + 1
	if c := sc.at(start); c == '>' || c == '=' && sc.s[i] == ':' {
		start++
	}
	spaces := 0
	for ; spaces < maxSpaces && (sc.at(start) == ' ' || sc.at(start) == '\t'); spaces++ {
		start++
	}
	quote := sc.quoteAt(start)
	end := sc.plainEnd(start)
	if quote > 0 {
		start += quote
		end = sc.quotedEnd(start)
	}
	start = sc.skipScheme(start, end)
	form := form{spaced: spaces > 0, quoted: quote > 0, last: end >= len(sc.s) || sc.s[end] == '\n' || sc.s[end] == '\r'}
	if !sc.w.r.isSecretValue(sc.s[start:end], how, form) {
		return hit{}
	}
	return hit{start, sc.wholeValue(start, end), Secret}
}

// nameBefore returns the name that ends before i, without quotes, brackets and spaces behind it.
func (sc *scan) nameBefore(i int) string {
	end := i
	for n := 0; n < 2*maxSpaces && end > sc.done && strings.IndexByte(" \"'`]\\", sc.s[end-1]) >= 0; n++ {
		end--
	}
	start := end
	for start > sc.done && end-start <= maxSecretName && (isWord(sc.s[start-1]) || sc.s[start-1] == '-' || sc.s[start-1] == '.') {
		start--
	}
	return sc.s[start:end]
}

// quoteAt returns the size of a quote at i, which may be escaped, 0 when there is none.
func (sc *scan) quoteAt(i int) int {
	n := 0
	for n < 2*maxSpaces && sc.at(i+n) == '\\' {
		n++
	}
	switch sc.at(i + n) {
	case '"', '\'', '`':
		return n + 1
	default:
		return 0
	}
}

// quotedEnd returns where the text in quotes ends that begins at i: at the same quote, or with the line.
func (sc *scan) quotedEnd(i int) int {
	open := sc.s[i-1]
	escapes := 0
	for i-2-escapes >= 0 && sc.s[i-2-escapes] == '\\' {
		escapes++
	}
	limit := min(len(sc.s), i+maxQuotedValue)
	for slashes := 0; i < limit; i++ {
		switch c := sc.s[i]; {
		case c == '\\':
			slashes++
			continue
		case c == open && slashes <= escapes:
			return i - slashes
		case c == '\n' || c == '\r':
			return i
		}
		slashes = 0
	}
	return sc.boundary(i)
}

// plainEnd returns where a value without quotes ends.
func (sc *scan) plainEnd(i int) int {
	start := i
	limit := min(len(sc.s), i+maxPlainValue)
	i = sc.plainStop(sc.skipScheme(i, limit), limit)
	for i > start && strings.IndexByte(".!?:", sc.s[i-1]) >= 0 {
		i--
	}
	return sc.boundary(i)
}

func (sc *scan) plainStop(i, limit int) int {
	for i < limit && !endsValue(sc.s[i]) {
		i++
	}
	return i
}

func endsValue(c byte) bool {
	switch c {
	case ' ', '\t', '\r', '\n', ',', ';', '&', '"', '\'', '`', '<', '>', ')', ']', '}', '|', '\\':
		return true
	default:
		return false
	}
}

// wholeValue returns the end of a secret of which the end found so far may be the bound's.
func (sc *scan) wholeValue(start, end int) int {
	if end-start < maxPlainValue/2 {
		return end
	}
	return max(end, sc.plainStop(end, len(sc.s)))
}

// boundary keeps a cut by length from parting a character.
func (sc *scan) boundary(i int) int {
	for i < len(sc.s) && sc.s[i]&0xc0 == 0x80 {
		i++
	}
	return i
}

// skipScheme passes over the word that says how a header's credential is written.
func (sc *scan) skipScheme(start, end int) int {
	for _, scheme := range [...]string{"bearer ", "basic ", "token ", "apikey ", "digest "} {
		if n := len(scheme); end-start > n && strings.EqualFold(sc.s[start:start+n], scheme) {
			return start + n
		}
	}
	return start
}

// form is how a value stands behind its name.
type form struct {
	spaced bool // a space between
	quoted bool
	last   bool // nothing follows in its line
}

// commonValues stand behind names of secrets in code, types and messages, and are none.
const commonValues = " none null nil true false undefined string str text any bytes int number bool boolean varchar char required optional " +
	"missing invalid incorrect wrong expired empty unset changed reset hidden redacted secret password token yes no ok "

// isSecretValue decides whether a value is a secret, by its name's strength and how it stands there. One that
// holds a pseudonym was looked at before and was none.
func (r *Redactor) isSecretValue(v string, how strength, f form) bool {
	switch {
	case len(v) < 3 || isMask(v) || isCommon(v) || r.holdsPseudonym(v):
		return false
	case strings.HasPrefix(v, "${") || strings.HasPrefix(v, "$(") || v[0] == '<' || v[0] == '{' || v[0] == '[' || v[0] == '(':
		return false
	case !f.quoted && strings.IndexByte(v, '(') >= 0: // a call
		return false
	case how == random:
		return isRandom(v)
	case f.quoted:
		return strings.Count(v, " ") < 2
	default:
		return !f.spaced || f.last || strings.ContainsAny(v, "0123456789!@#$%^&*+~")
	}
}

// isMask reports whether one character is repeated, as in ****.
func isMask(v string) bool { return strings.Trim(v, v[:1]) == "" }

func isCommon(v string) bool {
	const longest = 10
	if len(v) > longest {
		return false
	}
	var word [longest + 2]byte
	word[0], word[len(v)+1] = ' ', ' '
	for i := range len(v) {
		word[i+1] = lower(v[i])
	}
	return strings.Contains(commonValues, string(word[:len(v)+2]))
}
