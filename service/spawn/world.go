package spawn

import (
	"slices"
	"strings"
	"syscall"
	"unsafe"

	"daemonproxy/actor"

	"golang.org/x/sys/unix"
)

// world is what every child is given, prepared once. Children read it; nothing
// writes it. Its memory is Go's, which does not move it.
type world struct {
	environ []unsafe.Pointer // C strings, with a nil behind
	path    unsafe.Pointer   // the value of PATH, a C string

	ignored   uint64 // signals to be ignored, bit N-1 for signal N
	uncleared uint64 // signals that need more than that the kernel clears their action: the ignored ones stay so
	defaults  sigaction
	ignores   sigaction
	exits     sigaction        // for those that dump core
	empty     [sigsetSize]byte // a signal mask

	texts [lastErrno + 1]string // of errors
}

// lastErrno is the highest error number of Linux, but for one on MIPS.
const lastErrno = int(unix.EHWPOISON)

// own are the signals that every daemon has a use for; NewPool is told of more.
// A service does not see that these were ignored when the daemon was started. 32 and 33 are the C
// library's: make, for one, leaves them ignored in all that it starts.
const own = 1<<(unix.SIGINT-1) | 1<<(unix.SIGHUP-1) | 1<<(unix.SIGTERM-1) |
	1<<(unix.SIGUSR1-1) | 1<<(unix.SIGUSR2-1) | 1<<(unix.SIGQUIT-1) |
	1<<(unix.SIGCHLD-1) | 1<<(unix.SIGALRM-1) | 1<<(unix.SIGPIPE-1) |
	1<<(unix.SIGABRT-1) | 1<<(unix.SIGFPE-1) | 1<<(unix.SIGILL-1) |
	1<<(unix.SIGSEGV-1) | 1<<(unix.SIGBUS-1) | 1<<(unix.SIGTRAP-1) |
	1<<(unix.SIGTTOU-1) | 1<<(32-1) | 1<<(33-1)

// dumping are the signals whose default is to dump core.
const dumping = 1<<(unix.SIGQUIT-1) | 1<<(unix.SIGILL-1) | 1<<(unix.SIGTRAP-1) |
	1<<(unix.SIGABRT-1) | 1<<(unix.SIGBUS-1) | 1<<(unix.SIGFPE-1) |
	1<<(unix.SIGSEGV-1) | 1<<(unix.SIGXCPU-1) | 1<<(unix.SIGXFSZ-1) |
	1<<(unix.SIGSYS-1)

const (
	sigAbrt = uintptr(unix.SIGABRT)
	sigPipe = uintptr(unix.SIGPIPE)
	sigTtou = uintptr(unix.SIGTTOU)
	sigIgn  = 1
)

var (
	defaultPath = [...]byte{'/', 'b', 'i', 'n', ':', '/', 'u', 's', 'r', '/', 'b', 'i', 'n', 0}
	shell       = [...]byte{'/', 'b', 'i', 'n', '/', 's', 'h', 0}
)

func newWorld(environ []string, handled uint64, strerror func(syscall.Errno) string) *world {
	w := &world{
		ignored:   bornIgnored &^ (own | handled),
		uncleared: bornIgnored | stillIgnored(own|handled) | dumping,
		ignores:   sigaction{actionHandler: sigIgn},
		exits:     exitAction(),
	}
	w.setEnviron(environ)
	for e := range w.texts {
		w.texts[e] = strerror(syscall.Errno(e))
	}
	return w
}

func (w *world) setEnviron(environ []string) {
	w.path = unsafe.Pointer(&defaultPath)
	w.environ = actor.AppendCStrings(make([]unsafe.Pointer, 0, len(environ)+1), environ)
	const path = "PATH="
	if i := slices.IndexFunc(environ, func(e string) bool { return strings.HasPrefix(e, path) }); i >= 0 {
		w.path = unsafe.Add(w.environ[i], len(path))
	}
	w.environ = append(w.environ, nil)
}
