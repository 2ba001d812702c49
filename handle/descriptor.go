package handle

import (
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// Descriptor is a counted descriptor of the system. It is what the log borrows
// as its sink. Retain and Release may be called from any goroutine.
type Descriptor struct {
	fd    int
	refs  atomic.Int32
	kept  bool // not ours to close; set before the handle lets go of it
	store *descriptors
	next  *Descriptor
}

// FD gives the number, -1 if there is no descriptor. It is good as long as the
// caller's reference is.
func (d *Descriptor) FD() int { return d.fd }

// Retain adds a reference to one that the caller knows to be held.
func (d *Descriptor) Retain() { d.refs.Add(1) }

// Release gives a reference back. The last one closes the descriptor, which
// may block.
func (d *Descriptor) Release() {
	if d.refs.Add(-1) > 0 {
		return
	}
	if !d.kept {
		d.store.close(d.fd)
	}
	d.store.put(d)
}

// descriptors makes and reuses Descriptors.
type descriptors struct {
	null *Descriptor // of the handle "null"; none if it could not be opened
	none Descriptor  // stands for no descriptor; never released for good

	mu      sync.Mutex
	spare   *Descriptor
	reserve []Descriptor // of a pool: not used yet, so their memory is not touched
}

func (s *descriptors) init() {
	s.none.fd = -1
	s.none.kept = true
	s.none.store = s
	s.none.refs.Store(1)
	s.null = &s.none
}

// take gives a Descriptor with one reference for fd, which is ours from now on.
func (s *descriptors) take(fd int) *Descriptor {
	s.mu.Lock()
	d := s.spare
	switch {
	case d != nil:
		s.spare = d.next
	case len(s.reserve) > 0:
		d, s.reserve = &s.reserve[0], s.reserve[1:]
	}
	s.mu.Unlock()
	if d == nil {
		d = new(Descriptor)
	}
	d.fd, d.kept, d.store, d.next = fd, false, s, nil
	d.refs.Store(1)
	return d
}

func (s *descriptors) put(d *Descriptor) {
	s.mu.Lock()
	d.fd, d.next, s.spare = -1, s.spare, d
	s.mu.Unlock()
}

// close ends a descriptor. The numbers 0, 1 and 2 are never left free: the next
// descriptor opened would land there and receive what the runtime and libraries
// write to "standard error".
func (s *descriptors) close(fd int) {
	switch {
	case fd > 2:
		unix.Close(fd)
	case fd >= 0:
		s.cover(fd)
	}
}

// cover puts /dev/null on fd or, if that could not be opened, a descriptor that
// can neither be read nor written.
func (s *descriptors) cover(fd int) {
	if null := s.null.fd; null >= 0 && dup3(null, fd) == nil {
		return
	}
	root, err := unix.Open("/", unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil || root == fd {
		return
	}
	dup3(root, fd)
	unix.Close(root)
}

// dup3 waits out an open of the same number in another thread (EBUSY, dup(2)).
func dup3(from, to int) error {
	for {
		err := unix.Dup3(from, to, unix.O_CLOEXEC)
		if err != unix.EINTR && err != unix.EBUSY {
			return err
		}
	}
}
