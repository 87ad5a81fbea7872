package collector

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/asgood-dev/asgood/internal/quality"
	"github.com/asgood-dev/asgood/internal/wire"
)

// decoder reads records strictly: a field that a T does not have is refused by its name. It keeps its
// buffer from record to record; the zero value is ready.
type decoder[T any] struct {
	src oneRecord
	dec *json.Decoder
}

// oneRecord gives the JSON decoder a record and then the end.
type oneRecord struct{ rest []byte }

func (r *oneRecord) Read(p []byte) (int, error) {
	if len(r.rest) == 0 {
		return 0, io.EOF
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

// decode reads one record, which must be a T and nothing else.
func (d *decoder[T]) decode(record []byte) (T, error) {
	var s T
	if !utf8.Valid(record) {
		return s, quality.Errorf(quality.KindInvalid, "not valid UTF-8 at byte %d", invalidAt(record)+1)
	}
	if first := bytes.TrimLeft(record, " \t\r\n"); len(first) == 0 || first[0] != '{' {
		return s, quality.Errorf(quality.KindInvalid, "want a JSON object, got %.20q", first)
	}
	// The quick decoder knows less to say of what is wrong, so what it refuses is read again.
	if wire.UnmarshalStrict(record, &s) == nil {
		return s, nil
	}
	return d.explain(record)
}

// explain reads a record slowly: it says what is wrong in the sender's words, or takes what only the quick
// decoder minds, such as names in another case.
func (d *decoder[T]) explain(record []byte) (s T, err error) {
	if d.dec == nil {
		d.dec = json.NewDecoder(&d.src)
		d.dec.DisallowUnknownFields()
	}
	d.src.rest = record
	err = d.dec.Decode(&s)
	if err == nil {
		err = d.trailing()
	}
	if err != nil {
		d.dec = nil // its buffer may hold the rest of what was wrong
		return s, quality.Errorf(quality.KindInvalid, "%w", plain(err))
	}
	return s, nil
}

// trailing refuses anything but white space behind the record. The decoder stops at the object's last
// brace, so the rest is in its buffer or still with the source.
func (d *decoder[T]) trailing() error {
	buffered, ok := d.dec.Buffered().(*bytes.Reader)
	if !ok {
		return errors.New("the JSON decoder's buffer cannot be read")
	}
	rest := make([]byte, min(buffered.Len(), 20))
	n, _ := buffered.Read(rest) // at the end n is 0
	rest = bytes.TrimLeft(append(rest[:n], d.src.rest...), " \t\r\n")
	if len(rest) > 0 {
		return fmt.Errorf("unexpected data after the JSON object: %.20q", rest)
	}
	return nil
}

// plain says an error of the JSON package in the words of the sender.
func plain(err error) error {
	var syntax *json.SyntaxError
	var wrong *json.UnmarshalTypeError
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return errors.New("broken JSON: it ends too early")
	case errors.As(err, &syntax):
		return fmt.Errorf("broken JSON at byte %d: %s", syntax.Offset, syntax.Error())
	case errors.As(err, &wrong):
		return fmt.Errorf("field %q: want %s, got %s", wireName(wrong.Field), typeText(wrong.Type.String()), wrong.Value)
	}
	text := strings.TrimPrefix(err.Error(), "json: ")
	return errors.New(text)
}

// wireName drops the names of embedded Go types from a path: no name on the wire begins with a capital.
func wireName(path string) string {
	parts := slices.DeleteFunc(strings.Split(path, "."), func(p string) bool { return p != "" && p[0] >= 'A' && p[0] <= 'Z' })
	return strings.Join(parts, ".")
}

// typeText names a Go type as JSON knows it.
func typeText(goType string) string {
	switch {
	case goType == "string":
		return "a string"
	case strings.HasPrefix(goType, "uint"):
		return "a whole number that is not negative"
	case strings.HasPrefix(goType, "float"):
		return "a number"
	case strings.HasPrefix(goType, "[]"):
		return "a list"
	default:
		return "an object"
	}
}

func invalidAt(b []byte) int {
	for i := 0; i < len(b); {
		r, n := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && n == 1 {
			return i
		}
		i += n
	}
	return len(b)
}
