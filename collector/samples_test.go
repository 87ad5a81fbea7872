package collector_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/asgood-dev/asgood/collector"
	"github.com/asgood-dev/asgood/internal/quality"
)

type reply struct {
	collector.Result
	Error *struct{ Kind, Message string }
}

func post(t testing.TB, r *running, body io.Reader, headers ...string) (int, reply, http.Header) {
	t.Helper()
	req := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/v1/samples", body)
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	r.engine.ServeHTTP(w, req)
	var got reply
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
		t.Fatalf("reply %q: %v", w.Body, err)
	}
	return w.Code, got, w.Header()
}

const (
	ndjson = "application/x-ndjson"
	good   = `{"feature":"chat","output":"yes"}`
)

func TestSamples(t *testing.T) {
	long := `{"feature":"chat","output":"` + strings.Repeat("x", 20<<20) + `"}`
	for _, tt := range []struct {
		name, contentType, body string
		status, accepted, dups  int
		rejected                []string // place and a part of the error
		problem                 string
	}{
		{name: "object", contentType: "application/json", body: good, status: 200, accepted: 1},
		{name: "object over lines", body: "{\n \"feature\": \"chat\",\n \"output\": \"a\"\n}\n", status: 200, accepted: 1},
		{name: "array", contentType: "application/json", body: " \n[" + good + " , " + good + "]\n", status: 200, accepted: 2},
		{name: "empty array", contentType: "application/json", body: "[ ]", status: 200},
		{name: "brackets in strings", body: `[{"feature":"chat","output":"],[\"}"},` + good + `]`, status: 200, accepted: 2},
		{name: "lines", contentType: ndjson, body: good + "\r\n\n" + good, status: 200, accepted: 2},
		{name: "lines, sniffed", contentType: "application/x-www-form-urlencoded", body: good + "\n" + good + "\n", status: 200, accepted: 2},
		{name: "byte order mark", contentType: ndjson, body: "\ufeff" + good, status: 200, accepted: 1},
		{name: "messages", body: `{"feature":"chat","output":[{"role":"assistant","content":"a"}]}`, status: 200, accepted: 1},
		{name: "same id twice", contentType: ndjson, body: strings.Repeat(`{"id":"a","feature":"chat","output":"x"}`+"\n", 2), status: 200, accepted: 1, dups: 1},
		{name: "same id, other feature", contentType: ndjson, body: `{"id":"a","feature":"chat","output":"x"}` + "\n" + `{"id":"a","feature":"notes","output":"x"}`, status: 200, accepted: 2},
		{name: "broken line 3 of 5", contentType: ndjson, body: good + "\n" + good + "\n{\"feature\":\"chat\",\n" + good + "\n" + good,
			status: 400, accepted: 4, rejected: []string{"line 3: broken JSON"}},
		{name: "blank lines count", contentType: ndjson, body: "\n\n" + good + "\nx\n", status: 400, accepted: 1, rejected: []string{"line 4: want a JSON object"}},
		{name: "no feature", contentType: ndjson, body: `{"output":"x"}`, status: 400, rejected: []string{`line 1: field "feature": required`}},
		{name: "no output", body: `[{"feature":"chat"}]`, status: 400, rejected: []string{`index 0: field "output": required`}},
		{name: "unknown feature", body: `[` + good + `,{"feature":"chatt","output":"x"}]`, status: 400, accepted: 1,
			rejected: []string{`index 1: field "feature": no feature "chatt" is configured (known: chat, notes)`}},
		{name: "unknown field", body: `[{"feature":"chat","output":"x","colour":1},` + good + `]`, status: 400, accepted: 1, rejected: []string{`index 0: unknown field "colour"`}},
		{name: "unknown nested field", body: `[{"feature":"chat","output":"x","usage":{"tokens":1}}]`, status: 400, rejected: []string{`index 0: unknown field "tokens"`}},
		{name: "unknown field of a message", body: `[{"feature":"chat","output":[{"role":"a","text":"x"}]}]`, status: 400, rejected: []string{`index 0: unknown field "text"`}},
		{name: "wrong type", body: `[{"feature":"chat","output":"x","latency_ms":"2"}]`, status: 400, rejected: []string{`field "latency_ms": want a number, got string`}},
		{name: "not UTF-8", contentType: ndjson, body: "{\"feature\":\"chat\",\"output\":\"\xff\"}\n" + good, status: 400, accepted: 1, rejected: []string{"line 1: not valid UTF-8 at byte 29"}},
		{name: "year 9999", body: `[{"feature":"chat","output":"x","time":"9999-01-01T00:00:00Z"}]`, status: 400, rejected: []string{`field "time"`}},
		{name: "garbage behind the object", contentType: "application/json", body: good + "x", status: 400, rejected: []string{"index 0: unexpected data after the JSON object"}},
		{name: "garbage behind the array", body: "[" + good + "] x", status: 400, accepted: 1, problem: "unexpected data after the JSON array"},
		{name: "array not closed", body: "[" + good + "," + good, status: 400, accepted: 1, problem: "index 1: broken JSON: the array is not closed"},
		{name: "bad element", body: "[" + good + ",{oops},," + good + "]", status: 400, accepted: 2, rejected: []string{"index 1: broken JSON", "index 2: want a JSON object"}},
		{name: "20 MB line", contentType: ndjson, body: good + "\n" + long + "\n" + good, status: 413, accepted: 2, rejected: []string{"line 2: sample is larger than the limit of 4 MiB"}},
		{name: "20 MB element", body: "[" + good + "," + long + "," + good + "]", status: 413, accepted: 2, rejected: []string{"index 1: sample is larger than the limit of 4 MiB"}},
		{name: "20 MB object", contentType: "application/json", body: long, status: 413, rejected: []string{"index 0: sample is larger"}},
		{name: "20 MB line and a bad one", contentType: ndjson, body: long + "\nx", status: 400, rejected: []string{"line 1: sample is larger", "line 2: want"}},
		{name: "empty", status: 400, problem: "body is empty"},
		{name: "empty lines", contentType: ndjson, body: "\n\n", status: 400, problem: "body is empty"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := &stream{}
			r := start(t, collector.Options{Handoff: s})
			status, got, _ := post(t, r, strings.NewReader(tt.body), "Content-Type", tt.contentType)
			if status != tt.status || got.Accepted != tt.accepted || got.Duplicates != tt.dups || got.Refused != len(tt.rejected) {
				t.Fatalf("got status %d, %+v, want %d, %d accepted, %d duplicates, %d refused", status, got, tt.status, tt.accepted, tt.dups, len(tt.rejected))
			}
			checkRejected(t, got, tt.rejected)
			if (status != 200) != (got.Error != nil) || got.Error != nil && !strings.Contains(got.Error.Message, tt.problem) {
				t.Errorf("got error %+v, want %q", got.Error, tt.problem)
			}
			if stored, _ := s.stored(t); len(stored) != tt.accepted {
				t.Errorf("got %d samples stored, want %d", len(stored), tt.accepted)
			}
			status, dry, _ := post(t, r, strings.NewReader(tt.body), "Content-Type", tt.contentType, "Asgood-Dry-Run", "on")
			if want := tt.accepted + tt.dups; status != tt.status || dry.Checked != want || dry.Accepted+dry.Duplicates != 0 {
				t.Errorf("dry run: got status %d, %+v, want %d, %d checked", status, dry, tt.status, want)
			}
			checkRejected(t, dry, tt.rejected)
			if stored, _ := s.stored(t); len(stored) != tt.accepted {
				t.Errorf("the dry run stored samples: there are %d, want %d", len(stored), tt.accepted)
			}
		})
	}
}

