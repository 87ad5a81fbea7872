package ask

import (
	"os"
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

// waiting returns how many bytes a pipe holds.
func waiting(f *os.File) (n int) {
	c, err := f.SyscallConn()
	if err != nil {
		return 0
	}
	_ = c.Control(func(fd uintptr) { n, err = unix.IoctlGetInt(int(fd), unix.TIOCINQ) }) // closed: nothing waits
	if err != nil {
		return 0
	}
	return n
}
