//go:build linux && (applet || !(amd64 || arm64 || arm.6 || riscv64))

package spawn

import (
	"math"
	"runtime"
	"syscall"
	"unsafe"

	"daemonproxy/actor"

	"golang.org/x/sys/unix"
)

// appletArg is the only argument of a process that is to be the applet. Nobody
// else gives it to a program, and the applet does nothing without an order on
// descriptor 0. It is not argv[0], which a binfmt handler may replace.
const appletArg = "daemonproxy: starting a service"

// An order is what the applet is told first. The arguments and the environment
// follow, each string with a NUL behind. Both ends are the same program, so the
// struct goes over as it stands.
type order struct {
	magic    uint32
	fails    uint32 // the step that fails, as the parent has seen: StepNone, StepAbort, StepDup
	count    uint32 // of the program's descriptors
	closed   uint32 // bits of those from 0 to 2 that are to be closed
	ignored  uint64
	argument uint32 // bytes of text
	environ  uint32
}

// A report of StepNone says that the program is about to be executed, any other that
// there will be none. The end of the file without such a one says that it was executed,
// or that the applet died.
type report struct {
	magic uint32
	step  uint32
	errno uint32
}

const (
	orderMagic  = 0x64707801
	reportMagic = 0x64707802
)

// Applet never returns if this process was started by a spawner to become a
// service's program: it executes that, or exits. To be called first in main.
// strerror is as for NewPool.
//
// Descriptors 0, 1 and 2 are a socket to the spawner, so that nothing that the
// runtime might say in its agony ends up with a service; those that the program
// shall have there stand behind the last of the others.
func Applet(strerror func(syscall.Errno) string) {
	if args := actor.Arguments(); len(args) != 2 || args[1] != appletArg {
		return
	}
	runtime.LockOSThread() // its signal mask is what the program gets
	// No core of ours, and an exec turns it back.
	syscall.RawSyscall(syscall.SYS_PRCTL, unix.PR_SET_DUMPABLE, 0, 0)
	var o order
	if !receive(0, bytesOf(&o)) || o.magic != orderMagic {
		exit(exitFailed)
	}
	text := make([]byte, o.argument+o.environ)
	if !receive(0, text) {
		exit(exitFailed)
	}
	environment = split(text[o.argument:])
	s := &Spawner{pool: &Pool{world: newWorld(environment, 0, strerror)}}
	s.Reset()
	s.SetArgv(split(text[:o.argument]))
	if s.fault != 0 {
		exit(exitFailed)
	}
	s.image.ignored = o.ignored
	s.image.count = int(o.count)
	become(&s.image, &o)
}

// become does what child does after a clone.
func become(im *image, o *order) {
	setSignals(im, ^uint64(0))
	control, _, errno := syscall.RawSyscall(syscall.SYS_FCNTL, 0, unix.F_DUPFD_CLOEXEC, uintptr(im.count+3))
	if errno != 0 {
		exit(exitFailed)
	}
	if Step(o.fails) != StepNone {
		tell(control, Step(o.fails), 0)
		die(im)
	}
	for i := range 3 {
		if o.closed&(1<<i) != 0 {
			syscall.RawSyscall(syscall.SYS_CLOSE, uintptr(i), 0, 0)
		} else if _, _, errno := syscall.RawSyscall(syscall.SYS_DUP3, uintptr(im.count+i), uintptr(i), 0); errno != 0 {
			tell(control, StepDup, errno)
			die(im)
		}
		syscall.RawSyscall(syscall.SYS_CLOSE, uintptr(im.count+i), 0, 0)
	}
	if first := int32(im.count); first < int32(control) {
		closeRange(first, int32(control)-1)
	}
	closeRange(int32(control)+1, math.MaxInt32)
	unblock(im)
	tell(control, StepNone, 0)
	errno = execute(im)
	tell(control, StepExec, errno)
	complain(im, errno)
	exit(exitFailed)
}

// environment is the program's.
var environment []string

// execve goes through package syscall, which gives back the soft limit on
// descriptors and keeps the runtime from making a thread meanwhile.
func execve(_ *image, file, argv unsafe.Pointer) syscall.Errno {
	var arguments []string
	for p := argv; ; p = unsafe.Add(p, wordSize) {
		a := *(*unsafe.Pointer)(p)
		if a == nil {
			break
		}
		arguments = append(arguments, unix.BytePtrToString((*byte)(a)))
	}
	return errnoOf(syscall.Exec(unix.BytePtrToString((*byte)(file)), arguments, environment))
}

// die ends the applet by SIGABRT. It aims at its own thread, or another could be
// the one that dies of it, after exit.
func die(im *image) {
	unblock(im)
	self, _, _ := syscall.RawSyscall(syscall.SYS_GETPID, 0, 0, 0)
	thread, _, _ := syscall.RawSyscall(syscall.SYS_GETTID, 0, 0, 0)
	syscall.RawSyscall(syscall.SYS_TGKILL, self, thread, sigAbrt)
	exit(128 + sigAbrt)
}

func tell(control uintptr, step Step, errno syscall.Errno) {
	r := report{reportMagic, uint32(step), uint32(errno)}
	_ = unix.Sendto(int(control), bytesOf(&r), unix.MSG_NOSIGNAL, nil) // nobody there: nobody to tell
}

// receive fills all of b. It returns false at the end of the socket.
func receive(control int, b []byte) bool {
	for len(b) > 0 {
		n, err := syscall.Read(control, b)
		if err == syscall.EINTR {
			continue
		}
		if err != nil || n == 0 {
			return false
		}
		b = b[n:]
	}
	return true
}

// split takes apart strings with a NUL behind each.
func split(text []byte) (list []string) {
	for len(text) > 0 {
		s := unix.ByteSliceToString(text)
		list = append(list, s)
		text = text[len(s)+1:]
	}
	return list
}

func bytesOf[T order | report](v *T) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(v)), unsafe.Sizeof(*v))
}

func errnoOf(err error) syscall.Errno {
	errno, _ := err.(syscall.Errno)
	return errno
}
