package files_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	pq "github.com/parquet-go/parquet-go"

	"github.com/asgood-dev/asgood/collector/files"
	"github.com/asgood-dev/asgood/internal/quality"
)

// check reads text as a stream and says what must hold of any: each row is a sample or refused with a
// place that is behind the one before.
func check(t *testing.T, r result) {
	t.Helper()
	for i, s := range r.samples {
		if err := s.Validate(); err != nil || s.ID == "" || !utf8.ValidString(s.Output.All()) {
			t.Errorf("got %+v (%v)", s, err)
		}
		if i > 0 && r.at[i].Row <= r.at[i-1].Row {
			t.Errorf("rows %d and %d", r.at[i-1].Row, r.at[i].Row)
		}
	}
	for _, b := range r.bad {
		if b.Rows < 1 || b.At.Row < 1 || b.Err == nil || b.Kind() == "" {
			t.Errorf("got %+v", b)
		}
	}
}

func fuzzed(t *testing.T, format files.Format, data []byte, o files.Options) (r result, ok bool) {
	t.Helper()
	o.Format, o.Stdin = format, bytes.NewReader(data)
	f, err := files.Open("-", o)
	if err != nil {
		if quality.KindOf(err) != quality.KindInvalid {
			t.Errorf("got %v, want an invalid error", err)
		}
		return r, false
	}
	r = read(f)
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	check(t, r)
	return r, true
}

// FuzzCSV puts any bytes between good rows: those before and behind are not lost.
func FuzzCSV(f *testing.F) {
	for _, seed := range []string{"x,1", "\"a\nb\",2", "\"", "a\"b,", "\"\"\"\n\"\",", "\r\n\r", "\xff,", "\"a\",\"b\"\"\n\"", strings.Repeat("\"\n", 9)} {
		f.Add([]byte(seed))
	}
	o := options(f, "output=o,input=n,id={n}")
	f.Fuzz(func(t *testing.T, data []byte) {
		fuzzed(t, files.CSV, data, o)
		text := append([]byte("o,n\nfirst,1\n"), data...)
		r, ok := fuzzed(t, files.CSV, append(text, "\nlast,2\n"...), o)
		if !ok || len(r.samples) == 0 || r.samples[0].Output.Text != "first" {
			t.Fatalf("the row before was lost: %+v", r)
		}
		// A quote that the bytes leave open may be closed by none, so what is behind is a row of its own.
		if last := r.samples[len(r.samples)-1]; last.Output.Text != "last" {
			t.Errorf("the row behind was lost: %+v\n%s", r, r.report())
		}
	})
}

// FuzzNDJSON puts any line between good ones.
func FuzzNDJSON(f *testing.F) {
	for _, seed := range []string{`{"o":"x"}`, `{"o":{"a":[1,{"b":null}]}}`, `{"o":[{"role":"u","content":"c"}]}`, `{"o":"\ud800"}`, `{"o":1e999}`, `{`, `[[[[`, `{"o":"x"}}`, `{"a":{"b":1},"a.b":2}`} {
		f.Add([]byte(seed), "a.b")
	}
	f.Fuzz(func(t *testing.T, data []byte, path string) {
		o := options(t, "output=o")
		o.Map["input"], o.Map["time"], o.Map["scores.s"] = path+".0", "o."+path, "x{"+path+"}"
		if path == "" || strings.ContainsAny(path, "{}") {
			o.Map = map[string]string{"output": "o"}
		}
		text := fmt.Sprintf("{\"o\":\"first\"}\n%s\n{\"o\":\"last\"}\n", bytes.ReplaceAll(data, []byte("\n"), nil))
		o.Format, o.Stdin = files.NDJSON, strings.NewReader(text)
		file, err := files.Open("-", o)
		if err != nil {
			t.Fatal(err)
		}
		r := read(file)
		check(t, r)
		if r.err != nil || len(r.samples)+len(r.bad) < 2 || errors.Is(r.err, file.Close()) && r.err != nil {
			t.Errorf("got %+v", r)
		}
		o.Map = nil
		if r, ok := fuzzed(t, files.NDJSON, data, o); ok {
			check(t, r)
		}
	})
}

// FuzzMapping reads any mapping.
func FuzzMapping(f *testing.F) {
	f.Add("time=timestamp,input=query,id={model}/{id}")
	f.Add("output={a}{b,scores.x=}")
	f.Fuzz(func(t *testing.T, text string) {
		m, err := files.ParseMap(text)
		if err != nil {
			return
		}
		o := options(t, "")
		o.Map = m
		fuzzed(t, files.CSV, []byte("timestamp,query,model,id,a,b\n1,2,3,4,5,6\n"), o)
	})
}

func benchmarkRows(b *testing.B, format files.Format, data []byte, n int) {
	o := options(b, "id=id,input=in,output=out,reference=ref,latency_ms=took,attributes.lang=lang,time=when")
	o.Format = format
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		o.Stdin = bytes.NewReader(data)
		f, err := files.Open("-", o)
		if err != nil {
			b.Fatal(err)
		}
		if r := read(f); len(r.samples) != n {
			b.Fatal(len(r.samples), r.report())
		}
		_ = f.Close() // of a stream
	}
	b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}

// BenchmarkFormats reads 10,000 rows of about 1 KB.
func BenchmarkFormats(b *testing.B) {
	lines := benchmarkLines(10_000)
	for format, data := range map[files.Format][]byte{files.CSV: asCSV(b, lines), files.NDJSON: asNDJSON(b, lines), files.Parquet: asParquet(b, lines, pq.MaxRowsPerRowGroup(5000))} {
		b.Run(string(format), func(b *testing.B) { benchmarkRows(b, format, data, len(lines)) })
	}
}
