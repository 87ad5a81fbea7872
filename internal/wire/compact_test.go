package wire_test

import (
	"bytes"
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/asgood-dev/asgood/internal/quality"
	"github.com/asgood-dev/asgood/internal/wire"
)

func delivery(t *rapid.T) quality.Delivery {
	d := quality.Delivery{Samples: rapid.SliceOfN(rapid.Custom(full), 0, 4).Draw(t, "samples")}
	if rapid.Bool().Draw(t, "rest") {
		key := quality.SampleKey{Feature: "bot", ID: rapid.String().Draw(t, "key")}
		d.Dropped = []quality.SampleKey{key}
		d.Traffic = []quality.Traffic{{Minute: time.Unix(60, 0).UTC(), Feature: "bot", Total: 3, Kept: 1}}
		d.Scores = []quality.Score{{Feature: "bot", SampleID: key.ID, Metric: "thumbs", Value: 1, Time: time.Unix(1, 0).UTC()}}
		d.Aliases = []quality.Alias{{Name: "span", Sample: key}}
		d.Said = []quality.Said{{Sample: key, Scores: []string{"thumbs\x00anna"}}}
	}
	return d
}

// full is a sample that may have anything.
func full(t *rapid.T) quality.Sample {
	s := sample(t)
	s.Customer, s.Model, s.Prompt = rapid.String().Draw(t, "customer"), "m", rapid.String().Draw(t, "prompt")
	if rapid.Bool().Draw(t, "details") {
		s.Conversation, s.Source, s.Trace, s.Error = rapid.String().Draw(t, "conversation"), "canary", "abc", rapid.String().Draw(t, "error")
		s.Context = []quality.Document{{ID: "1", Text: rapid.String().Draw(t, "document")}, {}}
		s.Tools = append(s.Tools, quality.ToolCall{Name: "x", Result: json.RawMessage(`"ok"`)})
	}
	return s
}

// message writes a delivery as the collector does.
func message(t interface{ Fatal(...any) }, d quality.Delivery) []byte {
	var parts [][]byte
	var w wire.SampleWriter
	for i := range d.Samples {
		data, err := w.Append(nil, &d.Samples[i])
		if err != nil {
			t.Fatal(err)
		}
		parts = append(parts, data)
	}
	out := wire.NewDeliveryWriter(len(parts), 0)
	for _, p := range parts {
		out.Sample(p)
	}
	data, err := out.Finish(&d)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// The compact form says what JSON says.
func TestDeliveryInBothForms(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := delivery(t)
		old, err := wire.Marshal(&d)
		if err != nil {
			t.Fatal(err)
		}
		want, err := wire.ReadDelivery(old)
		if err != nil {
			t.Fatal(err)
		}
		data := message(t, d)
		got, err := wire.ReadDelivery(data)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("got  %+v (%v)\nwant %+v", got, err, want)
		}
		cut := rapid.IntRange(0, len(data)-1).Draw(t, "cut")
		if got, err := wire.ReadDelivery(data[:cut]); err == nil {
			t.Fatalf("cut at %d of %d: got %+v and no error", cut, len(data), got)
		}
	})
}

func scores(t *rapid.T) []quality.Score {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) quality.Score {
		s := quality.Score{Feature: "bot", SampleID: rapid.String().Draw(t, "id"), Metric: rapid.SampledFrom([]string{"a", "b", ""}).Draw(t, "metric"),
			Value: rapid.Float64Range(-1e9, 1e9).Draw(t, "value"), Weight: rapid.SampledFrom([]float64{0, 1, 2.5}).Draw(t, "weight"),
			Scorer: "regex", Version: "1", Late: rapid.Bool().Draw(t, "late"), Aside: rapid.Bool().Draw(t, "aside"),
			Error: rapid.SampledFrom([]string{"", "away"}).Draw(t, "error"), Label: rapid.SampledFrom([]string{"", "good"}).Draw(t, "label")}
		if rapid.Bool().Draw(t, "more") {
			s.Time = time.Unix(rapid.Int64Range(0, 4e9).Draw(t, "time"), 5).UTC()
			s.Attributes = map[string]string{"language": rapid.SampledFrom([]string{"de", "fr"}).Draw(t, "language")}
			s.Customer, s.By, s.Explanation = rapid.String().Draw(t, "customer"), "anna", rapid.String().Draw(t, "explanation")
		}
		return s
	}), 0, 6).Draw(t, "scores")
}

