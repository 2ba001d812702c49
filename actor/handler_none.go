//go:build !(linux && (amd64 || arm64 || arm.6 || riscv64))

package actor

import (
	"sync"
	"sync/atomic"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Where there is no assembly, the runtime's handler and a thread of its own take the
// signals, as for package os/signal.

var (
	listening sync.Once
	one       = uint64(1)
)

// Catch has a signal counted from now on, unless a failure of the program's own has raised it.
func Catch(s syscall.Signal) bool {
	listening.Do(func() {
		go func() {
			for {
				if atomic.AddUint32(&arrived[signalRecv()], 1) == 1 {
					ring()
				}
			}
		}()
	})
	signalEnable(uint32(s))
	return true
}

// Drop has a signal do nothing.
func Drop(s syscall.Signal) { Ignore(s) }

// CatchSent is Catch.
func CatchSent(s syscall.Signal) bool { return Catch(s) }

// ring wakes who waits at the bell.
func ring() {
	_, _, _ = syscall.RawSyscall(unix.SYS_WRITE, uintptr(atomic.LoadInt32(&signalBell)), uintptr(unsafe.Pointer(&one)), unsafe.Sizeof(one))
}

//go:linkname signalRecv os/signal.signal_recv
func signalRecv() uint32

//go:linkname signalEnable os/signal.signal_enable
func signalEnable(s uint32)
