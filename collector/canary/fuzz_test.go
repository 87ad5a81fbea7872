package canary_test

import (
	"strings"
	"testing"

	"github.com/theory/jsonpath"

	"github.com/asgood-dev/asgood/collector/canary"
	"github.com/asgood-dev/asgood/internal/quality"
)

// whole checks what every answer that is taken must be.
func whole(t *testing.T, s quality.Sample) {
	t.Helper()
	size := len(s.Output.All())
	for _, d := range s.Context {
		size += len(d.Text)
	}
	if err := s.Validate(); err != nil || size > 8<<20 || strings.Contains(s.Model, "\x00") {
		t.Errorf("%v, %d bytes, model %q", err, size, s.Model)
	}
}

func FuzzCompletion(f *testing.F) {
	f.Add([]byte(completion(`"x"`)))
	f.Add([]byte(completion(`[{"type":"text","text":"x"}]`)))
	f.Add([]byte(`{"choices":[{"message":{"tool_calls":[{"function":{"arguments":7}},{}]}}],"usage":{"prompt_tokens":"1"}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		if s, err := canary.ReadCompletion(data); err == nil {
			whole(t, s)
		}
	})
}

func FuzzPaths(f *testing.F) {
	f.Add("$.a", []byte(`{"a":"x"}`))
	f.Add("$..a[?@.b > 1]", []byte(`{"a":[{"b":2},{"b":null}]}`))
	f.Add("$[?match(@.a, 'x.*')]", []byte(`[{"a":"xy"},{"a":7}]`))
	f.Add("$[?length(@) < 3]", []byte(`["abc", 7, null, {}, []]`))
	f.Add("$[1:-1:2]['a','b']", []byte(`[{},{"a":1e400}]`))
	f.Fuzz(func(t *testing.T, path string, data []byte) {
		if len(path) > 300 || strings.Count(path, "..") > 1 || len(data) > 1<<16 {
			return // the configuration refuses these, the endpoint's bounds that
		}
		if _, err := jsonpath.Parse(path); err != nil {
			return
		}
		h := &quality.CanaryHTTP{Answer: path, Context: path, Model: path, Usage: quality.CanaryUsage{InputTokens: path}}
		if s, err := canary.ReadPaths(h, data); err == nil {
			whole(t, s)
		}
	})
}

// A value that is written by the function json comes back by the path that leads to it.
func FuzzTemplate(f *testing.F) {
	f.Add("why?")
	f.Add("\"},\n{{.ID}} <b> \u2028 \x00")
	f.Fuzz(func(t *testing.T, input string) {
		b, err := quality.CompileCanaryBody(`{"a": [{"q": {{json .Input}}}]}`)
		if err != nil {
			t.Fatal(err)
		}
		body, err := b.Render(quality.CallOf(&quality.CanaryPrompt{Input: quality.Text(input)}))
		if err != nil {
			return // longer than a body may be
		}
		s, err := canary.ReadPaths(&quality.CanaryHTTP{Answer: "$.a[0].q"}, body)
		if want := strings.ToValidUTF8(input, ""); err != nil || strings.ReplaceAll(s.Output.Last(), "\uFFFD", "") != strings.ReplaceAll(want, "\uFFFD", "") {
			t.Errorf("got %q, %v, want %q", s.Output.Last(), err, want)
		}
	})
}

// Depth never says less than a decoder would meet.
func TestDepth(t *testing.T) {
	for text, want := range map[string]int{`1`: 0, `[]`: 1, `[{"a":[]}]`: 3, `["[[[\"[["]`: 1, `]]][`: 0, `"\\"[`: 1, ``: 0} {
		if got := canary.Depth([]byte(text)); got < want || want == 0 && got != 0 {
			t.Errorf("%s: got %d, want %d", text, got, want)
		}
	}
}

func BenchmarkCompletion(b *testing.B) {
	data := []byte(completion(`"` + strings.Repeat("word ", 400) + `"`))
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		if _, err := canary.ReadCompletion(data); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPaths(b *testing.B) {
	data := []byte(`{"pad":[` + strings.Repeat(`{"a":1,"b":"text"},`, 1000) + `0],"data":{"answer":"x"}}`)
	h := &quality.CanaryHTTP{Answer: "$..answer"}
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		if _, err := canary.ReadPaths(h, data); err != nil {
			b.Fatal(err)
		}
	}
}
