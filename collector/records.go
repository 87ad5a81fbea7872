package collector

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"

	"github.com/asgood-dev/asgood/internal/quality"
)

// record is one record of a body, as bytes that are valid until the next one is read.
type record struct {
	at   place
	data []byte
	err  error // this record cannot be taken; the next one may
}

// records reads a body record by record. next returns io.EOF at the end; another error ends the body.
type records interface {
	next() (record, error)
	where() place // of the record that would come next
}

const sniffBytes = 64 << 10

var byteOrderMark = []byte("\xef\xbb\xbf")

// newRecords tells by content type and content what form a body has.
func newRecords(body io.Reader, contentType string) (records, error) {
	r := bufio.NewReaderSize(body, sniffBytes)
	if mark, _ := r.Peek(len(byteOrderMark)); bytes.Equal(mark, byteOrderMark) {
		_, _ = r.Discard(len(byteOrderMark)) // just peeked
	}
	media, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		media = "" // what cannot be read is sniffed
	}
	switch media {
	case "application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines":
		return &lines{r: r}, nil
	}
	first, err := firstByte(r)
	switch {
	case errors.Is(err, io.EOF):
		return nil, quality.Errorf(quality.KindInvalid, "body is empty: want a JSON object, a JSON array, or one JSON object per line")
	case err != nil:
		return nil, err
	case first == '[':
		_, _ = r.Discard(1) // just peeked
		return &elements{r: r}, nil
	case media == "application/json":
		return &whole{r: r}, nil
	case looksLikeLines(r):
		return &lines{r: r}, nil
	default:
		return &whole{r: r}, nil
	}
}

// firstByte skips white space and peeks at what follows. Lines skipped so would be missing from the
// count of lines, so new lines are skipped only before an array or a whole object.
func firstByte(r *bufio.Reader) (byte, error) {
	for n := 1; ; n++ {
		head, err := r.Peek(n)
		if len(head) < n {
			if errors.Is(err, bufio.ErrBufferFull) {
				return ' ', nil
			}
			return 0, err
		}
		if c := head[n-1]; !isSpace(c) {
			if c == '[' {
				_, err = r.Discard(n - 1)
			}
			return c, err
		}
	}
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }

// looksLikeLines tells one object per line from one object over several lines.
func looksLikeLines(r *bufio.Reader) bool {
	head, _ := r.Peek(sniffBytes) // shorter at the end
	line, _, more := bytes.Cut(bytes.TrimLeft(head, " \t\r\n"), []byte("\n"))
	line = bytes.TrimSpace(line)
	return !more || json.Valid(line) || bytes.HasSuffix(line, []byte("}"))
}

// lines reads NDJSON. A line that is too long is skipped without being held in memory.
type lines struct {
	r      *bufio.Reader
	line   int
	buf    []byte
	ended  bool
	filled int // records seen, to tell an empty body
}

func (l *lines) where() place { return atLine(l.line + 1) }

func (l *lines) next() (record, error) {
	for !l.ended {
		data, err := l.read()
		if err != nil && !errors.Is(err, io.EOF) {
			return record{}, err
		}
		l.ended = errors.Is(err, io.EOF)
		if l.ended && len(data) == 0 {
			break
		}
		l.line++
		if len(data) > MaxRecord {
			l.filled++
			return record{at: atLine(l.line), err: errRecordTooLarge}, nil
		}
		if data = bytes.TrimSpace(data); len(data) > 0 {
			l.filled++
			return record{at: atLine(l.line), data: data}, nil
		}
	}
	if l.filled == 0 {
		return record{}, quality.Errorf(quality.KindInvalid, "body is empty: want one JSON object per line")
	}
	return record{}, io.EOF
}

// read returns the next line, or its beginning, longer than MaxRecord, when it is too long.
func (l *lines) read() ([]byte, error) {
	l.buf = l.buf[:0]
	for {
		part, err := l.r.ReadSlice('\n')
		full := errors.Is(err, bufio.ErrBufferFull)
		if len(l.buf) == 0 && !full {
			return part, err // the common case: a whole line in the reader's buffer
		}
		if len(l.buf) <= MaxRecord {
			l.buf = append(l.buf, part...)
		}
		if !full {
			return l.buf, err
		}
	}
}

// whole reads a body that is one object.
type whole struct {
	r    *bufio.Reader
	done bool
}

func (w *whole) where() place { return atIndex(0) }

func (w *whole) next() (record, error) {
	if w.done {
		return record{}, io.EOF
	}
	w.done = true
	data, err := io.ReadAll(io.LimitReader(w.r, MaxRecord+1))
	if err != nil {
		return record{}, err
	}
	if len(data) > MaxRecord {
		return record{at: atIndex(0), err: errRecordTooLarge}, nil
	}
	return record{at: atIndex(0), data: data}, nil
}

// elements reads a JSON array behind its opening bracket. It finds where each element ends by
// brackets and strings alone, so that a bad element spoils only itself.
type elements struct {
	r     *bufio.Reader
	index int
	buf   []byte
	ended bool
}

func (e *elements) where() place { return atIndex(e.index) }

func (e *elements) next() (record, error) {
	if e.ended {
		return record{}, e.rest()
	}
	closing, err := e.element()
	if err != nil {
		return record{}, err
	}
	at := atIndex(e.index)
	e.ended = closing
	data := bytes.TrimSpace(e.buf)
	if closing && e.index == 0 && len(data) == 0 {
		return e.next() // []
	}
	e.index++
	if len(e.buf) > MaxRecord {
		return record{at: at, err: errRecordTooLarge}, nil
	}
	return record{at: at, data: data}, nil
}

// element reads up to the comma or bracket behind the element.
func (e *elements) element() (closing bool, err error) {
	e.buf = e.buf[:0]
	var s scan
	for {
		if _, err := e.r.Peek(1); err != nil {
			if errors.Is(err, io.EOF) {
				return false, quality.Errorf(quality.KindInvalid, "broken JSON: the array is not closed")
			}
			return false, err
		}
		window, _ := e.r.Peek(e.r.Buffered()) // all of it is there
		n, found := s.end(window)
		if len(e.buf) <= MaxRecord {
			e.buf = append(e.buf, window[:n]...)
		}
		if found {
			closing = window[n] == ']'
			n++
		}
		if _, err := e.r.Discard(n); err != nil {
			return false, fmt.Errorf("reading the array: %w", err)
		}
		if found {
			return closing, nil
		}
	}
}

// rest refuses anything but white space behind the array.
func (e *elements) rest() error {
	for {
		c, err := e.r.ReadByte()
		if err != nil {
			return err // io.EOF is the clean end
		}
		if !isSpace(c) {
			return quality.Errorf(quality.KindInvalid, "unexpected data after the JSON array: %.20q", string(c))
		}
	}
}

// scan follows strings and brackets over the pieces of an element.
type scan struct {
	depth, deepest   int
	inString, escape bool
}

// end returns where the element ends in a piece, or the piece's length.
func (s *scan) end(piece []byte) (n int, found bool) {
	for i, c := range piece {
		switch {
		case s.escape:
			s.escape = false
		case s.inString:
			s.escape, s.inString = c == '\\', c != '"'
		case c == '"':
			s.inString = true
		case c == '{' || c == '[':
			s.depth++
			s.deepest = max(s.deepest, s.depth)
		case s.depth == 0 && (c == ',' || c == ']'):
			return i, true
		case c == '}' || c == ']':
			s.depth = max(s.depth-1, 0)
		}
	}
	return len(piece), false
}
