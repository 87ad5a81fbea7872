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
	var known [signals + 1]bool // the kernel refuses to tell of the two that nobody can handle
	for s := range now {
		known[s] = sigaction(s, nil, &now[s])
	}
	return func() {
		for s := range now {
			if known[s] {
				sigaction(s, &now[s], nil)
			}
		}
	}
}

// sigaction asks the kernel itself: the runtime's own record of handlers must not change.
func sigaction(signal int, put, get *action) bool {
	const setSize = 8 // bytes of the mask
	_, _, errno := syscall.RawSyscall6(syscall.SYS_RT_SIGACTION, uintptr(signal),
		uintptr(unsafe.Pointer(put)), uintptr(unsafe.Pointer(get)), setSize, 0, 0)
	return errno == 0
}
