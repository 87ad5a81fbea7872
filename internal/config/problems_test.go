package config_test

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/asgood-dev/asgood/internal/config"
	"github.com/asgood-dev/asgood/internal/quality"
)

var update = flag.Bool("update", false, "write the golden files anew")

const secretWord = config.SecretWord

// env is the environment of every test.
func env(name string) (string, bool) { return config.LookupVariable(name) }

// problemsOf returns what is wrong with a file. It must be said in the one form that there is.
func problemsOf(t testing.TB, text string) config.Problems {
	t.Helper()
	c, err := config.Parse(filepath.Join("testdata", "f.yaml"), []byte(text), env)
	if err == nil {
		return nil
	}
	var ps config.Problems
	if !errors.As(err, &ps) || len(ps) == 0 || c != nil || quality.KindOf(err) != quality.KindInvalid {
		t.Fatalf("got %v and %v, want invalid problems and no configuration", c, err)
	}
	return ps
}

// checkProblems checks what holds for every problem of every file.
func checkProblems(t testing.TB, text string, ps config.Problems) {
	t.Helper()
	lines := strings.Count(text, "\n") + strings.Count(text, "\r") + 1
	for i, p := range ps {
		if p.File == "" || p.Line < 1 || p.Line > lines || p.Column < 1 || p.Message == "" {
			t.Errorf("problem without a place in a file of %d lines: %+v", lines, p)
		}
		if i > 0 && p.Line < ps[i-1].Line {
			t.Errorf("line %d is told after line %d", p.Line, ps[i-1].Line)
		}
		if len(p.Path) > 400 || len(p.Text) > 400 || len(p.Message) > 2000 {
			t.Errorf("problem of %d bytes", len(p.String()))
		}
	}
}

// TestProblems compares what is said of many bad files with testdata/problems.txt.
func TestProblems(t *testing.T) {
	file := filepath.Join("testdata", "problems.txt")
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, _ := strings.Cut(string(data), "\n=== ")
	out := head
	for c := range strings.SplitSeq(rest, "\n=== ") {
		name, body, _ := strings.Cut(c, "\n")
		text, want, ok := strings.Cut(body, "\n=>")
		if !ok {
			t.Fatalf("case %q has no arrow", name)
		}
		text += "\n"
		t.Run(name, func(t *testing.T) {
			ps := problemsOf(t, text)
			checkProblems(t, text, ps)
			got := ps.Error()
			if strings.Contains(got, secretWord) {
				t.Errorf("the secret is shown:\n%s", got)
			}
			out += "\n=== " + name + "\n" + text + "=>\n" + got
			if want = strings.TrimSpace(want); got != want && !*update {
				t.Errorf("got\n%s\nwant\n%s\n(-update writes it)", got, want)
			}
		})
	}
	if *update {
		if err := os.WriteFile(file, []byte(out+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
