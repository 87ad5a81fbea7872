package parquet

import (
	"bufio"
	"errors"
	"fmt"
	"hash/crc32"
	"io"

	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
)

// Bounds of a page. Writers make pages of about 1 MiB; some make one of a whole row group.
const (
	maxPage       = 128 << 20 // bytes, unpacked
	maxPageValues = 16 << 20
	maxHeld       = 512 << 20 // bytes of the pages of all columns at a time
	maxHeader     = 16 << 20  // bytes of a page's header, which may hold its least and largest value
)

// streamStart and endless are where the library believes a column's pages to be.
const (
	streamStart = int64(len(magic))
	endless     = int64(1) << 62
)

// pageStream gives the pages of one column of one row group as if they lay uncompressed one behind the
// other. The library trusts what a page says of itself, so each is checked before.
type pageStream struct {
	column *node
	codec  format.CompressionCodec
	header walker
	left   int64 // values that the column still has
	skip   int64 // rows that nobody wants; whole pages of them are not unpacked
	budget *budget
	*unpacker
	held    int64 // of the budget
	dict    bool  // the dictionary was served
	pending []byte
	at      int64 // what the library reads next
	err     error
}

// budget bounds the memory of all columns' pages together.
type budget struct{ left int64 }

func newPageStream(r io.ReaderAt, size int64, column *node, c *columnMetadata, b *budget, u *unpacker) (*pageStream, error) {
	start := c.DataPageOffset
	if c.DictionaryPageOffset > 0 {
		start = min(start, c.DictionaryPageOffset)
	}
	end := start + c.TotalCompressedSize
	if start < streamStart || c.TotalCompressedSize < 0 || end < start || end > size || c.NumValues < 0 {
		return nil, fmt.Errorf("column %q lies outside of the file", column.path())
	}
	src := bufio.NewReaderSize(io.NewSectionReader(r, start, end-start), 64<<10)
	return &pageStream{
		column: column, codec: c.Codec, header: walker{src: src, most: maxHeader},
		left: c.NumValues, budget: b, unpacker: u, at: streamStart,
	}, nil
}

// ReadAt serves the library, which reads from front to back.
func (s *pageStream) ReadAt(p []byte, off int64) (int, error) {
	if off != s.at {
		return 0, errors.New("a page needs a dictionary that is not there")
	}
	for len(s.pending) == 0 && s.err == nil {
		s.pending, s.err = s.next()
	}
	if len(s.pending) == 0 {
		return 0, s.err
	}
	n := copy(p, s.pending)
	s.pending, s.at = s.pending[n:], s.at+int64(n)
	return n, nil
}

// next reads a page and returns it as the library is to see it; nothing for a page that is skipped.
func (s *pageStream) next() ([]byte, error) {
	if s.left <= 0 {
		return nil, io.EOF
	}
	var h format.PageHeader
	if err := s.header.decode(&h); err != nil {
		return nil, err
	}
	if err := s.admit(&h); err != nil {
		return nil, err
	}
	if s.passes(&h) {
		_, err := s.header.src.Discard(int(h.CompressedPageSize))
		return nil, cut(err)
	}
	packed := make([]byte, h.CompressedPageSize)
	if _, err := io.ReadFull(s.header.src, packed); err != nil {
		return nil, cut(err)
	}
	if h.CRC != 0 && uint32(h.CRC) != crc32.ChecksumIEEE(packed) {
		return nil, errors.New("a page's checksum is wrong")
	}
	data, err := s.unpack(&h, packed)
	if err != nil {
		return nil, err
	}
	if data, err = s.inspect(&h, data); err != nil {
		return nil, err
	}
	return s.plain(&h, data)
}

// admit checks what a header says before anything is allocated for it.
func (s *pageStream) admit(h *format.PageHeader) error {
	size, packed := int64(h.UncompressedPageSize), int64(h.CompressedPageSize)
	if size < 0 || packed < 0 || size > maxPage || packed > maxPage {
		return fmt.Errorf("a page of %d bytes, %d unpacked (at most %d)", packed, size, maxPage)
	}
	values := pageValues(h)
	if values < 0 || values > maxPageValues {
		return fmt.Errorf("a page of %d values (at most %d)", values, maxPageValues)
	}
	switch {
	case h.Type == format.DictionaryPage && s.dict:
		return errors.New("a second dictionary")
	case h.Type == format.DataPageV2:
		v2 := &h.DataPageHeaderV2.V
		levels := int64(v2.RepetitionLevelsByteLength) + int64(v2.DefinitionLevelsByteLength)
		if v2.RepetitionLevelsByteLength < 0 || v2.DefinitionLevelsByteLength < 0 || levels > min(size, packed) ||
			v2.NumNulls < 0 || v2.NumNulls > v2.NumValues || v2.NumRows < 0 {
			return errors.New("a page's header contradicts itself")
		}
	}
	return s.hold(size+packed, h.Type == format.DictionaryPage)
}

// hold takes a page's memory from the budget and gives that of the page before back. The library has its
// own copy of a page. A dictionary stays.
func (s *pageStream) hold(bytes int64, stays bool) error {
	s.budget.left += s.held
	s.held = 0
	if s.budget.left -= 2 * bytes; s.budget.left < 0 {
		return fmt.Errorf("the columns' pages take more than %d MiB at a time", maxHeld>>20)
	}
	if !stays {
		s.held = 2 * bytes
	}
	return nil
}

func pageValues(h *format.PageHeader) int64 {
	switch {
	case h.Type == format.DataPage && h.DataPageHeader.Valid:
		return int64(h.DataPageHeader.V.NumValues)
	case h.Type == format.DataPageV2 && h.DataPageHeaderV2.Valid:
		return int64(h.DataPageHeaderV2.V.NumValues)
	case h.Type == format.DictionaryPage && h.DictionaryPageHeader.Valid:
		return int64(h.DictionaryPageHeader.V.NumValues)
	case h.Type == format.IndexPage:
		return 0
	}
	return -1
}

// passes reports whether all of a page's rows are to be skipped, or it holds none, and counts it.
func (s *pageStream) passes(h *format.PageHeader) bool {
	switch h.Type {
	case format.IndexPage:
		return true
	case format.DictionaryPage:
		return false
	}
	values := pageValues(h)
	rows := values
	if s.column.maxRep > 0 {
		if rows = -1; h.Type == format.DataPageV2 {
			rows = int64(h.DataPageHeaderV2.V.NumRows)
		}
	}
	s.left -= values
	if rows < 0 || rows > s.skip || s.skip == 0 {
		return false
	}
	s.skip -= rows
	return true
}

// plain writes the page for the library: its header without what is not needed, and unpacked.
func (s *pageStream) plain(h *format.PageHeader, data []byte) ([]byte, error) {
	out := format.PageHeader{Type: h.Type, UncompressedPageSize: int32(len(data)), CompressedPageSize: int32(len(data))}
	switch h.Type {
	case format.DictionaryPage:
		s.dict = true
		out.DictionaryPageHeader = h.DictionaryPageHeader
	case format.DataPage:
		out.DataPageHeader = h.DataPageHeader
		out.DataPageHeader.V.Statistics = format.Statistics{}
	case format.DataPageV2:
		out.DataPageHeaderV2 = h.DataPageHeaderV2
		out.DataPageHeaderV2.V.Statistics = format.Statistics{}
		out.DataPageHeaderV2.V.IsCompressed = thrift.New(false)
	}
	header, err := thrift.Marshal(&thrift.CompactProtocol{}, &out)
	if err != nil {
		return nil, err
	}
	return append(header, data...), nil
}
