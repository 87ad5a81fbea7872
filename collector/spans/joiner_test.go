package spans_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/asgood-dev/asgood/collector/spans"
	"github.com/asgood-dev/asgood/internal/quality"
)

var support = []quality.Feature{{Name: "a", Spans: quality.SpanSpec{Wait: 2 * time.Second}}}

func at(seconds float64) time.Time { return start.Add(time.Duration(seconds * float64(time.Second))) }

// output is a record of a model call from one second to another.
func output(trace, span, parent string, from, to float64) spans.Record {
	return spans.Record{
		Trace: trace, Span: span, Parent: parent, From: spans.FromSpan, Role: spans.RoleOutput, Entry: parent == "", Start: at(from), End: at(to),
		Sample: quality.Sample{Feature: "a", Time: at(to), Input: quality.Text("asked " + span), Output: quality.Text("said " + span)},
	}
}

func other(trace, span, parent string, from, to float64) spans.Record {
	r := output(trace, span, parent, from, to)
	r.Role, r.Sample = spans.RoleOther, quality.Sample{Feature: "a"}
	return r
}

func said(metric, trace, span string, value float64) quality.Feedback {
	return quality.Feedback{Trace: trace, Span: span, Metric: metric, Value: &value, Time: start}
}

func evaluation(f quality.Feedback) spans.Record {
	return spans.Record{Trace: f.Trace, Span: f.Span, From: spans.FromMessage, Role: spans.RoleEvaluation, Feedback: []quality.Feedback{f}}
}

func ids(b spans.Batch) []string {
	var out []string
	for _, s := range b.Samples {
		out = append(out, s.Sample.ID)
	}
	return out
}

func TestWait(t *testing.T) {
	for _, tt := range []struct {
		name    string
		records []spans.Record
		after   time.Duration // of the last record
	}{
		{"whole", []spans.Record{output("t", "1", "", 0, 1)}, 2 * time.Second},
		{"root came", []spans.Record{output("t", "2", "1", 0, 1), other("t", "1", "", 0, 2)}, 2 * time.Second},
		{"root is missing", []spans.Record{output("t", "2", "1", 0, 1)}, 10 * time.Second},
		{"content is missing", []spans.Record{func() spans.Record {
			r := output("t", "1", "", 0, 1)
			r.Sample.Output, r.Sample.Error = quality.Content{}, ""
			return r
		}(), {Trace: "t", Span: "9", Parent: "1", From: spans.FromSpan, Role: spans.RoleTool, Start: at(0), End: at(1),
			Sample: quality.Sample{Tools: []quality.ToolCall{{Name: "x"}}}}}, 2 * time.Second},
	} {
		t.Run(tt.name, func(t *testing.T) {
			j := spans.NewJoiner(spans.JoinerOptions{Features: support})
			now := start
			for i, r := range tt.records {
				now = now.Add(time.Second)
				if b := j.Due(now); len(b.Samples) > 0 {
					t.Fatalf("got %v early", ids(b))
				}
				j.Add(now, uint64(i+1), r)
			}
			if b := j.Due(now.Add(tt.after - time.Millisecond)); len(b.Samples) > 0 || j.Oldest() != 1 {
				t.Errorf("got %v early, oldest %d", ids(b), j.Oldest())
			}
			if b := j.Due(now.Add(tt.after)); len(b.Samples) != 1 || b.Samples[0].From != 1 || b.Samples[0].To != uint64(len(tt.records)) {
				t.Errorf("got %+v, want one", b.Samples)
			}
			if _, ok := j.Next(); ok || j.Oldest() != 0 {
				t.Errorf("something is left; oldest %d", j.Oldest())
			}
		})
	}
}

