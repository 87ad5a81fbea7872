package parquet_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"unicode/utf8"

	pq "github.com/parquet-go/parquet-go"

	"github.com/asgood-dev/asgood/collector/files/parquet"
	"github.com/asgood-dev/asgood/internal/quality"
)

// fuzzRows and fuzzBytes bound what one input may cost. What a page says may be much more than it takes, up
// to the limits of a page.
const (
	fuzzRows  = 2000
	fuzzBytes = 2 << 30
)

// FuzzFile reads any file. Whatever it says of itself, reading ends, takes bounded memory, and gives texts.
func FuzzFile(f *testing.F) {
	for _, version := range []int{1, 2} {
		f.Add(written(f, rows(5), pq.DataPageVersion(version)))
		f.Add(written(f, rows(9), pq.DataPageVersion(version), pq.Compression(&pq.Zstd), pq.MaxRowsPerRowGroup(4)))
		f.Add(written(f, rows(5)[:2], pq.DataPageVersion(version), pq.Compression(&pq.Snappy)))
	}
	paths, err := filepath.Glob(filepath.Join("testdata", "foreign", "*.parquet"))
	if err != nil {
		f.Fatal(err)
	}
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		readAll(t, data)
		if runtime.ReadMemStats(&after); after.TotalAlloc-before.TotalAlloc > fuzzBytes {
			t.Errorf("%d bytes of input took %d MiB", len(data), (after.TotalAlloc-before.TotalAlloc)>>20)
		}
	})
}

func readAll(t *testing.T, data []byte) {
	t.Helper()
	file, err := parquet.Open(bytes.NewReader(data), int64(len(data)), nil)
	if err != nil {
		if quality.KindOf(err) != quality.KindInvalid {
			t.Errorf("got %v, want an invalid error", err)
		}
		return
	}
	if _, err := file.Choose(file.Columns()); err != nil {
		return
	}
	for n := 0; n < fuzzRows; n++ {
		values, err := file.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		for _, v := range values {
			if len(v.Text) > parquet.MaxValue || !utf8.ValidString(v.Text) {
				t.Errorf("got a text of %d bytes, valid: %v", len(v.Text), utf8.ValidString(v.Text))
			}
		}
	}
}
