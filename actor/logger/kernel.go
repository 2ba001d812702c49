package logger

import (
	"unsafe"

	"daemonproxy/actor"

	"golang.org/x/sys/unix"
)

// way is how to write to a descriptor without being blocked by it.
type way uint8

const (
	wayUnknown way = iota
	waySocket      // sendto with MSG_DONTWAIT
	wayNowait      // pwritev2 with RWF_NOWAIT (Linux 4.14; on pipe(2) much later, on named FIFOs not yet)
	wayPlain       // write: it may block
)

// kernel is the system calls that a pen makes. Tests put faults and a clock of their own behind it.
type kernel interface {
	ready(fd int) bool      // poll says that a write would not block, or would fail
	await(fd int, w *waker) // returns when ready, when woken, or for no reason
	write(fd int, w *way, b []byte) (int, error)
	open(w *waker)
	wake(w *waker) // makes await return; not lost if await is yet to be called
	close(w *waker)
	nap() // lets 0.1 ms pass; unlike time.Sleep it allocates nothing
}

// waker is an eventfd that interrupts a poll; -1 if there was none to be had.
type waker struct{ fd int }

// blindPoll is how long a poll without a waker may miss a change, in milliseconds.
const blindPoll = 100

type linux struct{}

func (linux) open(w *waker) {
	fd, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		fd = -1
	}
	w.fd = fd
}

func (linux) close(w *waker) {
	if w.fd >= 0 {
		_ = unix.Close(w.fd)
		w.fd = -1
	}
}

func (linux) wake(w *waker) {
	one := [8]byte{1, 1, 1, 1, 1, 1, 1, 1} // any number but 0, in either byte order
	if w.fd >= 0 {
		_, _ = unix.Write(w.fd, one[:])
	}
}

func (linux) nap() {
	ts := unix.NsecToTimespec(100_000)
	_ = unix.Nanosleep(&ts, nil)
}

func (linux) ready(fd int) bool {
	f := [1]unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}
	n, err := unix.Poll(f[:], 0)
	return err == nil && n > 0
}

func (linux) await(fd int, w *waker) {
	f := [2]unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}, {Fd: int32(w.fd), Events: unix.POLLIN}}
	timeout := -1
	if w.fd < 0 {
		timeout = blindPoll
	}
	actor.Lasts()
	_, _ = unix.Poll(f[:], timeout)
	actor.Over()
	if f[1].Revents != 0 {
		var count [8]byte
		_, _ = unix.Read(w.fd, count[:])
	}
}

func (linux) write(fd int, w *way, b []byte) (int, error) {
	if *w == wayUnknown {
		*w = wayOf(fd)
	}
	for {
		n, err := writeOnce(fd, *w, b)
		switch err {
		case 0:
			return n, nil
		case unix.EINTR:
		case unix.EOPNOTSUPP, unix.ENOSYS, unix.EINVAL, unix.EPERM: // an old kernel, or a filter of system calls
			if *w != wayNowait {
				return 0, err
			}
			*w = wayPlain
		default:
			return 0, err
		}
	}
}

func wayOf(fd int) way {
	var st unix.Stat_t
	if unix.Fstat(fd, &st) != nil {
		return wayPlain
	}
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFSOCK:
		return waySocket
	case unix.S_IFIFO:
		return wayNowait
	}
	return wayPlain
}

func writeOnce(fd int, w way, b []byte) (int, unix.Errno) {
	var n uintptr
	var err unix.Errno
	p := unsafe.Pointer(unsafe.SliceData(b))
	switch w {
	case waySocket:
		n, _, err = unix.Syscall6(unix.SYS_SENDTO, uintptr(fd), uintptr(p), uintptr(len(b)),
			unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL, 0, 0)
	case wayNowait:
		iov := unix.Iovec{Base: unsafe.SliceData(b)}
		iov.SetLen(len(b))
		const here = ^uintptr(0) // offset -1: the current position
		n, _, err = unix.Syscall6(unix.SYS_PWRITEV2, uintptr(fd), uintptr(unsafe.Pointer(&iov)), 1,
			here, here, unix.RWF_NOWAIT)
	default:
		actor.Lasts()
		n, _, err = unix.Syscall(unix.SYS_WRITE, uintptr(fd), uintptr(p), uintptr(len(b)))
		actor.Over()
	}
	return int(n), err
}
