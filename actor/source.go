package actor

import (
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Source reads a descriptor that is shared with others, on a goroutine of its
// own: it alone may block there, in read. It reads one piece, rings its
// Watcher, and reads on only when told so.
type Source struct {
	watcher Watcher
	fd      int
	more    chan struct{}
	filled  chan struct{} // closed loop: one token says that buf, n and err are the reader's
	buf     [4096]byte
	rest    []byte
	err     error
}

// NewSource starts to read fd at once.
func NewSource(fd int, watcher Watcher) *Source {
	s := &Source{watcher: watcher, fd: fd, more: make(chan struct{}, 1), filled: make(chan struct{}, 1)}
	go Persist(s.run)
	s.more <- struct{}{}
	return s
}

func (s *Source) run() {
	Lasts()
	defer Over()
	for range s.more {
		runtime.Gosched() // first all that the last piece has set going
		n, err := s.fill()
		s.rest, s.err = s.buf[:max(n, 0)], err
		s.filled <- struct{}{}
		s.watcher.Ready(unix.EPOLLIN)
		if n <= 0 {
			return
		}
	}
}

// fill waits until there is something to read, or the end.
func (s *Source) fill() (int, error) {
	poll := [1]unix.PollFd{{Fd: int32(s.fd), Events: unix.POLLIN}}
	for {
		n, errno := Block(unix.SYS_READ, uintptr(s.fd), uintptr(unsafe.Pointer(&s.buf)), uintptr(len(s.buf)), 0)
		switch errno {
		case 0:
			return int(n), nil
		case unix.EINTR:
		case unix.EAGAIN:
			Block(unix.SYS_PPOLL, uintptr(unsafe.Pointer(&poll)), 1, 0, 0)
		default:
			return 0, errno
		}
	}
}

// Read copies what was read and never waits: EAGAIN says that nothing is there
// yet, 0 is the end.
func (s *Source) Read(b []byte) (int, error) {
	select {
	case <-s.filled:
	default:
		return 0, unix.EAGAIN
	}
	if s.err != nil || len(s.rest) == 0 {
		err := s.err
		s.filled <- struct{}{}
		return 0, err
	}
	n := copy(b, s.rest)
	if s.rest = s.rest[n:]; len(s.rest) > 0 {
		s.filled <- struct{}{}
	} else {
		s.more <- struct{}{}
	}
	return n, nil
}

// Stop lets the goroutine end after the read that it may be in.
func (s *Source) Stop() { close(s.more) }
