package files_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/asgood-dev/asgood/collector"
	"github.com/asgood-dev/asgood/collector/files"
	"github.com/asgood-dev/asgood/internal/quality"
)

// options are those of a mapping; none means native samples.
func options(t testing.TB, mapping string) files.Options {
	t.Helper()
	o := files.Options{Feature: "f", Decode: collector.DecodeSample, Check: collector.CheckSample}
	if mapping != "" {
		m, err := files.ParseMap(mapping)
		if err != nil {
			t.Fatal(err)
		}
		o.Map = m
	}
	return o
}

func write(t testing.TB, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// result is all that a file gives.
type result struct {
	samples []quality.Sample
	at      []files.Place
	bad     []*files.RowError
	err     error // that ended it
}

func read(f *files.File) (r result) {
	for row, err := range f.Samples() {
		var bad *files.RowError
		switch {
		case errors.As(err, &bad):
			r.bad = append(r.bad, bad)
		case err != nil:
			r.err = err
		default:
			r.samples, r.at = append(r.samples, row.Sample), append(r.at, row.At)
		}
	}
	return r
}

func readFile(t testing.TB, name string, o files.Options) result {
	t.Helper()
	f, err := files.Open(name, o)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	return read(f)
}

func readText(t testing.TB, format files.Format, text string, o files.Options) result {
	t.Helper()
	o.Format, o.Stdin = format, strings.NewReader(text)
	return readFile(t, "-", o)
}

// report is what went wrong, as "line: reason".
func (r result) report() string {
	var lines []string
	for _, b := range r.bad {
		lines = append(lines, b.Error())
	}
	if r.err != nil {
		lines = append(lines, r.err.Error())
	}
	return strings.Join(lines, "\n")
}

func outputs(r result) (out []string) {
	for _, s := range r.samples {
		out = append(out, s.Output.Text)
	}
	return out
}

func TestCSVMapping(t *testing.T) {
	const file = "\ufeffmodel,id,question,answer,took,lang,ok,when\n" +
		"gpt-4,7,why?,because,1.5,de,true,2026-03-01T12:00:00Z\n" +
		"gpt-4,8,\"two\nlines\",\"=1+1\",x,de,0,2026-03-01 13:00:00\n" +
		"gpt-4,9,how?,so,,en,,1772370000\n" +
		"gpt-4,10,short\n"
	o := options(t, "time=when,input=question,output=answer,model=model,id={model}/{id},latency_s=took,attributes.language=lang,scores.ok=ok")
	r := readText(t, files.CSV, file, o)
	if len(r.samples) != 2 || len(r.bad) != 2 || r.bad[0].At.Line != 3 || r.bad[1].At.Line != 6 {
		t.Fatalf("got %d samples, and %s, want 2 samples and lines 3 and 6 refused", len(r.samples), r.report())
	}
	first := r.samples[0]
	if first.ID != "gpt-4/7" || first.LatencyMS != 1500 || first.Attributes["language"] != "de" || first.Scores["ok"] != 1 {
		t.Errorf("got %+v", first)
	}
	if _, scored := r.samples[1].Scores["ok"]; scored || r.samples[1].LatencyMS != 0 {
		t.Errorf("empty cells were read as values: %+v", r.samples[1])
	}
	if want := time.Unix(1772370000, 0).UTC(); !r.samples[1].Time.Equal(want) {
		t.Errorf("got time %s, want %s", r.samples[1].Time, want)
	}
}

func TestABadRowSpoilsItselfOnly(t *testing.T) {
	long := strings.Repeat("x", files.MaxRow+1)
	for name, tt := range map[string]struct {
		format     files.Format
		text       string
		want       string // outputs
		bad        string // lines
		wantReason string
	}{
		"bare quote":            {files.CSV, "a,b\n1,x\n2,5\" pipe\n3,z\n", "x z", "3", `bare "`},
		"quote not closed":      {files.CSV, "a,b\n1,x\n2,\"y\n3,z\n4,w\n", "x z w", "3", "quote is not closed"},
		"quote closed late":     {files.CSV, "a,b\n1,x\n2,\"y\n3,\"z\"\n4,w\n", "x z w", "3", `"`},
		"quotes closed later":   {files.CSV, "a,b\n2,\"y\n3,\"\"z\n4,\"w\"\n", "w", "2 3", `"`},
		"too few cells":         {files.CSV, "a,b\n1\n2,y\n", "y", "2", "number of cells: 1, the header has 2"},
		"not UTF-8":             {files.CSV, "a,b\n1,\xff\n2,y\n", "y", "2", "not valid UTF-8"},
		"CRLF and empty lines":  {files.CSV, "a,b\r\n\r\n1,\"x\r\n\"\r\n\n2\r\n3,y", "x\n y", "6", "number of cells"},
		"a huge line":           {files.CSV, "a,b\n1,x\n2," + long + "\n3,z\n", "x z", "3", "larger than the limit"},
		"a huge quoted cell":    {files.CSV, "a,b\n1,x\n2,\"y\n" + long + "\n3,z\n", "x z", "3 4", ""},
		"a huge cell":           {files.CSV, "a,b\n1,x\n2," + long[:files.MaxCell+1] + "\n3,z\n", "x z", "3", "larger than the limit"},
		"broken JSON":           {files.NDJSON, "{\"b\":\"x\"}\n{\"b\":\n\n{\"b\":\"z\"}", "x z", "2", "broken JSON"},
		"no object":             {files.NDJSON, "{\"b\":\"x\"}\n7\n", "x", "2", "no JSON object"},
		"two objects in a line": {files.NDJSON, "{\"b\":\"x\"}{\"b\":\"y\"}\n{\"b\":\"z\"}", "z", "1", "something follows"},
		"JSON not UTF-8":        {files.NDJSON, "{\"b\":\"\xff\"}\n{\"b\":\"z\"}", "z", "1", "broken JSON"},
		"a huge JSON line":      {files.NDJSON, "{\"b\":\"" + long + "\"}\n{\"b\":\"z\"}", "z", "1", "larger than the limit"},
		"no output":             {files.NDJSON, "{\"c\":\"x\"}\n{\"b\":\"z\"}", "z", "1", `field "output"`},
	} {
		t.Run(name, func(t *testing.T) {
			r := readText(t, tt.format, tt.text, options(t, "output=b"))
			var lines []string
			for _, b := range r.bad {
				lines = append(lines, fmt.Sprint(b.At.Line))
			}
			if got := strings.Join(outputs(r), " "); got != tt.want || strings.Join(lines, " ") != tt.bad || !strings.Contains(r.report(), tt.wantReason) {
				t.Errorf("got %q, refused %.300s, want %q, lines %s refused for %q", got, r.report(), tt.want, tt.bad, tt.wantReason)
			}
		})
	}
}

func TestOpenRefuses(t *testing.T) {
	for name, tt := range map[string]struct {
		format              files.Format
		text, mapping, want string
	}{
		"unknown column":      {files.CSV, "a,b\n1,2\n", "output=c", `no column "c" (columns: a, b)`},
		"unknown in text":     {files.CSV, "a,b\n1,2\n", "output=x{c}", `no column "c"`},
		"column twice":        {files.CSV, "a,a\n1,2\n", "output=a", "more than once"},
		"brace not closed":    {files.CSV, "a\n1\n", "output={a", "between { and }"},
		"empty file":          {files.CSV, "", "output=a", "empty"},
		"broken header":       {files.CSV, "a,b\"\n1,2\n", "output=a", "header"},
		"UTF-16":              {files.CSV, "\xff\xfea\x00", "output=a", "UTF-16"},
		"array":               {files.NDJSON, " [{}]", "output=a", "jq"},
		"CSV without mapping": {files.CSV, "a\n1\n", "", "--map"},
		"no Parquet":          {files.Parquet, "a,b\n1,2\n3,4\n5,6\n", "output=a", "Parquet"},
		"cut gzip":            {files.CSV, "\x1f\x8b\x08", "output=a", "gzip"},
	} {
		t.Run(name, func(t *testing.T) {
			o := options(t, tt.mapping)
			o.Format, o.Stdin = tt.format, strings.NewReader(tt.text)
			_, err := files.Open("-", o)
			if quality.KindOf(err) != quality.KindInvalid || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want an invalid error with %q", err, tt.want)
			}
		})
	}
	if _, err := files.Open(t.TempDir(), options(t, "output=a")); quality.KindOf(err) != quality.KindInvalid {
		t.Errorf("a directory: got %v", err)
	}
}

