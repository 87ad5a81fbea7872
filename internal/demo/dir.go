package demo

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"github.com/asgood-dev/asgood/internal/quality"
)

// What a demo makes in its directory, and all that it removes. The marker makes the directory one of ours.
const (
	marker     = "asgood-demo"
	dataDir    = "data"
	schemaFile = "answer.schema.json"
)

// claimDir makes the directory, or empties that of an earlier demo, and holds it until release is called.
// It refuses one that no demo made and one in which a demo runs.
func claimDir(dir string) (release func(), err error) {
	if err := checkDir(dir); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("making demo directory %q: %w", dir, err)
	}
	f, err := os.OpenFile(filepath.Join(dir, marker), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, fmt.Errorf("marking demo directory %q: %w", dir, err)
	}
	// The lock ends with the process, however that ends.
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		return nil, quality.Errorf(quality.KindConflict, "a demo is running in directory %q: choose another with --dir", dir)
	}
	for _, name := range []string{dataDir, schemaFile} {
		if err := os.RemoveAll(filepath.Join(dir, name)); err != nil {
			f.Close()
			return nil, fmt.Errorf("emptying demo directory %q: %w", dir, err)
		}
	}
	return func() { f.Close() }, nil
}

func checkDir(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) || err == nil && len(entries) == 0 {
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading demo directory %q: %w", dir, err)
	}
	if info, err := os.Lstat(filepath.Join(dir, marker)); err != nil || !info.Mode().IsRegular() {
		return quality.Errorf(quality.KindConflict, "demo directory %q holds files that no demo made: choose another with --dir", dir)
	}
	return nil
}
