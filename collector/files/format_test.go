package files_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/asgood-dev/asgood/collector/files"
	"github.com/asgood-dev/asgood/internal/quality"
)

func gzipped(t testing.TB, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func zstded(t testing.TB, data []byte) []byte {
	t.Helper()
	w, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	return w.EncodeAll(data, nil)
}

func TestFormatsAreTold(t *testing.T) {
	csv, ndjson, parquet := []byte("o\nx\n"), []byte(`{"o":"x"}`+"\n"), parquetOf(t, []table{{O: "x"}})
	for name, data := range map[string][]byte{
		"a.csv": csv, "a.CSV.GZ": gzipped(t, csv), "a.csv.zst": zstded(t, csv), "a": csv, "b": gzipped(t, csv), "a.tsv": csv,
		"a.ndjson": ndjson, "a.jsonl.gz": gzipped(t, ndjson), "c": ndjson, "d": zstded(t, ndjson), "e.txt": ndjson,
		"a.parquet": parquet, "f": parquet,
	} {
		if r := readFile(t, write(t, name, data), options(t, "output=o")); strings.Join(outputs(r), "") != "x" {
			t.Errorf("%s: got %+v %s", name, r.samples, r.report())
		}
		o := options(t, "output=o")
		o.Stdin = bytes.NewReader(data)
		if strings.Contains(name, ".") {
			continue // a stream has no name to tell by
		}
		if r := readFile(t, "-", o); strings.Join(outputs(r), "") != "x" {
			t.Errorf("%s as a stream: got %+v %s", name, r.samples, r.report())
		}
	}
	if _, err := files.ParseFormat("xlsx"); quality.KindOf(err) != quality.KindInvalid {
		t.Errorf("got %v", err)
	}
	o := options(t, "output=o")
	for text, want := range map[string]bool{";": true, "tab": true, `\t`: true, "": true, `"`: false, "ab": false, "ü": false, "\n": false} {
		if _, err := files.ParseDelimiter(text); (err == nil) != want {
			t.Errorf("delimiter %q: got %v", text, err)
		}
	}
	o.Delimiter = ';'
	if r := readText(t, files.CSV, "a;o\n\"1;2\";x,y\n", o); strings.Join(outputs(r), "") != "x,y" {
		t.Errorf("got %+v %s", r.samples, r.report())
	}
}

func TestBrokenCompressionEndsTheFile(t *testing.T) {
	text := "o\n" + strings.Repeat("some text\n", 200_000)
	packed := gzipped(t, []byte(text))
	r := readFile(t, write(t, "a.csv.gz", packed[:len(packed)-20]), options(t, "output=o"))
	if quality.KindOf(r.err) != quality.KindInvalid || len(r.samples) == 0 || !strings.Contains(r.err.Error(), "cut short") {
		t.Errorf("got %d samples and %v", len(r.samples), r.err)
	}
}
