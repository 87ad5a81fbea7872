package app

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/asgood-dev/asgood/collector/files"
)

// importSuffix is what the name of a state file adds to that of the imported one.
const importSuffix = ".asgood-import"

const importVersion = 1

// importState is what an import remembers of a file, so that one that was stopped goes on where it was. It
// never says more than what was acknowledged; what it does not say yet comes again with the same ids.
// A nil one remembers nothing.
type importState struct {
	Version    int            `json:"version"`
	File       files.Identity `json:"file"`
	Job        string         `json:"job"` // hash of where the rows go and how they are mapped
	Position   files.Position `json:"position"`
	Rows       int            `json:"rows"`
	Accepted   int            `json:"accepted"`
	Duplicates int            `json:"duplicates"`
	Refused    int            `json:"refused"`

	path string
}

// state finds what is remembered of a file and goes there.
func (o *ImportOptions) state(f *files.File, name, destination string) (*importState, error) {
	if !o.Resume || o.DryRun || o.Output != nil {
		return nil, nil
	}
	id, ok, err := f.Identity()
	if err != nil || !ok {
		return nil, err
	}
	s := &importState{Version: importVersion, File: id, Job: o.job(destination)}
	old, path, err := findState(name)
	if err != nil {
		return nil, err
	}
	s.path = path
	switch {
	case old == nil:
	case !old.File.Equal(id):
		o.Note(fmt.Sprintf("%s has changed since its import was stopped: it starts anew", name))
	case old.Job != s.Job || old.Version != importVersion:
		o.Note(fmt.Sprintf("%s was being imported in another way or to another place: it starts anew", name))
	default:
		old.path = path
		o.Note(fmt.Sprintf("%s goes on behind row %d, where its import was stopped", name, old.Position.Row))
		return old, f.GoTo(old.Position)
	}
	return s, nil
}

// job is the hash of all that decides which samples go where.
func (o *ImportOptions) job(destination string) string {
	zone := ""
	if o.Config != nil {
		zone = o.Config.Location().String()
	}
	text := strings.Join([]string{destination, o.Format, o.Delimiter, o.Map, o.Feature, o.Customer, o.TimeLayout, zone}, "\x00")
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// findState reads what is remembered, and says where to remember: beside the file, or in the user's cache
// where that folder cannot be written to.
func findState(name string) (old *importState, path string, err error) {
	beside := name + importSuffix
	cached, cacheErr := cachedState(name)
	for _, path := range []string{beside, cached} {
		if path == "" {
			continue
		}
		if old := readState(path); old != nil {
			return old, path, nil
		}
	}
	if err := writable(beside); err == nil {
		return nil, beside, nil
	}
	if cacheErr == nil {
		if cacheErr = os.MkdirAll(filepath.Dir(cached), 0o700); cacheErr == nil {
			return nil, cached, nil
		}
	}
	return nil, "", fmt.Errorf("no place to remember how far %q is read (--resume=false does without): %w", name, cacheErr)
}

func cachedState(name string) (string, error) {
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	full, err := filepath.Abs(name)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256([]byte(full))
	return filepath.Join(dir, "asgood", "imports", hex.EncodeToString(sum[:16])+importSuffix), nil
}

// writable returns nil when a file can be made beside path.
func writable(path string) error {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+"-*")
	if err != nil {
		return err
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// maxState bounds a state file that is read.
const maxState = 64 << 10

// readState returns nil for a state that is not there or makes no sense: the import starts anew then.
func readState(path string) *importState {
	info, err := os.Stat(path)
	if err != nil || info.Size() > maxState {
		return nil
	}
	data, err := os.ReadFile(path)
	var s importState
	if err != nil || json.Unmarshal(data, &s) != nil || s.Position.Row < 0 || s.Position.Offset < 0 || s.Position.Line < 0 {
		return nil
	}
	return &s
}

// count adds what became of some rows.
func (s *importState) count(more importState) {
	if s == nil {
		return
	}
	s.Rows, s.Accepted = s.Rows+more.Rows, s.Accepted+more.Accepted
	s.Duplicates, s.Refused = s.Duplicates+more.Duplicates, s.Refused+more.Refused
}

// save remembers a position. The file is replaced as a whole; one that is lost with the machine's power
// only makes the next run begin earlier.
func (s *importState) save(p files.Position) error {
	if s == nil {
		return nil
	}
	s.Position = p
	data, err := json.Marshal(s)
	if err == nil {
		next := s.path + ".new"
		if err = os.WriteFile(next, data, 0o600); err == nil {
			err = os.Rename(next, s.path)
		}
	}
	if err != nil {
		return fmt.Errorf("remembering how far the file is read (--resume=false does without): %w", err)
	}
	return nil
}

// remove forgets a file that is done.
func (s *importState) remove() {
	if s == nil {
		return
	}
	if err := os.Remove(s.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		_ = os.WriteFile(s.path, nil, 0o600) // an empty one says nothing
	}
}
