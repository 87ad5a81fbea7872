package collector_test

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	"github.com/asgood-dev/asgood/collector"
	"github.com/asgood-dev/asgood/internal/quality"
)

// joined is a feature whose requests are joined, with a short wait.
func joined(more quality.Feature) []quality.Feature {
	more.Name, more.Match = "chat", map[string]string{"service.name": "chat-bot"}
	more.Spans = quality.SpanSpec{Join: quality.JoinRequest, Wait: 50 * time.Millisecond}
	return []quality.Feature{more}
}

// request is a trace of an agent with a retrieval and a model call below it, each span in a request of its own.
func request(t testing.TB) []ptrace.Traces {
	t.Helper()
	one := func(span, parent byte, attrs map[string]any) ptrace.Traces {
		traces := ptrace.NewTraces()
		s := newSpan(t, traces, attrs)
		s.SetTraceID([16]byte{9, 15: 9})
		s.SetSpanID([8]byte{9, 7: span})
		if parent > 0 {
			s.SetParentSpanID([8]byte{9, 7: parent})
		}
		return traces
	}
	return []ptrace.Traces{
		one(2, 1, map[string]any{"gen_ai.operation.name": "retrieval", "gen_ai.retrieval.documents": `[{"id":"doc-7","content":"Parcels take 3 days."}]`}),
		one(3, 1, map[string]any{"gen_ai.operation.name": "chat", "gen_ai.response.model": "m-1", "gen_ai.response.id": "resp-1",
			"gen_ai.usage.input_tokens": int64(10), "gen_ai.usage.output_tokens": int64(5),
			"gen_ai.output.messages": `[{"role":"assistant","parts":[{"type":"text","content":"3 days"}]}]`}),
		one(1, 0, map[string]any{"gen_ai.operation.name": "invoke_agent", "asgood.customer": "acme",
			"gen_ai.input.messages":  `[{"role":"user","parts":[{"type":"text","content":"When does it come?"}]}]`,
			"gen_ai.output.messages": `[{"role":"assistant","parts":[{"type":"text","content":"In 3 days."}]}]`}),
	}
}

func send(t testing.TB, r *running, path string, body []byte, headers ...string) {
	t.Helper()
	req := httptest.NewRequest(http.MethodPost, path, bytes.NewReader(body))
	req.Header.Set("Content-Type", "application/x-protobuf")
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	r.engine.ServeHTTP(w, req)
	if w.Code != http.StatusOK {
		t.Fatalf("%s: got %d %s", path, w.Code, w.Body)
	}
}

// evaluation is a log record that judges a span, or a response.
func evaluation(name string, value float64, span byte, response string) []byte {
	logs := plog.NewLogs()
	l := logs.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
	l.SetEventName("gen_ai.evaluation.result")
	if response == "" {
		l.SetTraceID([16]byte{9, 15: 9})
		l.SetSpanID([8]byte{9, 7: span})
	} else {
		l.Attributes().PutStr("gen_ai.response.id", response)
	}
	l.Attributes().PutStr("gen_ai.evaluation.name", name)
	l.Attributes().PutDouble("gen_ai.evaluation.score.value", value)
	data, err := plogotlp.NewExportRequestFromLogs(logs).MarshalProto()
	if err != nil {
		panic(err)
	}
	return data
}

