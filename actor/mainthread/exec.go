package mainthread

import (
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"unsafe"

	"daemonproxy/actor"
	"daemonproxy/actor/logger"
	"daemonproxy/controller/protocol"

	"golang.org/x/sys/unix"
)

// ExecArgs holds the exec-on-exit arguments in one of two buffers: a reader on
// the fatal path finds one of them whole at any moment, without a lock.
type ExecArgs struct {
	current unsafe.Pointer // *execArgs; written atomically, and read plainly by the handler of collapse.go
	mu      sync.Mutex     // for Set only
	rooms   [2]execArgs
}

// execArgs are arguments, each with a NUL after it, as execve(2) takes them.
type execArgs struct {
	n    int
	text [protocol.MaxExecArgs + 1]byte
}

// Set stores TAB separated arguments without NUL, at most protocol.MaxExecArgs
// bytes; none disables exec-on-exit.
func (a *ExecArgs) Set(text []byte) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.collapsing() {
		return // into either of the two buffers, and their reader never comes back
	}
	if len(text) == 0 {
		a.disarm()
		atomic.StorePointer(&a.current, nil)
		return
	}
	room := &a.rooms[0]
	if a.load() == room {
		room = &a.rooms[1]
	}
	room.n = copy(room.text[:protocol.MaxExecArgs], text) + 1
	for i, c := range room.text[:room.n] {
		if c == '\t' {
			room.text[i] = 0
		}
	}
	room.text[room.n-1] = 0
	atomic.StorePointer(&a.current, unsafe.Pointer(room))
	a.arm()
}

func (a *ExecArgs) load() *execArgs { return (*execArgs)(atomic.LoadPointer(&a.current)) }

// Configured tells whether there are arguments.
func (a *ExecArgs) Configured() bool { return a.load() != nil }

func (a *ExecArgs) fields() []string {
	args := a.load()
	if args == nil {
		return nil
	}
	var fields []string
	for field, rest, more := "", string(args.text[:args.n-1]), true; more; {
		field, rest, more = strings.Cut(rest, "\x00")
		fields = append(fields, field)
	}
	return fields
}

// exec replaces the program by the exec-on-exit arguments, in the same process.
// It returns true if that failed and false if there are none.
func (d *Duties) exec(code int64, text string) bool {
	argv := d.Args.fields()
	if argv == nil {
		return false
	}
	d.Log.Entry(logger.Warning).Str("daemonproxy exec_on_exit to '").Str(argv[0]).Str("'").Send()
	d.logRunning()
	d.flush()

	env := append(inherited(d.Environ),
		exitCodeVariable+string(protocol.AppendInt(nil, code)), errorVariable+text)
	for fd := range 3 {
		keepOpen(fd)
	}
	d.Kept(keepOpen)
	d.Terminal.TakeBack()
	resetSignals()
	err := search(argv, env, d.Environ)
	d.Log.Entry(logger.Error).Str(`Unable to exec "`).Str(argv[0]).Str(`": `).Str(protocol.Strerror(err)).Send()
	return true
}

func keepOpen(fd int) { unix.FcntlInt(uintptr(fd), unix.F_SETFD, 0) }

// resetSignals gives every signal its default action and blocks none.
func resetSignals() {
	runtime.LockOSThread()
	unignore()
	var none [16 / unsafe.Sizeof(uintptr(0))]uintptr // the largest mask of all
	unix.RawSyscall6(unix.SYS_RT_SIGPROCMASK, unix.SIG_SETMASK, uintptr(unsafe.Pointer(&none)), 0, actor.SigsetSize, 0, 0)
}

// unignore gives the signals that are ignored their default action. Those that are
// caught lose their handlers by the exec itself.
//
//go:norace
//go:nosplit
//go:nocheckptr
func unignore() {
	for s := syscall.Signal(1); s <= actor.SigsetSize*8; s++ {
		var old, standard actor.Sigaction
		if actor.SetSigaction(s, nil, &old) && old[actor.ActionHandler] == actor.SigIgn {
			actor.SetSigaction(s, &standard, nil)
		}
	}
}

// What the program learns of the end, beside the environment that we were
// started with.
const (
	exitCodeVariable  = "DAEMONPROXY_EXITCODE="
	errorVariable     = "DAEMONPROXY_ERROR="
	tracebackVariable = "DAEMONPROXY_TRACEBACK=" // of the Go runtime; see collapse.go
)

// inherited is the environment without what an earlier end has left there.
func inherited(environ []string) []string {
	env := make([]string, 0, len(environ)+3)
	for _, v := range environ {
		if !strings.HasPrefix(v, exitCodeVariable) && !strings.HasPrefix(v, errorVariable) &&
			!strings.HasPrefix(v, tracebackVariable) {
			env = append(env, v)
		}
	}
	return env
}

// defaultPath is where programs are looked for if there is no PATH.
const defaultPath = "/bin:/usr/bin"

// Getenv returns the value of a variable, of the first if there are several.
func Getenv(environ []string, name string) (value string, set bool) {
	for _, v := range environ {
		if strings.HasPrefix(v, name+"=") {
			return v[len(name)+1:], true
		}
	}
	return "", false
}

// search executes argv as execvp(3) does and returns why that failed.
func search(argv, env, environ []string) syscall.Errno {
	name := argv[0]
	if name == "" {
		return unix.ENOENT
	}
	if strings.Contains(name, "/") {
		return try(name, argv, env)
	}
	path, set := Getenv(environ, "PATH")
	if !set {
		path = defaultPath
	}
	denied := false
	for dir, more := "", true; more; {
		dir, path, more = strings.Cut(path, ":")
		file := name
		if dir != "" {
			file = dir + "/" + name
		}
		switch err := try(file, argv, env); err {
		case unix.EACCES:
			denied = true
		case unix.ENOENT, unix.ESTALE, unix.ENOTDIR, unix.ENODEV, unix.ETIMEDOUT:
		default:
			return err
		}
	}
	if denied {
		return unix.EACCES
	}
	return unix.ENOENT
}

// try executes one file; one that is no program is a script for /bin/sh.
func try(file string, argv, env []string) syscall.Errno {
	err, _ := syscall.Exec(file, argv, env).(syscall.Errno)
	if err == unix.ENOEXEC {
		argv = append([]string{"/bin/sh", file}, argv[1:]...)
		err, _ = syscall.Exec("/bin/sh", argv, env).(syscall.Errno)
	}
	return err
}
