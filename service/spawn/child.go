//go:build linux && !applet && (amd64 || arm64 || arm.6 || riscv64)

package spawn

import (
	"math"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Everything in this file, steps.go and exec.go runs in the child, in the parent's
// memory. No allocation, no lock, no stack growth, no pointer stored into the
// heap, no call but to each other and to RawSyscall: see the package
// documentation.

// child is the whole life of a child before its program. It never returns.
//
//go:norace
//go:nosplit
//go:nocheckptr
func child(im *image) {
	if im.vanishes {
		exit(0)
	}
	if im.cleared {
		setSignals(im, im.uncleared)
	} else {
		setSignals(im, ^uint64(0))
	}
	if im.leads {
		lead(im)
	}
	if im.abort {
		im.step = StepAbort
		die(im)
	}
	if im.leave >= 0 { // one descriptor more for what has to get out of the way
		syscall.RawSyscall(syscall.SYS_CLOSE, uintptr(im.read), 0, 0)
	}
	if !place(im) {
		die(im)
	}
	if first := int32(im.count); im.leave > first {
		closeRange(first, im.leave-1)
	}
	closeRange(max(im.leave+1, int32(im.count)), math.MaxInt32)
	if born.differ {
		restoreLimit(im)
	}
	unblock(im)
	errno := execute(im)
	im.errno = errno
	im.step = StepExec
	complain(im, errno)
	exit(exitFailed)
}

// lead makes a process group. A background group that reaches for the terminal
// would be stopped by SIGTTOU, were that not blocked like all others.
//
//go:norace
//go:nosplit
//go:nocheckptr
func lead(im *image) {
	syscall.RawSyscall(syscall.SYS_SETPGID, 0, 0, 0)
	if im.terminal < 0 {
		return
	}
	_, _, errno := syscall.RawSyscall(syscall.SYS_IOCTL, uintptr(im.terminal), unix.TIOCGPGRP, uintptr(unsafe.Pointer(&im.leader)))
	if errno != 0 || im.leader != im.group {
		return
	}
	self, _, _ := syscall.RawSyscall(syscall.SYS_GETPID, 0, 0, 0)
	im.leader = int32(self)
	_, _, errno = syscall.RawSyscall(syscall.SYS_IOCTL, uintptr(im.terminal), unix.TIOCSPGRP, uintptr(unsafe.Pointer(&im.leader)))
	if errno == 0 {
		*im.lent = 1
	}
}

// place puts every descriptor at its number. The numbers are filled from 0 up,
// so what must get out of the way first is a source that is overwritten before
// its turn; it goes above every number that is named, since one that is named
// and not open must go on being not open.
//
//go:norace
//go:nosplit
//go:nocheckptr
func place(im *image) bool {
	floor := int32(im.count)
	for i := range im.count {
		floor = max(floor, im.fds[i].source+1)
	}
	for i := range im.count {
		d := &im.fds[i]
		if d.source < 0 || int(d.source) >= i {
			continue
		}
		r, _, errno := syscall.RawSyscall(syscall.SYS_FCNTL, uintptr(d.source), unix.F_DUPFD_CLOEXEC, uintptr(floor))
		if errno == syscall.EINVAL || errno == syscall.EMFILE {
			// The highest number may be the last that the limit allows.
			r, _, errno = syscall.RawSyscall(syscall.SYS_FCNTL, uintptr(d.source), unix.F_DUPFD_CLOEXEC, uintptr(im.count))
		}
		if errno != 0 {
			return misplaced(im, i, errno)
		}
		d.now = int32(r)
	}
	for i := range im.count {
		var errno syscall.Errno
		switch d := &im.fds[i]; {
		case d.now < 0:
			syscall.RawSyscall(syscall.SYS_CLOSE, uintptr(i), 0, 0)
		case int(d.now) == i:
			_, _, errno = syscall.RawSyscall(syscall.SYS_FCNTL, uintptr(i), unix.F_SETFD, 0)
		default:
			_, _, errno = syscall.RawSyscall(syscall.SYS_DUP3, uintptr(d.now), uintptr(i), 0)
		}
		if errno != 0 {
			return misplaced(im, i, errno)
		}
	}
	return true
}

//go:norace
//go:nosplit
//go:nocheckptr
func misplaced(im *image, i int, errno syscall.Errno) bool {
	im.step = StepDup
	im.errno = errno
	im.source = im.fds[i].source
	im.position = int32(i)
	return false
}

// restoreLimit gives back the soft limit on descriptors, unless somebody has
// set another one from outside.
//
//go:norace
//go:nosplit
//go:nocheckptr
func restoreLimit(im *image) {
	_, _, errno := syscall.RawSyscall6(unix.SYS_PRLIMIT64, 0, syscall.RLIMIT_NOFILE, 0, uintptr(unsafe.Pointer(&im.limit)), 0, 0)
	if errno == 0 && im.limit.Cur == born.raised.Cur && im.limit.Max == born.raised.Max {
		syscall.RawSyscall6(unix.SYS_PRLIMIT64, 0, syscall.RLIMIT_NOFILE, uintptr(unsafe.Pointer(&born.granted)), 0, 0, 0)
	}
}

// die ends the child by SIGABRT, without a core: it would be the daemon's, and
// before Linux 5.16 its making kills whoever shares the memory. What prevents it
// belongs to the memory too, so one child at a time does this, and its parent
// undoes it.
//
//go:norace
//go:nosplit
//go:nocheckptr
func die(im *image) {
	self, _, _ := syscall.RawSyscall(syscall.SYS_GETPID, 0, 0, 0)
	for !cas(&undumpable, 0, int32(self)) {
		syscall.RawSyscall(syscall.SYS_SCHED_YIELD, 0, 0, 0)
	}
	was, _, _ := syscall.RawSyscall(syscall.SYS_PRCTL, unix.PR_GET_DUMPABLE, 0, 0)
	im.dumpable = int32(was)
	syscall.RawSyscall(syscall.SYS_PRCTL, unix.PR_SET_DUMPABLE, 0, 0)
	setSignal(sigAbrt, &im.defaults)
	unblock(im)
	syscall.RawSyscall(syscall.SYS_KILL, self, sigAbrt, 0)
	exit(128 + sigAbrt)
}
