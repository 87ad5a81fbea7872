// Package parquet reads rows of chosen columns out of Parquet files that strangers made.
//
// A library decodes the values. It trusts what a file says of itself, so this package reads the metadata
// and every page first: sizes, counts and run lengths are checked, and pages are unpacked to no more than
// they say, before the library sees them. What is left to go wrong in it is caught.
//
// A column is named by its dotted path. Lists, maps and groups come as JSON. Values come as text with what
// kind they are: what they mean to a sample is the caller's affair. Encrypted files, and files whose
// columns lie in other files, are refused.
package parquet

import (
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"strings"
	"time"

	pq "github.com/parquet-go/parquet-go"

	"github.com/asgood-dev/asgood/internal/quality"
)

// File is an open Parquet file. Its methods are for one goroutine.
type File struct {
	r       io.ReaderAt
	size    int64
	loc     *time.Location
	meta    *metadata
	root    *node
	leaves  []*node
	plain   *pq.File
	columns []*column // by leaf; nil for those that nobody asked for
	chosen  []*node
	json    assembler
	budget  budget
	unpack  unpacker

	group   int   // row group at hand
	left    int64 // rows that it still has
	started bool
	failed  error // of opening the row group at hand
	before  int64 // rows before the next
	rows    int64
	out     []Value
}

// Open reads a file's metadata. Times that it has without a zone are in loc; nil means UTC. Errors are of
// kind invalid when the file is at fault.
func Open(r io.ReaderAt, size int64, loc *time.Location) (f *File, err error) {
	defer caught(&err)()
	if loc == nil {
		loc = time.UTC
	}
	f = &File{r: r, size: size, loc: loc, budget: budget{left: maxHeld}}
	if f.meta, err = readFooter(r, size); err != nil {
		return nil, err
	}
	if f.root, err = f.meta.tree(); err != nil {
		return nil, err
	}
	if f.plain, err = f.meta.plainFile(); err != nil {
		return nil, err
	}
	f.collect(f.root)
	f.columns = make([]*column, len(f.leaves))
	f.json.columns = f.columns
	for i := range f.meta.RowGroups {
		f.rows += f.meta.RowGroups[i].NumRows
		if f.rows < 0 {
			return nil, fmt.Errorf("more rows than can be counted")
		}
	}
	return f, nil
}

// caught makes what is wrong with a file an error of kind invalid, also what the library panics with. To
// be called at once and deferred: a fault of the library's assembly becomes a panic in between.
func caught(err *error) func() {
	before := debug.SetPanicOnFault(true)
	return func() {
		debug.SetPanicOnFault(before)
		if p := recover(); p != nil {
			*err = fmt.Errorf("broken: %v", p)
		}
		var known *quality.Error
		if *err != nil && !errors.Is(*err, io.EOF) && !errors.As(*err, &known) {
			*err = quality.Errorf(quality.KindInvalid, "Parquet: %w", *err)
		}
	}
}

func (f *File) collect(n *node) {
	if n.leaf() {
		f.leaves = append(f.leaves, n)
	}
	for _, child := range n.children {
		f.collect(child)
	}
}

// NumRows returns how many rows the file says it has.
func (f *File) NumRows() int64 { return f.rows }

// Row returns the number of rows before the next one.
func (f *File) Row() int64 { return f.before }

// Columns returns the paths that columns can be chosen by, at most 100 of them.
func (f *File) Columns() []string {
	names := f.root.names()
	return names[:min(len(names), 100)]
}

// Choose says which columns Next returns. What is left of a path within a list, a map or a JSON text
// comes back; the value is then that of the whole column.
func (f *File) Choose(paths []string) (rests []string, err error) {
	defer caught(&err)()
	for _, path := range paths {
		n, rest, ok := f.root.find(path)
		if !ok {
			return nil, quality.Errorf(quality.KindInvalid, "no column %q (columns: %s)", path, strings.Join(f.Columns(), ", "))
		}
		for i := n.first; i < n.last; i++ {
			if f.columns[i] == nil {
				chunk, ok := f.plain.RowGroups()[0].ColumnChunks()[i].(*pq.FileColumnChunk)
				if !ok {
					return nil, errors.New("a column cannot be read")
				}
				f.columns[i] = newColumn(f.leaves[i], chunk, f.loc)
			}
		}
		f.chosen, rests = append(f.chosen, n), append(rests, rest)
	}
	return rests, nil
}