func checkRejected(t *testing.T, got reply, want []string) {
	t.Helper()
	for i, r := range got.Rejected {
		text := fmt.Sprintf("line %d: %s", r.Line, r.Error)
		if r.Index != nil {
			text = fmt.Sprintf("index %d: %s", *r.Index, r.Error)
		}
		if !strings.Contains(text, want[i]) {
			t.Errorf("got rejection %q, want %q", text, want[i])
		}
	}
}

func zipped(t testing.TB, body io.Reader) *bytes.Buffer {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := io.Copy(w, body); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return &b
}

// zeros is an endless line.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = '0'
	}
	return len(p), nil
}

func TestGzip(t *testing.T) {
	s := &stream{}
	r := start(t, collector.Options{Handoff: s})
	status, got, _ := post(t, r, zipped(t, strings.NewReader(good+"\n"+good)), "Content-Encoding", "gzip", "Content-Type", ndjson)
	if status != 200 || got.Accepted != 2 {
		t.Errorf("got %d, %+v, want 2 accepted", status, got)
	}
	bomb := zipped(t, io.MultiReader(strings.NewReader(good+"\n"), io.LimitReader(zeros{}, 100<<20)))
	status, got, _ = post(t, r, bomb, "Content-Encoding", "gzip", "Content-Type", ndjson)
	if status != 413 || got.Accepted != 1 || got.Error == nil || !strings.Contains(got.Error.Message, "decompressed body is larger than the limit of 64 MiB") {
		t.Errorf("bomb: got %d, %+v, want 413 that names the limit and 1 accepted", status, got)
	}
	cut := zipped(t, strings.NewReader(good+"\n"+good)).Bytes()
	status, got, _ = post(t, r, bytes.NewReader(cut[:len(cut)-9]), "Content-Encoding", "gzip", "Content-Type", ndjson)
	if status != 400 || got.Error == nil || !strings.Contains(got.Error.Message, "cut short") {
		t.Errorf("cut: got %d, %+v, want 400", status, got)
	}
	status, got, _ = post(t, r, strings.NewReader(good), "Content-Encoding", "gzip")
	if status != 400 || got.Error == nil {
		t.Errorf("not gzip: got %d, %+v, want 400", status, got)
	}
	status, got, _ = post(t, r, strings.NewReader(good), "Content-Encoding", "br")
	if status != 400 || got.Error == nil || !strings.Contains(got.Error.Message, `"br"`) {
		t.Errorf("br: got %d, %+v, want 400", status, got)
	}
	status, got, _ = post(t, r, io.LimitReader(zeros{}, 65<<20), "Content-Type", ndjson)
	if status != 413 || got.Error == nil || !strings.Contains(got.Error.Message, "body is larger than the limit of 64 MiB") {
		t.Errorf("large: got %d, %+v, want 413", status, got)
	}
}

