package actor

import (
	"runtime"
	"slices"
	"sync"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Watcher is told when a descriptor that it watches became readable or
// writable; Ready is an offer and must not wait.
type Watcher interface{ Ready(events uint32) }

// Watch is one descriptor under watch. Its owner embeds it.
type Watch struct {
	Watcher Watcher
	slot    int32 // in the poller's table, from 1; 0 = not watched
	serial  int32
	fd      int
}

// Poller watches descriptors that we made (non-blocking, not shared) with one
// epoll of our own, edge-triggered, so that a descriptor costs one system call
// for its whole life and no heap object. The epoll descriptor itself is
// watched by the runtime's poller: no thread waits.
type Poller struct {
	desc   uintptr // of the runtime's
	epfd   int
	events [64]unix.EpollEvent

	mu     sync.Mutex
	table  []*Watch
	free   []int32
	serial int32
}

// NewPoller returns a poller without watches.
func NewPoller() (*Poller, error) {
	epfd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, err
	}
	pollInit()
	desc, errno := pollOpen(uintptr(epfd))
	if errno != 0 {
		unix.Close(epfd)
		return nil, syscall.Errno(errno)
	}
	return &Poller{epfd: epfd, desc: desc}, nil
}

// Reserve makes room for n watches, so that the table does not grow later.
func (p *Poller) Reserve(n int) {
	p.mu.Lock()
	p.table = slices.Grow(p.table, n)
	p.free = slices.Grow(p.free, n)
	p.mu.Unlock()
}

// Add watches fd for input, output and hang-up, edge-triggered: a watcher acts
// until EAGAIN before it waits again. Descriptors that cannot be watched
// (regular files) give EPERM; they never have to be waited for.
func (p *Poller) Add(w *Watch, fd int) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.free) == 0 {
		p.table = append(p.table, nil)
		p.free = append(p.free, int32(len(p.table)))
	}
	slot := p.free[len(p.free)-1]
	p.serial++
	event := unix.EpollEvent{
		Events: unix.EPOLLIN | unix.EPOLLPRI | unix.EPOLLOUT | unix.EPOLLRDHUP | unix.EPOLLET,
		Fd:     slot,
		Pad:    p.serial,
	}
	if err := unix.EpollCtl(p.epfd, unix.EPOLL_CTL_ADD, fd, &event); err != nil {
		return err
	}
	p.free = p.free[:len(p.free)-1]
	w.slot, w.serial, w.fd = slot, p.serial, fd
	p.table[slot-1] = w
	return nil
}

// Remove ends the watch; when it returns, Ready is not called any more. It must
// come before the close of the descriptor: a registration outlives the close
// while a child holds a copy.
func (p *Poller) Remove(w *Watch) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if w.slot == 0 {
		return
	}
	unix.EpollCtl(p.epfd, unix.EPOLL_CTL_DEL, w.fd, nil)
	p.table[w.slot-1] = nil
	p.free = append(p.free, w.slot)
	w.slot = 0
}

// Run tells watchers what happens until Close.
func (p *Poller) Run() {
	Persist(func() {
		for open := pollReset(p.desc, 'r') == 0; open; open = pollWait(p.desc, 'r') == 0 {
			for p.dispatch() {
				runtime.Gosched() // first all that this has set going
			}
		}
	})
	pollClose(p.desc)
	unix.Close(p.epfd)
}

// dispatch reports whether there may be more events at once.
func (p *Poller) dispatch() bool {
	n, errno := epollWait(p.epfd, p.events[:])
	if errno != 0 {
		return errno == unix.EINTR
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := range p.events[:max(n, 0)] {
		e := &p.events[i]
		// A watch that was removed, or whose slot serves another one by
		// now, hears nothing of its past.
		if w := p.table[e.Fd-1]; w != nil && w.serial == e.Pad {
			w.Watcher.Ready(e.Events)
		}
	}
	return n > 0
}

// epollWait does not wait.
func epollWait(epfd int, events []unix.EpollEvent) (n int, errno syscall.Errno) {
	r, _, errno := syscall.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(epfd), uintptr(unsafe.Pointer(unsafe.SliceData(events))), uintptr(len(events)), 0, 0, 0)
	return int(r), errno
}

// Close ends Run.
func (p *Poller) Close() { pollUnblock(p.desc) }
