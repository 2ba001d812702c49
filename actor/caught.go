package actor

import (
	"sync/atomic"
	"syscall"

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

// SignalBell makes the descriptor that has news when a caught signal came, also if it came
// before. It is made once.
func SignalBell() (fd int, err error) {
	fd, err = unix.Eventfd(0, unix.EFD_NONBLOCK|unix.EFD_CLOEXEC)
	if err != nil {
		return -1, err
	}
	atomic.StoreInt32(&signalBell, int32(fd))
	for s := range arrived {
		if atomic.LoadUint32(&arrived[s]) != 0 {
			ring()
		}
	}
	return fd, nil
}

// Taken returns how often a signal came since it was asked the last time.
func Taken(s syscall.Signal) uint32 { return atomic.SwapUint32(&arrived[s], 0) }
