//go:build !linux

package embedded

import (
	"errors"
	"fmt"
	"os"
)

// memoryFile holds data in a temporary file, where there are no memory files. free removes it.
func memoryFile(data []byte) (path string, free func(), err error) {
	f, err := os.CreateTemp("", "asgood-insert-*")
	if err != nil {
		return "", nil, fmt.Errorf("making a temporary file: %w", err)
	}
	_, err = f.Write(data)
	if err = errors.Join(err, f.Close()); err != nil {
		return "", nil, errors.Join(fmt.Errorf("writing a temporary file: %w", err), os.Remove(f.Name()))
	}
	return f.Name(), func() { _ = os.Remove(f.Name()) }, nil // a leftover is the system's to clear
}