func TestParseMapRefuses(t *testing.T) {
	for _, text := range []string{"", "output", "output=", "=a", "colour=a", "output=a,output=b", "attributes.=x"} {
		if _, err := files.ParseMap(text); quality.KindOf(err) != quality.KindInvalid {
			t.Errorf("%q: got %v, want an invalid error", text, err)
		}
	}
}

func TestTimes(t *testing.T) {
	moment := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Skip("no time zones on this machine")
	}
	for _, tt := range []struct {
		text, layout string
		want         time.Time
	}{
		{"2026-03-01T12:00:00Z", "", moment},
		{"2026-03-01T14:00:00+02:00", "", moment},
		{"2026-03-01 13:00:00", "", moment},
		{"1772366400", "", moment},
		{"1772366400000", "", moment},
		{"1772366400000000", "", moment},
		{"1772366400000000000", "", moment},
		{"03/01/2026, 13:00:00", "01/02/2006, 15:04:05", moment},
		{"03/01/2026, 13:00:00", "", time.Time{}},
		{"yesterday", "", time.Time{}},
		{"2926-03-01T12:00:00Z", "", time.Time{}},
		{"1e300", "", time.Time{}},
	} {
		o := options(t, "time=t,output=o")
		o.TimeLayout, o.Location = tt.layout, berlin
		r := readText(t, files.CSV, "t,o\n\""+tt.text+"\",x\n", o)
		if tt.want.IsZero() {
			if len(r.bad) != 1 || r.bad[0].Kind() != `field "time"` {
				t.Errorf("%q: got %s, want it refused", tt.text, r.report())
			}
			continue
		}
		if len(r.samples) != 1 || !r.samples[0].Time.Equal(tt.want) || r.samples[0].Time.Location() != time.UTC {
			t.Errorf("%q: got %+v %s, want %v", tt.text, r.samples, r.report(), tt.want)
		}
	}
}

