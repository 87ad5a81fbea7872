package parquet

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/bits"

	"github.com/parquet-go/parquet-go/format"
)

// inspect follows a page's encodings without decoding them. They are made to say a lot in a few bytes: a
// run of two billion values takes six. The decoder believes them. What comes back is the page to decode.
func (s *pageStream) inspect(h *format.PageHeader, data []byte) ([]byte, error) {
	var values []byte
	var encoding *format.Encoding
	var err error
	switch h.Type {
	case format.DictionaryPage:
		return data, inspectDictionary(h.DictionaryPageHeader.V.Encoding)
	case format.DataPage:
		encoding = &h.DataPageHeader.V.Encoding
		values, err = s.levelsV1(&h.DataPageHeader.V, data)
	default:
		encoding = &h.DataPageHeaderV2.V.Encoding
		values, err = s.levelsV2(&h.DataPageHeaderV2.V, data)
	}
	if err != nil {
		return nil, err
	}
	if *encoding == format.RLE {
		if s.column.element.Type.V != format.Boolean {
			return nil, fmt.Errorf("values in encoding %v", *encoding)
		}
		bits, err := booleans(values, int(pageValues(h)))
		*encoding = format.Plain
		levels := len(data) - len(values)
		return append(data[:levels:levels], bits...), err
	}
	return data, inspectValues(*encoding, values, int(pageValues(h)), s.column.isWide())
}

// plainDictionary is the number that older writers give the encoding of a dictionary and of pages that use it.
const plainDictionary = format.Encoding(2)

func inspectDictionary(e format.Encoding) error {
	if e != format.Plain && e != plainDictionary {
		return fmt.Errorf("a dictionary in encoding %v", e)
	}
	return nil
}

// levelsV1 inspects the levels before a page's values, each behind its length.
func (s *pageStream) levelsV1(h *format.DataPageHeader, data []byte) ([]byte, error) {
	for _, l := range []struct {
		most     int
		encoding format.Encoding
	}{{s.column.maxRep, h.RepetitionLevelEncoding}, {s.column.maxDef, h.DefinitionLevelEncoding}} {
		if l.most == 0 {
			continue
		}
		if l.encoding != format.RLE {
			return nil, fmt.Errorf("levels in encoding %v", l.encoding)
		}
		if len(data) < 4 || int64(binary.LittleEndian.Uint32(data)) > int64(len(data)-4) {
			return nil, io.ErrUnexpectedEOF
		}
		end := 4 + int(binary.LittleEndian.Uint32(data))
		if err := inspectRuns(data[4:end], bits.Len(uint(l.most)), int(h.NumValues)); err != nil {
			return nil, err
		}
		data = data[end:]
	}
	return data, nil
}

func (s *pageStream) levelsV2(h *format.DataPageHeaderV2, data []byte) ([]byte, error) {
	rep, def := int(h.RepetitionLevelsByteLength), int(h.DefinitionLevelsByteLength)
	if rep+def > len(data) {
		return nil, io.ErrUnexpectedEOF
	}
	for _, l := range []struct {
		most int
		data []byte
	}{{s.column.maxRep, data[:rep]}, {s.column.maxDef, data[rep : rep+def]}} {
		if l.most > 0 && len(l.data) == 0 && h.NumValues > 0 {
			return nil, errors.New("a page without levels")
		}
		if l.most > 0 {
			if err := inspectRuns(l.data, bits.Len(uint(l.most)), int(h.NumValues)); err != nil {
				return nil, err
			}
		}
	}
	return data[rep+def:], nil
}

func inspectValues(e format.Encoding, data []byte, count int, wide bool) error {
	switch e {
	case format.Plain, format.ByteStreamSplit:
		return nil
	case plainDictionary, format.RLEDictionary:
		if len(data) == 0 {
			return nil // nothing but nulls
		}
		return inspectRuns(data[1:], int(data[0]), count)
	case format.DeltaBinaryPacked:
		width := 32
		if wide {
			width = 64
		}
		_, _, err := deltas(data, width, count)
		return err
	case format.DeltaLengthByteArray:
		return inspectLengths(data, count)
	case format.DeltaByteArray:
		return inspectPrefixes(data, count)
	}
	return fmt.Errorf("values in encoding %v", e)
}

// runSlack is how many values runs may hold beyond those of their page: writers fill up the last group of
// packed ones, some by a lot.
const runSlack = 4096

// inspectRuns counts the values of run lengths and bit-packed groups of eight.
func inspectRuns(data []byte, width, most int) error {
	return eachRun(data, width, most, func(uint64, []byte, bool) {})
}

// eachRun calls fn for each run: count times the value in data, or count values packed in it.
func eachRun(data []byte, width, most int, fn func(count uint64, data []byte, packed bool)) error {
	if width > 32 {
		return fmt.Errorf("values of %d bits", width)
	}
	left := uint64(most) + runSlack
	for len(data) > 0 {
		u, n := binary.Uvarint(data)
		if n <= 0 {
			return io.ErrUnexpectedEOF
		}
		data = data[n:]
		count, size, packed := u>>1, uint64(width+7)/8, u&1 == 1
		if packed && count <= left {
			count, size = 8*count, count*uint64(width)
		}
		if count > left {
			return tooMany(most)
		}
		if size > uint64(len(data)) {
			return io.ErrUnexpectedEOF
		}
		fn(count, data[:size], packed)
		left, data = left-count, data[size:]
	}
	return nil
}

// booleans turns run lengths of booleans into plain bits. The library takes a run for one of whole bytes.
func booleans(data []byte, most int) (bits []byte, err error) {
	if len(data) < 4 || int64(binary.LittleEndian.Uint32(data)) > int64(len(data)-4) {
		return nil, io.ErrUnexpectedEOF
	}
	at := uint64(0)
	put := func(on bool) {
		if at%8 == 0 {
			bits = append(bits, 0)
		}
		if on {
			bits[at/8] |= 1 << (at % 8)
		}
		at++
	}
	err = eachRun(data[4:4+binary.LittleEndian.Uint32(data)], 1, most, func(count uint64, data []byte, packed bool) {
		for i := range count {
			value := data[0]
			if packed {
				value = data[i/8] >> (i % 8)
			}
			put(value&1 == 1)
		}
	})
	return bits, err
}

func tooMany(most int) error { return fmt.Errorf("a page holds more than the %d values it says", most) }

// inspectLengths checks values whose lengths come first.
func inspectLengths(data []byte, most int) error {
	lengths, rest, err := deltas(data, 32, most)
	if err != nil {
		return err
	}
	var sum int64
	for _, n := range lengths {
		if sum += n; n < 0 || sum > int64(len(rest)) {
			return io.ErrUnexpectedEOF
		}
	}
	return nil
}

// inspectPrefixes checks values that begin as the one before did: a few bytes can repeat a long one often.
func inspectPrefixes(data []byte, most int) error {
	prefixes, rest, err := deltas(data, 32, most)
	if err != nil {
		return err
	}
	suffixes, rest, err := deltas(rest, 32, most)
	if err != nil {
		return err
	}
	if len(prefixes) != len(suffixes) {
		return errors.New("a page's prefixes and suffixes differ in number")
	}
	var before, suffix, total int64
	for i, p := range prefixes {
		if p < 0 || p > before || suffixes[i] < 0 {
			return errors.New("a prefix is longer than the value before")
		}
		before = p + suffixes[i]
		suffix += suffixes[i]
		if total += before; total > maxPage || suffix > int64(len(rest)) {
			return fmt.Errorf("a page's values take more than %d MiB, or are cut short", maxPage>>20)
		}
	}
	return nil
}