// One request whose spans come apart, whose evaluations come before, with and after it, and a crash in the middle.
func TestARequestBecomesOneSample(t *testing.T) {
	s, q, f, dir := &stream{}, newStaged(), newStaged(), t.TempDir()
	features := joined(quality.Feature{})
	features[0].Spans.Wait = time.Second // the parts belong together also where they are sent slowly
	options := func() collector.Options {
		return collector.Options{Handoff: s, Spans: q.open(), Feedback: f.open(), Dir: dir, Features: features}
	}
	r := start(t, options())
	send(t, r, "/v1/logs", evaluation("early", 0.25, 3, ""))
	parts := request(t)
	for i, traces := range parts {
		if i == 2 { // what was taken up is not committed, and comes again
			r.stop()
			r = start(t, options())
		}
		body, _ := marshal(t, traces)
		var zipped bytes.Buffer
		z, err := zstd.NewWriter(&zipped)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := z.Write(body); err != nil || z.Close() != nil {
			t.Fatal(err)
		}
		send(t, r, "/v1/traces", zipped.Bytes(), "Content-Encoding", "zstd")
	}
	q.drained(t)
	got, _ := s.stored(t)
	if len(got) != 1 {
		t.Fatalf("got %d samples, want 1", len(got))
	}
	x := got[0]
	if x.Output.Last() != "In 3 days." || x.Input.Last() != "When does it come?" || x.Customer != "acme" || x.Model != "m-1" ||
		len(x.Context) != 1 || x.Context[0].ID != "doc-7" || x.Usage == nil || x.Usage.InputTokens != 10 || x.Scores["early"] != 0.25 {
		t.Errorf("got %+v", x)
	}
	send(t, r, "/v1/logs", evaluation("late", 0.5, 3, ""))
	send(t, r, "/v1/logs", evaluation("by_response", 0.75, 0, "resp-1"))
	for _, sc := range awaitScores(t, s, 2) {
		if want := map[string]float64{"late": 0.5, "by_response": 0.75}[sc.Metric]; sc.SampleID != x.ID || sc.Value != want || sc.Customer != "acme" {
			t.Errorf("got %+v", sc)
		}
	}
	// Everything once more, as after a crash before the commit: nothing new.
	r.stop()
	q.committed = 0
	start(t, options())
	q.drained(t)
	if again, _ := s.stored(t); len(again) != 1 {
		t.Errorf("got %d samples when the spans came again, want 1", len(again))
	}
}

