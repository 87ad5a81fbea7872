package files

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/asgood-dev/asgood/collector/files/parquet"
	"github.com/asgood-dev/asgood/internal/quality"
)

// csvSource reads CSV with a header line.
//
// encoding/csv parses a row; where a row ends is found here before. A quote that is never closed would
// otherwise make one row of the rest of the file: here it spoils its own line only.
type csvSource struct {
	in     *input
	rows   csvRows
	feed   bytes.Reader
	parser *csv.Reader
	header []string
	wanted []int
	cells  []cell
	at     Position
}

func openCSV(in *input, delimiter byte) (*csvSource, error) {
	c := &csvSource{in: in, rows: csvRows{lines: lineReader{in: in}, delimiter: delimiter}}
	c.newParser()
	mark, err := skipMark(in)
	if err != nil {
		return nil, err
	}
	row, _, err := c.read()
	var bad *RowError
	switch {
	case errors.Is(err, io.EOF):
		return nil, quality.Errorf(quality.KindInvalid, "the file is empty: want CSV with a header line")
	case errors.As(err, &bad):
		return nil, quality.Errorf(quality.KindInvalid, "reading the CSV header: %w", bad.Err)
	case err != nil:
		return nil, err
	}
	c.header, c.at.Row, c.at.Offset = slices.Clone(row), 0, c.at.Offset+mark
	return c, nil
}

func (c *csvSource) newParser() {
	c.parser = csv.NewReader(&c.feed)
	c.parser.Comma, c.parser.ReuseRecord, c.parser.FieldsPerRecord = rune(c.rows.delimiter), true, -1
}

func (c *csvSource) bind(columns []string) error {
	for _, name := range columns {
		i := slices.Index(c.header, name)
		if i < 0 {
			return quality.Errorf(quality.KindInvalid, "no column %q (columns: %s)", name, listed(c.header))
		}
		if slices.Contains(c.header[i+1:], name) {
			return quality.Errorf(quality.KindInvalid, "column %q is there more than once", name)
		}
		c.wanted = append(c.wanted, i)
	}
	c.cells = make([]cell, len(c.wanted))
	return nil
}

// listed names columns in a message, at most 100.
func listed(names []string) string { return strings.Join(names[:min(len(names), 100)], ", ") }

func (c *csvSource) next() ([]cell, Place, error) {
	row, at, err := c.read()
	if err != nil {
		return nil, at, err
	}
	if len(row) != len(c.header) {
		return nil, at, &RowError{At: at, Rows: 1, Err: fmt.Errorf("number of cells: %d, the header has %d", len(row), len(c.header))}
	}
	for i, column := range c.wanted {
		c.cells[i] = cell{}
		if v := row[column]; v != "" {
			c.cells[i] = cell{Kind: parquet.Text, Text: v}
		}
	}
	return c.cells, at, nil
}

// read returns the next row's cells, valid until the next call.
func (c *csvSource) read() (row []string, at Place, err error) {
	record, skipped, err := c.rows.next()
	at = Place{Row: c.at.Row + 1, Line: c.at.Line + skipped.lines + 1}
	c.at.Line, c.at.Offset = c.at.Line+c.rows.taken.lines, c.at.Offset+c.rows.taken.bytes
	switch {
	case errors.Is(err, errBrokenCSV) || errors.Is(err, errRowTooLarge):
		err = &RowError{At: at, Rows: 1, Err: err}
	case err != nil:
		return nil, at, err
	case !utf8.Valid(record):
		err = &RowError{At: at, Rows: 1, Err: errNotUTF8}
	default:
		row, err = c.parse(record, at)
	}
	c.at.Row++
	return row, at, err
}

var errNotUTF8 = errors.New("not valid UTF-8")

func (c *csvSource) parse(record []byte, at Place) ([]string, error) {
	c.feed.Reset(record)
	row, err := c.parser.Read()
	if err != nil {
		c.newParser() // the old one may hold the rest of what was wrong
		return nil, &RowError{At: at, Rows: 1, Err: fmt.Errorf("%w: %w", errBrokenCSV, err)}
	}
	return row, nil
}

func (c *csvSource) position() Position { return c.at }

func (c *csvSource) goTo(p Position) error {
	if err := c.in.goTo(p.Offset); err != nil {
		return err
	}
	c.rows = csvRows{lines: c.rows.lines, delimiter: c.rows.delimiter}
	c.at = p
	return nil
}

func (c *csvSource) fraction() float64 { return c.in.fraction() }
