//go:build linux && (amd64 || arm64 || arm.6 || riscv64)

package mainthread

import (
	"syscall"
	"unsafe"

	"daemonproxy/actor"

	"golang.org/x/sys/unix"
)

// Everything in this file runs in a signal handler, on its stack, while the
// runtime lies in ruins and other threads may still run. No allocation, no lock,
// no stack growth, no pointer stored, no call but to each other and to RawSyscall.

// perish executes the program. It returns if that failed or is not for it to do;
// then the runtime's handler follows.
//
//go:norace
//go:nosplit
//go:nocheckptr
func perish() {
	c := &collapse
	self, _, _ := syscall.RawSyscall(unix.SYS_GETTID, 0, 0, 0)
	switch {
	case cas(&c.state, watching, executing):
		c.thread = self
	case c.thread == self:
		// A signal has come between here and the exec, and its handler has failed.
	default:
		// Another thread has collapsed too, and its exec ends this one.
		for cas(&c.state, executing, executing) {
			syscall.RawSyscall(unix.SYS_SCHED_YIELD, 0, 0, 0)
		}
		return
	}
	for fd := uintptr(0); fd < 3; fd++ {
		syscall.RawSyscall(unix.SYS_FCNTL, fd, unix.F_SETFD, 0)
	}
	if args := (*execArgs)(c.args.current); args != nil {
		if c.terminal.open && c.terminal.lent != 0 {
			c.terminal.restore()
		}
		putError()
		putArgs(args)
		leaveBehind()
	}
	cas(&c.state, executing, failed)
}

// leaveBehind makes of the process what a program expects, and executes it.
//
//go:norace
//go:nosplit
//go:nocheckptr
func leaveBehind() {
	c := &collapse
	if c.limited {
		syscall.RawSyscall6(unix.SYS_PRLIMIT64, 0, syscall.RLIMIT_NOFILE, uintptr(unsafe.Pointer(&c.limit)), 0, 0, 0)
	}
	unignore()
	// Nobody can execute a program with no signal blocked but by unblocking them
	// here; those that are caught and wait still go to the runtime's handler.
	var none, mask uint64
	syscall.RawSyscall6(unix.SYS_RT_SIGPROCMASK, unix.SIG_SETMASK, uintptr(unsafe.Pointer(&none)), uintptr(unsafe.Pointer(&mask)), actor.SigsetSize, 0, 0)
	if execute() == unix.E2BIG {
		traceback := len(c.environ) - 2
		*(*uintptr)(unsafe.Pointer(&c.environ[traceback])) = 0
		execute()
	}
	syscall.RawSyscall6(unix.SYS_RT_SIGPROCMASK, unix.SIG_SETMASK, uintptr(unsafe.Pointer(&mask)), 0, actor.SigsetSize, 0, 0)
	lastWords.say()
}

// putArgs lays the arguments out as execve takes them, after a word to spare.
//
//go:norace
//go:nosplit
//go:nocheckptr
func putArgs(args *execArgs) {
	c := &collapse
	n, begins := 1, true
	for i := 0; i < args.n; i++ {
		if begins {
			c.argv[n] = uintptr(unsafe.Pointer(&args.text[i]))
			n++
		}
		begins = args.text[i] == 0
	}
	c.argv[n] = 0
}

// putError writes the variable with the error, which is what the runtime has
// said of it.
//
//go:norace
//go:nosplit
//go:nocheckptr
func putError() {
	c := &collapse
	n := 0
	for _, part := range [...]string{errorVariable, "internal error: "} {
		for i := 0; i < len(part); i++ {
			c.error[n] = part[i]
			n++
		}
	}
	for i := lastWords.headline(); n < len(c.error)-1 && lastWords.text[i] != 0 && lastWords.text[i] != '\n'; i++ {
		c.error[n] = lastWords.text[i]
		n++
	}
	c.error[n] = 0
}

// execute is execvp(3), but that no failure keeps it from trying the rest of
// PATH. It returns the last.
//
//go:norace
//go:nosplit
//go:nocheckptr
func execute() (errno syscall.Errno) {
	c := &collapse
	name := c.argv[1]
	for i := uintptr(0); byteAt(name, i) != 0; i++ {
		if byteAt(name, i) == '/' {
			return executeFile(name)
		}
	}
	if byteAt(name, 0) == 0 {
		return unix.ENOENT
	}
	for i := 0; i < len(c.path); i++ { // past the ':' or the NUL of the one before
		n := 0
		for ; c.path[i] != 0 && c.path[i] != ':'; i++ {
			if n < unix.PathMax {
				c.file[n] = c.path[i]
				n++
			}
		}
		if n == unix.PathMax {
			continue // which the kernel would refuse
		}
		if n > 0 {
			c.file[n] = '/'
			n++
		}
		for j := uintptr(0); ; j++ {
			b := byteAt(name, j)
			c.file[n] = b
			n++
			if b == 0 {
				break
			}
		}
		errno = executeFile(uintptr(unsafe.Pointer(&c.file)))
	}
	return errno
}

var shell = [...]byte{'/', 'b', 'i', 'n', '/', 's', 'h', 0}

// executeFile executes one file; one that is no program is a script for /bin/sh.
//
//go:norace
//go:nosplit
//go:nocheckptr
func executeFile(file uintptr) syscall.Errno {
	c := &collapse
	environ := uintptr(unsafe.Pointer(unsafe.SliceData(c.environ)))
	_, _, errno := syscall.RawSyscall(unix.SYS_EXECVE, file, uintptr(unsafe.Pointer(&c.argv[1])), environ)
	if errno == unix.ENOEXEC {
		name, sh := c.argv[1], uintptr(unsafe.Pointer(&shell))
		c.argv[0], c.argv[1] = sh, file
		_, _, errno = syscall.RawSyscall(unix.SYS_EXECVE, sh, uintptr(unsafe.Pointer(&c.argv)), environ)
		c.argv[1] = name
	}
	return errno
}

//go:norace
//go:nosplit
//go:nocheckptr
func byteAt(s, i uintptr) byte { return *(*byte)(unsafe.Add(unsafe.Pointer(nil), s+i)) }
