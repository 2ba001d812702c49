//go:build linux && (amd64 || arm64 || arm.6 || riscv64)

package mainthread

import (
	"sync/atomic"
	"syscall"
	"unsafe"

	"daemonproxy/actor"
	"daemonproxy/controller/protocol"

	"golang.org/x/sys/unix"
)

// The collapse is the end that no Go code can see to: the runtime has found
// itself broken (a concurrent map write, a stack without end, no memory) or a
// goroutine has panicked that nobody watches. Told to crash, the runtime prints
// why and raises SIGABRT on the thread that it happened on. While there are
// exec-on-exit arguments, the handler of signals, of our own, calls perish for a SIGABRT
// that this process has raised, which nobody but the runtime does. It works with what was
// laid ready here, and executes the program.
//
// A fault in the runtime's own code comes to the same end, but sooner: see relay.
// What nothing helps: a runtime that fails again and again while it prints its
// traceback calls exit(2), and raises no signal before.

// collapse is what the handler works with. No Go object ever moves, and all of
// these are reached from here; the plain numbers are not even in Go's heap.
var collapse struct {
	args     *ExecArgs
	terminal *Terminal
	environ  []unsafe.Pointer // of strings: exit code, error, the inherited ones, traceback, nil
	path     []byte           // PATH, with a NUL

	limited bool
	limit   syscall.Rlimit // of open descriptors, that we were started with

	armed bool // under the lock of args

	state  int32   // of the handler, from one of these to the next
	thread uintptr // that executes
	argv   [protocol.MaxExecArgs + 4]uintptr
	file   [unix.PathMax + protocol.MaxExecArgs + 2]byte
	code   [len(exitCodeVariable) + 2]byte
	error  [256]byte
}

const (
	watching = iota
	executing
	failed
)

// OutliveRuntime has exec-on-exit work even if the Go runtime gives up. It is
// called once, during set-up. limit is that of open descriptors that the program
// was started with, if limited; the runtime has raised it.
func (d *Duties) OutliveRuntime(limit syscall.Rlimit, limited bool) {
	// Nothing here is deep, and 1 GB, which is the default, is not there on a board
	// for a recursion without end to fill.
	actor.SetMaxStack(1 << 20)

	c := &collapse
	c.terminal, c.limit = &d.Terminal, limit
	var now syscall.Rlimit
	c.limited = limited && syscall.Getrlimit(syscall.RLIMIT_NOFILE, &now) == nil && now != limit
	copy(c.code[:], exitCodeVariable)
	c.code[len(exitCodeVariable)] = '0' + ExitBrokenState
	environ := inherited(d.Environ)
	c.environ = make([]unsafe.Pointer, 0, len(environ)+4)
	c.environ = append(c.environ, unsafe.Pointer(&c.code), unsafe.Pointer(&c.error))
	c.environ = actor.AppendCStrings(c.environ, environ)
	c.environ = append(c.environ, unsafe.Pointer(&lastWords.text), nil)
	path, set := Getenv(d.Environ, "PATH")
	if !set {
		path = defaultPath
	}
	c.path = append([]byte(path), 0)
	c.args = &d.Args
}

// arm has the handler perish, now that there are arguments.
func (a *ExecArgs) arm() {
	c := &collapse
	if c.args != a || c.armed || !actor.OnCollapse(perishPC()) {
		return
	}
	c.armed = true
	lastWords.keeping(true)
	actor.SetTraceback("crash")
}

// disarm comes before the arguments go.
func (a *ExecArgs) disarm() {
	c := &collapse
	if c.args != a || !c.armed {
		return
	}
	actor.SetTraceback("single") // or what GOTRACEBACK says, if that is more
	lastWords.keeping(false)
	actor.OnCollapse(0)
	c.armed = false
}

// collapsing tells whether the handler is at work. Who finds it not so, under the
// lock, may write to the buffer that is not current: the handler looks for the
// current one only after it has changed its state.
func (a *ExecArgs) collapsing() bool {
	return collapse.args == a && atomic.LoadInt32(&collapse.state) != watching
}

// perishPC returns the address of perish as assembly calls it.
func perishPC() uintptr

// cas is CompareAndSwap, as the race detector would take the one of sync/atomic
// for its own, which a signal handler must not run.
//
//go:noescape
func cas(word *int32, from, to int32) bool

// Only the assembly names it.
var _ = perish
