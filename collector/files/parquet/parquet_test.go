package parquet_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	pq "github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress"

	"github.com/asgood-dev/asgood/collector/files/parquet"
	"github.com/asgood-dev/asgood/internal/quality"
)

func open(t testing.TB, data []byte, columns ...string) *parquet.File {
	t.Helper()
	f, err := parquet.Open(bytes.NewReader(data), int64(len(data)), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Choose(columns); err != nil {
		t.Fatal(err)
	}
	return f
}

// texts reads all rows, as texts joined by bars; a null is a dash.
func texts(t testing.TB, f *parquet.File) (rows []string, errs []error) {
	t.Helper()
	for {
		values, err := f.Next()
		if errors.Is(err, io.EOF) {
			return rows, errs
		}
		if err != nil {
			errs = append(errs, err)
			continue
		}
		var cells []string
		for _, v := range values {
			if v.Kind == parquet.Null {
				v.Text = "-"
			}
			cells = append(cells, v.Text)
		}
		rows = append(rows, strings.Join(cells, "|"))
	}
}

func written[T any](t testing.TB, rows []T, options ...pq.WriterOption) []byte {
	t.Helper()
	var b bytes.Buffer
	w := pq.NewGenericWriter[T](&b, options...)
	if _, err := w.Write(rows); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestForeignWriters reads files that pyarrow 26 and DuckDB 2 wrote of the rows in rows.ndjson: every type,
// both versions of pages, dictionaries, deltas, run lengths of booleans, nested lists and maps.
func TestForeignWriters(t *testing.T) {
	dir := filepath.Join("testdata", "foreign")
	want := foreignRows(t, filepath.Join(dir, "rows.ndjson"))
	paths, err := filepath.Glob(filepath.Join(dir, "*.parquet"))
	if err != nil || len(paths) < 4 {
		t.Fatalf("got %d files (%v), want 4 and more", len(paths), err)
	}
	var names []string
	for name := range want[0] {
		names = append(names, name)
	}
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		f := open(t, data, names...)
		for i := range want {
			values, err := f.Next()
			if err != nil {
				t.Fatalf("%s, row %d: %v", path, i+1, err)
			}
			for k, v := range values {
				if got := foreignValue(t, names[k], v); !reflect.DeepEqual(got, want[i][names[k]]) {
					t.Fatalf("%s, row %d, %s: got %v, want %v", path, i+1, names[k], got, want[i][names[k]])
				}
			}
		}
		if _, err := f.Next(); !errors.Is(err, io.EOF) {
			t.Errorf("%s: got %v behind the last row", path, err)
		}
	}
}

func foreignRows(t *testing.T, path string) (rows []map[string]any) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var row map[string]any
		if err := json.Unmarshal(lines.Bytes(), &row); err != nil {
			t.Fatal(err)
		}
		row["f32"] = float64(float32(row["f32"].(float64)))
		rows = append(rows, row)
	}
	return rows
}

// foreignValue is a value as rows.ndjson has it: times in microseconds, decimals as text.
func foreignValue(t *testing.T, column string, v parquet.Value) (x any) {
	t.Helper()
	switch {
	case v.Kind == parquet.Null:
		return nil
	case column == "ts" || column == "tn":
		return float64(v.Time.UnixMicro())
	case column == "d":
		return v.Time.Format(time.DateOnly)
	case v.Kind == parquet.Text || column == "dec" || column == "dec38":
		return v.Text
	}
	if err := json.Unmarshal([]byte(v.Text), &x); err != nil {
		t.Fatalf("%s: %q: %v", column, v.Text, err)
	}
	if column == "f32" {
		return float64(float32(x.(float64)))
	}
	return x
}

