package spans_test

import (
	"bytes"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/asgood-dev/asgood/collector/spans"
	"github.com/asgood-dev/asgood/internal/quality"
)

// drawn are the features of drawn traces.
var drawn = []quality.Feature{{Name: "a"}, {Name: "b", Spans: quality.SpanSpec{Wait: 3 * time.Second}}}

// drawTraces makes records of a few traces, with all that can be in them.
func drawTraces(t *rapid.T) []spans.Record {
	var out []spans.Record
	for trace := range rapid.IntRange(1, 3).Draw(t, "traces") {
		for span := range rapid.IntRange(1, 9).Draw(t, "spans") {
			out = append(out, drawRecords(t, fmt.Sprint("t", trace), span+1)...)
		}
	}
	return out
}

func drawRecords(t *rapid.T, trace string, span int) []spans.Record {
	from := float64(rapid.IntRange(0, 10).Draw(t, "start"))
	r := output(trace, fmt.Sprint(span), "", from, from+float64(rapid.IntRange(0, 10).Draw(t, "length")))
	if parent := rapid.IntRange(0, 12).Draw(t, "parent"); parent > 0 {
		r.Parent, r.Entry = fmt.Sprint(parent), rapid.IntRange(0, 5).Draw(t, "entry") == 0
	}
	r.Role = rapid.SampledFrom([]spans.Role{spans.RoleOutput, spans.RoleOutput, spans.RoleRetrieval, spans.RoleTool, spans.RoleOther, spans.RoleEvaluation}).Draw(t, "role")
	s := &r.Sample
	s.Feature = rapid.SampledFrom([]string{"a", "a", "a", "b", ""}).Draw(t, "feature")
	s.Customer = rapid.SampledFrom([]string{"", "", "acme", "globex"}).Draw(t, "customer")
	s.Attributes = map[string]string{"k": r.Span, "of": trace}
	tool := quality.ToolCall{Name: rapid.SampledFrom([]string{"f", "g"}).Draw(t, "tool")}
	call := rapid.SampledFrom([]string{"", "c1", "c2"}).Draw(t, "call")
	switch r.Role {
	case spans.RoleOutput:
		s.Model, s.Usage = "m"+r.Span, &quality.Usage{InputTokens: uint64(span)}
		r.Response = rapid.SampledFrom([]string{"", trace + "r" + r.Span}).Draw(t, "response")
		if rapid.Bool().Draw(t, "calls") {
			s.Tools, r.Calls = []quality.ToolCall{tool}, []string{call}
		}
		if rapid.Bool().Draw(t, "silent") {
			s.Output = quality.Content{}
		}
	case spans.RoleTool:
		s.Output, s.Input = quality.Content{}, quality.Content{}
		tool.Result = []byte(`"` + r.Span + `"`)
		s.Tools, r.Calls = []quality.ToolCall{tool}, []string{call}
	default:
		s.Output, s.Input = quality.Content{}, quality.Content{}
		s.Context = []quality.Document{{Text: r.Span}}
	}
	out := []spans.Record{r}
	if rapid.IntRange(0, 3).Draw(t, "said") == 0 || r.Role == spans.RoleEvaluation {
		f := said(fmt.Sprint("metric", span%3), trace, fmt.Sprint(rapid.IntRange(0, 9).Draw(t, "target")), float64(span))
		f.Time = at(float64(rapid.IntRange(0, 3).Draw(t, "time")))
		f.Response = rapid.SampledFrom([]string{"", trace + "r1"}).Draw(t, "of")
		out = append(out, evaluation(f))
	}
	if r.Role == spans.RoleOutput && rapid.IntRange(0, 3).Draw(t, "logged") == 0 {
		for i := range rapid.IntRange(1, 3).Draw(t, "messages") {
			l := spans.Record{Trace: trace, Span: r.Span, From: spans.FromMessage, Role: spans.RoleOutput, Start: at(from), End: at(from)}
			l.Sample.Output.Messages = []quality.Message{{Role: "assistant", Content: fmt.Sprint("message ", i)}}
			out = append(out, l)
		}
	}
	return out
}

func shuffled(t *rapid.T, records []spans.Record) []spans.Record {
	return rapid.Permutation(records).Draw(t, "order")
}

// batched adds the records in an order and in batches of its own, none so late that a request is due before.
func batched(t *rapid.T, features []quality.Feature, records []spans.Record) golden {
	j := spans.NewJoiner(spans.JoinerOptions{Features: features})
	now, end := start, start.Add(time.Second)
	var all spans.Batch
	take := func(b spans.Batch) {
		all.Samples, all.Feedback = append(all.Samples, b.Samples...), append(all.Feedback, b.Feedback...)
	}
	for i, r := range records {
		if rapid.Bool().Draw(t, "batch ends") {
			take(j.Due(now))
			now = now.Add(end.Sub(now) / 4)
		}
		j.Add(now, uint64(i+1), r)
	}
	take(j.Due(now.Add(time.Hour)))
	if traces, bytes := j.Pending(); traces != 0 || bytes != 0 || j.Oldest() != 0 {
		t.Fatalf("left: %d traces, %d bytes, oldest %d", traces, bytes, j.Oldest())
	}
	return sorted(all, j.Stats())
}

// text is a result without the sequences, which are those of the order.
func (g golden) text(t testing.TB) string {
	for i := range g.Samples {
		g.Samples[i].From, g.Samples[i].To = 0, 0
	}
	slices.SortFunc(g.Feedback, func(a, b quality.Feedback) int { return bytes.Compare(encode(t, a), encode(t, b)) })
	g.Refused = nil
	return string(encode(t, g))
}

// TestOrderDoesNotMatter: any order and any batching of the same records make the same samples.
func TestOrderDoesNotMatter(t *testing.T) {
	for name, f := range fixtures(t) {
		t.Run(name, func(t *testing.T) {
			records, _ := f.records(t)
			want := joined(f.features(), records).text(t)
			rapid.Check(t, func(rt *rapid.T) {
				if got := batched(rt, f.features(), shuffled(rt, records)).text(t); got != want {
					rt.Fatalf("got\n%s\nwant\n%s", got, want)
				}
			})
		})
	}
	t.Run("drawn", func(t *testing.T) {
		rapid.Check(t, func(rt *rapid.T) {
			records := drawTraces(rt)
			want := joined(drawn, records)
			whole(rt, want)
			if got := batched(rt, drawn, shuffled(rt, records)).text(t); got != want.text(t) {
				rt.Fatalf("got\n%s\nwant\n%s", got, want.text(t))
			}
		})
	})
}

// whole checks what holds of all samples: no span is in two of them, and none is of two customers.
func whole(t *rapid.T, g golden) {
	in := map[string]string{}
	for _, s := range g.Samples {
		for _, id := range append([]string{s.Sample.ID}, s.Aliases...) {
			if first, ok := in[id]; ok {
				t.Fatalf("%s is in %s and in %s", id, first, s.Sample.ID)
			}
			in[id] = s.Sample.ID
		}
		if err := s.Sample.Validate(); err != nil {
			t.Fatalf("%s: %v", s.Sample.ID, err)
		}
	}
}