func TestRejectionsAreBounded(t *testing.T) {
	r := start(t, collector.Options{Handoff: &stream{}})
	status, got, _ := post(t, r, strings.NewReader(strings.Repeat("x\n", 1000)+good), "Content-Type", ndjson)
	if status != 400 || got.Accepted != 1 || got.Refused != 1000 || len(got.Rejected) != collector.MaxRejections {
		t.Errorf("got %d, %d accepted, %d refused, %d listed", status, got.Accepted, got.Refused, len(got.Rejected))
	}
}

func TestDefaultsAndFidelity(t *testing.T) {
	s := &stream{}
	r := start(t, collector.Options{Handoff: s})
	const full = `{"id":"a","time":"2026-02-01T10:00:00.5Z","feature":"chat","customer":"acme","conversation":"c","input":"<b>","output":[{"role":"assistant","content":"é"}],` +
		`"reference":"","context":[{"id":"d","text":"t"}],"model":"m","prompt":"p@1","params":{"temperature":0.2},"tools":[{"name":"refund","arguments":{"n":1},"result":"ok"}],` +
		`"usage":{"input_tokens":8,"output_tokens":2},"latency_ms":2300,"attributes":{"language":"de"},"scores":{"thumbs":1},"weight":5}`
	if status, got, _ := post(t, r, strings.NewReader(full+"\n"+good), "Content-Type", ndjson); status != 200 {
		t.Fatalf("got %d, %+v", status, got)
	}
	stored, _ := s.stored(t)
	again, err := json.Marshal(stored[0])
	if err != nil {
		t.Fatal(err)
	}
	var want, have quality.Sample
	if json.Unmarshal([]byte(full), &want) != nil || json.Unmarshal(again, &have) != nil {
		t.Fatal("samples cannot be read")
	}
	if fmt.Sprintf("%+v", want) == "" || string(mustJSON(t, want)) != string(mustJSON(t, have)) {
		t.Errorf("got %s, want %s", again, full)
	}
	if len(stored[1].ID) != 26 || !stored[1].Time.Equal(testNow) {
		t.Errorf("got id %q, time %s, want a ULID and now", stored[1].ID, stored[1].Time)
	}
}

func mustJSON(t *testing.T, v any) []byte {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
