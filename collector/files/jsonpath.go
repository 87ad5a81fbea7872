package files

import (
	"bytes"
	"errors"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/asgood-dev/asgood/collector/files/parquet"
)

// paths finds values in JSON by dotted paths. A step is an object's name or, in a list, a position from 0.
// The last step may be a name that holds dots itself.
type paths struct {
	leaves []int // of the paths that end here
	named  map[string]*paths
}

func newPaths(columns []string) *paths {
	root := &paths{}
	for i, column := range columns {
		root.add(column, i)
	}
	return root
}

// maxSteps bounds a path; each step is also a name of all that follows.
const maxSteps = 32

func (p *paths) add(path string, leaf int) {
	whole := p.child(path)
	whole.leaves = append(whole.leaves, leaf)
	if step, rest, dotted := strings.Cut(path, "."); dotted && strings.Count(path, ".") < maxSteps {
		p.child(step).add(rest, leaf)
	}
}

func (p *paths) child(name string) *paths {
	if p.named == nil {
		p.named = map[string]*paths{}
	}
	if p.named[name] == nil {
		p.named[name] = &paths{}
	}
	return p.named[name]
}

// find reads one value and puts what the paths lead to into cells.
func (p *paths) find(dec *jsontext.Decoder, cells []cell) error {
	if len(p.leaves) > 0 {
		v, err := dec.ReadValue()
		if err != nil {
			return err
		}
		return p.set(v, cells)
	}
	switch kind := dec.PeekKind(); {
	case p.named == nil || kind != '{' && kind != '[':
		return dec.SkipValue()
	case kind == '{':
		return p.object(dec, cells)
	default:
		return p.list(dec, cells)
	}
}

// set takes a value that a path leads to; others may lead further into it.
func (p *paths) set(v jsontext.Value, cells []cell) error {
	c, err := cellOf(v)
	if err != nil {
		return err
	}
	for _, i := range p.leaves {
		cells[i] = c
	}
	if p.named == nil || c.Kind != parquet.JSON {
		return nil
	}
	within := paths{named: p.named}
	return within.find(newDecoder(v), cells)
}

func (p *paths) object(dec *jsontext.Decoder, cells []cell) error {
	if _, err := dec.ReadToken(); err != nil {
		return err
	}
	for dec.PeekKind() != '}' {
		name, err := dec.ReadToken()
		if err != nil {
			return err
		}
		if err := p.step(name.String(), dec, cells); err != nil {
			return err
		}
	}
	_, err := dec.ReadToken()
	return err
}

func (p *paths) list(dec *jsontext.Decoder, cells []cell) error {
	if _, err := dec.ReadToken(); err != nil {
		return err
	}
	for i := 0; dec.PeekKind() != ']'; i++ {
		if err := p.step(strconv.Itoa(i), dec, cells); err != nil {
			return err
		}
	}
	_, err := dec.ReadToken()
	return err
}

func (p *paths) step(name string, dec *jsontext.Decoder, cells []cell) error {
	if next := p.named[name]; next != nil {
		return next.find(dec, cells)
	}
	return dec.SkipValue()
}

// newDecoder takes an object that has a name twice, as most do; the last one counts.
func newDecoder(data []byte) *jsontext.Decoder {
	return jsontext.NewDecoder(bytes.NewBuffer(data), jsontext.AllowDuplicateNames(true))
}

func cellOf(v jsontext.Value) (cell, error) {
	switch v.Kind() {
	case 'n':
		return cell{}, nil
	case '"':
		text, err := jsontext.AppendUnquote(nil, v)
		if len(text) == 0 {
			return cell{}, err // as an empty cell of CSV
		}
		return cell{Kind: parquet.Text, Text: string(text)}, err
	case '{', '[':
		if err := v.Compact(); err != nil {
			return cell{}, err
		}
		return cell{Kind: parquet.JSON, Text: string(v)}, nil
	default:
		return cell{Kind: parquet.Literal, Text: string(v)}, nil
	}
}

// jsonError says an error of the JSON package in few words.
func jsonError(err error) error {
	var syntax *jsontext.SyntacticError
	if errors.As(err, &syntax) && syntax.Err != nil {
		return brokenJSON{syntax.Err.Error(), syntax.ByteOffset}
	}
	return brokenJSON{strings.TrimPrefix(err.Error(), "jsontext: "), 0}
}

type brokenJSON struct {
	reason string
	offset int64
}

// Error names the byte, from 1.
func (e brokenJSON) Error() string {
	return "broken JSON: at byte " + strconv.FormatInt(e.offset+1, 10) + ", " + e.reason
}