func TestScoresInBothForms(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		list := scores(t)
		old, err := wire.Marshal(list)
		if err != nil {
			t.Fatal(err)
		}
		want, err := wire.ReadScores(old)
		if err != nil {
			t.Fatal(err)
		}
		data := wire.WriteScores(list)
		got, err := wire.ReadScores(data)
		if err != nil || len(got) != len(want) || len(got) > 0 && !reflect.DeepEqual(got, want) {
			t.Fatalf("got  %+v (%v)\nwant %+v", got, err, want)
		}
		if got, err := wire.ReadScores(data[:rapid.IntRange(0, len(data)-1).Draw(t, "cut")]); err == nil {
			t.Fatalf("cut: got %+v and no error", got)
		}
	})
}

// What is not UTF-8 is written as JSON would write it, and tools that are no JSON are refused.
func TestCompactRefusesAndMends(t *testing.T) {
	s := quality.Sample{ID: "a\xff", Feature: "bot", Output: quality.Text("x\xfe")}
	d, err := wire.ReadDelivery(message(t, quality.Delivery{Samples: []quality.Sample{s}}))
	if err != nil || d.Samples[0].ID != "a\ufffd" || d.Samples[0].Output.Text != "x\ufffd" {
		t.Errorf("got %+v (%v)", d.Samples, err)
	}
	var w wire.SampleWriter
	s.Tools = []quality.ToolCall{{Name: "refund", Arguments: json.RawMessage("{")}}
	if data, err := w.Append(nil, &s); err == nil {
		t.Errorf("got %q and no error", data)
	}
	for _, bad := range [][]byte{nil, {1}, {2}, {1, 0}, {1, 0, '['}, {1, 0xff, 0xff, 0xff, 0xff, 0x0f, '{', '}'}, {1, 1, 200, '{', '}'}} {
		if d, err := wire.ReadDelivery(bad); err == nil {
			t.Errorf("%v: got %+v and no error", bad, d)
		}
	}
}

// What the reader takes, the writer writes so that it reads as the same.
func FuzzReadDelivery(f *testing.F) {
	reference := "yes"
	f.Add(message(f, quality.Delivery{Samples: []quality.Sample{{ID: "a", Feature: "bot", Time: time.Unix(1e9, 7), Output: quality.Text("x"),
		Input: quality.Content{Messages: []quality.Message{{Role: "user", Content: "why"}}}, Reference: &reference,
		Params: map[string]any{"temperature": 0.5}, Tools: []quality.ToolCall{{Name: "refund", Arguments: json.RawMessage("{}")}},
		Context: []quality.Document{{ID: "1", Text: "t"}}, Attributes: map[string]string{"a": "b"}, Scores: map[string]float64{"m": 1},
		Usage: &quality.Usage{InputTokens: 3}, Weight: 2, LatencyMS: 5, Error: "late", Trace: "abc"}}}))
	f.Add([]byte(`{"samples":[{"id":"a","feature":"bot","output":"x"}]}`))
	f.Add([]byte{1, 0, '{', '}'})
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := wire.ReadDelivery(data)
		if err != nil || data[0] != 1 || !writable(d) {
			return
		}
		first := message(t, d)
		again, err := wire.ReadDelivery(first)
		if err != nil {
			t.Fatalf("%q: %v", first, err)
		}
		if len(again.Samples) != len(d.Samples) {
			t.Fatalf("got %d samples, want %d", len(again.Samples), len(d.Samples))
		}
		for i := range again.Samples {
			if again.Samples[i].ID != d.Samples[i].ID && bytes.Contains(first, []byte(d.Samples[i].ID)) {
				t.Fatalf("got %q, want %q", again.Samples[i].ID, d.Samples[i].ID)
			}
		}
	})
}

// writable reports whether all tools of a delivery are JSON: the reader takes what it finds.
func writable(d quality.Delivery) bool {
	for _, s := range d.Samples {
		for _, x := range s.Tools {
			if len(x.Arguments) > 0 && !json.Valid(x.Arguments) || len(x.Result) > 0 && !json.Valid(x.Result) {
				return false
			}
		}
	}
	return true
}

func FuzzReadScores(f *testing.F) {
	f.Add(wire.WriteScores([]quality.Score{{Feature: "bot", SampleID: "a", Metric: "m", Value: 1, Weight: 1, Attributes: map[string]string{"a": "b"}},
		{Feature: "bot", SampleID: "a", Metric: "n", Error: "away", Attributes: map[string]string{"a": "b"}, Time: time.Unix(1, 0)}}))
	f.Add([]byte(`[{"feature":"bot","sample_id":"a","metric":"m","value":1}]`))
	f.Fuzz(func(t *testing.T, data []byte) {
		list, err := wire.ReadScores(data)
		if err != nil {
			return
		}
		again, err := wire.ReadScores(wire.WriteScores(list))
		if err != nil || len(again) != len(list) {
			t.Fatalf("got %d scores (%v), want %d", len(again), err, len(list))
		}
	})
}
