package redact

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
	"unsafe"
)

// documentOptions says how a JSON document is read.
type documentOptions struct {
	depth int  // strings of JSON around it
	text  bool // it is somebody's text: keys are read like strings, and a number may be a card's
}

// document is one pass over valid JSON.
type document struct {
	w    *worker
	s    string
	opts documentOptions
	out  []byte
	done int      // up to here s is in out
	how  strength // of the key before a value
}

// raw redacts JSON that a program wrote.
func (w *worker) raw(raw []byte) []byte {
	s := stringOf(raw)
	if !isValid(s) {
		if text := w.text(s, 0); text != s {
			return []byte(text)
		}
		return raw
	}
	if s, changed := w.document(s, documentOptions{}); changed {
		return []byte(s)
	}
	return raw
}

func (w *worker) document(s string, o documentOptions) (string, bool) {
	d := document{w: w, s: s, opts: o}
	for i := 0; i < len(s); {
		i = d.next(i)
	}
	if d.done == 0 {
		return s, false
	}
	return string(append(d.out, s[d.done:]...)), true
}

// next looks at the token at i and returns where the one behind it begins.
func (d *document) next(i int) int {
	switch c := d.s[i]; {
	case c == '"':
		end := stringEnd(d.s, i)
		if after := skipSpace(d.s, end); after < len(d.s) && d.s[after] == ':' {
			return d.key(i, end, skipSpace(d.s, after+1))
		}
		d.value(i, end)
		return end
	case isDigit(c) || c == '-':
		end := scalarEnd(d.s, i)
		d.number(i, end)
		return end
	case c == '{' || c == '[':
		d.how = noSecret
	}
	return i + 1
}

// key looks at the key in [i, end) and returns where to go on: at its value, or behind it.
func (d *document) key(i, end, value int) int {
	key := d.decode(i, end)
	named := d.w.r.isField(key)
	d.how = d.w.r.nameStrength(key)
	if d.opts.text {
		d.string(i, end, key)
	}
	if !named {
		return value
	}
	end = valueEnd(d.s, value)
	d.field(value, end)
	return end
}

// field replaces a whole value.
func (d *document) field(i, end int) {
	value := d.s[i:end]
	if value[0] == '"' {
		value = d.decode(i, end)
	}
	if value != "" && value != "null" && !d.w.r.isPseudonym(value) {
		d.replace(i, end, Field, value)
	}
	d.how = noSecret
}

func (d *document) replace(i, end int, k Kind, value string) {
	d.out = append(append(d.out, d.s[d.done:i]...), '"')
	d.out = append(d.w.pseudonym(d.out, k, kindNames[k], value), '"')
	d.done = end
}

// value looks at a string that is no key.
func (d *document) value(i, end int) {
	value := d.decode(i, end)
	if d.how != noSecret && d.w.r.isSecretValue(value, d.how, form{quoted: true}) {
		d.replace(i, end, Secret, value)
	} else {
		d.string(i, end, value)
	}
	d.how = noSecret
}

func (d *document) string(i, end int, value string) {
	text := d.w.text(value, d.opts.depth+1)
	if text == value {
		return
	}
	d.out = appendQuoted(append(d.out, d.s[d.done:i]...), text)
	d.done = end
}

// number looks at a number in somebody's text, where a card's number may stand as one.
func (d *document) number(i, end int) {
	d.how = noSecret
	v := d.s[i:end]
	if d.opts.text && d.w.r.on[CreditCard] && len(v) >= 13 && len(v) <= 19 && strings.Trim(v, "0123456789") == "" && isCard([]byte(v)) {
		d.replace(i, end, CreditCard, v)
	}
}

// decode returns what the JSON string in [i, end) says. It stands in a buffer of this depth until the next call.
func (d *document) decode(i, end int) string {
	quoted := d.s[i+1 : end-1]
	if strings.IndexByte(quoted, '\\') < 0 {
		return quoted
	}
	buf := &d.w.decoded[d.opts.depth]
	*buf = appendUnquoted((*buf)[:0], quoted)
	return stringOf(*buf)
}

// isField reports whether the whole value of a key is replaced.
func (r *Redactor) isField(key string) bool {
	for _, f := range r.fields {
		if strings.EqualFold(f, key) {
			return true
		}
	}
	return false
}

func (r *Redactor) nameStrength(key string) strength {
	if !r.on[Secret] {
		return noSecret
	}
	return nameStrength(key)
}

// The functions below read JSON that is known to be valid.

func skipSpace(s string, i int) int {
	for i < len(s) && (s[i] == ' ' || s[i] == '\n' || s[i] == '\t' || s[i] == '\r') {
		i++
	}
	return i
}

func stringEnd(s string, i int) int {
	for i++; i < len(s) && s[i] != '"'; i++ {
		if s[i] == '\\' {
			i++
		}
	}
	return min(i+1, len(s))
}

func scalarEnd(s string, i int) int {
	for i < len(s) && strings.IndexByte(" \n\t\r,]}", s[i]) < 0 {
		i++
	}
	return i
}

func valueEnd(s string, i int) int {
	switch s[i] {
	case '"':
		return stringEnd(s, i)
	case '{', '[':
	default:
		return scalarEnd(s, i)
	}
	for depth := 0; i < len(s); {
		switch s[i] {
		case '"':
			i = stringEnd(s, i)
			continue
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return i + 1
			}
		}
		i++
	}
	return i
}

func appendUnquoted(dst []byte, s string) []byte {
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' {
			dst = append(dst, s[i])
			continue
		}
		i++
		switch s[i] {
		case 'b':
			dst = append(dst, '\b')
		case 'f':
			dst = append(dst, '\f')
		case 'n':
			dst = append(dst, '\n')
		case 'r':
			dst = append(dst, '\r')
		case 't':
			dst = append(dst, '\t')
		case 'u':
			c := unhex(s[i+1:])
			i += 4
			if utf16.IsSurrogate(c) && strings.HasPrefix(s[i+1:], `\u`) {
				if pair := utf16.DecodeRune(c, unhex(s[i+3:])); pair != unicode.ReplacementChar {
					c = pair
					i += 6
				}
			}
			dst = utf8.AppendRune(dst, c) // a lone surrogate becomes the replacement character
		default:
			dst = append(dst, s[i])
		}
	}
	return dst
}

// unhex reads four hexadecimal digits.
func unhex(s string) (c rune) {
	for i := range 4 {
		v := rune(lower(s[i]))
		if v >= 'a' {
			v -= 'a' - '9' - 1
		}
		c = c<<4 | (v - '0')
	}
	return c
}

func appendQuoted(dst []byte, s string) []byte {
	dst = append(dst, '"')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
		case c == '\n':
			dst = append(dst, '\\', 'n')
		case c == '\t':
			dst = append(dst, '\\', 't')
		case c < ' ':
			dst = fmt.Appendf(dst, `\u%04x`, c)
		default:
			dst = append(dst, c)
		}
	}
	return append(dst, '"')
}

// stringOf and bytesOf look at the same bytes in the other type, without a copy. What they return is
// only read, and only while what they were given is not written.

func stringOf(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

func bytesOf(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }
