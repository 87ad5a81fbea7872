package parquet

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/parquet-go/parquet-go/encoding/thrift"
)

// Types of Thrift's compact form.
const (
	thriftStop   = 0
	thriftTrue   = 1
	thriftFalse  = 2
	thriftByte   = 3
	thriftInt16  = 4
	thriftInt32  = 5
	thriftInt64  = 6
	thriftDouble = 7
	thriftBinary = 8
	thriftList   = 9
	thriftSet    = 10
	thriftMap    = 11
	thriftStruct = 12
)

// maxThriftDepth bounds how deep structs and lists may nest; Parquet's own go eight deep.
const maxThriftDepth = 24

// minStruct is the least that any struct in a list of Parquet's metadata takes. A list that says it holds
// more than it has bytes for would be allocated before it is found out.
const minStruct = 3

// walker walks one struct of Thrift's compact form and keeps its bytes. The decoder allocates what a list
// says it holds; the walker has seen before that it does.
type walker struct {
	src  *bufio.Reader
	seen []byte
	most int // bytes the struct may take
}

// decode walks the struct at the reader's position and decodes it.
func (w *walker) decode(v any) error {
	w.seen = w.seen[:0]
	if err := w.structure(0); err != nil {
		return err
	}
	return thrift.Unmarshal(&thrift.CompactProtocol{}, w.seen, v)
}

func (w *walker) structure(depth int) error {
	if depth > maxThriftDepth {
		return fmt.Errorf("metadata nests more than %d deep", maxThriftDepth)
	}
	for {
		b, err := w.byte()
		if err != nil {
			return err
		}
		kind := b & 0x0f
		if kind == thriftStop {
			return nil
		}
		if b>>4 == 0 { // the field's number follows
			if _, err := w.varint(); err != nil {
				return err
			}
		}
		if kind == thriftTrue || kind == thriftFalse {
			continue // the value is in the type
		}
		if err := w.value(kind, depth); err != nil {
			return err
		}
	}
}

func (w *walker) value(kind byte, depth int) error {
	switch kind {
	case thriftTrue, thriftFalse, thriftByte:
		return w.skip(1)
	case thriftInt16, thriftInt32, thriftInt64:
		_, err := w.varint()
		return err
	case thriftDouble:
		return w.skip(8)
	case thriftBinary:
		n, err := w.varint()
		if err != nil {
			return err
		}
		return w.skip(n)
	case thriftList, thriftSet:
		return w.list(depth + 1)
	case thriftMap:
		return fmt.Errorf("metadata holds a map, which Parquet has none of")
	case thriftStruct:
		return w.structure(depth + 1)
	}
	return fmt.Errorf("metadata holds an unknown type %d", kind)
}

func (w *walker) list(depth int) error {
	b, err := w.byte()
	if err != nil {
		return err
	}
	count := uint64(b >> 4)
	if count == 15 {
		if count, err = w.varint(); err != nil {
			return err
		}
	}
	if count > uint64(w.most-len(w.seen)) {
		return fmt.Errorf("metadata is cut short: a list of %d", count)
	}
	start := len(w.seen)
	for range count {
		if err := w.value(b&0x0f, depth); err != nil {
			return err
		}
	}
	if b&0x0f == thriftStruct && uint64(len(w.seen)-start) < count*minStruct {
		return fmt.Errorf("metadata holds a list of %d empty entries", count)
	}
	return nil
}

func (w *walker) byte() (byte, error) {
	if len(w.seen) >= w.most {
		return 0, w.tooLong()
	}
	b, err := w.src.ReadByte()
	if err != nil {
		return 0, cut(err)
	}
	w.seen = append(w.seen, b)
	return b, nil
}

func (w *walker) varint() (uint64, error) {
	start := len(w.seen)
	for {
		b, err := w.byte()
		if err != nil {
			return 0, err
		}
		if b < 0x80 {
			break
		}
	}
	x, n := binary.Uvarint(w.seen[start:])
	if n <= 0 {
		return 0, fmt.Errorf("metadata holds a number of more than 64 bits")
	}
	return x, nil
}

// skip takes n bytes in steps, so that what is not there is not allocated.
func (w *walker) skip(n uint64) error {
	if n > uint64(w.most-len(w.seen)) {
		return w.tooLong()
	}
	for n > 0 {
		step := min(n, 64<<10)
		at := len(w.seen)
		w.seen = append(w.seen, make([]byte, step)...)
		if _, err := io.ReadFull(w.src, w.seen[at:]); err != nil {
			return cut(err)
		}
		n -= step
	}
	return nil
}

func (w *walker) tooLong() error {
	return fmt.Errorf("metadata is longer than %d bytes", w.most)
}

// cut says that something ended too early: an end in the middle is no clean end.
func cut(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
