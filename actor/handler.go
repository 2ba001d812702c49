//go:build linux && (amd64 || arm64 || arm.6 || riscv64)

package actor

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// A handler of our own counts the signals that are caught, so that none of them needs a
// thread of the runtime's, as those do that package os/signal listens to. It is the
// same few instructions for each signal: no Go code runs on a signal stack but for
// collapse.

var (
	// fault marks the signals that also the program's own failures raise. What comes from the
	// kernel for one, or from this process, is the runtime's.
	fault [maxSignal + 1]uint8

	runtimes  Sigaction // the runtime's: its stack, its mask, its restorer
	goHandler uintptr   // the runtime's, which the assembly passes on to
	collapse  uintptr   // what SIGABRT is for when the runtime raises it, or 0
	one       = uint64(1)
)

// Catch has a signal counted from now on.
func Catch(s syscall.Signal) bool {
	if goHandler == 0 {
		if !SetSigaction(unix.SIGABRT, nil, &runtimes) {
			return false
		}
		goHandler = runtimes[ActionHandler]
	}
	ours := runtimes
	ours[ActionHandler] = onSignalPC()
	return SetSigaction(s, &ours, nil)
}

// Drop has a signal do nothing. It is counted and not taken, so only the first of its kind rings the bell.
// One that the kernel drops (SIG_IGN) would be ignored in every child, and cost it a system call to undo that.
func Drop(s syscall.Signal) { Catch(s) }

// CatchSent is Catch for a signal that is counted only if somebody else has sent it.
func CatchSent(s syscall.Signal) bool {
	fault[s] = 1
	return Catch(s)
}

// OnCollapse has handle called, in the handler, when the runtime raises SIGABRT; then, if
// handle returns, the runtime's handler. handle is the address of an assembly function
// without arguments, or 0.
func OnCollapse(handle uintptr) bool {
	collapse = handle
	return CatchSent(unix.SIGABRT)
}

// onSignal is the handler, never called from Go.
func onSignal()

// onSignalPC returns its address.
func onSignalPC() uintptr

// Only the assembly names these.
var _, _, _ = onSignal, collapse, one
