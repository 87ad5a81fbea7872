package redact

import (
	"encoding/binary"
	"encoding/hex"
	"hash"
	"net/netip"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/asgood-dev/asgood/internal/quality"
)

// worker holds what one goroutine needs to redact: a hash and buffers that are used again.
type worker struct {
	r        *Redactor
	mac      hash.Hash
	customer string
	counts   Counts

	digits  digits // the number that is looked at
	within  digits // one that may begin within it
	message []byte // what is hashed
	sum     []byte
	out     []byte                 // the text that a scan writes
	decoded [maxNesting + 1][]byte // strings of JSON, by depth
}

// maxKept bounds the buffers that wait for the next text.
const maxKept = 1 << 20

// release gives the worker back.
func (w *worker) release() {
	kept := cap(w.out) + cap(w.message)
	for _, d := range w.decoded {
		kept += cap(d)
	}
	if kept <= maxKept {
		w.r.workers.Put(w)
	}
}

const hashDigits = 8

// maxPseudonym is the longest pseudonym in bytes: brackets, name, colon and hash.
const maxPseudonym = 1 + quality.MaxRedactNameLen + 1 + hashDigits + 1

// pseudonym appends the pseudonym of a value, which is brought into its plain form first.
func (w *worker) pseudonym(dst []byte, k Kind, name, value string) []byte {
	w.counts[k]++
	m := binary.LittleEndian.AppendUint32(w.message[:0], uint32(len(w.customer)))
	m = append(m, w.customer...)
	m = append(m, name...)
	m = append(m, 0)
	w.message = appendPlain(m, k, value)
	w.mac.Reset()
	w.mac.Write(w.message)
	w.sum = w.mac.Sum(w.sum[:0])
	dst = append(dst, '[')
	dst = append(dst, name...)
	dst = append(dst, ':')
	dst = hex.AppendEncode(dst, w.sum[:hashDigits/2])
	return append(dst, ']')
}

// appendPlain appends a value without what its writers do differently.
func appendPlain(dst []byte, k Kind, value string) []byte {
	switch k {
	case Email:
		local, domain, ok := strings.Cut(value, "%40")
		if !ok {
			return appendLower(dst, value)
		}
		return appendLower(append(appendLower(dst, local), '@'), domain)
	case Phone:
		return appendPhone(dst, value)
	case CreditCard:
		return appendDigits(dst, value)
	case IBAN:
		return appendIBAN(dst, value)
	case IP:
		if a, err := netip.ParseAddr(value); err == nil {
			return a.AppendTo(dst)
		}
	}
	return append(dst, value...)
}

func appendLower(dst []byte, s string) []byte {
	for _, c := range s {
		if c < utf8.RuneSelf {
			dst = append(dst, lower(byte(c)))
		} else {
			dst = utf8.AppendRune(dst, unicode.ToLower(c))
		}
	}
	return dst
}

func appendDigits(dst []byte, s string) []byte {
	for i := range len(s) {
		if isDigit(s[i]) {
			dst = append(dst, s[i])
		}
	}
	return dst
}

// appendPhone writes +49 (0)30 123 and 0049 30 123 alike.
func appendPhone(dst []byte, s string) []byte {
	international := strings.HasPrefix(strings.TrimLeft(s, "("), "+")
	if before, after, ok := strings.Cut(s, "(0)"); ok && international {
		return appendDigits(appendDigits(append(dst, '+'), before), after)
	}
	if rest, ok := strings.CutPrefix(s, "00"); ok {
		return appendDigits(append(dst, '+'), rest)
	}
	if international {
		dst = append(dst, '+')
	}
	return appendDigits(dst, s)
}

func appendIBAN(dst []byte, s string) []byte {
	for i := range len(s) {
		if isAlnum(s[i]) {
			dst = append(dst, upper(s[i]))
		}
	}
	return dst
}

// pseudonymAt returns the end of the pseudonym that begins at i, or 0 when none does.
func (r *Redactor) pseudonymAt(s string, i int) int {
	colon := strings.IndexByte(s[i:min(len(s), i+maxPseudonym)], ':')
	end := i + colon + hashDigits + 2
	if colon < 2 || end > len(s) || s[i] != '[' || s[end-1] != ']' {
		return 0
	}
	for _, c := range []byte(s[i+colon+1 : end-1]) {
		if !isDigit(c) && (c < 'a' || c > 'f') {
			return 0
		}
	}
	for _, name := range r.names {
		if s[i+1:i+colon] == name {
			return end
		}
	}
	return 0
}

// isPseudonym reports whether a text is a pseudonym and nothing else.
func (r *Redactor) isPseudonym(s string) bool {
	return s != "" && r.pseudonymAt(s, 0) == len(s)
}

// holdsPseudonym reports whether a pseudonym stands in a text.
func (r *Redactor) holdsPseudonym(s string) bool {
	for i := range len(s) {
		if s[i] == '[' && r.pseudonymAt(s, i) > 0 {
			return true
		}
	}
	return false
}
