package files

import (
	"errors"
	"io"
	"time"

	"github.com/asgood-dev/asgood/collector/files/parquet"
)

// parquetSource reads rows of a Parquet file.
type parquetSource struct {
	file  *parquet.File
	rests []*paths // what is left of a path within the JSON of its column; nil for nothing
	cells []cell
}

func openParquet(in *input, loc *time.Location) (*parquetSource, error) {
	r, size, err := in.random()
	if err != nil {
		return nil, err
	}
	if in.head, err = fileHead(in.file); err != nil {
		return nil, err
	}
	f, err := parquet.Open(r, size, loc)
	if err != nil {
		return nil, err
	}
	return &parquetSource{file: f}, nil
}

func (p *parquetSource) bind(columns []string) error {
	rests, err := p.file.Choose(columns)
	p.rests = make([]*paths, len(rests))
	for i, rest := range rests {
		if rest != "" {
			p.rests[i] = newPaths([]string{rest})
		}
	}
	p.cells = make([]cell, len(columns))
	return err
}

func (p *parquetSource) next() ([]cell, Place, error) {
	at := Place{Row: p.file.Row() + 1}
	values, err := p.file.Next()
	if err == nil {
		err = p.within(values)
	}
	var lost *parquet.LostError
	switch {
	case err == nil:
		return p.cells, at, nil
	case errors.Is(err, io.EOF):
		return nil, at, io.EOF
	case errors.As(err, &lost):
		return nil, at, &RowError{At: at, Rows: max(lost.Rows, 1), Err: lost.Err}
	}
	return nil, at, &RowError{At: at, Rows: 1, Err: err}
}

// within follows what is left of the paths, and takes empty texts for none, as in CSV.
func (p *parquetSource) within(values []cell) error {
	for i, v := range values {
		switch rest := p.rests[i]; {
		case rest != nil:
			p.cells[i] = cell{}
			if v.Kind == parquet.Null {
				continue
			}
			if err := rest.find(newDecoder([]byte(v.Text)), p.cells[i:i+1]); err != nil {
				return jsonError(err)
			}
		case v.Kind == parquet.Text && v.Text == "":
			p.cells[i] = cell{}
		default:
			p.cells[i] = v
		}
	}
	return nil
}

func (p *parquetSource) position() Position { return Position{Row: p.file.Row()} }

func (p *parquetSource) goTo(to Position) error {
	p.file.GoTo(to.Row)
	return nil
}

func (p *parquetSource) fraction() float64 {
	if p.file.NumRows() <= 0 {
		return -1
	}
	return float64(p.file.Row()) / float64(p.file.NumRows())
}