// TestLate: a span whose request was emitted never makes a second sample.
func TestLate(t *testing.T) {
	j := spans.NewJoiner(spans.JoinerOptions{Features: support})
	j.Add(start, 1, output("t", "2", "1", 0, 1))
	if got := ids(j.Due(at(10))); !slices.Equal(got, []string{"t2"}) {
		t.Fatalf("got %v", got)
	}
	for i, r := range []spans.Record{
		output("t", "2", "1", 0, 1),     // sent again
		output("t", "3", "2", 0.2, 0.8), // below it
		output("t", "4", "1", 2, 3),     // beside it
		{Trace: "t", Span: "2", From: spans.FromDetails, Role: spans.RoleOutput, Sample: quality.Sample{Feature: "a", Output: quality.Text("again")}},
	} {
		j.Add(at(20), uint64(i+2), r)
	}
	if b := j.Due(at(60)); len(b.Samples) > 0 || j.Stats().Late != 4 || j.Oldest() != 0 {
		t.Errorf("got %v, %+v, oldest %d, want 4 late", ids(b), j.Stats(), j.Oldest())
	}
	// The next turn of the conversation, in the same trace, begins with a span of its own.
	j.Add(at(70), 9, output("t", "6", "5", 70, 71))
	j.Add(at(71), 10, other("t", "5", "", 70, 72))
	if got := ids(j.Due(at(80))); !slices.Equal(got, []string{"t6"}) {
		t.Errorf("got %v, want the second turn", got)
	}
	if got := ids(j.Due(at(3600))); got != nil {
		t.Errorf("got %v", got)
	}
	j.Add(at(3600), 11, output("t", "2", "1", 0, 1))
	if got := ids(j.Due(at(3700))); !slices.Equal(got, []string{"t2"}) {
		t.Errorf("got %v, want the same id after it was forgotten", got)
	}
}

