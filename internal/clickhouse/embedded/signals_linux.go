package embedded

import (
	"syscall"
	"unsafe"
)

// action is the kernel's form of what happens on a signal.
type action struct {
	handler, flags, restorer, mask uintptr
}

const signals = 64

// keepSignals returns a function that puts the handlers of all signals back to what they are now. The
// engine installs its own, with which a nil pointer in Go would end the process instead of being a panic
// that a server can recover from.
func keepSignals() (restore func()) {
	var now [signals + 1]action
	for s := uintptr(1); s <= signals; s++ {
		if syscall.Signal(s) == syscall.SIGKILL || syscall.Signal(s) == syscall.SIGSTOP {
			continue
		}
		syscall.RawSyscall6(syscall.SYS_RT_SIGACTION, s, 0, uintptr(unsafe.Pointer(&now[s])), 8, 0, 0)
	}
	return func() {
		for s := uintptr(1); s <= signals; s++ {
			if syscall.Signal(s) == syscall.SIGKILL || syscall.Signal(s) == syscall.SIGSTOP {
				continue
			}
			syscall.RawSyscall6(syscall.SYS_RT_SIGACTION, s, uintptr(unsafe.Pointer(&now[s])), 0, 8, 0, 0)
		}
	}
}
