// Package birthright remembers what this process was born with and the Go
// runtime changes before main runs: the limit on open descriptors, which package
// syscall raises in its init, and the signals that were ignored, over which the
// runtime puts its own handlers.
//
// It must be initialised before package syscall. Go initialises packages that
// are ready in the order of their import paths, and a package that imports
// nothing is ready at once; so this one imports nothing, not even unsafe, and
// its path must go on sorting before "syscall". Its one system call is its own few
// lines of assembly.
//
// The runtime itself is initialised even earlier. What it found a signal's
// action to be it keeps in runtime.fwdSig, and nowhere else. The linker lets
// nobody refer to that variable; but the assembly here defines it, with a content
// of zeros, and the linker makes one of a definition with content and the
// runtime's own, which has none. Tried with Go 1.26, static, as PIE, stripped, and
// with cgo. Should a later Go rename the variable or let its linker refuse, the
// test of this package fails or the program does not link; then the signals
// that the runtime handles are no longer found, and nothing else is lost.
//
// Everything here is written once, before main, and may be read from anywhere.
package birthright

// ignore is SIG_IGN.
const ignore = 1

// found points to the handlers that the runtime found as it began, by signal: 0
// (SIG_DFL) also for those that it did not look at.
var found *[65]uintptr

var (
	limit   [2]uint64 // soft, hard
	limited bool
	ignored uint64
)

// Limit returns the soft and the hard RLIMIT_NOFILE that the process was
// started with. ok is false if the kernel would not tell, or on architectures that
// programs are begun through the applet on: nobody needs it there.
func Limit() (soft, hard uint64, ok bool) { return limit[0], limit[1], limited }

// Ignored returns the set of signals that the process was started with as
// ignored and that the runtime has looked at: bit N-1 stands for signal N. It
// leaves the rest (the stops) alone: that is still as it was born.
func Ignored() uint64 { return ignored }

func init() {
	limited = nofile(&limit) == 0
	for sig := 1; sig < len(found); sig++ {
		if found[sig] == ignore {
			ignored |= 1 << (sig - 1)
		}
	}
}
