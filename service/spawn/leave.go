//go:build linux && !applet && (amd64 || arm64 || arm.6 || riscv64)

package spawn

import (
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"unsafe"

	"daemonproxy/actor"

	"golang.org/x/sys/unix"
)

// leavers tells which children have left our memory, by their exec or their end: the
// kernel clears a word then (CLONE_CHILD_CLEARTID). One start at a time waits for its own
// word, with its thread. For all others a goroutine waits, with one thread, by
// futex_waitv(2), which Linux has since 5.16. It alone would do; but it is told sooner who
// waits where it forked, as the child goes to another processor if it can.
type leavers struct {
	alone sync.Mutex // held by the start that waits for itself
	own   uint32     // its word

	words [Spawners + 1]uint32 // of the others, present or cleared; the last is cleared by stop
	waits [Spawners + 1]futexWait
	left  [Spawners]chan struct{} // a token for each child

	mu     sync.Mutex
	others int // that have not left
	runs   bool
}

// present stands in a word until that is cleared.
const present = 1

// futexWait is the kernel's struct futex_waitv.
type futexWait struct {
	value, address uint64
	flags, _       uint32
}

// canWait says whether the kernel has what that takes; a filter of system calls may
// know less. Without arguments both complain of those.
var canWait = has(unix.SYS_FUTEX_WAITV) && has(unix.SYS_CLONE3)

func has(call uintptr) bool {
	_, _, errno := syscall.RawSyscall6(call, 0, 0, 0, 0, 0, 0)
	return errno == syscall.EINVAL
}

func (l *leavers) init() {
	for i := range l.words {
		l.words[i] = present
		const size32 = 2
		l.waits[i] = futexWait{value: present, address: uint64(uintptr(unsafe.Pointer(&l.words[i]))), flags: size32}
	}
	for i := range l.left {
		l.left[i] = make(chan struct{}, 1)
	}
}

// clone makes the child of a spawner and returns when that has left.
func (l *leavers) clone(s *Spawner) (pid, errno uintptr) {
	if l.alone.TryLock() {
		defer l.alone.Unlock()
		l.own = present
		if pid, errno = forked(s, &l.own); errno == 0 {
			l.hold()
		}
		return pid, errno
	}
	l.mu.Lock()
	l.others++
	l.beginLocked()
	l.mu.Unlock()
	if pid, errno = forked(s, &l.words[s.index]); errno != 0 {
		l.clear(s.index)
	}
	<-l.left[s.index]
	return pid, errno
}

// warm makes now what is made on demand.
func (l *leavers) warm() {
	if canWait {
		l.mu.Lock()
		l.beginLocked()
		l.mu.Unlock()
	}
}

// beginLocked sees to it that somebody waits for the others.
func (l *leavers) beginLocked() {
	if !l.runs {
		l.runs = true
		go actor.Persist(l.run)
	}
}

// run waits for the others until it was stopped and all have left.
func (l *leavers) run() {
	for list := l.waits[:]; l.look(); {
		if atomic.LoadUint32(&l.words[Spawners]) == 0 {
			list = list[:Spawners]
		}
		runtime.Gosched() // first all that this has set going
		actor.Block(unix.SYS_FUTEX_WAITV, uintptr(unsafe.Pointer(&list[0])), uintptr(len(list)), 0, 0)
	}
}

// look passes on who has left. It reports whether run has to go on.
func (l *leavers) look() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range l.left {
		if atomic.CompareAndSwapUint32(&l.words[i], 0, present) {
			l.others--
			l.left[i] <- struct{}{}
		}
	}
	l.runs = l.others > 0 || atomic.LoadUint32(&l.words[Spawners]) == present
	return l.runs
}

// clear does to a word what the kernel does.
func (l *leavers) clear(i int) {
	atomic.StoreUint32(&l.words[i], 0)
	const wake = 1
	_, _, _ = syscall.RawSyscall(unix.SYS_FUTEX, uintptr(unsafe.Pointer(&l.words[i])), wake, 1)
}

// hold waits for the own word to be cleared.
func (l *leavers) hold() {
	for atomic.LoadUint32(&l.own) == present {
		const wait = 0
		actor.Block(unix.SYS_FUTEX, uintptr(unsafe.Pointer(&l.own)), wait, present, 0)
	}
}

// stop lets run end.
func (l *leavers) stop() { l.clear(Spawners) }