func TestContent(t *testing.T) {
	two := []quality.Message{{Role: "user", Content: "hi"}, {Role: "assistant", Content: "ho"}}
	for name, tt := range map[string]struct {
		json string // what column b holds
		want quality.Content
	}{
		"text":               {`"[No] it is not"`, quality.Text("[No] it is not")},
		"list":               {`[{"role":"user","content":"hi"},{"role":"assistant","content":"ho","name":"x"}]`, quality.Content{Messages: two}},
		"list as text":       {`" [{\"role\":\"user\",\"content\":\"hi\"},{\"role\":\"assistant\",\"content\":\"ho\"}]\n"`, quality.Content{Messages: two}},
		"one message":        {`{"role":"assistant","content":"ho"}`, quality.Content{Messages: two[1:]}},
		"parts":              {`[{"role":"user","content":[{"type":"text","text":"a"},{"type":"image_url"},{"type":"text","text":"b"}]}]`, quality.Content{Messages: []quality.Message{{Role: "user", Content: "a\nb"}}}},
		"call of a tool":     {`[{"role":"assistant","content":null,"tool_calls":[]}]`, quality.Content{Messages: []quality.Message{{Role: "assistant"}}}},
		"people, no chat":    {`[{"role":"CEO","name":"x"}]`, quality.Text(`[{"role":"CEO","name":"x"}]`)},
		"an object":          {`{"total": 3}`, quality.Text(`{"total":3}`)},
		"an object in text":  {`"{\"role\":\"a\",\"content\":\"b\"}"`, quality.Text(`{"role":"a","content":"b"}`)},
		"a number":           {`12.50`, quality.Text("12.50")},
		"true":               {`true`, quality.Text("true")},
		"a list of numbers":  {`[1, 2]`, quality.Text(`[1,2]`)},
		"half a list":        {`"[{\"role\":\"user\",\"content\":"`, quality.Text(`[{"role":"user","content":`)},
		"messages and other": {`[{"role":"user","content":"hi"},7]`, quality.Text(`[{"role":"user","content":"hi"},7]`)},
	} {
		r := readText(t, files.NDJSON, `{"b":`+strings.ReplaceAll(tt.json, "\n", "")+"}", options(t, "output=b"))
		if len(r.samples) != 1 || !reflect.DeepEqual(r.samples[0].Output, tt.want) {
			t.Errorf("%s: got %+v %s, want %+v", name, r.samples, r.report(), tt.want)
		}
	}
}

func TestPaths(t *testing.T) {
	const line = `{"request":{"messages":[{"text":"q0"},{"text":"q1"}],"a.b":{"c":"dots"}},"response":{"text":"r","n":1e2},"response.id":"i","x":1,"x":2}`
	for path, want := range map[string]string{
		"response.text": "r", "response.n": "1e2", "request.messages.1.text": "q1", "request.messages.0": `{"text":"q0"}`,
		"request.a.b.c": "", "response.id": "i", "x": "2", "response": `{"text":"r","n":1e2}`,
		"request.messages.2.text": "", "request.messages.x": "", "response.text.more": "", "none": "", "x.y": "",
	} {
		r := readText(t, files.NDJSON, line, options(t, "output=response.text,input=response,prompt="+path))
		if len(r.samples) != 1 || r.samples[0].Prompt != want || r.samples[0].Output.Text != "r" {
			t.Errorf("%s: got %+v %s, want %q", path, r.samples, r.report(), want)
		}
	}
}

