package redact

import (
	"strings"
	"unicode/utf8"
)

// Bounds of what is looked at from one digit on.
const (
	maxGroups = 7 // as in +33 (0)1 23 45 67 89
	maxDigits = 40
	maxRun    = 20 // a longer run of digits is no number that a person has
)

// group is a run of digits and what stands between it and the next.
type group struct {
	start, end int
	sep        byte // ' ', '-', '.', '/', or ')' when a parenthesis is among it; 0 when no other group follows
	wide       bool // more than one character separates
}

func (g group) size() int { return g.end - g.start }

// digits is a number as people write it: groups of digits with something between them.
type digits struct {
	groups [maxGroups]group
	n      int             // groups
	value  [maxDigits]byte // the digits alone
	total  int
}

// gather reads the groups that begin at i into d, whatever it held.
func (sc *scan) gather(d *digits, i int) *digits {
	d.n, d.total = 0, 0
	for d.n < maxGroups {
		end := i
		for end < len(sc.s) && end-i < maxRun && isDigit(sc.s[end]) {
			end++
		}
		if end == i || end-i == maxRun || d.total+end-i > maxDigits {
			break
		}
		g := group{start: i, end: end}
		d.total += copy(d.value[d.total:], sc.s[i:end])
		g.sep, g.wide, i = sc.separator(end)
		d.groups[d.n] = g
		d.n++
		if g.sep == 0 {
			break
		}
	}
	if d.n > 0 {
		d.groups[d.n-1].sep = 0
	}
	return d
}

// first keeps the first n groups.
func (d *digits) first(n int) {
	for d.n > n {
		d.n--
		d.total -= d.groups[d.n].size()
	}
}

// separator reads what stands between two groups, and returns where the second begins.
func (sc *scan) separator(i int) (sep byte, wide bool, next int) {
	const most = 3
	for units := range most + 1 {
		if isDigit(sc.at(i)) {
			return sep, units > 1, i
		}
		c, size := separatorAt(sc.s, i)
		switch {
		case c == 0 || units == most || c == ' ' && sep == ' ':
			return 0, false, i
		case sep == 0 || sep == ' ' || c == ')':
			sep = c
		case c != ' ' && sep != ')':
			return 0, false, i
		}
		i += size
	}
	return 0, false, i
}

// separatorAt returns the plain form of the separator at i and its size, 0 when there is none.
func separatorAt(s string, i int) (byte, int) {
	if i >= len(s) {
		return 0, 0
	}
	switch c := s[i]; c {
	case ' ', '-', '.', '/', ')':
		return c, 1
	case '(':
		return ')', 1
	}
	if s[i] < utf8.RuneSelf {
		return 0, 0
	}
	switch c, size := utf8.DecodeRuneInString(s[i:]); c {
	case '\u00a0', '\u2009', '\u202f': // spaces that do not break, or are thin
		return ' ', size
	case '\u2010', '\u2011', '\u2012', '\u2013', '\u2212': // hyphens, dashes and a minus
		return '-', size
	default:
		return 0, 0
	}
}

// number finds what begins with the digit at i, and returns where to go on when it is nothing.
func (sc *scan) number(i int) (hit, int) {
	next := i + 1
	for next < len(sc.s) && isDigit(sc.s[next]) {
		next++
	}
	word := sc.wordBefore(i)
	if word && isLetter(sc.s[i-1]) {
		if h := sc.iban(i); h.found() {
			return h, next
		}
	}
	if isDigit(sc.before(i)) || next-i >= maxRun {
		return hit{}, next
	}
	d := sc.gather(&sc.w.digits, i)
	if d.n == 1 && d.total < 7 {
		return hit{}, next
	}
	if !word {
		if h := sc.ipv4(d); h.found() {
			return h, next
		}
	}
	if h := sc.card(d); h.found() {
		return h, next
	}
	if word || !sc.w.r.on[Phone] || d.total < 7 {
		return hit{}, next
	}
	return sc.nationalPhone(d), next
}

