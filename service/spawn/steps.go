package spawn

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Steps on the way to the program that are the same in a child of a clone, whose
// rules they keep, and in the applet.

// exitFailed is the status of a child whose exec failed.
const exitFailed = 3

// setSignals gives each signal of a set, of which the ones beyond 64 are always
// part, the action that the program shall find. One that dumps core gets a
// handler, which an exec turns into the default. All are blocked meanwhile.
//
//go:norace
//go:nosplit
//go:nocheckptr
func setSignals(im *image, set uint64) {
	for sig := uintptr(1); sig <= lastSignal; sig++ {
		switch bit := uint64(1) << (sig - 1); { // 0 beyond 64
		case bit != 0 && set&bit == 0:
		case im.ignored&bit != 0:
			setSignal(sig, &im.ignores)
		case dumping&bit != 0:
			setSignal(sig, &im.exits)
		default:
			setSignal(sig, &im.defaults)
		}
	}
}

//go:norace
//go:nosplit
//go:nocheckptr
func setSignal(sig uintptr, a *sigaction) {
	syscall.RawSyscall6(syscall.SYS_RT_SIGACTION, sig, uintptr(unsafe.Pointer(a)), 0, sigsetSize, 0, 0)
}

//go:norace
//go:nosplit
//go:nocheckptr
func unblock(im *image) {
	syscall.RawSyscall6(syscall.SYS_RT_SIGPROCMASK, unix.SIG_SETMASK, uintptr(unsafe.Pointer(&im.empty)), 0, sigsetSize, 0, 0)
}

// closeRange closes what is not listed. An exec closes it too, at the same
// cost; but one that hangs shall not hold the ends of other people's pipes. Linux
// before 5.9 can't.
//
//go:norace
//go:nosplit
//go:nocheckptr
func closeRange(first, last int32) {
	syscall.RawSyscall(unix.SYS_CLOSE_RANGE, uintptr(first), uintptr(last), 0)
}

//go:norace
//go:nosplit
//go:nocheckptr
func exit(status uintptr) {
	for {
		syscall.RawSyscall(syscall.SYS_EXIT_GROUP, status, 0, 0)
	}
}
