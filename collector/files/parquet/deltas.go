package parquet

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// deltaReader reads DELTA_BINARY_PACKED numbers, to see their number and size before the decoder does.
type deltaReader struct {
	data []byte
	err  error
}

func (r *deltaReader) uvarint() uint64 {
	u, n := binary.Uvarint(r.data)
	if n <= 0 {
		r.err = io.ErrUnexpectedEOF
		return 0
	}
	r.data = r.data[n:]
	return u
}

func (r *deltaReader) varint() int64 {
	u := r.uvarint()
	return int64(u>>1) ^ -int64(u&1)
}

// maxDeltaBlock is more values than any writer puts into a block.
const maxDeltaBlock = 1 << 16

// deltas returns at most most numbers of a width, and what comes behind them.
func deltas(data []byte, width, most int) (out []int64, rest []byte, err error) {
	r := deltaReader{data: data}
	block, minis, total := r.uvarint(), r.uvarint(), r.uvarint()
	first := r.varint()
	switch {
	case r.err != nil:
		return nil, nil, r.err
	case total > uint64(most):
		return nil, nil, tooMany(most)
	case block == 0 || block%128 != 0 || block > maxDeltaBlock || minis == 0 || minis > block/32 || block%(minis*32) != 0:
		return nil, nil, fmt.Errorf("blocks of %d values in %d parts", block, minis)
	case total == 0:
		return nil, r.data, nil
	}
	out = append(make([]int64, 0, min(total, uint64(8*len(data)))), first)
	for uint64(len(out)) < total {
		if out, err = r.block(out, int(block/minis), int(minis), int(total), width); err != nil {
			return nil, nil, err
		}
	}
	return out, r.data, nil
}

func (r *deltaReader) block(out []int64, per, minis, total, width int) ([]int64, error) {
	least := r.varint()
	if r.err != nil || len(r.data) < minis {
		return nil, io.ErrUnexpectedEOF
	}
	widths := r.data[:minis]
	r.data = r.data[minis:]
	for _, w := range widths {
		if len(out) == total {
			break
		}
		if int(w) > width {
			return nil, errors.New("a number is wider than its type")
		}
		size := per * int(w) / 8
		if size > len(r.data) {
			return nil, io.ErrUnexpectedEOF
		}
		part := r.data[:size]
		r.data = r.data[size:]
		for i := range min(per, total-len(out)) {
			next := out[len(out)-1] + least + int64(bitsAt(part, i*int(w), int(w)))
			if width == 32 {
				next = int64(int32(next))
			}
			out = append(out, next)
		}
	}
	return out, nil
}

// bitsAt returns width bits, at most 64, from a bit position on.
func bitsAt(data []byte, at, width int) uint64 {
	var word [16]byte
	copy(word[:], data[at/8:min(len(data), at/8+9)])
	low, high := binary.LittleEndian.Uint64(word[:]), binary.LittleEndian.Uint64(word[8:])
	shift := uint(at % 8)
	x := low>>shift | high<<(64-shift)
	if width < 64 {
		x &= 1<<width - 1
	}
	return x
}
