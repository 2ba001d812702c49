package mainthread

import (
	"sync/atomic"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// lastWords is what the Go runtime prints when it gives up, as far as it is kept
// for the exec-on-exit program: in the form of its variable, since there it goes.
// Nothing is kept unless the runtime's end is seen to (collapse.go). What GODEBUG
// has the runtime print meanwhile is kept from descriptor 2 as well, since nobody
// can tell it from the beginning of an end.
var lastWords words

type words struct {
	kept uint32 // 1 if so; written atomically
	deaf uint32 // 1 if nobody has read descriptor 2 for patience
	n    uint32 // length of the text, beyond the name of the variable
	head uint32 // 1 + where the text says what is wrong, 0 if nowhere
	text [len(tracebackVariable) + maxTraceback + 1]byte
}

const (
	maxTraceback = 32 << 10
	// patience in seconds is for a descriptor 2 that is full.
	patience = 1
)

// overrideWrite is what the runtime writes through, if it is not nil; it is there
// for others to set. The runtime itself writes to descriptor 2 only, and does so when
// it is about to crash: a pipe that nobody reads must not keep it from that.
//
//go:linkname overrideWrite runtime.overrideWrite
var overrideWrite func(fd uintptr, p unsafe.Pointer, n int32) int32

func init() {
	copy(lastWords.text[:], tracebackVariable)
	overrideWrite = write
}

// write is called from anywhere in the runtime, with little stack, without a
// processor, with locks held.
//
//go:norace
//go:nosplit
//go:nocheckptr
func write(fd uintptr, p unsafe.Pointer, n int32) int32 {
	w := &lastWords
	if fd == 2 {
		if w.kept != 0 {
			w.keep(p, int(n))
			if begins(p, int(n), relay) {
				perish()
			}
			return n
		}
		if !w.heard() {
			return n
		}
	}
	r, _, errno := syscall.RawSyscall(unix.SYS_WRITE, fd, uintptr(p), uintptr(n))
	if errno != 0 {
		return -int32(errno)
	}
	return int32(r)
}

// heard waits until descriptor 2 takes some text, but not for ever. A pipe with
// room takes 4096 bytes, unless somebody else is faster; the runtime writes less.
//
//go:norace
//go:nosplit
//go:nocheckptr
func (w *words) heard() bool {
	if w.deaf != 0 {
		return false
	}
	poll := unix.PollFd{Fd: 2, Events: unix.POLLOUT}
	wait := unix.Timespec{Sec: patience}
	for {
		// Interrupted, as it is by the runtime's own signals, it says in wait what is
		// left to wait.
		n, _, errno := syscall.RawSyscall6(unix.SYS_PPOLL, uintptr(unsafe.Pointer(&poll)), 1, uintptr(unsafe.Pointer(&wait)), 0, 0, 0)
		switch {
		case errno == unix.EINTR:
		case errno == 0 && n == 0:
			w.deaf = 1
			return false
		default:
			return true
		}
	}
}

// keep appends to the text. The runtime prints under a lock of its own. What does
// not fit is dropped, but for the headline: that begins anew if it comes late.
//
//go:norace
//go:nosplit
//go:nocheckptr
func (w *words) keep(p unsafe.Pointer, n int) {
	if w.head == 0 && (begins(p, n, fatalError) || begins(p, n, panicked)) {
		if w.n > maxTraceback/2 {
			w.n = 0
		}
		w.head = 1 + w.n
	}
	for i := 0; i < n && w.n < maxTraceback; i++ {
		b := *(*byte)(unsafe.Add(p, i))
		if b == 0 { // would end the variable
			b = '?'
		}
		w.text[len(tracebackVariable)+int(w.n)] = b
		w.n++
	}
	w.text[len(tracebackVariable)+int(w.n)] = 0
}

// What the runtime prints in one piece. It begins its headlines with these two.
const (
	fatalError = "fatal error: "
	panicked   = "panic: "
	// relay comes after the traceback of a fault in the runtime itself. The other
	// threads are to print theirs then, at a SIGQUIT that goes from one to the next;
	// but that goes to the receiver of signals, and the runtime waits for 10 seconds.
	relay = "\n-----\n\n"
)

//go:norace
//go:nosplit
//go:nocheckptr
func begins(p unsafe.Pointer, n int, s string) bool {
	if n < len(s) {
		return false
	}
	for i := 0; i < len(s); i++ {
		if *(*byte)(unsafe.Add(p, i)) != s[i] {
			return false
		}
	}
	return true
}

// headline is where in the text what is wrong stands.
//
//go:norace
//go:nosplit
//go:nocheckptr
func (w *words) headline() int {
	at := len(tracebackVariable)
	if w.head == 0 {
		return at
	}
	at += int(w.head) - 1
	if w.text[at] == fatalError[0] {
		return at + len(fatalError)
	}
	return at + len(panicked)
}

// say writes to descriptor 2 what was kept in vain, and keeps no more.
//
//go:norace
//go:nosplit
//go:nocheckptr
func (w *words) say() {
	w.kept = 0
	const chunk = 512 // in each a pipe with room takes
	for from := 0; from < int(w.n); from += chunk {
		if !w.heard() {
			return
		}
		syscall.RawSyscall(unix.SYS_WRITE, 2, uintptr(unsafe.Pointer(&w.text[len(tracebackVariable)+from])), uintptr(min(chunk, int(w.n)-from)))
	}
}

// keeping has the text kept, or no longer.
func (w *words) keeping(kept bool) {
	if !kept {
		atomic.StoreUint32(&w.kept, 0)
		return
	}
	atomic.StoreUint32(&w.kept, 1)
}
