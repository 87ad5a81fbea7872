package parquet

import (
	"errors"
	"fmt"
	"io"
	"time"

	pq "github.com/parquet-go/parquet-go"
)

// maxRepeats bounds the values that one row has in one column, as in the messages of a conversation.
const maxRepeats = 1 << 16

// column reads the values of one leaf, row by row.
type column struct {
	node   *node
	read   reader
	chunk  *pq.FileColumnChunk // of the file that the library was given
	stream *pageStream
	pages  pq.Pages
	values pq.ValueReader // of the page at hand
	buf    [128]pq.Value
	at, n  int

	row  []pq.Value // of the row at hand
	next int        // of row, for what assembles it
}

func newColumn(n *node, chunk *pq.FileColumnChunk, loc *time.Location) *column {
	return &column{node: n, chunk: chunk, read: readerOf(n.element, loc)}
}

// open goes to a row of a row group.
func (c *column) open(s *pageStream, row int64) error {
	c.close()
	s.skip = row
	c.stream, c.pages, c.values, c.at, c.n = s, c.chunk.PagesFrom(s), nil, 0, 0
	if row == 0 {
		return nil
	}
	if _, err := c.peek(); err != nil {
		return err
	}
	for skip := s.skip; skip > 0; skip-- {
		if err := c.nextRow(); err != nil && !errors.Is(err, errManyValues) {
			return err
		}
	}
	return nil
}

func (c *column) close() {
	if c.pages != nil {
		_ = c.pages.Close() // it holds memory only
		c.pages = nil
		c.stream.budget.left += c.stream.held
		c.stream.held = 0
	}
}

// peek returns the next value and leaves it.
func (c *column) peek() (pq.Value, error) {
	for c.at == c.n {
		if c.values == nil {
			page, err := c.pages.ReadPage()
			if err != nil {
				return pq.Value{}, err
			}
			c.values = page.Values()
		}
		n, err := c.values.ReadValues(c.buf[:])
		c.at, c.n = 0, n
		switch {
		case errors.Is(err, io.EOF):
			c.values = nil
		case err != nil:
			return pq.Value{}, err
		case n == 0:
			return pq.Value{}, io.ErrNoProgress
		}
	}
	return c.buf[c.at], nil
}

var errManyValues = fmt.Errorf("more than %d values in one column", maxRepeats)

// nextRow takes the values of a row.
func (c *column) nextRow() error {
	c.row, c.next = c.row[:0], 0
	var many error
	for {
		v, err := c.peek()
		if errors.Is(err, io.EOF) && (len(c.row) > 0 || many != nil) {
			return many
		}
		if err != nil {
			return cut(err)
		}
		if len(c.row) > 0 && v.RepetitionLevel() == 0 {
			return many
		}
		if c.at++; len(c.row) == maxRepeats {
			many = errManyValues
			continue
		}
		c.row = append(c.row, v)
		if c.node.maxRep == 0 {
			return nil
		}
	}
}

// single is the value of a column that does not repeat.
func (c *column) single() (Value, error) {
	if v := c.row[0]; v.DefinitionLevel() >= c.node.maxDef && !v.IsNull() {
		return c.read(v)
	}
	return Value{}, nil
}