// ipv4 finds four octets that are no part of anything longer, such as a version or the number of a section.
func (sc *scan) ipv4(d *digits) hit {
	if !sc.w.r.on[IP] || d.n < 4 {
		return hit{}
	}
	g := d.groups[:4]
	for i := range g {
		if i < 3 && (g[i].sep != '.' || g[i].wide) || !isOctet(sc.s[g[i].start:g[i].end]) {
			return hit{}
		}
	}
	if sc.before(g[0].start) == '.' || !sc.ends(g[3].end) {
		return hit{}
	}
	return hit{g[0].start, g[3].end, IP}
}

// ends reports whether an address of octets may end at i.
func (sc *scan) ends(i int) bool {
	c := sc.at(i)
	return !isWord(c) && (c != '.' || !isDigit(sc.at(i+1)))
}

func isOctet(s string) bool {
	switch len(s) {
	case 1:
		return true
	case 2:
		return s[0] != '0'
	case 3:
		return s[0] == '1' || s[0] == '2' && s <= "255"
	default:
		return false
	}
}

const maxIPv6Groups = 8

// ipv6 finds the address whose first colon is at i.
func (sc *scan) ipv6(i int) hit {
	start := i
	for start > sc.done && i-start <= 4 && isHex(sc.s[start-1]) {
		start--
	}
	if i < sc.v6 || i-start > 4 || start == i && sc.at(i+1) != ':' || sc.wordBefore(start) {
		return hit{}
	}
	p := parser6{sc: sc, at: start}
	p.parse()
	sc.v6 = max(sc.v6, p.at)
	longer := sc.at(p.at) == ':' && isHex(sc.at(p.at+1))
	for longer && sc.v6 < len(sc.s) && (sc.s[sc.v6] == ':' || isHex(sc.s[sc.v6])) {
		sc.v6++
	}
	if longer || !p.whole(sc.s[start:p.at]) || isWord(sc.at(p.at)) {
		return hit{}
	}
	return hit{start, p.at, IP}
}

// parser6 reads groups of hexadecimal digits between colons.
type parser6 struct {
	sc     *scan
	at     int // behind what was read
	groups int
	gaps   int // pairs of colons
	bad    bool
}

func (p *parser6) parse() {
	for p.groups < maxIPv6Groups && !p.bad {
		if strings.HasPrefix(p.sc.s[p.at:], "::") {
			p.gaps++
			p.at += 2
		} else if p.groups > 0 {
			if p.sc.at(p.at) != ':' || !isHex(p.sc.at(p.at+1)) {
				return
			}
			p.at++
		}
		if !isHex(p.sc.at(p.at)) {
			return
		}
		p.group()
	}
}

func (p *parser6) group() {
	end := p.at
	for end < p.at+5 && isHex(p.sc.at(end)) {
		end++
	}
	p.groups++
	p.bad = end-p.at > 4
	if p.sc.at(end) == '.' && isDigit(p.sc.at(end+1)) {
		d := p.sc.gather(&p.sc.w.digits, p.at)
		d.first(4)
		p.groups++
		p.bad = true
		if d.n == 4 && isOctet(p.sc.s[d.groups[3].start:d.groups[3].end]) {
			p.bad = strings.Count(p.sc.s[p.at:d.groups[3].end], ".") != 3
			end = d.groups[3].end
		}
		p.groups += maxIPv6Groups * min(p.gaps, 1) // nothing may follow
		p.at = end
		return
	}
	p.at = end
}

// whole reports whether what was read is an address. Two colons stand in code and in times too, so an
// address with them has to hold a decimal digit.
func (p *parser6) whole(s string) bool {
	switch {
	case p.bad || p.gaps > 1:
		return false
	case p.gaps == 1:
		return p.groups > 0 && strings.ContainsAny(s, "0123456789")
	default:
		return p.groups == maxIPv6Groups
	}
}