func TestGRPC(t *testing.T) {
	s, q := &stream{}, newStaged()
	full := false
	r := start(t, collector.Options{Handoff: s, Spans: q.open(), Features: joined(quality.Feature{}), Room: func() error {
		if full {
			return quality.Errorf(quality.KindFull, "no room")
		}
		return nil
	}})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer()
	r.RegisterGRPC(server)
	go func() { _ = server.Serve(l) }() // ends with Stop
	defer server.Stop()
	conn, err := grpc.NewClient(l.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	client := ptraceotlp.NewGRPCClient(conn)
	for _, traces := range request(t) {
		if _, err := client.Export(t.Context(), ptraceotlp.NewExportRequestFromTraces(traces)); err != nil {
			t.Fatal(err)
		}
	}
	q.drained(t)
	if got, _ := s.stored(t); len(got) != 1 || got[0].Output.Last() != "In 3 days." {
		t.Errorf("got %+v", got)
	}
	full = true
	_, err = client.Export(t.Context(), ptraceotlp.NewExportRequestFromTraces(request(t)[0]))
	if st, _ := status.FromError(err); st.Code() != codes.Unavailable || len(st.Details()) != 1 {
		t.Errorf("got %v, want unavailable with the time to try again", err)
	}
}

// What is counted and not kept is in the counts, has no sample, and is known when it comes again.
func TestSamplingCountsAll(t *testing.T) {
	s := &stream{}
	features := []quality.Feature{{Name: "chat", Sampling: &quality.SamplingSpec{Rate: 0.25}}}
	r := start(t, collector.Options{Handoff: s, Features: features})
	const n = 2000
	var samples []quality.Sample
	for i := range n {
		samples = append(samples, sample(fmt.Sprint(i)))
	}
	result, err := r.Accept(t.Context(), samples)
	if err != nil || result.Accepted != n {
		t.Fatalf("got %+v (%v)", result, err)
	}
	again, err := r.Accept(t.Context(), samples)
	if err != nil || again.Duplicates != n || again.Accepted != 0 {
		t.Errorf("again: got %+v (%v), want duplicates only", again, err)
	}
	var kept, total, weights float64
	for _, d := range s.deliveries(t) {
		for _, x := range d.Samples {
			weights += x.Weight
		}
		for _, c := range d.Traffic {
			kept, total = kept+float64(c.Kept), total+float64(c.Total)
		}
	}
	if stored, _ := s.stored(t); total != n || kept != float64(len(stored)) || kept != float64(n-result.NotKept) || weights != 4*kept || kept < 400 || kept > 600 {
		t.Errorf("got %v of %v kept, weights of %v, %d stored, %d not kept", kept, total, weights, len(stored), result.NotKept)
	}
}

// Samples wait for feedback, which may come before they are decided on; those with low feedback are kept.
func TestLowFeedbackIsKept(t *testing.T) {
	s, h, f := &stream{}, newStaged(), newStaged()
	features := []quality.Feature{{Name: "chat", Sampling: &quality.SamplingSpec{
		Rate: 0.001, Always: []string{quality.AlwaysLowFeedback}, Hold: time.Millisecond}}}
	dir := t.TempDir()
	// Nothing is settled while nobody reads what is held.
	idle := collector.Staged{To: h, From: newStaged()}
	r := start(t, collector.Options{Handoff: s, Features: features, Held: idle, Feedback: f.open(), Dir: dir})
	result, err := r.Accept(t.Context(), []quality.Sample{sample("liked"), sample("disliked"), sample("ignored")})
	if err != nil || result.Accepted != 3 {
		t.Fatalf("got %+v (%v)", result, err)
	}
	postLines(t, r.engine, "/v1/scores", `{"feature":"chat","sample":"disliked","thumbs":"down"}
{"feature":"chat","sample":"liked","thumbs":"up"}`)
	f.drained(t)
	r.stop()
	start(t, collector.Options{Handoff: s, Features: features, Held: h.open(), Feedback: f.open(), Dir: dir})
	h.drained(t)
	got, _ := s.stored(t)
	if len(got) != 1 || got[0].ID != "disliked" || got[0].Weight != 1 || len(got[0].Scores) != 0 {
		t.Errorf("got %+v, want the disliked one with weight 1", got)
	}
	if scores := awaitScores(t, s, 1); scores[0].SampleID != "disliked" || scores[0].Value != 0 {
		t.Errorf("got %+v", scores)
	}
}

// Nothing that is to be redacted reaches the hand-off or a stage.
func TestRedactionBeforeTheDisk(t *testing.T) {
	s, q, f := &stream{}, newStaged(), newStaged()
	r := start(t, collector.Options{Handoff: s, Spans: q.open(), Feedback: f.open(), Features: joined(quality.Feature{})})
	const mail, card = "jane.doe@example.org", "4111 1111 1111 1111"
	x := sample("a")
	x.Customer, x.Input, x.Error = "acme", quality.Text("I am "+mail), "no card "+card
	y := sample("b")
	y.Customer, y.Output = "acme", quality.Text("Dear "+mail)
	if _, err := r.Accept(t.Context(), []quality.Sample{x, y}); err != nil {
		t.Fatal(err)
	}
	traces := ptrace.NewTraces()
	newSpan(t, traces, map[string]any{"gen_ai.completion": "write to " + mail, "gen_ai.tool.call.arguments": `{"card":"` + card + `"}`})
	body, _ := marshal(t, traces)
	send(t, r, "/v1/traces", body)
	postLines(t, r.engine, "/v1/scores", `{"feature":"chat","sample":"a","edit":"mail `+mail+`"}`)
	q.drained(t)
	f.drained(t)
	var all bytes.Buffer
	for _, messages := range [][][]byte{s.messages, q.messages, f.messages} {
		for _, m := range messages {
			all.Write(m)
		}
	}
	for _, secret := range []string{mail, "jane", "4111"} {
		if strings.Contains(all.String(), secret) {
			t.Errorf("%q is on its way to the disk", secret)
		}
	}
	got, _ := s.stored(t)
	pseudonym, ok := strings.CutPrefix(got[0].Input.Text, "I am ")
	if !ok || !strings.HasSuffix(got[1].Output.Text, pseudonym) || !strings.HasPrefix(pseudonym, "[email:") {
		t.Errorf("got %q and %q, want one pseudonym for one address", got[0].Input.Text, got[1].Output.Text)
	}
}

// Whoever speaks of one feature does not reach another's samples by a trace or a response id.
func TestScoresStayWithTheirFeature(t *testing.T) {
	s, q, f := &stream{}, newStaged(), newStaged()
	features := append(joined(quality.Feature{}), quality.Feature{Name: "other"})
	r := start(t, collector.Options{Handoff: s, Spans: q.open(), Feedback: f.open(), Features: features})
	for _, traces := range request(t) {
		body, _ := marshal(t, traces)
		send(t, r, "/v1/traces", body)
	}
	q.drained(t)
	trace := "09000000000000000000000000000009"
	postLines(t, r.engine, "/v1/scores", fmt.Sprintf(`{"feature":"other","trace":%q,"span":"0900000000000003","metric":"a","value":0}
{"feature":"other","response":"resp-1","metric":"b","value":0}
{"feature":"chat","trace":%q,"span":"0900000000000003","metric":"c","value":1}`, trace, trace))
	f.drained(t)
	if got := awaitScores(t, s, 1); len(got) != 1 || got[0].Metric != "c" {
		t.Errorf("got %+v, want the score of the sample's own feature alone", got)
	}
}
