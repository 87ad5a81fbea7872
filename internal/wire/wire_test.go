package wire_test

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/asgood-dev/asgood/internal/quality"
	"github.com/asgood-dev/asgood/internal/wire"
)

func content(t *rapid.T, name string) quality.Content {
	if rapid.Bool().Draw(t, name+" is chat") {
		return quality.Content{Messages: rapid.SliceOfN(rapid.Custom(func(t *rapid.T) quality.Message {
			return quality.Message{Role: rapid.StringN(1, 5, 20).Draw(t, "role"), Content: rapid.String().Draw(t, "content")}
		}), 0, 3).Draw(t, name)}
	}
	return quality.Text(rapid.String().Draw(t, name))
}

func sample(t *rapid.T) quality.Sample {
	s := quality.Sample{
		ID: rapid.String().Draw(t, "id"), Time: time.Unix(rapid.Int64Range(0, 4e9).Draw(t, "time"), 1000).UTC(), Feature: "bot",
		Input: content(t, "input"), Output: content(t, "output"), LatencyMS: rapid.Float64Range(0, 1e9).Draw(t, "latency"),
		Weight: rapid.Float64Range(0, 1e9).Draw(t, "weight"),
	}
	if rapid.Bool().Draw(t, "more") {
		reference := rapid.String().Draw(t, "reference")
		s.Reference = &reference
		s.Attributes = map[string]string{"language": rapid.String().Draw(t, "language")}
		s.Params = map[string]any{"temperature": 0.5, "list": []any{"a", 1.0}}
		s.Tools = []quality.ToolCall{{Name: "refund", Arguments: json.RawMessage(`{"n":1}`)}}
		s.Usage = &quality.Usage{InputTokens: 3}
		s.Scores = map[string]float64{"thumbs": 1}
	}
	return s
}

// What either package writes, both read as the same.
func TestBothPackagesAgree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := sample(t)
		old, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		written, err := wire.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		var buf bytes.Buffer
		if err := wire.Write(&buf, &want); err != nil {
			t.Fatal(err)
		}
		var first quality.Sample
		if err := json.Unmarshal(old, &first); err != nil {
			t.Fatal(err)
		}
		for _, data := range [][]byte{old, written, buf.Bytes()} {
			var a, b, c quality.Sample
			if err := json.Unmarshal(data, &a); err != nil {
				t.Fatalf("%s: %v", data, err)
			}
			if err := wire.Unmarshal(data, &b); err != nil {
				t.Fatalf("%s: %v", data, err)
			}
			if err := wire.UnmarshalStrict(data, &c); err != nil {
				t.Fatalf("%s: %v", data, err)
			}
			if !reflect.DeepEqual(a, first) || !reflect.DeepEqual(b, first) || !reflect.DeepEqual(c, first) {
				t.Fatalf("%s: got\n%+v\n%+v\n%+v\nwant %+v", data, a, b, c, first)
			}
		}
	})
}

func TestStrict(t *testing.T) {
	for _, bad := range []string{
		`{"feature":"f","outptu":"x"}`, `{"output":[{"role":"a","text":"x"}]}`, `{"output":1}`, `{"output":{}}`, `{"output":"x"`, `{"output":"x","output":"y"}`,
	} {
		var s quality.Sample
		if err := wire.UnmarshalStrict([]byte(bad), &s); err == nil {
			t.Errorf("%s: got %+v and no error", bad, s)
		}
	}
	var s quality.Sample
	if err := wire.UnmarshalStrict([]byte(`{"output":null,"input":[]}`), &s); err != nil || s.Input.Messages == nil {
		t.Errorf("got %+v (%v)", s, err)
	}
}

func BenchmarkDelivery(b *testing.B) {
	var d quality.Delivery
	for range 100 {
		d.Samples = append(d.Samples, quality.Sample{ID: "sample-1", Time: time.Unix(1e9, 0), Feature: "bot", Customer: "acme",
			Input:  quality.Content{Messages: []quality.Message{{Role: "user", Content: strings.Repeat("Why is it so? ", 20)}}},
			Output: quality.Text(strings.Repeat("It is \"so\" and not otherwise. ", 16)), Attributes: map[string]string{"language": "de"}, LatencyMS: 2300})
	}
	data, err := json.Marshal(d)
	if err != nil {
		b.Fatal(err)
	}
	for name, read := range map[string]func([]byte, any) error{"v1": json.Unmarshal, "wire": wire.Unmarshal} {
		b.Run("read/"+name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				var x quality.Delivery
				if err := read(data, &x); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	for name, write := range map[string]func(any) ([]byte, error){"v1": json.Marshal, "wire": wire.Marshal} {
		b.Run("write/"+name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := write(d); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
