package actor

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Sigaction is the kernel's, as words. The word ActionHandler is its handler, and
// where flags, mask and restorer stand depends on the architecture. No
// architecture has more words.
type Sigaction [8]uintptr

// SigIgn is the handler of a signal that the kernel drops.
const SigIgn = 1

// SetSigaction gives a signal a new action unless that is nil, and stores the old
// one in old unless that is nil, behind the back of package signal. It may be
// called in a signal handler.
//
//go:norace
//go:nosplit
//go:nocheckptr
func SetSigaction(s syscall.Signal, action, old *Sigaction) bool {
	_, _, errno := syscall.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(s),
		uintptr(unsafe.Pointer(action)), uintptr(unsafe.Pointer(old)), SigsetSize, 0, 0)
	return errno == 0
}

// Ignore has the kernel drop a signal.
func Ignore(s syscall.Signal) {
	var action Sigaction
	action[ActionHandler] = SigIgn
	SetSigaction(s, &action, nil)
}
