package ask

import (
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"
)

// group puts a program into a process group of its own.
func group(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
}

// kill ends the process group of a program.
func kill(cmd *exec.Cmd) {
	_ = unix.Kill(-cmd.Process.Pid, unix.SIGKILL) // it may have ended
}

// limitMemory bounds the address space of a process. One that has ended already needs no bound.
func limitMemory(pid int, bytes uint64) error {
	err := unix.Prlimit(pid, unix.RLIMIT_AS, &unix.Rlimit{Cur: bytes, Max: bytes}, nil)
	if err == unix.ESRCH {
		return nil
	}
	return err
}
