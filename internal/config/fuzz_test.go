package config_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/asgood-dev/asgood/internal/config"
)

// FuzzParse reads anything. It never panics, every problem has its place, and no variable is shown.
func FuzzParse(f *testing.F) {
	for _, name := range []string{"full.yaml", "problems.txt"} {
		data, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			f.Fatal(err)
		}
		for part := range strings.SplitSeq(string(data), "\n=") {
			f.Add([]byte(part))
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := config.Parse("f.yaml", data, func(string) (string, bool) { return secretWord, true })
		if err == nil {
			if c == nil || c.Location() == nil {
				t.Fatal("no configuration and no error")
			}
			return
		}
		ps := problemsOf(t, string(data))
		checkProblems(t, string(data), ps)
		if strings.Contains(err.Error(), secretWord) && !bytes.Contains(data, []byte(secretWord)) {
			t.Errorf("the variable is shown: %v", err)
		}
	})
}
