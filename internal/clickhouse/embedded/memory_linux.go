package embedded

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// memoryFile holds data in a file that is nowhere on disk. free ends it.
func memoryFile(data []byte) (path string, free func(), err error) {
	fd, err := unix.MemfdCreate("asgood-insert", unix.MFD_CLOEXEC)
	if err != nil {
		return "", nil, fmt.Errorf("making a memory file: %w", err)
	}
	free = func() { _ = unix.Close(fd) } // nothing of it is on disk
	for rest := data; len(rest) > 0; {
		n, err := unix.Write(fd, rest)
		if err != nil {
			free()
			return "", nil, fmt.Errorf("writing a memory file: %w", err)
		}
		rest = rest[n:]
	}
	return fmt.Sprintf("/proc/self/fd/%d", fd), free, nil
}
