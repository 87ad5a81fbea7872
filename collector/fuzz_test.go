package collector_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/asgood-dev/asgood/collector"
)

// FuzzSamples sends any body in any form. Whatever it is, the reply is whole, no valid line beside it
// is lost, and what is counted as accepted is what is stored.
func FuzzSamples(f *testing.F) {
	for _, seed := range []string{
		good, "[" + good + "]", good + "\n" + good, `{"feature":"chat","output":[{"role":"a","content":"b"}]}`, "\ufeff[]", "[,]", `["\"]`, `[{"a":"\\"}]`, "{", "[[[", "]", "\xff",
		`{"id":"a","feature":"chat","output":"x","params":{"a":[1,{}]},"tools":[{"name":"n","arguments":{}}],"usage":{"input_tokens":1}}`,
	} {
		for form := range 3 {
			f.Add([]byte(seed), form)
		}
	}
	forms := []string{"application/json", ndjson, ""}
	s := &sink{}
	r := start(f, collector.Options{Handoff: s})
	f.Fuzz(func(t *testing.T, body []byte, form int) {
		s.reset()
		kind := forms[uint(form)%3]
		status, got, _ := post(t, r, bytes.NewReader(body), "Content-Type", kind)
		if status != 200 && status != 400 {
			t.Errorf("got status %d", status)
		}
		if s.samples != got.Accepted || s.bad() != nil {
			t.Errorf("got %d accepted, %d stored, %v", got.Accepted, s.samples, s.bad())
		}
		if status == 200 && (got.Refused > 0 || got.Error != nil) || status == 400 && got.Error == nil {
			t.Errorf("got status %d with %+v", status, got)
		}
		_, got, _ = post(t, r, strings.NewReader(good+"\n"+string(bytes.ReplaceAll(body, []byte("\n"), nil))+"\n"+good), "Content-Type", ndjson)
		if got.Accepted+got.Duplicates < 2 {
			t.Errorf("got %+v, want the lines around the body taken", got)
		}
	})
}

// FuzzTraces sends any OTLP body.
func FuzzTraces(f *testing.F) {
	traces := ptrace.NewTraces()
	s := newSpan(f, traces, map[string]any{
		"gen_ai.output.messages": `[{"role":"assistant","parts":[{"type":"tool_call","id":"1","name":"x","arguments":"{"},{"type":"text","content":"x"}]}]`,
		"gen_ai.input.messages":  []any{map[string]any{"role": "user", "content": []any{map[string]any{"type": "text", "text": "x"}}}},
		"gen_ai.request.stop":    []any{"a", 1.5},
	})
	event(f, s, "gen_ai.choice", map[string]any{"message": `{"tool_calls":[{"function":{"name":"n","arguments":"{}"}}]}`})
	event(f, s, "gen_ai.evaluation.result", map[string]any{"gen_ai.evaluation.name": "x", "gen_ai.evaluation.score.value": 1.0})
	proto, text := marshal(f, traces)
	f.Add(proto, true)
	f.Add(text, false)
	f.Add([]byte(`{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"zz"}]}]}]}`), false)
	f.Add([]byte("{}"), false)
	out := &sink{}
	r := start(f, collector.Options{Handoff: out})
	f.Fuzz(func(t *testing.T, body []byte, isProto bool) {
		out.reset()
		media := "application/json"
		if isProto {
			media = "application/x-protobuf"
		}
		w := export(t, r, media, body)
		if w.Code != http.StatusOK && w.Code != http.StatusBadRequest {
			t.Errorf("got status %d", w.Code)
		}
		if err := out.bad(); err != nil {
			t.Errorf("a message cannot be read: %v", err)
		}
	})
}

func sampleOf1KB(tb testing.TB) []byte {
	tb.Helper()
	x := sample("")
	x.Customer, x.Model, x.Prompt, x.Attributes = "acme", "gpt-4-0613", "support@v12", map[string]string{"language": "de"}
	x.Output.Text, x.Input.Text = strings.Repeat("It is \"so\" and not otherwise. ", 15), strings.Repeat("Why is it so? ", 20)
	data, err := json.Marshal(x)
	if err != nil {
		tb.Fatal(err)
	}
	return append(bytes.TrimSuffix(data, []byte("}")), []byte(`,"usage":{"input_tokens":812,"output_tokens":120}}`)...)
}

func BenchmarkDecode(b *testing.B) {
	record := sampleOf1KB(b)
	b.SetBytes(int64(len(record)))
	b.ReportAllocs()
	for b.Loop() {
		if err := collector.Decode(record); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkIngest posts 100 samples of 1 KB a request, with ids, to a hand-off in memory.
func BenchmarkIngest(b *testing.B) {
	r := start(b, collector.Options{Handoff: &sink{quick: true}})
	record := sampleOf1KB(b)[1:]
	var n int
	b.ReportAllocs()
	for b.Loop() {
		var body bytes.Buffer
		for range 100 {
			n++
			body.WriteString(`{"id":"` + idOf(n) + `",`)
			body.Write(record)
			body.WriteByte('\n')
		}
		req := httptest.NewRequest(http.MethodPost, "/v1/samples", &body)
		req.Header.Set("Content-Type", ndjson)
		w := httptest.NewRecorder()
		r.engine.ServeHTTP(w, req)
		if w.Code != http.StatusOK {
			b.Fatal(w.Code, w.Body)
		}
	}
	b.ReportMetric(float64(b.N)*100/b.Elapsed().Seconds(), "samples/s")
}
