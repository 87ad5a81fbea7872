package wire

import (
	"encoding/binary"
	"errors"
)

// errBroken is about a message in the compact form that ends too early or says something of itself that is not so.
var errBroken = errors.New("the message is not whole")

// cursor reads numbers and bytes. After the first that is not there it is broken, and gives nothing but zeros.
type cursor struct {
	rest   []byte
	broken bool
}

func (c *cursor) fail() {
	c.rest, c.broken = nil, true
}

func (c *cursor) number() uint64 {
	v, n := binary.Uvarint(c.rest)
	if n <= 0 {
		c.fail()
		return 0
	}
	c.rest = c.rest[n:]
	return v
}

func (c *cursor) signed() int64 {
	v, n := binary.Varint(c.rest)
	if n <= 0 {
		c.fail()
		return 0
	}
	c.rest = c.rest[n:]
	return v
}

func (c *cursor) fixed() uint64 {
	if len(c.rest) < 8 {
		c.fail()
		return 0
	}
	v := binary.LittleEndian.Uint64(c.rest)
	c.rest = c.rest[8:]
	return v
}

func (c *cursor) take(n uint64) []byte {
	if n > uint64(len(c.rest)) {
		c.fail()
		return nil
	}
	part := c.rest[:n]
	c.rest = c.rest[n:]
	return part
}

// count reads how many things of at least so many bytes follow. A message cannot claim more than it could hold.
func (c *cursor) count(least int) int {
	n := c.number()
	if n > uint64(len(c.rest)/least) {
		c.fail()
		return 0
	}
	return int(n)
}

func appendNumber(dst []byte, n uint64) []byte { return binary.AppendUvarint(dst, n) }
func appendSigned(dst []byte, n int64) []byte  { return binary.AppendVarint(dst, n) }
func appendFixed(dst []byte, n uint64) []byte  { return binary.LittleEndian.AppendUint64(dst, n) }
