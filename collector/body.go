package collector

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/asgood-dev/asgood/internal/quality"
)

// openBody returns the request's body, decompressed and limited. Its errors have a kind.
func openBody(r *http.Request) (io.Reader, error) {
	encoding := strings.ToLower(strings.TrimSpace(r.Header.Get("Content-Encoding")))
	packed := bufio.NewReaderSize(&limited{src: r.Body, left: MaxCompressed, limit: "compressed body", max: MaxCompressed}, 32<<10)
	var unpacked io.Reader
	var err error
	switch encoding {
	case "", "identity":
		return &limited{src: r.Body, left: MaxBody, limit: "body", max: MaxBody}, nil
	case "gzip":
		unpacked, err = gzip.NewReader(packed)
	case "zstd":
		unpacked, err = newZstd(packed)
	default:
		return nil, quality.Errorf(quality.KindInvalid, "Content-Encoding %.40q is not known here (known: gzip, zstd, identity)", encoding)
	}
	if err != nil {
		return nil, bodyError(err)
	}
	return &limited{src: unpacked, left: MaxBody, limit: "decompressed body", max: MaxBody}, nil
}

// zstdWindow bounds what a frame may ask to be held in memory; senders use 8 MiB at most.
const zstdWindow = 8 << 20

// newZstd decodes in the caller's goroutine, so that a reader that is left alone holds nothing but memory.
func newZstd(packed io.Reader) (io.Reader, error) {
	return zstd.NewReader(packed, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(zstdWindow))
}

// limited fails with the name of the limit once more than it was read.
type limited struct {
	src   io.Reader
	left  int64
	limit string
	max   int
}

func (l *limited) Read(p []byte) (int, error) {
	if l.left < 0 {
		return 0, l.exceeded()
	}
	// One byte more than is left tells a body of exactly the limit from a longer one.
	if int64(len(p)) > l.left+1 {
		p = p[:l.left+1]
	}
	n, err := l.src.Read(p)
	l.left -= int64(n)
	if l.left < 0 {
		return n - 1, l.exceeded()
	}
	if err != nil && !errors.Is(err, io.EOF) {
		err = bodyError(err)
	}
	return n, err
}

func (l *limited) exceeded() error {
	return quality.Errorf(quality.KindTooLarge, "%s is larger than the limit of %s", l.limit, sizeText(l.max))
}

// bodyError gives an error of reading the body its kind.
func bodyError(err error) error {
	var known *quality.Error
	if errors.As(err, &known) {
		return known
	}
	if errors.Is(err, zstd.ErrWindowSizeExceeded) || errors.Is(err, zstd.ErrDecoderSizeExceeded) {
		return quality.Errorf(quality.KindTooLarge, "compressed body asks for a window of more than %s", sizeText(zstdWindow))
	}
	if errors.Is(err, gzip.ErrHeader) || errors.Is(err, zstd.ErrMagicMismatch) || errors.Is(err, zstd.ErrCRCMismatch) || errors.Is(err, gzip.ErrChecksum) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return quality.Errorf(quality.KindInvalid, "body is cut short or is not what Content-Encoding says: %w", err)
	}
	return quality.Errorf(quality.KindInvalid, "reading the body: %w", err)
}

func sizeText(bytes int) string { return fmt.Sprintf("%d MiB", bytes>>20) }
