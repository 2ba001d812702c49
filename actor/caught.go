package actor

import (
	"sync/atomic"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

const maxSignal = 64

var (
	// arrived is how often each caught signal has come and was not taken. Handlers count
	// in it, and ring the bell when they begin to.
	arrived [maxSignal + 1]uint32

	// signalBell is an eventfd(2), or less than 0.
	signalBell = int32(-1)
)

// SignalBell makes the descriptor that has news when a caught signal came. It is made once, and
// before signals are caught.
func SignalBell() (fd int, err error) {
	fd, err = unix.Eventfd(0, unix.EFD_NONBLOCK|unix.EFD_CLOEXEC)
	if err != nil {
		return -1, err
	}
	atomic.StoreInt32(&signalBell, int32(fd))
	return fd, nil
}

// Take takes one arrival of a signal, if there is one.
func Take(s syscall.Signal) bool {
	for {
		n := atomic.LoadUint32(&arrived[s])
		if n == 0 {
			return false
		}
		if atomic.CompareAndSwapUint32(&arrived[s], n, n-1) {
			return true
		}
	}
}

// Unblock lets signals come to the calling thread, which is to be the main one, for good: a
// process inherits which signals are blocked, and the runtime unblocks only those that would
// end the program. set has signal N at bit N-1.
func Unblock(set uint64) {
	mask := [SigsetSize / 8]uint64{set}
	_, _, _ = syscall.RawSyscall6(unix.SYS_RT_SIGPROCMASK, unix.SIG_UNBLOCK, uintptr(unsafe.Pointer(&mask)), 0, SigsetSize, 0, 0)
}
