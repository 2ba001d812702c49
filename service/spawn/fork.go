//go:build linux && !applet && (amd64 || arm64 || arm.6 || riscv64)

package spawn

import (
	"runtime"
	"sync"
	"syscall"
	"unsafe"

	"daemonproxy/actor"

	"golang.org/x/sys/unix"
)

// StartPath names the way in which programs are begun, for --version.
const StartPath = "clone"

// image is what one child is made from, and its report. The child sees it in the
// parent's memory. It writes numbers there, never a pointer.
type image struct {
	*world
	argv  unsafe.Pointer // of words: a spare one, the arguments, nil
	fds   *[maxFDs]descriptor
	count int
	text  *[textSize]byte
	stack unsafe.Pointer // the child's, of stackSize
	entry uintptr        // where child begins
	abort bool

	vanishes bool // the child does nothing

	cleared bool // the kernel has given all caught signals their default action

	leads    bool    // the child leads a process group of its own
	terminal int32   // whose foreground it gets if group has it; -1 for none
	group    int32   // the daemon's process group
	lent     *uint32 // set to 1 when it has got it, since the program may end the daemon at once
	leader   int32   // for the child: its pid, or what it reads from the terminal

	limit syscall.Rlimit // for the child to read into

	read     int32 // the read end of a pipe
	leave    int32 // the write end of a pipe that the child holds until it has left our memory; -1 if the parent sees that otherwise
	step     Step
	errno    syscall.Errno
	source   int32
	position int32
	dumpable int32 // what to restore in the parent, -1 for nothing
}

// fork begins the program, waits until its child is out of our memory and notes what
// became of it.
func (s *Spawner) fork() {
	im := &s.image
	im.dumpable = -1
	im.stack = unsafe.Pointer(&s.scratch.stack)
	im.begin()
	s.executes()
	at := nanotime()
	var pid, errno uintptr
	read, write, ok := s.leavePipe()
	if ok {
		pid, errno = s.clone(read, write)
		if syscall.Errno(errno) == syscall.EINVAL {
			vforksOnly, ok = true, false
		}
	}
	if !ok {
		pid, errno = s.waiting()
	}
	// A child that died on purpose has made the memory that it shared with us
	// undumpable; see die.
	if errno == 0 && undumpable == int32(pid) {
		if im.dumpable >= 0 {
			_ = unix.Prctl(unix.PR_SET_DUMPABLE, uintptr(im.dumpable), 0, 0, 0)
		}
		cas(&undumpable, int32(pid), 0)
	}
	s.outcome = Outcome{
		PID: int(pid), At: at, ForkErrno: syscall.Errno(errno),
		Step: im.step, StepErrno: im.errno, Source: int(im.source), Position: int(im.position),
	}
}

// clone makes the child and returns when that has left our memory, by its exec or its end: it alone holds
// the write end of a pipe then, which is close-on-exec, and the kernel takes the memory from it before the descriptors.
func (s *Spawner) clone(read, write int) (pid, errno uintptr) {
	s.image.read, s.image.leave = int32(read), int32(write)
	pid, errno = clone(&s.birth.pid, &s.image)
	afterFork()
	closePipe(write)
	forking.Unlock()
	if errno == 0 {
		<-s.notice.news
	}
	s.pool.poller.Remove(&s.notice.watch)
	closePipe(read)
	return pid, errno
}

// leavePipe makes the pipe, and forking is locked until it was given to the child: another one that is born
// meanwhile would hold it, too. Its write end lies above the descriptors of the program.
func (s *Spawner) leavePipe() (read, write int, ok bool) {
	if vforksOnly {
		return 0, 0, false
	}
	var p [2]int
	forking.Lock()
	if unix.Pipe2(p[:], unix.O_CLOEXEC) == nil {
		read, write = p[0], p[1]
		if write < s.image.count {
			write, _ = unix.FcntlInt(uintptr(p[1]), unix.F_DUPFD_CLOEXEC, s.image.count)
			closePipe(p[1])
		}
		if write >= 0 && s.notice.open(s.pool.poller, read) == nil {
			return read, write, true
		}
		closePipe(read)
		if write >= 0 {
			closePipe(write)
		}
	}
	forking.Unlock()
	return 0, 0, false
}

// closePipe closes an end that nobody reads or writes: that waits for nothing.
func closePipe(fd int) {
	_, _, _ = syscall.RawSyscall(syscall.SYS_CLOSE, uintptr(fd), 0, 0)
}

// waiting makes the child where there is no descriptor to spare, with a thread that waits until it has left: one at a time.
func (s *Spawner) waiting() (pid, errno uintptr) {
	alone.Lock()
	defer alone.Unlock()
	defer actor.Over()
	if !actor.MayLast() {
		return 0, uintptr(syscall.EAGAIN)
	}
	return vfork(&s.birth.pid, &s.image)
}

// vfork makes the child and returns when that has left our memory.
func vfork(birth *int32, im *image) (pid, errno uintptr) {
	im.leave = -1
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	pid, errno = clone(birth, im)
	afterFork()
	return pid, errno
}

var (
	forking sync.Mutex // one child gets the end of a pipe at a time

	alone sync.Mutex // held by the start that keeps a thread

	asking sync.Mutex // guards asked
	asked  image      // the child of Room
)

