package mainthread

import (
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"unsafe"

	"daemonproxy/actor/logger"
	"daemonproxy/controller/protocol"

	"golang.org/x/sys/unix"
)

// ExecArgs holds the exec-on-exit arguments in one of two buffers: a reader on
// the fatal path finds one of them whole at any moment, without a lock.
type ExecArgs struct {
	current atomic.Pointer[execArgs]
	mu      sync.Mutex // for Set only
	rooms   [2]execArgs
}

type execArgs struct {
	n    int
	text [protocol.MaxExecArgs]byte
}

// Set stores TAB separated arguments, at most protocol.MaxExecArgs bytes; none
// disables exec-on-exit.
func (a *ExecArgs) Set(text []byte) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(text) == 0 {
		a.current.Store(nil)
		return
	}
	room := &a.rooms[0]
	if a.current.Load() == room {
		room = &a.rooms[1]
	}
	room.n = copy(room.text[:], text)
	a.current.Store(room)
}

// Configured tells whether there are arguments.
func (a *ExecArgs) Configured() bool { return a.current.Load() != nil }

func (a *ExecArgs) fields() []string {
	args := a.current.Load()
	if args == nil {
		return nil
	}
	return strings.Split(string(args.text[:args.n]), "\t")
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

	env := setenv(d.Environ, "DAEMONPROXY_EXITCODE", string(protocol.AppendInt(nil, code)))
	env = setenv(env, "DAEMONPROXY_ERROR", text)
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

// resetSignals gives every signal its default action and blocks none. Caught
// ones lose their handler by the exec itself.
func resetSignals() {
	runtime.LockOSThread()
	var act [4]uint64 // struct sigaction with SIG_DFL and no flags
	for s := uintptr(1); s <= protocol.MaxSignal; s++ {
		var old [4]uint64
		unix.RawSyscall6(unix.SYS_RT_SIGACTION, s, 0, uintptr(unsafe.Pointer(&old)), 8, 0, 0)
		const ignore = 1 // SIG_IGN
		if old[0] == ignore {
			unix.RawSyscall6(unix.SYS_RT_SIGACTION, s, uintptr(unsafe.Pointer(&act)), 0, 8, 0, 0)
		}
	}
	var none uint64
	const setmask = 2 // SIG_SETMASK
	unix.RawSyscall6(unix.SYS_RT_SIGPROCMASK, setmask, uintptr(unsafe.Pointer(&none)), 0, 8, 0, 0)
}

func setenv(environ []string, name, value string) []string {
	env := make([]string, 0, len(environ)+1)
	for _, v := range environ {
		if !strings.HasPrefix(v, name+"=") {
			env = append(env, v)
		}
	}
	return append(env, name+"="+value)
}

func getenv(environ []string, name string) (value string, set bool) {
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
	path, set := getenv(environ, "PATH")
	if !set {
		path = "/bin:/usr/bin"
	}
	denied := false
	for _, dir := range strings.Split(path, ":") {
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
