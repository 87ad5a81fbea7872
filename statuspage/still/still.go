// Package still owns the folder that holds the status page as plain files: it is replaced as a whole, so that who reads it
// while it is written sees the old page or the new one, and never half of each.
//
// It does not know what is in the files.
package still

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
)

// Put takes one file. Its name is relative, with slashes.
type Put func(name string, body []byte) error

// Bounds of a page that comes from elsewhere.
const (
	maxFiles = 1_000_000
	maxFile  = 64 << 20
	maxAll   = 8 << 30
)

// end is the last entry of a pack. One without it was cut off on its way, or could not be made to its end.
const end = ".asgood-end"

// mark is in every folder that was written here, so that no other is replaced.
const mark = ".asgood-export"

// Write replaces the folder dir with the files that fill gives. When it fails the old folder stays as it was. A folder that
// is there, holds something and was not written by Write is left alone.
func Write(dir string, fill func(Put) error) (err error) {
	dir = filepath.Clean(dir)
	if err := replaceable(dir); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return fmt.Errorf("making the folder around %q: %w", dir, err)
	}
	fresh, err := os.MkdirTemp(filepath.Dir(dir), "."+filepath.Base(dir)+"-")
	if err != nil {
		return fmt.Errorf("making a folder beside %q: %w", dir, err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(fresh)) }() // after the exchange it is the old one
	if err := os.Chmod(fresh, 0o755); err != nil {
		return fmt.Errorf("opening the folder to readers: %w", err)
	}
	root, err := os.OpenRoot(fresh)
	if err != nil {
		return fmt.Errorf("opening %q: %w", fresh, err)
	}
	defer func() { err = errors.Join(err, root.Close()) }()
	put := func(name string, body []byte) error { return writeFile(root, name, body) }
	if err := put(mark, []byte("Written by asgood export. What is changed here is lost.\n")); err != nil {
		return err
	}
	if err := fill(put); err != nil {
		return err
	}
	return exchange(fresh, dir)
}

func replaceable(dir string) error {
	entries, err := os.ReadDir(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("reading folder %q: %w", dir, err)
	}
	for _, e := range entries {
		if e.Name() == mark {
			return nil
		}
	}
	if len(entries) > 0 {
		return quality.Errorf(quality.KindConflict, "folder %q holds files that are no exported page: it is not replaced", dir)
	}
	return nil
}

// writeFile keeps within root whatever the name.
func writeFile(root *os.Root, name string, body []byte) error {
	name = filepath.FromSlash(name)
	if err := root.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return fmt.Errorf("making the folder of %q: %w", name, err)
	}
	if err := root.WriteFile(name, body, 0o644); err != nil {
		return fmt.Errorf("writing %q: %w", name, err)
	}
	return nil
}

// exchange puts fresh in the place of dir, and dir, if there is one, in the place of fresh.
func exchange(fresh, dir string) error {
	if _, err := os.Lstat(dir); errors.Is(err, fs.ErrNotExist) {
		if err := os.Rename(fresh, dir); err != nil {
			return fmt.Errorf("putting the page in its place: %w", err)
		}
		return nil
	}
	if err := swap(fresh, dir); err != nil {
		return fmt.Errorf("putting the page in its place: %w", err)
	}
	return nil
}

// swapByRename is for systems that cannot exchange two folders at once: for a moment there is none.
func swapByRename(fresh, dir string) error {
	old := fresh + ".old"
	if err := os.Rename(dir, old); err != nil {
		return err
	}
	if err := os.Rename(fresh, dir); err != nil {
		return errors.Join(err, os.Rename(old, dir))
	}
	return os.Rename(old, fresh)
}

// Pack writes the files that fill gives as a tar archive. When fill fails the archive has no end, which Unpack notices.
func Pack(w io.Writer, now time.Time, fill func(Put) error) error {
	t := tar.NewWriter(w)
	put := func(name string, body []byte) error {
		h := &tar.Header{Name: name, Mode: 0o644, Size: int64(len(body)), ModTime: now, Typeflag: tar.TypeReg, Format: tar.FormatPAX}
		if err := t.WriteHeader(h); err != nil {
			return fmt.Errorf("packing %q: %w", name, err)
		}
		if _, err := t.Write(body); err != nil {
			return fmt.Errorf("packing %q: %w", name, err)
		}
		return nil
	}
	if err := fill(put); err != nil {
		return err
	}
	if err := put(end, nil); err != nil {
		return err
	}
	return t.Close()
}

// Unpack gives the files of a tar archive to put. One that is not whole is an error, and so is a name that leads out of a
// folder.
func Unpack(r io.Reader, put Put) error {
	limited := &io.LimitedReader{R: r, N: maxAll}
	t := tar.NewReader(limited)
	for range maxFiles {
		h, err := t.Next()
		if errors.Is(err, io.EOF) {
			return quality.Errorf(quality.KindInvalid, "the packed page is not whole")
		}
		if err != nil {
			return fmt.Errorf("reading the packed page: %w", err)
		}
		if h.Typeflag != tar.TypeReg || h.Size > maxFile || !fit(h.Name) {
			return quality.Errorf(quality.KindInvalid, "the packed page holds %.100q, which is no file of a page", h.Name)
		}
		if h.Name == end {
			return nil
		}
		body, err := io.ReadAll(t)
		if err != nil {
			return fmt.Errorf("reading %.100q of the packed page: %w", h.Name, err)
		}
		if err := put(h.Name, body); err != nil {
			return err
		}
	}
	return quality.Errorf(quality.KindInvalid, "the packed page holds more than %d files", maxFiles)
}

// fit reports whether a name is one of a file within a folder, and not that of our mark.
func fit(name string) bool {
	return name != mark && filepath.IsLocal(filepath.FromSlash(name)) && path.Clean(name) == name
}
