package files

import (
	"bytes"
	"errors"
	"io"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/asgood-dev/asgood/collector/files/parquet"
	"github.com/asgood-dev/asgood/internal/quality"
)

// ndjsonSource reads one JSON object per line.
type ndjsonSource struct {
	in    *input
	lines lineReader
	buf   bytes.Buffer
	dec   *jsontext.Decoder
	paths *paths // nil: the cell is the line itself
	cells []cell
	at    Position
}

func openNDJSON(in *input) (*ndjsonSource, error) {
	mark, err := skipMark(in)
	if err != nil {
		return nil, err
	}
	head, err := in.peek(512)
	if err != nil {
		return nil, err
	}
	if head = bytes.TrimLeft(head, " \t\r\n"); len(head) > 0 && head[0] == '[' {
		return nil, quality.Errorf(quality.KindInvalid, "the file is a JSON array: want one object per line, as jq -c '.[]' makes of it")
	}
	n := &ndjsonSource{in: in, lines: lineReader{in: in}, at: Position{Offset: mark}}
	n.dec = jsontext.NewDecoder(&n.buf, jsontext.AllowDuplicateNames(true))
	return n, nil
}

func (n *ndjsonSource) bind(columns []string) error {
	if n.cells = make([]cell, max(len(columns), 1)); columns != nil {
		n.paths = newPaths(columns)
	}
	return nil
}

func (n *ndjsonSource) next() ([]cell, Place, error) {
	for {
		line, size, err := n.lines.read()
		at := Place{Row: n.at.Row + 1, Line: n.at.Line + 1}
		if err != nil && !errors.Is(err, errRowTooLarge) {
			return nil, at, err
		}
		n.at.Line, n.at.Offset = n.at.Line+1, n.at.Offset+size
		if line = bytes.TrimSpace(line); err == nil && len(line) == 0 {
			continue
		}
		n.at.Row++
		if err == nil {
			err = n.read(line)
		}
		if err != nil {
			return nil, at, &RowError{At: at, Rows: 1, Err: err}
		}
		return n.cells, at, nil
	}
}

func (n *ndjsonSource) read(line []byte) error {
	if n.paths == nil {
		n.cells[0] = cell{Kind: parquet.JSON, Text: string(line)}
		return nil
	}
	clear(n.cells)
	if line[0] != '{' {
		return errors.New("no JSON object")
	}
	n.buf.Reset()
	n.buf.Write(line)
	n.dec.Reset(&n.buf, jsontext.AllowDuplicateNames(true))
	if err := n.paths.find(n.dec, n.cells); err != nil {
		return jsonError(err)
	}
	if _, err := n.dec.ReadToken(); !errors.Is(err, io.EOF) {
		return brokenJSON{"something follows the object", n.dec.InputOffset()}
	}
	return nil
}

func (n *ndjsonSource) position() Position { return n.at }

func (n *ndjsonSource) goTo(p Position) error {
	n.at = p
	return n.in.goTo(p.Offset)
}

func (n *ndjsonSource) fraction() float64 { return n.in.fraction() }
