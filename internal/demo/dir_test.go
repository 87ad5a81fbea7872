package demo

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/asgood-dev/asgood/internal/quality"
)

// fill writes files, with folders for names that hold a slash.
func fill(t *testing.T, dir string, names ...string) {
	t.Helper()
	for _, name := range names {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("precious"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func files(t *testing.T, dir string) (out []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			rel, _ := filepath.Rel(dir, path)
			out = append(out, rel)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestADemoTakesOnlyADirectoryOfItsOwn(t *testing.T) {
	for _, c := range []struct {
		name  string
		have  []string
		taken bool
		left  []string
	}{
		{"nothing in it", nil, true, []string{marker}},
		{"files of somebody", []string{"thesis.txt"}, false, []string{"thesis.txt"}},
		{"data of a real Asgood", []string{"data/nats/x", "asgood.yaml"}, false, []string{"asgood.yaml", "data/nats/x"}},
		{"a hidden file", []string{".git/HEAD"}, false, []string{".git/HEAD"}},
		{"an earlier demo", []string{marker, "data/nats/x", "data/clickhouse/y/z", schemaFile}, true, []string{marker}},
		{"an earlier demo beside which somebody put a file", []string{marker, "data/x", "notes/today.txt"}, true, []string{marker, "notes/today.txt"}},
		{"a folder of the marker's name", []string{marker + "/x"}, false, []string{marker + "/x"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			fill(t, dir, c.have...)
			release, err := claimDir(dir)
			if (err == nil) != c.taken {
				t.Fatalf("got %v, want taken: %v", err, c.taken)
			}
			if err != nil && (quality.KindOf(err) != quality.KindConflict || !strings.Contains(err.Error(), "--dir")) {
				t.Errorf("got %v, want a conflict that says what to do", err)
			}
			if err == nil {
				release()
			}
			if got := files(t, dir); !slices.Equal(got, c.left) {
				t.Errorf("left %v, want %v", got, c.left)
			}
		})
	}
}

func TestADemoDoesNotTakeWhatIsNoDirectory(t *testing.T) {
	dir := t.TempDir()
	fill(t, dir, "file", "target/data/x")
	for _, path := range []string{filepath.Join(dir, "file"), filepath.Join(dir, "file", "below"), ""} {
		if _, err := claimDir(path); err == nil {
			t.Errorf("%q was taken", path)
		}
	}
	// A link in the place of the data is removed, and not what it leads to.
	link := filepath.Join(dir, "demo")
	fill(t, link, marker)
	if err := os.Symlink(filepath.Join(dir, "target"), filepath.Join(link, dataDir)); err != nil {
		t.Fatal(err)
	}
	release, err := claimDir(link)
	if err != nil {
		t.Fatal(err)
	}
	release()
	if got, want := files(t, dir), []string{"demo/" + marker, "file", "target/data/x"}; !slices.Equal(got, want) {
		t.Errorf("left %v, want %v", got, want)
	}
}

func TestTwoDemosDoNotShareADirectory(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	release, err := claimDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	fill(t, dir, "data/of-the-running-demo")
	if _, err := claimDir(dir); quality.KindOf(err) != quality.KindConflict || !strings.Contains(err.Error(), "running") {
		t.Errorf("got %v, want a conflict", err)
	}
	if got := files(t, dir); len(got) != 2 {
		t.Errorf("left %v of the running demo", got)
	}
	release()
	release, err = claimDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	release()
}
