package parquet

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zstd"
	"github.com/parquet-go/parquet-go/format"
	"github.com/pierrec/lz4/v4"
)

// unpack returns a page without compression, of the size that its header says. The levels of a page of
// version 2 are never compressed.
func (s *pageStream) unpack(h *format.PageHeader, packed []byte) ([]byte, error) {
	if h.Type != format.DataPageV2 {
		return s.decompress(s.codec, packed, int(h.UncompressedPageSize))
	}
	v2 := &h.DataPageHeaderV2.V
	codec := s.codec
	if v2.IsCompressed.Valid && !v2.IsCompressed.V {
		codec = format.Uncompressed
	}
	levels := int(v2.RepetitionLevelsByteLength) + int(v2.DefinitionLevelsByteLength)
	values, err := s.decompress(codec, packed[levels:], int(h.UncompressedPageSize)-levels)
	if err != nil {
		return nil, err
	}
	return append(packed[:levels:levels], values...), nil
}

// unpacker keeps what is dear to make anew for each page.
type unpacker struct{ zstd *zstd.Decoder }

// decompress never makes more than size bytes.
func (u *unpacker) decompress(codec format.CompressionCodec, packed []byte, size int) (data []byte, err error) {
	if size == 0 {
		return nil, nil
	}
	switch codec {
	case format.Uncompressed:
		data = packed
	case format.Snappy:
		if n, err := snappy.DecodedLen(packed); err != nil || n != size {
			return nil, fmt.Errorf("a Snappy page of %d bytes, its header says %d", n, size)
		}
		data, err = snappy.Decode(nil, packed)
	case format.Zstd:
		data, err = u.unzstd(packed, size)
	case format.Gzip:
		var r *gzip.Reader
		if r, err = gzip.NewReader(bytes.NewReader(packed)); err == nil {
			data, err = readExactly(r, size)
		}
	case format.Brotli:
		data, err = readExactly(brotli.NewReader(bytes.NewReader(packed)), size)
	case format.Lz4Raw:
		data = make([]byte, size)
		var n int
		n, err = lz4.UncompressBlock(packed, data)
		data = data[:max(n, 0)]
	default:
		return nil, fmt.Errorf("compression %v is not known here", codec)
	}
	if err != nil {
		return nil, fmt.Errorf("unpacking a page: %w", err)
	}
	if len(data) != size {
		return nil, fmt.Errorf("a page unpacks to %d bytes, its header says %d", len(data), size)
	}
	return data, nil
}

// unzstd decodes in the caller's goroutine, so that a decoder that is left alone holds nothing but memory.
func (u *unpacker) unzstd(packed []byte, size int) (_ []byte, err error) {
	if u.zstd == nil {
		u.zstd, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxPage))
		if err != nil {
			return nil, err
		}
	}
	if err := u.zstd.Reset(bytes.NewReader(packed)); err != nil {
		return nil, err
	}
	return readExactly(u.zstd, size)
}

func readExactly(r io.Reader, size int) ([]byte, error) {
	data := make([]byte, size)
	if _, err := io.ReadFull(r, data); err != nil {
		return nil, cut(err)
	}
	var more [1]byte
	if n, err := r.Read(more[:]); n > 0 || err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("it is larger than the %d bytes that its header says", size)
	}
	return data, nil
}
