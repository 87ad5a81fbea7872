package ledger

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/asgood-dev/asgood/internal/quality"
)

// Limits on what a sender may send.
const (
	maxBody   = 4 << 20  // bytes of a body of changes, decompressed
	maxHook   = 25 << 20 // bytes of a webhook; GitHub sends no larger ones
	maxChange = 64 << 10 // bytes of one change
)

// place says where in a body a record was found.
type place struct {
	line  int // 0 when the body has no lines
	index int
}

// readBody reads a whole body. Its errors have a kind.
func readBody(r *http.Request, most int64) ([]byte, error) {
	var src io.Reader = r.Body
	switch encoding := strings.ToLower(strings.TrimSpace(r.Header.Get("Content-Encoding"))); encoding {
	case "", "identity":
	case "gzip":
		unpacked, err := gzip.NewReader(io.LimitReader(r.Body, most))
		if err != nil {
			return nil, quality.Errorf(quality.KindInvalid, "body is not what Content-Encoding says: %w", err)
		}
		src = unpacked
	default:
		return nil, quality.Errorf(quality.KindInvalid, "Content-Encoding %.40q is not known here (known: gzip, identity)", encoding)
	}
	data, err := io.ReadAll(io.LimitReader(src, most+1))
	if err != nil {
		return nil, quality.Errorf(quality.KindInvalid, "reading the body: %w", err)
	}
	if int64(len(data)) > most {
		return nil, quality.Errorf(quality.KindTooLarge, "body is larger than the limit of %d MiB", most>>20)
	}
	return data, nil
}

// record is one record of a body.
type record struct {
	at   place
	data []byte
}

// records parts a body into an object, the elements of an array, or lines. The error is about the body from
// some place on; the records before it stand.
func records(body []byte, contentType string) ([]record, error) {
	body = bytes.TrimPrefix(body, []byte("\xef\xbb\xbf"))
	trimmed := bytes.TrimSpace(body)
	media, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		media = "" // what cannot be read is guessed
	}
	switch {
	case len(trimmed) == 0:
		return nil, quality.Errorf(quality.KindInvalid, "body is empty: want a JSON object, a JSON array, or one JSON object per line")
	case strings.Contains(media, "ndjson") || strings.Contains(media, "jsonl"):
		return lines(body), nil
	case trimmed[0] == '[':
		return elements(trimmed[1:])
	case media != "application/json" && !json.Valid(trimmed) && bytes.IndexByte(trimmed, '\n') >= 0:
		return lines(body), nil
	default:
		return []record{{data: trimmed}}, nil
	}
}

func lines(body []byte) (out []record) {
	n := 0
	for line := range bytes.SplitSeq(body, []byte("\n")) {
		n++
		if line = bytes.TrimSpace(line); len(line) > 0 {
			out = append(out, record{place{line: n}, line})
		}
	}
	return out
}

// elements parts an array behind its opening bracket by brackets and strings alone, so that a bad element
// spoils only itself.
func elements(body []byte) (out []record, err error) {
	depth, from := 0, 0
	inString, escape := false, false
	for i, c := range body {
		switch {
		case escape:
			escape = false
		case inString:
			escape, inString = c == '\\', c != '"'
		case c == '"':
			inString = true
		case c == '{' || c == '[':
			depth++
		case depth == 0 && (c == ',' || c == ']'):
			element := bytes.TrimSpace(body[from:i])
			if c == ',' || len(element) > 0 || len(out) > 0 {
				out = append(out, record{place{index: len(out)}, element})
			}
			from = i + 1
			if c == ']' {
				return out, behind(body[from:])
			}
		case c == '}' || c == ']':
			depth = max(depth-1, 0)
		}
	}
	return out, quality.Errorf(quality.KindInvalid, "index %d: broken JSON: the array is not closed", len(out))
}

// behind refuses anything behind the array.
func behind(rest []byte) error {
	if rest = bytes.TrimSpace(rest); len(rest) > 0 {
		return quality.Errorf(quality.KindInvalid, "unexpected data after the JSON array: %.20q", rest)
	}
	return nil
}

// decodeChange reads one change strictly: a field that a change does not have is refused by its name.
func decodeChange(data []byte) (c quality.Change, err error) {
	switch {
	case len(data) > maxChange:
		return c, quality.Errorf(quality.KindTooLarge, "change is larger than the limit of %d KiB", maxChange>>10)
	case !utf8.Valid(data):
		return c, quality.Errorf(quality.KindInvalid, "not valid UTF-8")
	case len(data) == 0 || data[0] != '{':
		return c, quality.Errorf(quality.KindInvalid, "want a JSON object, got %.20q", data)
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&c); err != nil {
		return c, quality.Errorf(quality.KindInvalid, "%w", plain(err))
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return c, quality.Errorf(quality.KindInvalid, "unexpected data after the JSON object")
	}
	return c, nil
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
		return fmt.Errorf("field %q: got %s, which does not fit", wrong.Field, wrong.Value)
	}
	text := err.Error()
	if strings.HasPrefix(text, "parsing time") || strings.HasPrefix(text, "Time.UnmarshalJSON") {
		return fmt.Errorf("want times such as 2026-03-01T12:00:00Z: %s", text)
	}
	return errors.New(strings.TrimPrefix(text, "json: "))
}
