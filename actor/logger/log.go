// Package logger is the daemon's log: a bounded buffer of lines that any goroutine may add to, and a sink actor,
// Run, that carries them to one descriptor.
//
// Adding a message copies it under a short lock and returns. It does not allocate, unless the line is longer
// than 8 KiB, which only a command line option or a panic can bring. It does not wait for a blocked destination:
// what the buffer cannot hold is lost, and counted. Only while the pen (see below) is busy with a destination
// that so far works do senders give way, so that a burst is not lost on a healthy file; should that very write
// hang, this costs them some 30 ms, once.
//
// The destination is the name of a handle and, while a handle of that name exists, a loan of its descriptor.
// Package handle sets and clears the loan (Dest, Attach, Detach); without one, messages wait in the buffer.
//
// The descriptor may be shared with other processes, so its blocking mode stays as it is and nobody may trust
// poll's word that a write will not block. All system calls on it are therefore made by a goroutine of their own,
// the pen. It writes without blocking where the kernel can do so (pipes, sockets); where it cannot (terminals,
// files), the pen may hang, and is then replaced as soon as the destination changes. Up to 4 pens may hang. What
// a hanging pen had begun to write is written once more to the new destination: better twice than never.
//
// A message that was written in part goes on where it stopped. When the destination changes in between, the
// new one gets the rest.
package logger

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"daemonproxy/actor"
)

const (
	// BufferSize is how many bytes wait for the destination; an empty buffer takes one message of any length.
	BufferSize = 4096
	// writeSize is the most that one write carries: a pipe takes so much in one piece or not at all (pipe(7)).
	writeSize = 4096
)

// A Sink is a counted loan of a descriptor. The log calls FD once, when the loan begins, and Release once, when
// it is done with it: from a goroutine of its own, or from within the Dest, Attach or Detach that ended the loan.
// No lock of the log is held then, but Release must not wait for one that callers of those three hold.
type Sink interface {
	FD() int
	Release()
}

// A Log is the log. All methods may be called from any goroutine, except that only one Run may be active.
type Log struct {
	filter  atomic.Uint32
	kernel  kernel
	onPanic func(v any)
	turn    chan struct{} // to Run: the destination changed while the pen is at a system call
	entries entries
	napping sync.Mutex

	mu    sync.Mutex // held for a few copies at most, never over a system call that can block
	name  []byte     // handle that the log is bound to
	sink  Sink       // nil: none of that name exists
	fd    int        // descriptor of sink
	way   way        // how to write to fd, as far as known
	epoch uint64     // counts changes of sink

	text  []byte // what waits, in fixed unless one huge message is in it
	lost  int64  // messages that did not fit since the last flush
	pace  pace
	waits int // how often messages gave way to the write that is due
	fixed [2 * BufferSize]byte

	running bool
	pen     *pen          // the one that writes; nil: none, or all of them hang
	drained chan struct{} // of Flush: closed when nothing is left to wait for
	pens    [Pens]pen

	timer actor.Timer     // of Run
	rung  <-chan struct{} // by it

	chunks [Pens][writeSize]byte // of the pens, apart: they take no memory until they are used
}

// New gives a log bound to the handle name "stderr", with filter Debug and no descriptor yet.
func New() *Log {
	l := &Log{kernel: linux{}, turn: make(chan struct{}, 1), fd: -1}
	l.filter.Store(uint32(Debug))
	l.name = append(make([]byte, 0, 32), "stderr"...)
	l.text = l.fixed[:0]
	return l
}

// OnPanic sets what is called with the value of a panic inside the log's own goroutines. To be called before Run;
// without it such a panic ends the program.
func (l *Log) OnPanic(f func(v any)) { l.onPanic = f }

// Filter is the level above which messages are written.
func (l *Log) Filter() Level { return Level(l.filter.Load()) }

// SetFilter sets the filter; text that is in the buffer already stays.
func (l *Log) SetFilter(v Level) { l.filter.Store(uint32(v)) }

// Enabled says whether a message of that level would be written.
func (l *Log) Enabled(v Level) bool { return v > l.Filter() }

// Entry begins a message; nil if its level is filtered out, and a nil *Entry may be used like any other.
func (l *Log) Entry(v Level) *Entry {
	if !l.Enabled(v) {
		return nil
	}
	return l.entries.take(l).Str(v.String()).Str(": ")
}

// Line logs one text.
func (l *Log) Line(v Level, text string) { l.Entry(v).Str(text).Send() }

// maxYields and maxNaps bound what all messages together wait for one write: 200 turns of the scheduler, then
// 200 times 0.1 ms. It takes a healthy file or terminal a few turns.
const (
	maxYields = 200
	maxNaps   = 200
)

// put adds a whole line. A burst can fill the buffer before the pen gets to run; as long as the pen is on its way
// to a destination that works, its sender gives way rather than lose it.
func (l *Log) put(line []byte) {
	for {
		added, patient := l.offer(line)
		switch {
		case added:
			return
		case patient:
			l.nap()
		default:
			runtime.Gosched()
		}
	}
}

// nap lets a moment pass. One goroutine sleeps at a time, so that a crowd of them does not take a thread each.
func (l *Log) nap() {
	l.napping.Lock()
	l.kernel.nap()
	l.napping.Unlock()
}

// offer adds a line, or asks to come back after a turn of the scheduler, or after a nap.
func (l *Log) offer(line []byte) (added, patient bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.lost == 0 && l.fits(len(line)) || !l.works() {
		l.add(line)
		return true, false
	}
	l.waits++
	return false, l.waits > maxYields
}

// works says whether the pen may be expected to make room at once: it is neither gone, nor known to be blocked,
// nor hanging as far as one can tell.
func (l *Log) works() bool {
	p := l.pen
	return p != nil && l.sink != nil && !l.pace.failing && p.at != atPoll && l.waits < maxYields+maxNaps
}

// add appends a line or counts it as lost, with the lock held.
func (l *Log) add(line []byte) {
	if l.lost > 0 || !l.fits(len(line)) {
		l.lost++
	} else {
		l.text = append(l.text, line...)
	}
	l.pace.arrived()
	if p := l.pen; p != nil && (p.at == atIdle || p.at == atPace && l.pace.hurries()) {
		p.poke()
	}
}

func (l *Log) fits(n int) bool { return len(l.text) == 0 || len(l.text)+n <= BufferSize }

// flushed takes n written bytes out of the buffer, and owns up to losses as soon as there is room to.
func (l *Log) flushed(n int) {
	rest := l.text[n:]
	if len(rest) <= len(l.fixed) {
		l.text = l.fixed[:copy(l.fixed[:], rest)]
	} else {
		l.text = rest
	}
	if l.lost == 0 {
		return
	}
	if !l.Enabled(Warning) {
		l.lost = 0
		return
	}
	var b [64]byte
	line := appendLost(b[:0], l.lost)
	if l.fits(len(line)) {
		l.text = append(l.text, line...)
		l.lost = 0
	}
}

// retryDelay lies between attempts on a descriptor that counts as writable and fails nevertheless.
const retryDelay = 500 * time.Millisecond
