package files

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
)

var errBrokenCSV = errors.New("broken CSV")

// extent is how much of a text something takes.
type extent struct{ lines, bytes int64 }

// csvRows finds where rows of CSV end.
type csvRows struct {
	lines     lineReader
	delimiter byte
	window    []byte // lines that were read and not given yet
	start     int    // of the row at hand in window
	scanned   int    // end of what is scanned of it
	long      int64  // size of a line behind window that was too long to keep; 0 for none
	taken     extent // by the last call of next
}

// next returns a row with the ends of its lines, valid until the next call, and the empty lines before it.
// After errBrokenCSV or errRowTooLarge, which are about one line, the next rows follow.
func (r *csvRows) next() (row []byte, skipped extent, err error) {
	r.taken = extent{}
	quoted := false
	for {
		line, err := r.line()
		if err != nil {
			return nil, skipped, r.ended(err)
		}
		if r.start+len(line) == r.scanned && len(bare(line)) == 0 {
			r.take(r.scanned)
			skipped = r.taken
			continue
		}
		quoted, err = scanCSV(bare(line), r.delimiter, quoted)
		if r.scanned-r.start > MaxRow {
			err = errRowTooLarge
		}
		if err != nil {
			r.takeLine()
			return nil, skipped, err
		}
		if !quoted {
			row := r.window[r.start:r.scanned]
			r.take(r.scanned)
			return row, skipped, nil
		}
	}
}

// line scans one more line into the row at hand.
func (r *csvRows) line() ([]byte, error) {
	if r.scanned == len(r.window) {
		if err := r.fill(); err != nil {
			return nil, err
		}
	}
	from := r.scanned
	if i := bytes.IndexByte(r.window[from:], '\n'); i >= 0 {
		r.scanned = from + i + 1
	} else {
		r.scanned = len(r.window)
	}
	return r.window[from:r.scanned], nil
}

// fill reads a line into the window.
func (r *csvRows) fill() error {
	switch {
	case r.long > 0:
		return errRowTooLarge
	case r.start == len(r.window):
		r.window, r.start, r.scanned = r.window[:0], 0, 0
	case r.start > MaxRow: // rarely enough that moving the rest costs little
		n := copy(r.window, r.window[r.start:])
		r.window, r.start, r.scanned = r.window[:n], 0, n
	}
	line, size, err := r.lines.read()
	if errors.Is(err, errRowTooLarge) {
		r.long = size
	}
	r.window = append(r.window, line...)
	return err
}

// ended is what an end of the lines means to the row at hand.
func (r *csvRows) ended(err error) error {
	switch {
	case r.start < r.scanned && (errors.Is(err, io.EOF) || errors.Is(err, errRowTooLarge)):
		r.takeLine()
		return fmt.Errorf("%w: a quote is not closed", errBrokenCSV)
	case errors.Is(err, errRowTooLarge):
		r.taken.lines, r.taken.bytes = r.taken.lines+1, r.taken.bytes+r.long
		r.long = 0
	}
	return err
}

// takeLine takes the first line of the row at hand alone. Those behind it are looked at again.
func (r *csvRows) takeLine() {
	end := len(r.window)
	if i := bytes.IndexByte(r.window[r.start:], '\n'); i >= 0 {
		end = r.start + i + 1
	}
	r.take(end)
}

func (r *csvRows) take(end int) {
	part := r.window[r.start:end]
	r.taken.bytes += int64(len(part))
	r.taken.lines += int64(bytes.Count(part, []byte("\n")))
	if part[len(part)-1] != '\n' {
		r.taken.lines++
	}
	r.start, r.scanned = end, end
}

// scanCSV follows the quotes of a line, which begins within a quoted cell or at the beginning of a row, and
// reports whether it ends within one. The rules are those of encoding/csv.
func scanCSV(line []byte, delimiter byte, quoted bool) (open bool, err error) {
	for {
		if quoted {
			i := bytes.IndexByte(line, '"')
			if i < 0 {
				return true, nil
			}
			line = line[i+1:]
			switch {
			case len(line) == 0:
				return false, nil
			case line[0] == '"':
				line = line[1:]
			case line[0] == delimiter:
				line, quoted = line[1:], false
			default:
				return false, fmt.Errorf("%w: %w", errBrokenCSV, csv.ErrQuote)
			}
			continue
		}
		if len(line) > 0 && line[0] == '"' {
			line, quoted = line[1:], true
			continue
		}
		cell, rest, more := bytes.Cut(line, []byte{delimiter})
		if bytes.IndexByte(cell, '"') >= 0 {
			return false, fmt.Errorf("%w: %w", errBrokenCSV, csv.ErrBareQuote)
		}
		if !more {
			return false, nil
		}
		line = rest
	}
}