// GoTo goes to a row. Row groups and pages before it are not read.
func (f *File) GoTo(row int64) {
	f.before, f.group, f.started, f.failed = 0, 0, false, nil
	for ; f.group < len(f.meta.RowGroups) && f.before+f.meta.RowGroups[f.group].NumRows <= row; f.group++ {
		f.before += f.meta.RowGroups[f.group].NumRows
	}
	if f.group == len(f.meta.RowGroups) || row <= f.before {
		return
	}
	skip := row - f.before
	f.before = row
	f.failed = f.startSafely(skip)
}

// start opens the columns of the row group at hand.
func (f *File) start(skip int64) error {
	f.left, f.started = f.meta.RowGroups[f.group].NumRows-skip, true
	for i, c := range f.columns {
		if c == nil {
			continue
		}
		chunk := &f.meta.RowGroups[f.group].Columns[i]
		if chunk.FilePath != "" || chunk.Encrypted.Valid {
			return fmt.Errorf("column %q is encrypted or lies in another file", c.node.path())
		}
		s, err := newPageStream(f.r, f.size, c.node, &chunk.MetaData, &f.budget, &f.unpack)
		if err != nil {
			return err
		}
		if err := c.open(s, skip); err != nil {
			return fmt.Errorf("column %q: %w", c.node.path(), cut(err))
		}
	}
	return nil
}

// LostError says that the rest of a row group cannot be read. The next one may be.
type LostError struct {
	Rows int64 // that are lost
	Err  error
}

// Error tells how many rows are lost.
func (e *LostError) Error() string { return fmt.Sprintf("%d rows are lost: %v", e.Rows, e.Err) }

// Unwrap returns the reason.
func (e *LostError) Unwrap() error { return e.Err }

// Next returns the chosen columns of the next row, valid until the next call. An error other than io.EOF
// is about this row, or about several in a *LostError; the next call goes on behind them.
func (f *File) Next() (_ []Value, err error) {
	for f.failed == nil && (!f.started || f.left == 0) {
		if f.started {
			f.group++
		}
		if f.group >= len(f.meta.RowGroups) {
			return nil, io.EOF
		}
		f.failed = f.startSafely(0)
	}
	if err := f.failed; err != nil {
		f.failed = nil
		return nil, f.lose(err)
	}
	if err := f.nextRow(); err != nil {
		return nil, f.lose(err)
	}
	f.left--
	f.before++
	return f.values()
}

func (f *File) startSafely(skip int64) (err error) {
	defer caught(&err)()
	return f.start(skip)
}

// lose gives the rest of the row group up.
func (f *File) lose(err error) error {
	lost := &LostError{Rows: f.left, Err: fmt.Errorf("row group %d: %w", f.group, err)}
	f.before, f.left = f.before+f.left, 0
	return lost
}

func (f *File) nextRow() (err error) {
	defer caught(&err)()
	for _, c := range f.columns {
		if c == nil {
			continue
		}
		if err := c.nextRow(); errors.Is(err, errManyValues) {
			c.row = c.row[:0] // this row only
		} else if err != nil {
			return fmt.Errorf("column %q: %w", c.node.path(), err)
		}
	}
	return nil
}

func (f *File) values() (_ []Value, err error) {
	defer caught(&err)()
	f.out = f.out[:0]
	for _, n := range f.chosen {
		var v Value
		if c := f.columns[n.first]; len(c.row) == 0 {
			err = errManyValues
		} else if n.leaf() && n.maxRep == 0 {
			v, err = c.single()
		} else {
			v, err = f.json.assemble(n)
		}
		if err != nil {
			return nil, fmt.Errorf("column %q: %w", n.path(), err)
		}
		f.out = append(f.out, v)
	}
	return f.out, nil
}