func TestFields(t *testing.T) {
	for _, tt := range []struct {
		mapping, cell, want string // of fmt of the sample's part; empty: refused
	}{
		{"latency_ms=c", "12.5", "12.5"}, {"latency_ms=c", "-1", ""}, {"latency_ms=c", "NaN", "0"}, {"latency_ms=c", "+Inf", ""}, {"latency_ms=c", "fast", ""},
		{"input_tokens=c", "12", "&{12 0}"}, {"input_tokens=c", "12.0", "&{12 0}"}, {"input_tokens=c", "1.5", ""}, {"input_tokens=c", "1e300", ""},
		{"scores.s=c", "False", "map[s:0]"}, {"scores.s=c", " 0.5 ", "map[s:0.5]"}, {"scores.s=c", "nan", "map[]"}, {"scores.s=c", "good", ""}, {"scores.s=c", "-3", "map[s:-3]"},
		{"params.p=c", "0.2", "map[p:0.2]"}, {"params.p=c", "True", "map[p:true]"}, {"params.p=c", "top", "map[p:top]"},
		{"weight=c", "0.5", ""}, {"weight=c", "4", "4"},
		{"attributes.a=c", "de", "map[a:de]"}, {"attributes.a=x-{c}", "de", "map[a:x-de]"}, {"attributes.a=x-{c}", "", "map[]"},
	} {
		r := readText(t, files.CSV, "o,c\nx,"+tt.cell+"\n", options(t, "output=o,"+tt.mapping))
		if tt.want == "" {
			if len(r.bad) != 1 {
				t.Errorf("%s %q: got %+v, want it refused", tt.mapping, tt.cell, r.samples)
			}
			continue
		}
		if len(r.samples) != 1 {
			t.Errorf("%s %q: got %s", tt.mapping, tt.cell, r.report())
			continue
		}
		s := r.samples[0]
		got := map[string]any{"l": s.LatencyMS, "i": s.Usage, "s": s.Scores, "p": s.Params, "w": s.Weight, "a": s.Attributes}[tt.mapping[:1]]
		if fmt.Sprint(got) != tt.want {
			t.Errorf("%s %q: got %v, want %s", tt.mapping, tt.cell, got, tt.want)
		}
	}
}

func TestIDsOfRowsWithoutOne(t *testing.T) {
	const text = "id,o\n7,x\n,y\n7,x\n,y\n"
	r := readText(t, files.CSV, text, options(t, "output=o,id=id"))
	if len(r.samples) != 4 || r.samples[0].ID != "7" || len(r.samples[1].ID) != 32 || r.samples[1].ID == r.samples[3].ID {
		t.Fatalf("got %+v, want an id of its own for each row that brings none", r.samples)
	}
	path := write(t, "x.csv", []byte(text))
	if again := readFile(t, path, options(t, "output=o,id=id")); !reflect.DeepEqual(again, r) {
		t.Errorf("from disk: got %+v, want %+v", again, r)
	}
	packed := write(t, "x.csv.gz", gzipped(t, []byte(text)))
	if again := readFile(t, packed, options(t, "output=o,id=id")); !reflect.DeepEqual(again, r) {
		t.Errorf("compressed: got %+v, want %+v", again, r)
	}
	if other := readText(t, files.CSV, text+"8,z\n", options(t, "output=o,id=id")); other.samples[1].ID == r.samples[1].ID {
		t.Error("another file gives the same ids")
	}
	if part := readText(t, files.CSV, "m,id,o\ng,,x\ng,,y\n", options(t, "output=o,id={m}/{id}")); part.samples[0].ID == part.samples[1].ID {
		t.Errorf("rows with half an id became one: %+v", part.samples)
	}
}

func TestNativeSamples(t *testing.T) {
	const text = `{"id":"a","feature":"g","output":"x"}` + "\n\n" + `{"output":"y"}` + "\n" + `{"output":"z","scoer":1}` + "\n"
	r := readText(t, files.NDJSON, text, options(t, ""))
	if len(r.samples) != 2 || r.samples[0].Feature != "g" || r.samples[1].Feature != "f" || len(r.samples[1].ID) != 32 || r.at[1].Line != 3 {
		t.Fatalf("got %+v", r)
	}
	if len(r.bad) != 1 || !strings.Contains(r.report(), `line 4: unknown field "scoer"`) {
		t.Errorf("got %s", r.report())
	}
}
