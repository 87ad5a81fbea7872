package files

import (
	"bytes"
	"path/filepath"
	"slices"
	"strings"

	"github.com/asgood-dev/asgood/internal/quality"
)

// Format is how a file holds its rows.
type Format string

// The formats. CSV and NDJSON may be compressed with gzip or zstd.
const (
	CSV     Format = "csv"
	NDJSON  Format = "ndjson"
	Parquet Format = "parquet"
)

// ParseFormat reads the name of a format; empty is none.
func ParseFormat(s string) (Format, error) {
	f := Format(strings.ToLower(s))
	if f != "" && !slices.Contains([]Format{CSV, NDJSON, Parquet}, f) {
		return "", quality.Errorf(quality.KindInvalid, "format %q: want csv, ndjson or parquet", s)
	}
	return f, nil
}

// ParseDelimiter reads what separates the cells of CSV: one character, or the word tab; empty is the default.
func ParseDelimiter(s string) (byte, error) {
	switch s {
	case "":
		return 0, nil
	case "tab", `\t`:
		return '\t', nil
	}
	if len(s) != 1 || s[0] >= 0x80 || strings.ContainsAny(s, "\"\r\n\x00") {
		return 0, quality.Errorf(quality.KindInvalid, "delimiter %q: want one ASCII character that is neither a quote nor a new line, or the word tab", s)
	}
	return s[0], nil
}

// extension is a name's ending in small letters, without that of a compression.
func extension(name string) string {
	name = strings.ToLower(name)
	for _, packed := range []string{".gz", ".gzip", ".zst", ".zstd"} {
		name = strings.TrimSuffix(name, packed)
	}
	return filepath.Ext(name)
}

func defaultDelimiter(name string) byte {
	if extension(name) == ".tsv" {
		return '\t'
	}
	return ','
}

// format tells how the file holds its rows: as it was said, by its name, or by how it begins.
func (f *File) format() (Format, error) {
	if f.opts.Format != "" {
		return f.opts.Format, nil
	}
	switch extension(f.name) {
	case ".csv", ".tsv":
		return CSV, nil
	case ".ndjson", ".jsonl", ".json":
		return NDJSON, nil
	case ".parquet", ".pq":
		return Parquet, nil
	}
	raw, err := f.in.peek(len(parquetMagic))
	if err != nil {
		return "", err
	}
	if bytes.Equal(raw, parquetMagic) {
		return Parquet, nil
	}
	if err := f.in.unpack(); err != nil {
		return "", err
	}
	head, err := f.in.peek(512)
	if err != nil {
		return "", err
	}
	if head = bytes.TrimLeft(bytes.TrimPrefix(head, byteOrderMark), " \t\r\n"); len(head) > 0 && head[0] == '{' {
		return NDJSON, nil
	}
	if f.opts.Map != nil {
		return CSV, nil
	}
	return "", quality.Errorf(quality.KindInvalid, "cannot tell the format: name it with --format csv, ndjson or parquet")
}
