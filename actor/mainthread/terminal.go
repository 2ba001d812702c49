package mainthread

import (
	"sync/atomic"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Terminal is the foreground of the terminal that the program was started on, as
// far as it is lent to a service. The zero Terminal is none, and its methods do
// nothing. Any goroutine may call them once Open was called, also in the midst
// of a crash: a shell must not be left with a terminal that nobody gives back.
type Terminal struct {
	open bool
	fd   int
	own  int32  // our process group
	lent uint32 // 1 if so; written atomically
}

// Open makes the terminal on descriptor 0 ours to lend, if there is one. It is
// called at set-up, and keeps a descriptor of its own.
func (t *Terminal) Open() {
	if _, err := unix.IoctlGetTermios(0, unix.TCGETS); err != nil {
		return
	}
	fd, err := unix.FcntlInt(0, unix.F_DUPFD_CLOEXEC, 3)
	if err != nil {
		return
	}
	t.open, t.fd, t.own = true, fd, int32(syscall.Getpgrp())
}

// FD is the descriptor of the terminal, -1 if there is none.
func (t *Terminal) FD() int {
	if !t.open {
		return -1
	}
	return t.fd
}

// Lent is 1 while a process group of a service has the foreground. A child that
// takes that sets it.
func (t *Terminal) Lent() *uint32 { return &t.lent }

// Lend makes group the foreground group if that is our own now, and reports
// whether it did.
func (t *Terminal) Lend(group int) bool {
	if !t.open || t.foreground() != t.own || !t.give(int32(group)) {
		return false
	}
	atomic.StoreUint32(&t.lent, 1)
	return true
}

// TakeBack makes our process group the foreground group again if we have lent
// that. If the one who started us has taken it meanwhile, it stays there.
func (t *Terminal) TakeBack() {
	if t.open && atomic.SwapUint32(&t.lent, 0) != 0 {
		t.restore()
	}
}

// restore is TakeBack of a terminal that was lent, without anything that the
// handler of collapse.go could not do.
//
//go:norace
//go:nosplit
//go:nocheckptr
func (t *Terminal) restore() {
	parent, _, _ := syscall.RawSyscall(unix.SYS_GETPPID, 0, 0, 0)
	starter, _, errno := syscall.RawSyscall(unix.SYS_GETPGID, parent, 0, 0)
	if errno == 0 && t.foreground() == int32(starter) {
		return
	}
	t.give(t.own)
}

// foreground is the terminal's foreground process group, -1 if it has none that
// we can know.
//
//go:norace
//go:nosplit
//go:nocheckptr
func (t *Terminal) foreground() int32 {
	group := int32(-1)
	syscall.RawSyscall(unix.SYS_IOCTL, uintptr(t.fd), unix.TIOCGPGRP, uintptr(unsafe.Pointer(&group)))
	return group
}

// give asks the kernel, which does not stop us for it as SIGTTOU is ignored.
//
//go:norace
//go:nosplit
//go:nocheckptr
func (t *Terminal) give(group int32) bool {
	_, _, errno := syscall.RawSyscall(unix.SYS_IOCTL, uintptr(t.fd), unix.TIOCSPGRP, uintptr(unsafe.Pointer(&group)))
	return errno == 0
}
