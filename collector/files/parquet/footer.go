package parquet

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"

	pq "github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
)

// Bounds of a file's metadata.
const (
	maxFooter  = 16 << 20
	maxColumns = 10_000
	maxDepth   = 32 // of nested columns
	maxFixed   = 1 << 20
)

const magic = "PAR1"

// metadata is what is needed of the footer. It has fields for little, so that little is kept.
type metadata struct {
	Schema    []format.SchemaElement `thrift:"2"`
	RowGroups []rowGroup             `thrift:"4"`
}

type rowGroup struct {
	Columns []columnChunk `thrift:"1"`
	NumRows int64         `thrift:"3"`
}

type columnChunk struct {
	FilePath  string                `thrift:"1,optional"`
	MetaData  columnMetadata        `thrift:"3,optional"`
	Encrypted thrift.Null[struct{}] `thrift:"8,optional"`
}

type columnMetadata struct {
	Codec                format.CompressionCodec `thrift:"4"`
	NumValues            int64                   `thrift:"5"`
	TotalCompressedSize  int64                   `thrift:"7"`
	DataPageOffset       int64                   `thrift:"9"`
	DictionaryPageOffset int64                   `thrift:"11,optional"`
}

// readFooter reads and checks the metadata at the end of a file.
func readFooter(r io.ReaderAt, size int64) (*metadata, error) {
	if size < int64(2*len(magic)+4) {
		return nil, fmt.Errorf("%d bytes are no Parquet file", size)
	}
	tail := make([]byte, 8)
	if _, err := r.ReadAt(tail, size-8); err != nil && err != io.EOF {
		return nil, err
	}
	switch string(tail[4:]) {
	case magic:
	case "PARE":
		return nil, fmt.Errorf("the file is encrypted")
	default:
		return nil, fmt.Errorf("no Parquet file, or its end is missing")
	}
	length := int64(binary.LittleEndian.Uint32(tail))
	if length > maxFooter || length > size-8 {
		return nil, fmt.Errorf("footer of %d bytes in a file of %d (at most %d)", length, size, maxFooter)
	}
	section := io.NewSectionReader(r, size-8-length, length)
	w := walker{src: bufio.NewReader(section), most: int(length)}
	m := &metadata{}
	if err := w.decode(m); err != nil {
		return nil, fmt.Errorf("reading the footer: %w", err)
	}
	return m, m.check()
}

func (m *metadata) check() error {
	if n := len(m.Schema); n < 2 || n > maxColumns {
		return fmt.Errorf("schema of %d entries, want 2 to %d", n, maxColumns)
	}
	leaves := 0
	for i := range m.Schema {
		e := &m.Schema[i]
		if e.Type.Valid {
			leaves++
		}
		if e.Type.Valid && e.Type.V == format.FixedLenByteArray && (!e.TypeLength.Valid || e.TypeLength.V < 1 || e.TypeLength.V > maxFixed) {
			return fmt.Errorf("column %q has values of %d bytes, want 1 to %d", e.Name, e.TypeLength.V, maxFixed)
		}
	}
	for i := range m.RowGroups {
		g := &m.RowGroups[i]
		if len(g.Columns) != leaves {
			return fmt.Errorf("row group %d has %d columns, the schema %d", i, len(g.Columns), leaves)
		}
		if g.NumRows < 0 {
			return fmt.Errorf("row group %d has %d rows", i, g.NumRows)
		}
	}
	return nil
}

// plainFile opens a file of the same columns for the library, with one row group that has no bytes of its
// own: its pages are served one by one, checked and unpacked, by a pageStream. What columns mean is left
// out, so that the library reads physical values only.
func (m *metadata) plainFile() (*pq.File, error) {
	plain := format.FileMetaData{Version: 1, NumRows: 1, RowGroups: []format.RowGroup{{NumRows: 1}}}
	for _, e := range m.Schema {
		plain.Schema = append(plain.Schema, format.SchemaElement{
			Type: e.Type, TypeLength: e.TypeLength, RepetitionType: e.RepetitionType, Name: e.Name, NumChildren: e.NumChildren})
		if e.Type.Valid {
			plain.RowGroups[0].Columns = append(plain.RowGroups[0].Columns, format.ColumnChunk{MetaData: format.ColumnMetaData{
				Type: e.Type.V, Codec: format.Uncompressed, NumValues: 1, TotalCompressedSize: endless, DataPageOffset: streamStart,
				PathInSchema: []string{e.Name}, Encoding: []format.Encoding{format.Plain},
			}})
		}
	}
	footer, err := thrift.Marshal(&thrift.CompactProtocol{}, &plain)
	if err != nil {
		return nil, err
	}
	file := append([]byte(magic), footer...)
	file = binary.LittleEndian.AppendUint32(file, uint32(len(footer)))
	file = append(file, magic...)
	return pq.OpenFile(bytes.NewReader(file), int64(len(file)), pq.SkipPageIndex(true), pq.SkipBloomFilters(true), pq.ReadBufferSize(64<<10))
}
