package redact

// trigger says what a byte can be part of.
type trigger uint8

const (
	noTrigger   trigger = iota
	atSign              // an address
	percent             // an address with an encoded at sign
	digit               // a number
	plusSign            // a number with its country
	parenthesis         // a number with its area in parentheses
	colon               // an address of version 6, an assignment, a URL with a password
	equals              // an assignment
	hyphen              // a token, a PEM block
	underscore          // a token
	letter              // a token that has no other mark
	bracket             // a pseudonym
)

// table returns the trigger of each byte under the rules.
func (r *Redactor) table() (t [256]trigger) {
	set := func(on bool, tr trigger, bytes string) {
		for i := range len(bytes) {
			if on {
				t[bytes[i]] = tr
			}
		}
	}
	set(true, bracket, "[")
	set(r.on[Email], atSign, "@")
	set(r.on[Email], percent, "%")
	set(r.on[Phone] || r.on[CreditCard] || r.on[IBAN] || r.on[IP], digit, "0123456789")
	set(r.on[Phone], plusSign, "+")
	set(r.on[Phone], parenthesis, "(")
	set(r.on[IP] || r.on[Secret], colon, ":")
	set(r.on[Secret], equals, "=")
	set(r.on[Secret], hyphen, "-")
	set(r.on[Secret], underscore, "_")
	// The letters are rare in most languages, unlike those that the tokens begin with.
	set(r.on[Secret], letter, "BbGIJ")
	return t
}

// scan is one pass over one text.
type scan struct {
	w    *worker
	s    string
	out  []byte
	done int // up to here s is in out; nothing before it is looked at again
	v6   int // up to here no address of version 6 begins
}

// hit is a part of the text that is to be replaced. It is none when its end is 0.
type hit struct {
	start, end int
	kind       Kind
}

func (h hit) found() bool { return h.end > 0 }

// run looks at the whole text and reports whether anything is to be replaced.
func (sc *scan) run() bool {
	table := &sc.w.r.triggers
	for i := 0; i < len(sc.s); {
		t := table[sc.s[i]]
		if t == noTrigger {
			i++
			continue
		}
		h, next := sc.look(t, i)
		if h.found() {
			sc.replace(h)
			next = h.end
		}
		i = next
	}
	return sc.done > 0
}

// look returns what is found at i, and where to go on when it is nothing.
func (sc *scan) look(t trigger, i int) (hit, int) {
	switch t {
	case atSign:
		return sc.email(i, 1), i + 1
	case percent:
		return sc.encodedEmail(i), i + 1
	case digit:
		return sc.number(i)
	case plusSign:
		return sc.plusNumber(i), i + 1
	case parenthesis:
		return sc.areaNumber(i), i + 1
	case colon:
		return sc.colon(i), i + 1
	case equals:
		return sc.assignment(i), i + 1
	case hyphen:
		return sc.hyphen(i), i + 1
	case underscore:
		return sc.token(i), i + 1
	case letter:
		return sc.letter(i), i + 1
	default:
		return hit{}, max(i+1, sc.w.r.pseudonymAt(sc.s, i))
	}
}

func (sc *scan) replace(h hit) {
	sc.out = append(sc.out, sc.s[sc.done:h.start]...)
	sc.out = sc.w.pseudonym(sc.out, h.kind, kindNames[h.kind], sc.s[h.start:h.end])
	sc.done = h.end
}

// wordBefore reports whether a letter, digit or underscore stands right before i. The letter of an
// escape such as \n, found in JSON that stands in text, is none.
func (sc *scan) wordBefore(i int) bool {
	if i <= sc.done || !isWord(sc.s[i-1]) {
		return false
	}
	return !sc.escapeBefore(i)
}

// escapeBefore reports whether an escape such as \n or \u003c ends at i.
func (sc *scan) escapeBefore(i int) bool {
	if i-2 >= sc.done && sc.s[i-2] == '\\' {
		return isEscape(sc.s[i-1])
	}
	return i-6 >= sc.done && sc.s[i-6] == '\\' && sc.s[i-5] == 'u'
}

// at returns the byte at i, or 0 behind the end.
func (sc *scan) at(i int) byte {
	if i < len(sc.s) {
		return sc.s[i]
	}
	return 0
}

// before returns the byte before i, or 0 where the text or what is still to be looked at begins.
func (sc *scan) before(i int) byte {
	if i > sc.done {
		return sc.s[i-1]
	}
	return 0
}

func isEscape(c byte) bool { return c == 'n' || c == 'r' || c == 't' }
func isDigit(c byte) bool  { return c-'0' < 10 }
func isLetter(c byte) bool { return c|0x20-'a' < 26 }
func isAlnum(c byte) bool  { return isDigit(c) || isLetter(c) }
func isWord(c byte) bool   { return isAlnum(c) || c == '_' }
func isHex(c byte) bool    { return isDigit(c) || c|0x20-'a' < 6 }

func upper(c byte) byte {
	if c-'a' < 26 {
		return c - 0x20
	}
	return c
}

func lower(c byte) byte {
	if c-'A' < 26 {
		return c + 0x20
	}
	return c
}
