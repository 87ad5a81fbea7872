package files_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	pq "github.com/parquet-go/parquet-go"
	"pgregory.net/rapid"

	"github.com/asgood-dev/asgood/collector/files"
	"github.com/asgood-dev/asgood/internal/quality"
)

// line is one row that each format can hold: what is empty is absent.
type line struct {
	ID    string    `json:"id,omitempty" parquet:"id,optional"`
	In    string    `json:"in,omitempty" parquet:"in,optional"`
	Out   string    `json:"out,omitempty" parquet:"out,optional,dict"`
	Ref   string    `json:"ref,omitempty" parquet:"ref,optional"`
	Took  *float64  `json:"took" parquet:"took,optional"`
	Score *int64    `json:"score" parquet:"score,optional"`
	Lang  string    `json:"lang,omitempty" parquet:"lang,optional"`
	When  time.Time `json:"when,omitzero" parquet:"when,optional,timestamp(microsecond)"`
	Chat  []turn    `json:"chat,omitempty" parquet:"chat,optional,list"`
}

const lineMapping = "id={lang}/{id},input=in,output=out,reference=ref,latency_ms=took,scores.s=score,attributes.lang=lang,time=when,params.n=score,error=Error in {lang}"

func asCSV(t fataler, lines []line) []byte {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	table := [][]string{{"id", "in", "out", "ref", "took", "score", "lang", "when", "chat"}}
	for _, l := range lines {
		row := []string{l.ID, l.In, l.Out, l.Ref, "", "", l.Lang, "", ""}
		if l.Took != nil {
			row[4] = strconv.FormatFloat(*l.Took, 'g', -1, 64)
		}
		if l.Score != nil {
			row[5] = strconv.FormatInt(*l.Score, 10)
		}
		if !l.When.IsZero() {
			row[7] = l.When.Format(time.RFC3339Nano)
		}
		if len(l.Chat) > 0 {
			row[8] = string(mustJSON(t, l.Chat))
		}
		table = append(table, row)
	}
	if err := w.WriteAll(table); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func asNDJSON(t fataler, lines []line) []byte {
	var b bytes.Buffer
	for _, l := range lines {
		b.Write(append(mustJSON(t, l), '\n'))
	}
	return b.Bytes()
}

// asParquet makes small pages and row groups, unless options say otherwise.
func asParquet(t fataler, lines []line, options ...pq.WriterOption) []byte {
	var b bytes.Buffer
	if options == nil {
		options = []pq.WriterOption{pq.PageBufferSize(200), pq.MaxRowsPerRowGroup(7)}
	}
	w := pq.NewGenericWriter[line](&b, append(options, pq.Compression(&pq.Zstd))...)
	if _, err := w.Write(lines); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

type fataler interface{ Fatal(args ...any) }

func mustJSON(t fataler, v any) []byte {
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// anyText makes texts that formats like to break: quotes, new lines, delimiters, empty ones.
var anyText = rapid.OneOf(rapid.Just(""), rapid.StringOfN(rapid.SampledFrom([]rune("ab\"',\n \\{[]}é\u2028😀=+")), 0, 12, -1), rapid.String())

func anyLine(t *rapid.T) line {
	text := func(name string) string {
		// A CSV reader makes one new line of the two characters.
		return strings.ReplaceAll(anyText.Draw(t, name), "\r\n", "\n")
	}
	l := line{ID: text("id"), In: text("in"), Out: text("out"), Ref: text("ref"), Lang: text("lang")}
	if rapid.Bool().Draw(t, "has took") {
		x := math.Abs(rapid.Float64Range(-1e9, 1e9).Draw(t, "took"))
		l.Took = &x
	}
	if rapid.Bool().Draw(t, "has score") {
		x := rapid.Int64Range(-1<<50, 1<<50).Draw(t, "score")
		l.Score = &x
	}
	if rapid.Bool().Draw(t, "has time") {
		l.When = time.UnixMicro(rapid.Int64Range(1, 7e15).Draw(t, "when")).UTC()
	}
	for range rapid.IntRange(0, 3).Draw(t, "turns") {
		l.Chat = append(l.Chat, turn{Role: "user", Content: text("content")})
	}
	return l
}

// samples are those of bytes in a format.
func samples(t fataler, format files.Format, data []byte, o files.Options) ([]quality.Sample, []string) {
	o.Format, o.Stdin = format, bytes.NewReader(data)
	f, err := files.Open("-", o)
	if err != nil {
		t.Fatal(format, err)
	}
	r := read(f)
	if err := errors.Join(r.err, f.Close()); err != nil {
		t.Fatal(format, err)
	}
	var bad []string
	for _, b := range r.bad {
		bad = append(bad, fmt.Sprintf("row %d: %v", b.At.Row, b.Err))
	}
	for i := range r.samples {
		if s := &r.samples[i]; len(s.ID) == 32 && !strings.Contains(s.ID, "/") {
			s.ID = "" // made of the file, which is another in each format
		}
	}
	return r.samples, bad
}

// TestFormatsAgree reads the same rows from each format: they give the same samples, and the same rows are
// refused for the same reasons.
func TestFormatsAgree(t *testing.T) {
	for name, mapping := range map[string]string{"texts": lineMapping, "chat": "output=chat,input=chat,id={id}:{lang}"} {
		o := options(t, mapping)
		t.Run(name, rapid.MakeCheck(func(t *rapid.T) {
			lines := rapid.SliceOfN(rapid.Custom(anyLine), 0, 20).Draw(t, "lines")
			want, wantBad := samples(t, files.CSV, asCSV(t, lines), o)
			for format, data := range map[files.Format][]byte{files.NDJSON: asNDJSON(t, lines), files.Parquet: asParquet(t, lines)} {
				got, bad := samples(t, format, data, o)
				if !reflect.DeepEqual(bad, wantBad) {
					t.Fatalf("%s refuses %q, CSV %q", format, bad, wantBad)
				}
				if !reflect.DeepEqual(got, want) {
					t.Fatalf("%s gives\n%+v\nCSV\n%+v", format, got, want)
				}
			}
		}))
	}
}

// TestGoTo stops behind each row and goes on with another reader: nothing is lost and nothing comes twice.
func TestGoTo(t *testing.T) {
	text := "\ufeffo,n\nx,1\n\"a\nb\",2\n\n\"never closed\ny,3\nbad\nz,4\r\nw,5"
	var lines []line
	for i := range 30 {
		lines = append(lines, line{Out: fmt.Sprint("o", i%7), ID: strings.Repeat("x", i%2)})
	}
	for name, data := range map[string][]byte{
		"a.csv": []byte(text), "b.csv.gz": gzipped(t, []byte(text)), "c.csv.zst": zstded(t, []byte(text)),
		"d.ndjson": []byte("{\"o\":\"x\"}\n\n{\n{\"o\":\"y\"}\n7\n{\"o\":\"z\"}"), "e.parquet": asParquet(t, lines),
	} {
		path := write(t, name, data)
		o := options(t, "output=o")
		if strings.HasSuffix(name, "parquet") {
			o = options(t, "output=out,id=id")
		}
		whole := readFile(t, path, o)
		n := len(whole.samples) + len(whole.bad)
		if n < 5 {
			t.Fatalf("%s: got %d rows: %s", name, n, whole.report())
		}
		for stop := range n {
			part := readInTwo(t, path, o, stop)
			if !reflect.DeepEqual(part, whole) {
				t.Errorf("%s, stopped behind row %d: got\n%+v %s\nwant\n%+v %s", name, stop+1, part, part.report(), whole, whole.report())
			}
		}
	}
}

func readInTwo(t *testing.T, path string, o files.Options, stop int) (r result) {
	t.Helper()
	f, err := files.Open(path, o)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	n := 0
	for row, err := range f.Samples() {
		var bad *files.RowError
		if errors.As(err, &bad) {
			r.bad = append(r.bad, bad)
		} else {
			r.samples, r.at = append(r.samples, row.Sample), append(r.at, row.At)
		}
		if n++; n > stop {
			break
		}
	}
	again, err := files.Open(path, o)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if err := again.GoTo(f.Position()); err != nil {
		t.Fatal(err)
	}
	rest := read(again)
	r.samples, r.at = append(r.samples, rest.samples...), append(r.at, rest.at...)
	r.bad, r.err = append(r.bad, rest.bad...), rest.err
	return r
}

// TestRealAnswers reads 4,000 real answers as they were published, and as Parquet and NDJSON.
func TestRealAnswers(t *testing.T) {
	dir := os.Getenv("ASGOOD_TEST_DATA")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared", "data")
	}
	path := filepath.Join(dir, "llmdrift", "PRIME_FULL_EVAL.csv")
	data, err := os.ReadFile(path)
	if err != nil {
		t.Skipf("no LLMDrift data at %s: set ASGOOD_TEST_DATA to the folder that holds llmdrift/", path)
	}
	o := options(t, "time=timestamp,input=query,output=answer,reference=ref_answer,id={model}/{id},model=model,latency_s=latency,output_tokens=answer_token,params.temperature=temperature,attributes.dataset=dataset")
	o.TimeLayout = "01/02/2006, 15:04:05"
	want, bad := samples(t, files.CSV, data, o)
	if len(want) != 4000 || len(bad) > 0 {
		t.Fatalf("got %d samples, %q", len(want), bad)
	}
	ids := map[string]bool{}
	for _, s := range want {
		ids[s.ID] = true
	}
	first := want[0]
	if len(ids) != 4000 || first.ID != "openaichat/gpt-3.5-turbo-0301/0" || *first.Reference != "yes" || first.Usage.OutputTokens != 156 ||
		!first.Time.Equal(time.Date(2023, 7, 2, 21, 28, 40, 0, time.UTC)) || !strings.HasPrefix(first.Output.Text, "[No] \n") {
		t.Errorf("got %d ids and %+v", len(ids), first)
	}
	table := realTable(t, data)
	for format, data := range map[files.Format][]byte{files.NDJSON: table.ndjson(t), files.Parquet: table.parquet(t)} {
		got, bad := samples(t, format, data, o)
		if len(bad) > 0 || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %d samples, %q, that are not those of the CSV file", format, len(got), bad)
		}
	}
}

// texts is a table of nothing but texts.
type textTable [][]string

func realTable(t *testing.T, data []byte) textTable {
	t.Helper()
	table, err := csv.NewReader(bytes.NewReader(data)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	table[0][0] = "index"
	return table
}

func (t textTable) ndjson(tb testing.TB) []byte {
	var b bytes.Buffer
	for _, row := range t[1:] {
		object := map[string]any{}
		for i, name := range t[0] {
			object[name] = row[i]
			if x, err := strconv.ParseFloat(row[i], 64); err == nil {
				object[name] = x
			}
		}
		b.Write(append(mustJSON(tb, object), '\n'))
	}
	return b.Bytes()
}

// parquet has numbers as such where all of a column are.
func (t textTable) parquet(tb testing.TB) []byte {
	group := pq.Group{}
	number := make([]bool, len(t[0]))
	for i, name := range t[0] {
		number[i] = true
		for _, row := range t[1:] {
			_, err := strconv.ParseFloat(row[i], 64)
			number[i] = number[i] && err == nil
		}
		group[name] = pq.Compressed(pq.String(), &pq.Snappy)
		if number[i] {
			group[name] = pq.Compressed(pq.Leaf(pq.DoubleType), &pq.Zstd)
		}
	}
	schema := pq.NewSchema("real", group)
	var b bytes.Buffer
	w := pq.NewWriter(&b, schema)
	for _, row := range t[1:] {
		values := make(pq.Row, len(row))
		for i, name := range t[0] {
			column, _ := schema.Lookup(name)
			v := pq.ValueOf(row[i])
			if number[i] {
				x, _ := strconv.ParseFloat(row[i], 64) // seen above
				v = pq.ValueOf(x)
			}
			values[column.ColumnIndex] = v.Level(0, 0, column.ColumnIndex)
		}
		if _, err := w.WriteRows([]pq.Row{values}); err != nil {
			tb.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

// stream hides that a reader is a file.
type stream struct{ r *bytes.Reader }

func (s stream) Read(p []byte) (int, error) { return s.r.Read(p) }

func TestStreamsCannotBeTakenUp(t *testing.T) {
	o := options(t, "output=o")
	o.Stdin = stream{bytes.NewReader([]byte("o\nx\ny\n"))}
	f, err := files.Open("-", o)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, ok, err := f.Identity(); ok || err != nil {
		t.Errorf("got %v %v, want no identity", ok, err)
	}
	if err := f.GoTo(files.Position{Row: 1, Line: 2, Offset: 4}); quality.KindOf(err) != quality.KindInvalid {
		t.Errorf("got %v", err)
	}
	if f.Fraction() != -1 {
		t.Errorf("got %v of a stream read", f.Fraction())
	}
}

func benchmarkLines(n int) []line {
	lines := make([]line, n)
	for i := range lines {
		took := float64(i)
		lines[i] = line{
			ID: fmt.Sprint(i), In: strings.Repeat("Why is it so? ", 20), Out: strings.Repeat("It is \"so\" and not otherwise.\n", 24),
			Ref: "[Yes]", Lang: "de", Took: &took, When: time.UnixMicro(1772366400000000 + int64(i)).UTC(),
		}
	}
	return lines
}
