package ask_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/asgood-dev/asgood/evaluator/ask"
	"github.com/asgood-dev/asgood/internal/quality"
)

// guest builds the module of the tests of internal/wasm.
func guest(t testing.TB) []byte {
	t.Helper()
	out := filepath.Join(t.TempDir(), "guest.wasm")
	cmd := exec.Command("go", "build", "-o", out, "-ldflags=-s -w", "../../internal/wasm/testdata/guest")
	cmd.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm", "CGO_ENABLED=0", "GOFLAGS=")
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("building the module: %v\n%s", err, text)
	}
	code, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return code
}

func wasmScorer(t testing.TB, spec quality.ScorerSpec) ask.Scorer {
	t.Helper()
	spec.Name, spec.Type = "tone", quality.ScorerWasm
	s, err := ask.Tools{}.Build(spec)(func(quality.Spend) {})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func saying(what string) quality.Sample {
	return quality.Sample{ID: "s", Feature: "support", Time: time.Now().UTC(), Output: quality.Text(what)}
}

func TestWasmScorer(t *testing.T) {
	s := wasmScorer(t, quality.ScorerSpec{ModuleCode: guest(t), Timeout: 20 * time.Second})
	t.Run("answers", func(t *testing.T) {
		for _, x := range []struct{ what, want, err string }{
			{what: "score", want: "tone=0.5 so so why "},
			{what: "list", want: "tone=1    tone.calm=0.25    tone.care=0   unsure "},
			{what: "null", want: ""},
			{what: "none", err: "not JSON"},
			{what: "garbage", err: "not JSON"},
			{what: "exit", err: "the module failed: exit status 3: the word list is missing xxx"},
			{what: "panic", err: "the module failed: exit status 2: panic: no"},
			{what: "sleep", want: "tone=1   "}, // its clock counts how often it is read, and nothing waits
			{what: "memory", err: "the module failed: exit status 2: "},
			{what: "huge", err: "more than 1024 KiB"},
		} {
			t.Run(x.what, func(t *testing.T) {
				t.Parallel()
				checkSays(t, s, x.what, x.want, x.err)
			})
		}
	})
	t.Run("walls", func(t *testing.T) { // two runs see the same: no files, no network, no clock, no chance
		a, b := says(t, s, "world"), says(t, s, "world")
		if !strings.HasPrefix(a, "tone=0  2022 ") || a != b {
			t.Errorf("got %q and %q", a, b)
		}
	})
	t.Run("nothing is left for the next", func(t *testing.T) { leavesNothing(t, s) })
}

func checkSays(t *testing.T, s ask.Scorer, what, want, wantErr string) {
	t.Helper()
	if wantErr == "" {
		if got := says(t, s, what); strings.TrimSpace(got) != strings.TrimSpace(want) {
			t.Errorf("got %q, want %q", got, want)
		}
		return
	}
	scores, err := s.Score(t.Context(), saying(what))
	if err == nil || !strings.Contains(err.Error(), wantErr) || strings.Contains(err.Error(), "\n") || len(err.Error()) > 1500 {
		t.Errorf("got %+v, %v", scores, err)
	}
	if kind := quality.KindOf(err); kind != quality.KindInvalid {
		t.Errorf("got an error of kind %v, which is tried again", kind)
	}
}

func says(t *testing.T, s ask.Scorer, what string) string {
	t.Helper()
	scores, err := s.Score(t.Context(), saying(what))
	if err != nil {
		t.Error(err)
	}
	var b strings.Builder
	for _, x := range scores {
		fmt.Fprintf(&b, "%s=%v %s %s %s ", x.Metric, x.Value, x.Label, x.Explanation, x.Error)
	}
	return b.String()
}

// leavesNothing scores many samples at a time with a module that counts them and leaves a file.
func leavesNothing(t *testing.T, s ask.Scorer) {
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 3 {
				if got := says(t, s, "state"); got != "tone=1 false   " {
					t.Errorf("got %q", got)
				}
			}
		})
	}
	all.Wait()
}

func TestWasmScorerEndsInTime(t *testing.T) {
	s := wasmScorer(t, quality.ScorerSpec{ModuleCode: guest(t), Timeout: time.Second})
	if scores, err := s.Score(t.Context(), saying("loop")); err == nil || err.Error() != "no answer within 1s" {
		t.Errorf("got %+v, %v", scores, err)
	}
}

func TestWasmScorerVersion(t *testing.T) {
	// An empty command, and one with a section that does nothing.
	code := []byte("\x00asm\x01\x00\x00\x00\x01\x04\x01\x60\x00\x00\x03\x02\x01\x00\x07\x0a\x01\x06_start\x00\x00\x0a\x04\x01\x02\x00\x0b")
	one := wasmScorer(t, quality.ScorerSpec{ModuleCode: code})
	same := wasmScorer(t, quality.ScorerSpec{ModuleCode: code, Module: "elsewhere.wasm", MemoryMB: 128, Timeout: time.Minute})
	other := wasmScorer(t, quality.ScorerSpec{ModuleCode: append(code[:len(code):len(code)], "\x00\x02\x01x"...)})
	if one.Version() != same.Version() || one.Version() == other.Version() || one.Version() == "" {
		t.Errorf("got versions %s, %s and %s", one.Version(), same.Version(), other.Version())
	}
	if _, err := one.Score(t.Context(), saying("score")); err == nil {
		t.Error("a module that says nothing has a score")
	}
	if _, err := (ask.Tools{}).Build(quality.ScorerSpec{Name: "tone", Type: quality.ScorerWasm, ModuleCode: []byte("x")})(nil); err == nil {
		t.Error("what is no module was taken")
	}
}

func BenchmarkWasmScorer(b *testing.B) {
	s := wasmScorer(b, quality.ScorerSpec{ModuleCode: guest(b)})
	x := saying("score")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Score(b.Context(), x); err != nil {
			b.Fatal(err)
		}
	}
}
