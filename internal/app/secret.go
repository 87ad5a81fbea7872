package app

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/asgood-dev/asgood/internal/quality"
)

// secretBytes is the length of the secret of a data directory.
const secretBytes = 32

// secretKey returns the secret of a data directory, made when there is none. Pseudonyms are made with it, so
// it belongs to the data: with another one the same address gets another pseudonym.
func secretKey(dir string) ([]byte, error) {
	path := filepath.Join(dir, "secret.key")
	key, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return makeSecret(path)
	case err != nil:
		return nil, fmt.Errorf("reading the secret of the data directory: %w", err)
	case len(key) != secretBytes:
		return nil, quality.Errorf(quality.KindInvalid, "%s holds %d bytes, want %d: bring back the file of a backup, or remove it to begin with new pseudonyms",
			path, len(key), secretBytes)
	}
	return key, nil
}

func makeSecret(path string) ([]byte, error) {
	key := make([]byte, secretBytes)
	_, _ = rand.Read(key) // never fails: see crypto/rand
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, fmt.Errorf("making the data directory: %w", err)
	}
	// Written whole or not at all: half a secret would stop every later start.
	draft := path + ".new"
	if err := os.WriteFile(draft, key, 0o600); err != nil {
		return nil, fmt.Errorf("writing the secret of the data directory: %w", err)
	}
	if err := os.Rename(draft, path); err != nil {
		return nil, fmt.Errorf("writing the secret of the data directory: %w", err)
	}
	return key, nil
}
