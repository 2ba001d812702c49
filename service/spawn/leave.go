//go:build linux && !applet && (amd64 || arm64 || arm.6 || riscv64)

package spawn

import (
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
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
	alone   sync.Mutex // held by the start that waits for itself
	own     uint32     // its word
	ownWait [1]futexWait

	forking sync.Mutex // one clone at a time, or as many threads could be held up in it

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

// canWait says whether the kernel has that call, and a filter of system calls lets it
// through: it complains of its arguments then.
var canWait = waitv(nil) == syscall.EINVAL

// waitv returns when one of the words may have been cleared.
func waitv(list []futexWait) syscall.Errno {
	_, errno := actor.Block(unix.SYS_FUTEX_WAITV, uintptr(unsafe.Pointer(unsafe.SliceData(list))), uintptr(len(list)), 0, 0)
	if errno == syscall.ENOMEM {
		time.Sleep(time.Millisecond) // the kernel can't tell when it has memory for the wait again
	}
	return errno
}

func (l *leavers) init() {
	l.ownWait[0] = waitFor(&l.own)
	for i := range l.words {
		l.words[i] = present
		l.waits[i] = waitFor(&l.words[i])
	}
	for i := range l.left {
		l.left[i] = make(chan struct{}, 1)
	}
}

func waitFor(word *uint32) futexWait {
	const size32 = 2
	return futexWait{value: present, address: uint64(uintptr(unsafe.Pointer(word))), flags: size32}
}

// clone makes the child of a spawner and returns when that has left.
func (l *leavers) clone(s *Spawner) (pid, errno uintptr) {
	if l.alone.TryLock() {
		defer l.alone.Unlock()
		l.own = present
		if pid, errno = l.forked(s, &l.own); errno == 0 {
			l.hold()
		}
		return pid, errno
	}
	l.mu.Lock()
	l.others++
	l.beginLocked()
	l.mu.Unlock()
	if pid, errno = l.forked(s, &l.words[s.index]); errno != 0 {
		l.clear(s.index)
	}
	<-l.left[s.index]
	return pid, errno
}

func (l *leavers) forked(s *Spawner, word *uint32) (pid, errno uintptr) {
	l.forking.Lock()
	defer l.forking.Unlock()
	return forked(s, word)
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
		waitv(list)
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
		waitv(l.ownWait[:])
	}
}

// stop lets run end.
func (l *leavers) stop() { l.clear(Spawners) }