type row struct {
	ID      int64     `parquet:"id"`
	Text    string    `parquet:"text,dict"`
	Maybe   *string   `parquet:"maybe,optional"`
	Delta   string    `parquet:"delta,delta"`
	Score   float64   `parquet:"score,split"`
	Money   int64     `parquet:"money,decimal(2:18)"`
	When    time.Time `parquet:"when,timestamp(millisecond)"`
	Day     int32     `parquet:"day,date"`
	UUID    [16]byte  `parquet:"uuid,uuid"`
	Small   uint32    `parquet:"small"`
	Big     uint64    `parquet:"big"`
	Request struct {
		Text string `parquet:"text"`
		A    struct {
			B *int32 `parquet:"b,optional"`
		} `parquet:"a.b"`
	} `parquet:"request"`
	Chat []turn            `parquet:"chat,list"`
	Tags map[string]string `parquet:"tags"`
	JSON string            `parquet:"json,json"`
}

type turn struct {
	Role    string  `parquet:"role"`
	Content *string `parquet:"content,optional"`
}

func rows(n int) []row {
	out := make([]row, n)
	for i := range out {
		r := &out[i]
		r.ID, r.Text, r.Delta = int64(i), fmt.Sprint("text", i%3), fmt.Sprint("prefix", i)
		r.Score, r.Money, r.Small, r.Big = float64(i)/4, int64(i-5), math.MaxUint32, math.MaxUint64
		r.When, r.Day = time.UnixMilli(1772366400123+int64(i)), 20513
		r.UUID[15] = byte(i)
		r.Request.Text = "q"
		r.Chat = make([]turn, i%3)
		for k := range r.Chat {
			r.Chat[k].Role = "user"
			if k == 1 {
				r.Chat[k].Content = &r.Text
			}
		}
		if i%2 == 1 {
			r.Maybe, r.Request.A.B = &r.Delta, &r.Day
			r.Tags = map[string]string{"k": "\"\n"}
		}
		r.JSON = `{"a": [1, 2]}`
	}
	return out
}

func TestColumns(t *testing.T) {
	data := written(t, rows(6), pq.Compression(&pq.Zstd))
	for column, want := range map[string]string{ // of the rows 4 and 5
		"id": "4,5", "text": "text1,text2", "maybe": "-,prefix5", "delta": "prefix4,prefix5", "score": "1,1.25", "money": "-0.01,0",
		"when": "2026-03-01T12:00:00.127Z,2026-03-01T12:00:00.128Z", "day": "2026-03-01T00:00:00Z,2026-03-01T00:00:00Z",
		"uuid":  "00000000-0000-0000-0000-000000000004,00000000-0000-0000-0000-000000000005",
		"small": "4294967295,4294967295", "big": "18446744073709551615,18446744073709551615",
		"request.text": "q,q", "request.a.b": `{"b":null},{"b":20513}`, "request": `{"text":"q","a.b":{"b":null}},{"text":"q","a.b":{"b":20513}}`,
		"chat": `[{"role":"user","content":null}],[{"role":"user","content":null},{"role":"user","content":"text2"}]`,
		"tags": `{},{"k":"\u0022\u000a"}`, "json": `{"a": [1, 2]},{"a": [1, 2]}`,
	} {
		got, errs := texts(t, open(t, data, column))
		want = strings.ReplaceAll(want, `\u0022`, `\"`)
		if len(errs) > 0 || len(got) != 6 || strings.Join(got[4:], ",") != want {
			t.Errorf("%s: got %v %v, want %s", column, got, errs, want)
		}
	}
}

func TestChoose(t *testing.T) {
	data := written(t, rows(1))
	f := open(t, data)
	for path, want := range map[string]string{"chat.0.content": "0.content", "json.a.1": "a.1", "tags.k": "k", "request.text": ""} {
		if rests, err := f.Choose([]string{path}); err != nil || rests[0] != want {
			t.Errorf("%s: got %q (%v), want %q", path, rests, err, want)
		}
	}
	for _, path := range []string{"", "no", "request.no", "text.more", "request.text.more"} {
		if _, err := f.Choose([]string{path}); quality.KindOf(err) != quality.KindInvalid || !strings.Contains(err.Error(), "request.text") {
			t.Errorf("%q: got %v, want an error that lists the columns", path, err)
		}
	}
}