// Room tells whether the system makes n more processes, and so as many threads, by making those at once. They end
// at once, too, and are gone when it returns.
func (p *Pool) Room(n int) bool {
	asking.Lock()
	defer asking.Unlock()
	im := &asked
	if im.stack == nil {
		stack, errno := mapMemory(stackSize)
		if errno != 0 {
			return false
		}
		*im = image{world: p.world, stack: stack, vanishes: true}
		im.begin()
	}
	room := true
	var born [Spawners]int32
	for i := 0; i < min(n, len(born)) && room; i++ {
		_, errno := vfork(&born[i], im)
		room = errno == 0
	}
	for _, pid := range born {
		if pid > 0 { // not if the reaper was faster
			_, _, _ = syscall.RawSyscall6(syscall.SYS_WAIT4, uintptr(pid), 0, 0, 0, 0, 0)
		}
	}
	return room
}

// begin has the child begin with the function child.
func (im *image) begin() {
	begin := child
	im.entry = **(**uintptr)(unsafe.Pointer(&begin))
}

// clone makes the child. In the parent it returns at once, or, if there is no pipe, when the child has
// executed its program or is dead. Between beforeFork and afterFork no function may be called that checks its stack.
//
// The actions of signals are cleared by the kernel where it can do that: one by
// one it costs the child 60 system calls, a fifth of the time of a start.
//
//go:noinline
//go:norace
//go:nosplit
func clone(pid *int32, im *image) (r1, errno uintptr) {
	flags := uintptr(unix.CLONE_VM | unix.CLONE_PARENT_SETTID)
	if im.leave < 0 {
		flags |= unix.CLONE_VFORK
	}
	args := cloneArgs{
		flags:      uint64(flags) | unix.CLONE_CLEAR_SIGHAND,
		parentTID:  uint64(uintptr(unsafe.Pointer(pid))),
		exitSignal: uint64(unix.SIGCHLD),
		stack:      uint64(uintptr(im.stack)),
		stackSize:  stackSize - 64,
	}
	lasts := im.leave < 0 && !im.vanishes
	beforeFork()
	if lasts {
		entersyscall()
	}
	im.cleared = !unclearing
	if im.cleared {
		r1, errno = trap(unix.SYS_CLONE3, uintptr(unsafe.Pointer(&args)), unsafe.Sizeof(args), 0, im)
		switch syscall.Errno(errno) {
		case syscall.ENOSYS, syscall.EINVAL, syscall.EPERM:
			// Before Linux 5.5, or a filter of system calls that does not know this one.
			unclearing = true
			im.cleared = false
		}
	}
	if !im.cleared {
		r1, errno = trap(syscall.SYS_CLONE, flags|uintptr(unix.SIGCHLD), uintptr(im.stack)+stackSize-64,
			uintptr(unsafe.Pointer(pid)), im)
	}
	if lasts {
		exitsyscall()
	}
	return
}

// Applet is of use only where programs are begun through one.
func Applet(func(syscall.Errno) string) {}

// exitAction ends a child that shares our memory with a status, where a core
// dump would have to be made of that memory.
func exitAction() sigaction {
	var a sigaction
	a[actionHandler] = exitBySignalPC()
	if runtime.GOARCH != "riscv64" { // which has no SA_RESTORER, nor a place for it
		const saRestorer = 0x04000000
		a[actionHandler+1] = saRestorer
		a[actionHandler+2] = exitBySignalPC()
	}
	return a
}

// exitBySignal is a signal handler, never called from Go: it ends the process
// with status 128 + N.
func exitBySignal()

// exitBySignalPC returns its address.
func exitBySignalPC() uintptr

// born is the limit on descriptors that the process was started with; the soft one
// is given back if it is still what the Go runtime made it. Children read it.
var born = bornLimit()

type limits struct {
	differ          bool
	raised, granted syscall.Rlimit
}

func bornLimit() (l limits) {
	var ok bool
	l.granted, ok = BornLimit()
	err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l.raised)
	l.differ = ok && err == nil && l.raised != l.granted
	return l
}

//go:norace
//go:nosplit
//go:nocheckptr
func execve(im *image, file, argv unsafe.Pointer) syscall.Errno {
	_, _, errno := syscall.RawSyscall(syscall.SYS_EXECVE, uintptr(file), uintptr(argv), uintptr(unsafe.Pointer(unsafe.SliceData(im.environ))))
	return errno
}

// cloneArgs is the kernel's struct clone_args of Linux 5.3.
type cloneArgs struct {
	flags, pidfd, childTID, parentTID, exitSignal, stack, stackSize, tls uint64
}

// unclearing says that the kernel can't clear the actions of signals. Threads that
// fork at the same time may all find that out, and write the same.
var unclearing bool

// vforksOnly says that a child may share our memory only while its parent waits, as for qemu-user, which
// makes it a copy. Like unclearing, it may be found out by several.
var vforksOnly bool

// undumpable is the pid of the child that may make the process undumpable, 0 for
// none.
var undumpable int32

// Only the assembly names it.
var _ = exitBySignal

// trap makes a system call, a clone, with the stack that the arguments
// name; the child runs the function child there. errno is 0 or why there is no child.
//
//go:noescape
func trap(number, a1, a2, a3 uintptr, im *image) (r1, errno uintptr)

// cas is CompareAndSwap, as the race detector would take the one of sync/atomic
// for its own, which a child must not run.
//
//go:noescape
func cas(word *int32, from, to int32) bool

//go:linkname beforeFork syscall.runtime_BeforeFork
func beforeFork()

//go:linkname afterFork syscall.runtime_AfterFork
func afterFork()

//go:linkname entersyscall runtime.entersyscall
func entersyscall()

//go:linkname exitsyscall runtime.exitsyscall
func exitsyscall()
