package files

import (
	"bufio"
	"bytes"
	"errors"
	"io"

	"github.com/asgood-dev/asgood/internal/quality"
)

var errRowTooLarge = quality.Errorf(quality.KindTooLarge, "the row is larger than the limit of %d MiB", MaxRow>>20)

// lineReader reads lines of a text. One that is too long is skipped without being held in memory.
type lineReader struct {
	in  *input
	buf []byte
}

// read returns the next line with its end, and how many bytes it takes. A line that is too long comes
// without its bytes.
func (l *lineReader) read() (line []byte, size int64, err error) {
	l.buf = l.buf[:0]
	for {
		part, err := l.in.text.ReadSlice('\n')
		size += int64(len(part))
		full := errors.Is(err, bufio.ErrBufferFull)
		if err != nil && !full && !errors.Is(err, io.EOF) {
			return nil, size, l.in.broken(err)
		}
		if len(l.buf) == 0 && !full {
			return part, size, end(err, size) // the common case: a whole line in the reader's buffer
		}
		if size <= MaxRow {
			l.buf = append(l.buf, part...)
		}
		if full {
			continue
		}
		if size > MaxRow {
			return nil, size, errRowTooLarge
		}
		return l.buf, size, end(err, size)
	}
}

// end is the end of the text only when nothing was before it.
func end(err error, size int64) error {
	if err != nil && size == 0 {
		return io.EOF
	}
	return nil
}

// bare is a line without its end.
func bare(line []byte) []byte {
	return bytes.TrimSuffix(bytes.TrimSuffix(line, []byte("\n")), []byte("\r"))
}

// skipMark skips the byte order mark of UTF-8 and refuses those of other encodings.
func skipMark(in *input) (skipped int64, err error) {
	head, err := in.peek(len(byteOrderMark))
	if err != nil {
		return 0, err
	}
	if bytes.Equal(head, byteOrderMark) {
		n, err := in.text.Discard(len(byteOrderMark))
		return int64(n), err
	}
	if bytes.HasPrefix(head, []byte{0xff, 0xfe}) || bytes.HasPrefix(head, []byte{0xfe, 0xff}) {
		return 0, quality.Errorf(quality.KindInvalid, "the text is in UTF-16: turn it into UTF-8 first, for example with iconv -f UTF-16 -t UTF-8")
	}
	return 0, nil
}