// TestGoTo goes to each row, over row groups and pages of several sizes and both versions.
func TestGoTo(t *testing.T) {
	const n = 40
	for _, version := range []int{1, 2} {
		data := written(t, rows(n), pq.DataPageVersion(version), pq.PageBufferSize(64), pq.MaxRowsPerRowGroup(17))
		f := open(t, data, "id", "text", "maybe", "chat")
		all, errs := texts(t, f)
		if len(all) != n || len(errs) > 0 {
			t.Fatalf("got %d rows, %v", len(all), errs)
		}
		for i := range n + 1 {
			f.GoTo(int64(i))
			if f.Row() != int64(i) {
				t.Errorf("row %d: got %d", i, f.Row())
			}
			if got, errs := texts(t, f); strings.Join(got, "\n") != strings.Join(all[i:], "\n") || len(errs) > 0 {
				t.Fatalf("version %d, from row %d: got %d rows, %v, want %d", version, i, len(got), errs, n-i)
			}
		}
	}
}

func TestCompressions(t *testing.T) {
	want, _ := texts(t, open(t, written(t, rows(200)), "id", "text", "chat"))
	for _, codec := range []compress.Codec{&pq.Snappy, &pq.Gzip, &pq.Brotli, &pq.Zstd, &pq.Lz4Raw, &pq.Uncompressed} {
		for _, version := range []int{1, 2} {
			data := written(t, rows(200), pq.Compression(codec), pq.DataPageVersion(version))
			if got, errs := texts(t, open(t, data, "id", "text", "chat")); !reflect.DeepEqual(got, want) {
				t.Errorf("%v, version %d: got %d rows, %v", codec, version, len(got), errs)
			}
		}
	}
}

// TestABrokenPageSpoilsItsRowGroup breaks a byte in the first row group; the others are read.
func TestABrokenPageSpoilsItsRowGroup(t *testing.T) {
	data := written(t, rows(30), pq.MaxRowsPerRowGroup(10), pq.Compression(&pq.Snappy))
	data[30] ^= 0xff
	got, errs := texts(t, open(t, data, "id"))
	var lost *parquet.LostError
	if len(got) != 20 || len(errs) != 1 || !errors.As(errs[0], &lost) || lost.Rows != 10 || quality.KindOf(errs[0]) != quality.KindInvalid {
		t.Errorf("got %d rows, %v", len(got), errs)
	}
}

func TestOpenRefuses(t *testing.T) {
	good := written(t, rows(3))
	footer := func(text string, length uint32) []byte {
		b := append([]byte("PAR1"), text...)
		return append(b, byte(length), byte(length>>8), byte(length>>16), byte(length>>24), 'P', 'A', 'R', '1')
	}
	for name, data := range map[string][]byte{
		"nothing": nil, "text": []byte("a,b,c,d,e,f,g\n"), "cut": good[:len(good)-3], "head only": good[:100],
		"encrypted":               append(append([]byte{}, good[:len(good)-4]...), "PARE"...),
		"a footer of 4 GiB":       footer("", math.MaxUint32),
		"a list of two billion":   footer("\x29\xfc\xff\xff\xff\xff\x07", 7),
		"a list of empty structs": footer("\x29\xfc\x40"+strings.Repeat("\x00", 64), 67),
		"a text of two billion":   footer("\x68\xff\xff\xff\xff\x07", 6),
		"deep nesting":            footer(strings.Repeat("\x1c", 500), 500),
		"no schema":               footer("\x00", 1),
	} {
		if _, err := parquet.Open(bytes.NewReader(data), int64(len(data)), nil); quality.KindOf(err) != quality.KindInvalid {
			t.Errorf("%s: got %v, want an invalid error", name, err)
		}
	}
}

// BenchmarkRows reads rows of 1 KB and five columns.
func BenchmarkRows(b *testing.B) {
	all := rows(10_000)
	for i := range all {
		all[i].Delta = strings.Repeat("It is so and not otherwise. ", 35)
	}
	data := written(b, all, pq.Compression(&pq.Snappy))
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		f := open(b, data, "id", "text", "delta", "when", "score")
		for {
			if _, err := f.Next(); err != nil {
				break
			}
			n++
		}
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "rows/s")
}
