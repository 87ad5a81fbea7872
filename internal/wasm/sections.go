package wasm

import (
	"encoding/binary"
	"errors"
)

const (
	header = 8 // bytes before the first section

	sectionCustom    = 0
	sectionStart     = 8
	sectionDataCount = 12
)

var errSections = errors.New("not a WebAssembly module that can be used: its sections do not fit their sizes")

// plain returns a module without its custom sections, which only say names. It refuses one whose section states more
// entries than it has bytes: the runtime makes room for as many as a section states, before it reads them.
func plain(code []byte) ([]byte, error) {
	if len(code) < header {
		return code, nil // the runtime says what is wrong with it
	}
	out := append(make([]byte, 0, len(code)), code[:header]...)
	for rest := code[header:]; len(rest) > 0; {
		size, n := binary.Uvarint(rest[1:])
		if n <= 0 || size > uint64(len(rest)-1-n) {
			return nil, errSections
		}
		id, body, end := rest[0], rest[1+n:1+n+int(size)], 1+n+int(size)
		counted := id != sectionCustom && id != sectionStart && id != sectionDataCount
		if entries, n := binary.Uvarint(body); counted && (n <= 0 || entries > uint64(len(body))) {
			return nil, errSections
		}
		if id != sectionCustom {
			out = append(out, rest[:end]...)
		}
		rest = rest[end:]
	}
	return out, nil
}
