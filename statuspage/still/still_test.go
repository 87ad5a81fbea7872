package still_test

import (
	"archive/tar"
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
	"github.com/asgood-dev/asgood/statuspage/still"
)

// two gives two files that hold the same text.
func two(text string) func(still.Put) error {
	return func(put still.Put) error {
		return errors.Join(put("index.html", []byte(text)), put("a/b/index.html", []byte(text)))
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// Who reads while the folder is replaced sees whole files of one time or of another, and never none.
func TestWriteReplacesAtOnce(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "public")
	if err := still.Write(dir, two("0")); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	var readers sync.WaitGroup
	readers.Go(func() {
		for {
			select {
			case <-done:
				return
			default:
			}
			if _, err := os.ReadFile(filepath.Join(dir, "a/b/index.html")); err != nil {
				t.Errorf("while it is replaced: %v", err)
				return
			}
		}
	})
	for i := range 50 {
		if err := still.Write(dir, two(strings.Repeat("x", i))); err != nil {
			t.Fatal(err)
		}
	}
	close(done)
	readers.Wait()
	if got := read(t, filepath.Join(dir, "index.html")); len(got) != 49 {
		t.Errorf("got %q, want the last one", got)
	}
	alone(t, dir)
}

// alone reports what is left beside a folder.
func alone(t *testing.T, dir string) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(dir))
	if err != nil || len(entries) != 1 {
		t.Errorf("beside the folder is more than it: %v, %v", entries, err)
	}
}

func TestWriteKeepsTheOldWhenItFails(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "public")
	if err := still.Write(dir, two("old")); err != nil {
		t.Fatal(err)
	}
	broken := errors.New("broken")
	err := still.Write(dir, func(put still.Put) error { return errors.Join(put("index.html", []byte("new")), broken) })
	if !errors.Is(err, broken) {
		t.Errorf("got %v, want why", err)
	}
	if got := read(t, filepath.Join(dir, "index.html")); got != "old" {
		t.Errorf("got %q, want the old page", got)
	}
	alone(t, dir)
}

func TestWriteLeavesForeignFoldersAlone(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "mine.txt"), []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := still.Write(dir, two("x")); quality.KindOf(err) != quality.KindConflict {
		t.Errorf("got %v, want a conflict", err)
	}
	if got := read(t, filepath.Join(dir, "mine.txt")); got != "mine" {
		t.Errorf("got %q", got)
	}
	file := filepath.Join(dir, "mine.txt")
	if err := still.Write(file, two("x")); err == nil {
		t.Error("a file was replaced by a folder")
	}
	empty := t.TempDir()
	if err := still.Write(empty, two("x")); err != nil {
		t.Errorf("an empty folder: %v", err)
	}
}

// A name that leads out of the folder writes nothing outside it.
func TestWriteStaysInside(t *testing.T) {
	for _, name := range []string{"../out", "a/../../out", "/tmp/asgood-out", ""} {
		dir := filepath.Join(t.TempDir(), "public")
		if err := still.Write(dir, func(put still.Put) error { return put(name, []byte("x")) }); err == nil {
			t.Errorf("%q was written", name)
		}
		if _, err := os.Stat(filepath.Join(filepath.Dir(dir), "out")); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%q wrote outside", name)
		}
	}
}

func TestPack(t *testing.T) {
	var b bytes.Buffer
	if err := still.Pack(&b, time.Unix(1, 0), two("text")); err != nil {
		t.Fatal(err)
	}
	packed := b.Bytes()
	var names []string
	keep := func(name string, body []byte) error {
		names = append(names, name+"="+string(body))
		return nil
	}
	if err := still.Unpack(bytes.NewReader(packed), keep); err != nil || !slices.Equal(names, []string{"index.html=text", "a/b/index.html=text"}) {
		t.Errorf("got %q, %v", names, err)
	}
	for n := 0; n < len(packed)-1024-512; n += 100 { // all that comes before the end
		if err := still.Unpack(bytes.NewReader(packed[:n]), func(string, []byte) error { return nil }); err == nil {
			t.Fatalf("the first %d of %d bytes are taken for the whole", n, len(packed))
		}
	}
	broken := errors.New("broken")
	b.Reset()
	if err := still.Pack(&b, time.Unix(1, 0), func(put still.Put) error { return errors.Join(put("a", nil), broken) }); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
	if err := still.Unpack(&b, keep); err == nil {
		t.Error("what could not be packed to its end is taken for the whole")
	}
}

func TestUnpackRefusesHostileNames(t *testing.T) {
	for _, h := range []tar.Header{
		{Name: "../x", Typeflag: tar.TypeReg}, {Name: "/etc/x", Typeflag: tar.TypeReg}, {Name: "a/../../x", Typeflag: tar.TypeReg}, {Name: "a//b", Typeflag: tar.TypeReg},
		{Name: "./x", Typeflag: tar.TypeReg}, {Name: ".asgood-export", Typeflag: tar.TypeReg}, {Name: "d/", Typeflag: tar.TypeDir},
		{Name: "link", Linkname: "/etc/passwd", Typeflag: tar.TypeSymlink}, {Name: "hard", Linkname: "x", Typeflag: tar.TypeLink}, {Name: "fifo", Typeflag: tar.TypeFifo},
	} {
		var b bytes.Buffer
		w := tar.NewWriter(&b)
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		w.Close()
		err := still.Unpack(&b, func(name string, _ []byte) error { t.Errorf("gave %q", name); return nil })
		if quality.KindOf(err) != quality.KindInvalid {
			t.Errorf("%q: got %v, want a refusal", h.Name, err)
		}
	}
}

func FuzzUnpack(f *testing.F) {
	var b bytes.Buffer
	if err := still.Pack(&b, time.Unix(1, 0), two("text")); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Fuzz(func(t *testing.T, data []byte) {
		_ = still.Unpack(bytes.NewReader(data), func(name string, _ []byte) error {
			if !filepath.IsLocal(name) {
				t.Errorf("gave %q", name)
			}
			return nil
		})
	})
}
