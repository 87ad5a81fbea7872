package files

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/asgood-dev/asgood/internal/quality"
)

// HeadBytes are how many bytes at its beginning a file is known by.
const HeadBytes = 64 << 10

var (
	parquetMagic  = []byte("PAR1")
	gzipMagic     = []byte{0x1f, 0x8b}
	zstdMagic     = []byte{0x28, 0xb5, 0x2f, 0xfd}
	byteOrderMark = []byte("\xef\xbb\xbf")
)

// input is the bytes of a file, or of a stream.
type input struct {
	file   *os.File // nil for a stream
	stream io.Reader
	size   int64    // -1 when unknown
	read   int64    // bytes taken from the file
	packed string   // the compression, if any
	opened bool     // unpack was called
	head   [32]byte // SHA-256 of the first bytes, unpacked
	text   *bufio.Reader
	free   func() // of what unpacks
	spool  *os.File
}

func openInput(name string, stdin io.Reader) (*input, error) {
	in := &input{size: -1, stream: stdin}
	if name == "-" {
		if stdin == nil {
			return nil, quality.Errorf(quality.KindInvalid, "there is no standard input")
		}
		if f, ok := stdin.(*os.File); ok { // a file given to the shell is one all the same
			if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
				in.size = info.Size()
			}
		}
		in.restart()
		return in, nil
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, quality.Errorf(quality.KindInvalid, "%w", err)
	}
	info, err := f.Stat()
	if err == nil && info.IsDir() {
		err = quality.Errorf(quality.KindInvalid, "%s is a directory", name)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	if in.file = f; info.Mode().IsRegular() {
		in.size = info.Size()
	} else {
		in.file, in.stream, in.spool = nil, f, f // a pipe with a name; spool is what close closes
	}
	in.restart()
	return in, nil
}

// Read counts what is taken.
func (in *input) Read(p []byte) (int, error) {
	var src io.Reader = in.file
	if in.file == nil {
		src = in.stream
	}
	n, err := src.Read(p)
	in.read += int64(n)
	return n, err
}

func (in *input) restart() { in.text = bufio.NewReaderSize(in, HeadBytes) }

// peek returns the next bytes, fewer at the end.
func (in *input) peek(n int) ([]byte, error) {
	head, err := in.text.Peek(n)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, in.broken(err)
	}
	return head, nil
}

// keepHead keeps the SHA-256 of the text's first bytes. The text must be at its beginning.
func (in *input) keepHead() error {
	head, err := in.peek(HeadBytes)
	in.head = sha256.Sum256(head)
	return err
}

func fileHead(f *os.File) ([32]byte, error) {
	head := make([]byte, HeadBytes)
	n, err := f.ReadAt(head, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return [32]byte{}, fmt.Errorf("reading its beginning: %w", err)
	}
	return sha256.Sum256(head[:n]), nil
}

// zstdWindow bounds what a frame may ask to be held in memory; the strongest usual setting asks for 128 MiB.
const zstdWindow = 128 << 20

// unpack puts the unpacking of gzip or zstd between, when the bytes begin so.
func (in *input) unpack() error {
	if in.opened {
		return nil
	}
	in.opened = true
	head, err := in.peek(len(zstdMagic))
	if err != nil {
		return err
	}
	var unpacked io.Reader
	switch {
	case bytes.HasPrefix(head, gzipMagic):
		in.packed = "gzip"
		unpacked, err = gzip.NewReader(in.text)
	case bytes.HasPrefix(head, zstdMagic):
		in.packed = "zstd"
		var d *zstd.Decoder
		if d, err = zstd.NewReader(in.text, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(zstdWindow)); err == nil {
			unpacked, in.free = d, d.Close
		}
	default:
		return nil
	}
	if err != nil {
		return in.broken(err)
	}
	in.text = bufio.NewReaderSize(unpacked, HeadBytes)
	return nil
}

// goTo goes to a place of the text. What is compressed is unpacked up to there.
func (in *input) goTo(offset int64) error {
	if in.file == nil {
		return quality.Errorf(quality.KindInvalid, "a stream cannot be taken up where it was left")
	}
	at := offset
	if in.packed != "" {
		at = 0
	}
	if _, err := in.file.Seek(at, io.SeekStart); err != nil {
		return fmt.Errorf("seeking: %w", err)
	}
	in.release()
	in.read = at
	in.restart()
	if in.packed == "" {
		return nil
	}
	in.opened = false
	if err := in.unpack(); err != nil {
		return err
	}
	if _, err := io.CopyN(io.Discard, in.text, offset); err != nil {
		return in.broken(err)
	}
	return nil
}

// random returns the whole for reading at any place; a stream is put into a temporary file, which has no
// name any more.
func (in *input) random() (io.ReaderAt, int64, error) {
	if in.file != nil {
		return in.file, in.size, nil
	}
	f, err := os.CreateTemp("", "asgood-import-*")
	if err != nil {
		return nil, 0, fmt.Errorf("putting standard input on disk: %w", err)
	}
	if err := os.Remove(f.Name()); err != nil {
		return nil, 0, errors.Join(err, f.Close())
	}
	n, err := io.Copy(f, io.LimitReader(in.text, MaxSpool+1))
	if err == nil && n > MaxSpool {
		err = quality.Errorf(quality.KindTooLarge, "a Parquet stream of more than %d GiB: import it from a file", MaxSpool>>30)
	}
	if err != nil {
		return nil, 0, errors.Join(err, f.Close())
	}
	in.file, in.size = f, n
	return f, n, nil
}

// fraction is how much of the bytes was taken.
func (in *input) fraction() float64 {
	if in.size <= 0 {
		return -1
	}
	return min(1, float64(in.read)/float64(in.size))
}

// broken says that the bytes themselves cannot be read.
func (in *input) broken(err error) error {
	if in.packed == "" {
		return fmt.Errorf("reading: %w", err)
	}
	return quality.Errorf(quality.KindInvalid, "the %s compression is broken or cut short: %w", in.packed, err)
}

func (in *input) release() {
	if in.free != nil {
		in.free()
		in.free = nil
	}
}

func (in *input) close() error {
	in.release()
	var errs []error
	for _, f := range []*os.File{in.file, in.spool} {
		if f != nil {
			errs = append(errs, f.Close())
		}
	}
	in.file, in.spool = nil, nil
	return errors.Join(errs...)
}

// Identity is what a file is known by between two runs.
type Identity struct {
	Size int64     `json:"size"`
	Time time.Time `json:"time"` // of its last change
	Head string    `json:"head"` // SHA-256 of its first 64 KiB
}

// Equal reports whether two files are the same by all signs.
func (id Identity) Equal(other Identity) bool {
	return id.Size == other.Size && id.Head == other.Head && id.Time.Equal(other.Time)
}

// Identity returns what the file is known by; ok is false for one that cannot be taken up again.
func (f *File) Identity() (id Identity, ok bool, err error) {
	if f.name == "-" || f.in.file == nil || f.in.spool != nil {
		return id, false, nil
	}
	info, err := f.in.file.Stat()
	if err != nil {
		return id, false, fmt.Errorf("%s: %w", f.name, err)
	}
	head, err := fileHead(f.in.file)
	return Identity{Size: info.Size(), Time: info.ModTime().UTC(), Head: hex.EncodeToString(head[:])}, true, err
}
