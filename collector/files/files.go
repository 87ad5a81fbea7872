// Package files makes samples of the rows of files that others made: CSV, NDJSON and Parquet, from disk or
// a stream. One mapping of columns serves all of them; NDJSON without a mapping is read as native samples.
//
// It owns the formats, the mapping, the ids of rows that bring none, and the places in a file that reading
// can go on from. A row that is wrong is refused with its place and the next ones follow. It leaves out
// where samples go, what is remembered between two runs, and what the configuration allows.
package files

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
	"time"

	"github.com/asgood-dev/asgood/collector/files/parquet"
	"github.com/asgood-dev/asgood/internal/quality"
)

// Bounds of what is read.
const (
	MaxRow   = 16 << 20         // bytes of one row of CSV or NDJSON; a longer one is refused
	MaxCell  = parquet.MaxValue // bytes of what one column of a row holds
	MaxSpool = 8 << 30          // bytes of a stream that must be put on disk before it can be read
)

// Options say how rows become samples. Decode and Check are required.
type Options struct {
	Format     Format            // empty means by name, else by content
	Delimiter  byte              // of CSV; 0 means a comma, or a tab in .tsv
	Map        map[string]string // field of the sample by column, or by a template such as "{model}/{id}"; nil: native samples
	Feature    string            // of rows that bring none
	Customer   string            // of rows that bring none
	TimeLayout string            // Go layout of the time column; empty tries the unambiguous ones
	Location   *time.Location    // of times without a zone; nil means UTC
	Stdin      io.Reader         // read for the name "-"

	Decode func(record []byte) (quality.Sample, error) // of a native sample
	Check  func(s *quality.Sample) error               // what a sample must be
}

// Place is where a row is.
type Place struct {
	Row  int64 // 1-based; of CSV without the header
	Line int64 // 1-based; 0 in a format without lines
}

// String names the place as a person looks for it.
func (p Place) String() string {
	if p.Line == 0 {
		return fmt.Sprintf("row %d", p.Row)
	}
	return fmt.Sprintf("line %d", p.Line)
}

// Row is one sample and where it was.
type Row struct {
	Sample quality.Sample
	At     Place
}

// Position is a place between two rows that reading can go on from.
type Position struct {
	Row    int64 `json:"row"`              // rows before it
	Line   int64 `json:"line,omitempty"`   // lines before it
	Offset int64 `json:"offset,omitempty"` // bytes before it, of the text without compression
}

// RowError is a row that could not become a sample. The rows behind it are read all the same.
type RowError struct {
	At   Place
	Rows int64 // that are refused for this reason, 1 or more
	Err  error
}

// Error names the place.
func (e *RowError) Error() string { return fmt.Sprintf("%v: %v", e.At, e.Err) }

// Unwrap returns the reason.
func (e *RowError) Unwrap() error { return e.Err }

// Kind says what sort of mistake it is, for counting: the reason without its particulars.
func (e *RowError) Kind() string {
	kind, _, _ := strings.Cut(e.Err.Error(), ": ")
	return fmt.Sprintf("%.80s", kind)
}

// cell is what a row has in a column. It is the Parquet reader's type, which knows the most kinds.
type cell = parquet.Value

// source reads the rows of one format.
type source interface {
	// bind says which columns next returns. An error is of kind invalid and lists what there is.
	bind(columns []string) error
	// next returns the cells of the next row, valid until the next call. The error is io.EOF, or a
	// *RowError behind which reading goes on, or the end of it.
	next() ([]cell, Place, error)
	// position is behind the row that next returned.
	position() Position
	// goTo goes to a position that an earlier reading had.
	goTo(p Position) error
	// fraction is how much of the file is read, 0 to 1; -1 when that is unknown.
	fraction() float64
}

// File is an open file. Its methods are for one goroutine.
type File struct {
	name string
	opts Options
	in   *input
	src  source
	rows rowReader
}

// rowReader makes a sample of a row's cells.
type rowReader interface {
	sample(cells []cell, at Place) (quality.Sample, error)
}

// Open opens a file, or standard input for "-", and reads as much as is needed to know its columns.
// Errors that the file or the mapping is at fault for are of kind invalid.
func Open(name string, o Options) (_ *File, err error) {
	if o.Location == nil {
		o.Location = time.UTC
	}
	f := &File{name: name, opts: o}
	if f.in, err = openInput(name, o.Stdin); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("%s: %w", Title(name), err), f.in.close())
		}
	}()
	format, err := f.format()
	if err != nil {
		return nil, err
	}
	if f.src, err = f.open(format); err != nil {
		return nil, err
	}
	return f, f.bind()
}

// Title is how a file is called in messages.
func Title(name string) string {
	if name == "-" {
		return "standard input"
	}
	return name
}

func (f *File) open(format Format) (source, error) {
	switch {
	case f.opts.Map == nil && format != NDJSON:
		return nil, quality.Errorf(quality.KindInvalid, "%s needs a mapping of its columns: --map field=column,...", format)
	case format == Parquet:
		return openParquet(f.in, f.opts.Location)
	}
	if err := f.in.unpack(); err != nil {
		return nil, err
	}
	if err := f.in.keepHead(); err != nil {
		return nil, err
	}
	if format == NDJSON {
		return openNDJSON(f.in)
	}
	delimiter := f.opts.Delimiter
	if delimiter == 0 {
		delimiter = defaultDelimiter(f.name)
	}
	return openCSV(f.in, delimiter)
}

func (f *File) bind() error {
	if f.opts.Map == nil {
		f.rows = &nativeReader{opts: &f.opts, ids: idMaker{head: f.in.head}}
		return f.src.bind(nil)
	}
	m, err := newMapper(&f.opts, f.in.head, f.src)
	f.rows = m
	return err
}

// Samples reads on from where the file is. A row that is wrong gives a *RowError and the reading goes on;
// any other error ends it.
func (f *File) Samples() iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		for {
			cells, at, err := f.src.next()
			if errors.Is(err, io.EOF) {
				return
			}
			var bad *RowError
			if err != nil && !errors.As(err, &bad) {
				yield(Row{At: at}, fmt.Errorf("%s, %v: %w", Title(f.name), at, err))
				return
			}
			row := Row{At: at}
			if err == nil {
				if row.Sample, err = f.rows.sample(cells, at); err != nil {
					err = &RowError{At: at, Rows: 1, Err: err}
				}
			}
			if !yield(row, err) {
				return
			}
		}
	}
}

// Position is behind the row that Samples gave last.
func (f *File) Position() Position { return f.src.position() }

// GoTo goes to a position that an earlier reading of the same file had.
func (f *File) GoTo(p Position) error {
	if err := f.src.goTo(p); err != nil {
		return fmt.Errorf("%s: going on at row %d: %w", Title(f.name), p.Row+1, err)
	}
	return nil
}

// Fraction is how much of the file is read, 0 to 1; -1 when that is unknown.
func (f *File) Fraction() float64 { return f.src.fraction() }

// Close closes the file.
func (f *File) Close() error { return f.in.close() }