func TestFeedbackFindsItsSample(t *testing.T) {
	j := spans.NewJoiner(spans.JoinerOptions{Features: support})
	j.Add(start, 1, evaluation(said("first", "t", "2", 1)))
	byResponse := said("by_response", "elsewhere", "9", 0.5)
	byResponse.Response = "r-1"
	j.Add(start, 2, evaluation(byResponse))
	j.Add(start, 3, evaluation(said("whole", "t", "", 0.25)))
	call := output("t", "2", "1", 0, 1)
	call.Response = "r-1"
	j.Add(at(5), 4, call)
	j.Add(at(5), 5, output("t", "1", "", 0, 2))
	b := j.Due(at(8))
	want := map[string]float64{"first": 1, "by_response": 0.5, "whole": 0.25}
	if len(b.Samples) != 1 || !maps.Equal(b.Samples[0].Sample.Scores, want) || b.Samples[0].From != 1 || len(b.Feedback) != 0 {
		t.Fatalf("got %+v, want scores %v", b, want)
	}
	// What is said after that names the sample.
	for i, f := range []quality.Feedback{said("late", "t", "2", 0), byResponse, {Session: "s", Metric: "whole", Label: "fine"}, said("stranger", "u", "7", 1)} {
		j.Add(at(20), uint64(6+i), evaluation(f))
	}
	b = j.Due(at(40))
	var got []string
	for _, f := range b.Feedback {
		got = append(got, f.Metric+" "+f.Sample+f.Session)
	}
	if want := []string{"late t1", "by_response t1", "whole s", "stranger "}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestJoinNone(t *testing.T) {
	features := []quality.Feature{{Name: "a", Spans: quality.SpanSpec{Join: quality.JoinNone}}}
	j := spans.NewJoiner(spans.JoinerOptions{Features: features})
	silent := output("t", "3", "1", 0, 1)
	silent.Sample.Output = quality.Content{}
	for i, r := range []spans.Record{output("t", "1", "", 0, 3), output("t", "2", "1", 0, 1), silent} {
		j.Add(start, uint64(i+1), r)
	}
	if got := ids(j.Due(start)); !slices.Equal(got, []string{"t1", "t2"}) && !slices.Equal(got, []string{"t2", "t1"}) {
		t.Errorf("got %v, want each output that has content at once", got)
	}
	j.Add(at(1), 4, output("t", "4", "1", 0, 1)) // its parent was emitted, and it is a sample all the same
	j.Add(at(2), 5, spans.Record{Trace: "t", Span: "3", From: spans.FromDetails, Role: spans.RoleOutput, Sample: quality.Sample{Output: quality.Text("logged")}})
	got := ids(j.Due(at(3)))
	if slices.Sort(got); !slices.Equal(got, []string{"t3", "t4"}) || j.Stats().Late != 0 {
		t.Errorf("got %v, %+v", got, j.Stats())
	}
}

func TestCustomersAreNotMixed(t *testing.T) {
	j := spans.NewJoiner(spans.JoinerOptions{Features: support})
	j.Add(start, 1, other("t", "1", "", 0, 10))
	for i, customer := range []string{"acme", "globex"} {
		r := output("t", fmt.Sprint(2+i), "1", float64(i), float64(i+1))
		r.Sample.Customer = customer
		j.Add(start, uint64(2+i), r)
	}
	b := j.Due(at(60))
	if len(b.Samples) != 2 {
		t.Fatalf("got %v, want one for each customer", ids(b))
	}
	for _, s := range b.Samples {
		if s.Sample.Input.Text != "asked "+s.Sample.ID[1:] {
			t.Errorf("got %+v, want its own input", s.Sample)
		}
	}
}

func TestBounds(t *testing.T) {
	j := spans.NewJoiner(spans.JoinerOptions{Features: support, MaxTraces: 10, MaxBytes: 1 << 20, MaxRemembered: 5})
	for i := range 100 {
		j.Add(start, uint64(i+1), output(fmt.Sprint("t", i), "1", "", 0, 1))
		if traces, bytes := j.Pending(); traces > 10 || bytes > 1<<20 {
			t.Fatalf("got %d traces, %d bytes", traces, bytes)
		}
	}
	if j.Oldest() != 1 {
		t.Errorf("got oldest %d, want 1: nobody took it yet", j.Oldest())
	}
	b := j.Due(start)
	if len(b.Samples) != 90 || !b.Samples[0].Early || b.Samples[0].Sample.ID != "t01" || j.Stats().Early != 90 || j.Oldest() != 91 {
		t.Errorf("got %d, %+v, oldest %d, want the oldest 90 early", len(b.Samples), j.Stats(), j.Oldest())
	}
	big := output("big", "1", "", 0, 1)
	big.Sample.Context = []quality.Document{{Text: string(make([]byte, 1<<20))}}
	j.Add(start, 101, big)
	if traces, _ := j.Pending(); traces != 0 {
		t.Errorf("got %d traces, want room made", traces)
	}
	// One trace without end.
	for i := range 5000 {
		j.Add(start, uint64(200+i), output("long", fmt.Sprint(i), "0", 0, 1))
	}
	if _, bytes := j.Pending(); bytes > 1<<20 {
		t.Errorf("got %d bytes", bytes)
	}
	j.Flush(start)
	if traces, bytes := j.Pending(); traces != 0 || bytes != 0 {
		t.Errorf("got %d traces, %d bytes after the flush", traces, bytes)
	}
}

// TestTooLargeTogether: parts that fit can be too large together.
func TestTooLargeTogether(t *testing.T) {
	records := []spans.Record{output("t", "1", "", 0, 10)}
	for i := range 5 {
		r := other("t", fmt.Sprint(2+i), "1", float64(i), float64(i+1))
		r.Role = spans.RoleRetrieval
		r.Sample.Context = []quality.Document{{ID: fmt.Sprint(i), Text: string(make([]byte, 1<<20))}}
		records = append(records, r)
	}
	got := joined(support, records)
	if len(got.Samples) != 1 || len(got.Samples[0].Sample.Context) != 3 || got.Stats.Trimmed != 1 || got.Samples[0].Sample.Context[0].ID != "0" {
		t.Errorf("got %d documents, %+v", len(got.Samples[0].Sample.Context), got.Stats)
	}
}

// TestParentsInACircle: lies about parents end no process and lose no output.
func TestParentsInACircle(t *testing.T) {
	got := joined(support, []spans.Record{output("t", "1", "2", 0, 1), output("t", "2", "3", 0, 1), output("t", "3", "1", 0, 1), output("t", "4", "4", 0, 1)})
	if len(got.Samples) != 1 {
		t.Errorf("got %+v", got)
	}
}

// arrival is a record and when it came.
type arrival struct {
	at  time.Time
	rec spans.Record
}

// stream is of requests that begin one second after the other and whose spans come over two seconds, the
// first span last.
func stream() []arrival {
	var out []arrival
	for i := range 20 {
		trace, from := fmt.Sprint("t", i), float64(i)
		tool := other(trace, "3", "1", from, from+1)
		tool.Role, tool.Sample.Tools = spans.RoleTool, []quality.ToolCall{{Name: "f"}}
		for k, r := range []spans.Record{
			output(trace, "2", "1", from, from+1), tool, output(trace, "4", "1", from, from+2),
			evaluation(said("m", trace, "2", from)), output(trace, "1", "", from, from+3),
		} {
			out = append(out, arrival{at(from + 0.5*float64(k)), r})
		}
	}
	slices.SortStableFunc(out, func(a, b arrival) int { return a.at.Compare(b.at) })
	return out
}

// TestReplay: a process that is killed at any moment and reads its stream again from the oldest sequence
// that was needed makes the samples that it would have made, each once.
func TestReplay(t *testing.T) {
	all := stream()
	want := map[string]string{}
	read(t, all, spans.NewJoiner(spans.JoinerOptions{Features: support}), 0, len(all), want, nil)
	if len(want) != 20 {
		t.Fatalf("got %d samples, want 20", len(want))
	}
	for cut := range all {
		got, known := map[string]string{}, map[string]bool{}
		j := spans.NewJoiner(spans.JoinerOptions{Features: support})
		read(t, all, j, 0, cut, got, known)
		from := cut
		if oldest := j.Oldest(); oldest > 0 {
			from = int(oldest) - 1
		}
		read(t, all, spans.NewJoiner(spans.JoinerOptions{Features: support}), from, len(all), got, known)
		if !maps.Equal(got, want) {
			t.Fatalf("killed after %d: got\n%v\nwant\n%v", cut, got, want)
		}
	}
}

// read adds records to the joiner. What was known when the process began is left out; what is made is noted.
func read(t *testing.T, all []arrival, j *spans.Joiner, from, to int, made map[string]string, known map[string]bool) {
	t.Helper()
	before := maps.Clone(known)
	take := func(b spans.Batch) {
		for _, s := range b.Samples {
			if _, ok := made[s.Sample.ID]; ok {
				t.Fatalf("%s was made twice", s.Sample.ID)
			}
			made[s.Sample.ID] = string(encode(t, s.Sample))
			for _, id := range append(s.Aliases, s.Sample.ID) {
				if known != nil {
					known[id] = true
				}
			}
		}
	}
	for i := from; i < to; i++ {
		if r := all[i].rec; r.Role == spans.RoleEvaluation || !before[spans.SampleID(r.Trace, r.Span)] {
			j.Add(all[i].at, uint64(i+1), r)
		}
		take(j.Due(all[i].at))
	}
	if to == len(all) {
		take(j.Due(all[to-1].at.Add(time.Hour)))
	}
}

// TestHostileTrace: the longest trace, made to be slow, is emitted all the same, and a batch job of many
// requests in one trace goes on.
func TestHostileTrace(t *testing.T) {
	j := spans.NewJoiner(spans.JoinerOptions{Features: support})
	for i := range 2000 {
		r := output("t", fmt.Sprint(i), fmt.Sprint(i-1), 0, float64(4000-i))
		if i%2 == 0 {
			r.Parent = "gone" + r.Parent
		}
		j.Add(start, uint64(i+1), r)
	}
	if got := j.Due(at(60)); len(got.Samples) != 1 || len(got.Samples[0].Aliases) != 1999 {
		t.Fatalf("got %d samples", len(got.Samples))
	}
	n := 0
	for i := range 20_000 {
		j.Add(at(float64(i)), uint64(i+1), output("batch", fmt.Sprint(i), "", float64(i), float64(i+1)))
		n += len(j.Due(at(float64(i))).Samples)
	}
	if n != 19_998 || j.Stats().Late != 0 {
		t.Errorf("got %d samples, %+v", n, j.Stats())
	}
}
