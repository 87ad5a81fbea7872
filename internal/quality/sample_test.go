package quality_test

import (
	"encoding/json"
	"testing"

	"github.com/asgood-dev/asgood/internal/quality"
)

func TestContent(t *testing.T) {
	for _, tt := range []struct {
		name, json, last, all, out string
	}{
		{"text", `"hello"`, "hello", "hello", `"hello"`},
		{"empty", `""`, "", "", `""`},
		{"null", `null`, "", "", `""`},
		{"messages", `[{"role":"user","content":"a"},{"role":"assistant","content":"b"},{"role":"tool","content":"c"}]`,
			"b", "a\nb\nc", `[{"role":"user","content":"a"},{"role":"assistant","content":"b"},{"role":"tool","content":"c"}]`},
		{"no assistant", `[{"role":"user","content":"a"}]`, "a", "a", `[{"role":"user","content":"a"}]`},
		{"no messages", `[]`, "", "", `[]`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var c quality.Content
			if err := json.Unmarshal([]byte(tt.json), &c); err != nil {
				t.Fatal(err)
			}
			out, err := json.Marshal(c)
			if err != nil {
				t.Fatal(err)
			}
			if c.Last() != tt.last || c.All() != tt.all || string(out) != tt.out {
				t.Errorf("%s: got last %q, all %q, JSON %s", tt.json, c.Last(), c.All(), out)
			}
		})
	}
}

func TestContentRefuses(t *testing.T) {
	for _, in := range []string{`1`, `{}`, `true`, `[{"role":"user","text":"x"}]`} {
		var c quality.Content
		if err := json.Unmarshal([]byte(in), &c); err == nil {
			t.Errorf("%s: got no error", in)
		}
	}
}

func TestSampleValidate(t *testing.T) {
	ok := quality.Sample{Feature: "f", Output: quality.Text("o")}
	if err := ok.Validate(); err != nil {
		t.Fatal(err)
	}
	for name, s := range map[string]quality.Sample{
		"no feature":     {Output: quality.Text("o")},
		"no output":      {Feature: "f"},
		"weight below 1": {Feature: "f", Output: quality.Text("o"), Weight: 0.5},
	} {
		if err := s.Validate(); quality.KindOf(err) != quality.KindInvalid {
			t.Errorf("%s: got %v, want an invalid error", name, err)
		}
	}
}

func TestSliceKey(t *testing.T) {
	if got, want := (quality.Slice{"model": "m", "customer": "acme"}).Key(), "customer=acme,model=m"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// A text reads the same the quick way and the slow way.
func TestContentOfText(t *testing.T) {
	for _, text := range []string{"", "plain", `with "quotes"`, "new\nline", "ümläut", `back\slash`, "\u2028", "a\x00b", "<tag>&"} {
		data, err := json.Marshal(quality.Text(text))
		if err != nil {
			t.Fatal(err)
		}
		var c quality.Content
		if err := json.Unmarshal(data, &c); err != nil || c.Text != text || c.Messages != nil {
			t.Errorf("%s: got %+v (%v), want %q", data, c, err, text)
		}
	}
	for _, bad := range []string{`"`, `"a`, `a"`, "\"a\nb\"", `"a"b"`} {
		var c quality.Content
		if err := c.UnmarshalJSON([]byte(bad)); err == nil {
			t.Errorf("%q: got %+v and no error", bad, c)
		}
	}
}

func TestWhatAScorerReads(t *testing.T) {
	c := quality.Content{Messages: []quality.Message{{Role: "user", Content: "a"}, {Role: "assistant", Content: "b"}, {Role: "assistant", Content: "c"}}}
	for on, want := range map[string]string{"": "c", "last": "c", "all": "a\nb\nc", quality.OnConversation: "a\nb\nc"} {
		if got := (&quality.ScorerSpec{On: on}).Read(c); got != want {
			t.Errorf("on %q: got %q, want %q", on, got, want)
		}
	}
	if got, want := c.Transcript(), "user: a\n\nassistant: b\n\nassistant: c"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	whole := quality.Sample{Source: quality.SourceConversation}
	if sc := quality.NewScore(&whole, "m", "judge", "v1"); sc.Source != "" {
		t.Errorf("a score of a conversation has the source %q", sc.Source)
	}
}
