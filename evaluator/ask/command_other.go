//go:build !linux

package ask

import (
	"os"
	"os/exec"
)

func group(*exec.Cmd) {}

func kill(cmd *exec.Cmd) { _ = cmd.Process.Kill() }

// limitMemory is known on Linux only.
func limitMemory(int, uint64) error { return nil }

// waiting is known on Linux only.
func waiting(*os.File) int { return 0 }
