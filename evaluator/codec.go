package evaluator

import (
	"encoding/binary"
	"errors"
	"math"
	"slices"
)

var errState = errors.New("not a saved state of the evaluator")

// codec writes or reads one field after the other, so that both directions are one list. A reader that
// met something wrong gives zeros from there on and keeps the error.
type codec struct {
	buf     []byte // written so far, or not read yet
	reading bool
	err     error
	scratch []byte            // of a writer: a part that is written with its length
	names   map[string]string // of a reader: strings that come often, one copy of each
}

func writing(buf []byte) *codec { return &codec{buf: buf[:0]} }

func reading(data []byte) *codec {
	return &codec{buf: data, reading: true, names: make(map[string]string)}
}

// end returns the first error of a reader, or that something was left over.
func (c *codec) end() error {
	if c.err == nil && c.reading && len(c.buf) > 0 {
		c.err = errState
	}
	return c.err
}

func (c *codec) take(n uint64) []byte {
	if c.err != nil || n > uint64(len(c.buf)) {
		c.err = errState
		return nil
	}
	b := c.buf[:n]
	c.buf = c.buf[n:]
	return b
}

func (c *codec) uint(p *uint64) {
	if !c.reading {
		c.buf = binary.AppendUvarint(c.buf, *p)
		return
	}
	n, size := binary.Uvarint(c.buf)
	if size <= 0 || c.err != nil {
		c.err = errState
		*p = 0
		return
	}
	*p, c.buf = n, c.buf[size:]
}

func (c *codec) int(p *int64) {
	u := uint64(*p)<<1 ^ uint64(*p>>63)
	c.uint(&u)
	*p = int64(u>>1) ^ -int64(u&1)
}

// float refuses what no state holds and what would spread: NaN and infinities.
func (c *codec) float(p *float64) {
	if !c.reading {
		c.buf = binary.LittleEndian.AppendUint64(c.buf, math.Float64bits(*p))
		return
	}
	if b := c.take(8); b != nil {
		*p = math.Float64frombits(binary.LittleEndian.Uint64(b))
	}
	if math.IsNaN(*p) || math.IsInf(*p, 0) {
		*p, c.err = 0, errState
	}
}

func (c *codec) float32(p *float32) {
	if !c.reading {
		c.buf = binary.LittleEndian.AppendUint32(c.buf, math.Float32bits(*p))
		return
	}
	if b := c.take(4); b != nil {
		*p = math.Float32frombits(binary.LittleEndian.Uint32(b))
	}
	if f := float64(*p); math.IsNaN(f) || math.IsInf(f, 0) {
		*p, c.err = 0, errState
	}
}

func (c *codec) bool(p *bool) {
	var n uint64
	if *p {
		n = 1
	}
	c.uint(&n)
	*p = n == 1
}

func (c *codec) bytes(p *[]byte) {
	n := uint64(len(*p))
	c.uint(&n)
	if !c.reading {
		c.buf = append(c.buf, *p...)
		return
	}
	*p = slices.Clone(c.take(n))
}

func (c *codec) text(p *string) {
	n := uint64(len(*p))
	c.uint(&n)
	if !c.reading {
		c.buf = append(c.buf, *p...)
		return
	}
	*p = string(c.take(n))
}

// name is a text of which a reader keeps one copy however often it comes.
func (c *codec) name(p *string) {
	if !c.reading {
		c.text(p)
		return
	}
	var n uint64
	c.uint(&n)
	b := c.take(n)
	known, ok := c.names[string(b)]
	if !ok {
		known = string(b)
		c.names[known] = known
	}
	*p = known
}

// list writes or reads the length of a list, whose items take at least a byte each.
func list[T any](c *codec, p *[]T) {
	n := uint64(len(*p))
	c.uint(&n)
	if !c.reading {
		return
	}
	if n > uint64(len(c.buf)) {
		c.err, n = errState, 0
	}
	if *p = nil; n > 0 {
		*p = make([]T, n)
	}
}

// present writes or reads whether an optional part is there, and makes it when it is read.
func present[T any](c *codec, p **T) bool {
	there := *p != nil
	c.bool(&there)
	if there && *p == nil {
		*p = new(T)
	}
	return there
}
