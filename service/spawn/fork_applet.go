//go:build linux && (applet || !(amd64 || arm64 || arm.6 || riscv64))

package spawn

import (
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// StartPath names the way in which programs are begun, for --version.
const StartPath = "applet"

// image is what one program is made from.
type image struct {
	*world
	argv  unsafe.Pointer // of words: a spare one, the arguments, nil
	fds   *[maxFDs]descriptor
	count int
	text  *[textSize]byte
	abort bool

	leads    bool    // the applet leads a process group of its own
	terminal int32   // whose foreground it gets if group has it; -1 for none
	group    int32   // the daemon's process group
	lent     *uint32 // set to 1 when it has got it
}

// exitAction is the default: the applet has a memory of its own.
func exitAction() sigaction { return sigaction{} }

// appletEnviron keeps the applet small: it has one thing to do, and no need to
// look for files of its cgroup.
var appletEnviron = []string{"GOMAXPROCS=1", "GOGC=off", "GODEBUG=containermaxprocs=0,updatemaxprocs=0"}

// fork begins the program and notes what became of it.
func (s *Spawner) fork() {
	s.outcome = Outcome{}
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		s.outcome.ForkErrno = errnoOf(err)
		return
	}
	if err := s.notice.open(s.pool.poller, pair[0]); err != nil {
		unix.Close(pair[0])
		unix.Close(pair[1])
		s.outcome.ForkErrno = errnoOf(err)
		return
	}
	o := s.check()
	s.birth.expect()
	s.outcome.At = nanotime()
	group := s.leadership()
	pid, err := forkExec(s.descriptors(&o, uintptr(pair[1])), group)
	if err == syscall.EBADF && Step(o.fails) == StepNone {
		// Of all that can fail only the descriptors do so: the limit is too low for
		// the highest.
		highest := s.image.count - 1
		for highest > 0 && s.image.fds[highest].source < 0 {
			highest--
		}
		s.misplaced(&o, highest)
		pid, err = forkExec(s.descriptors(&o, uintptr(pair[1])), group)
	}
	s.birth.settle(pid)
	unix.Close(pair[1])
	if err != nil {
		s.outcome.ForkErrno = errnoOf(err)
	} else {
		s.outcome.PID = pid
		if group.Foreground {
			atomic.StoreUint32(s.image.lent, 1)
		}
		s.converse(pair[0], &o)
	}
	s.pool.poller.Remove(&s.notice.watch)
	unix.Close(pair[0])
}

// Room is not to be asked here: nothing was tried.
func (p *Pool) Room(int) bool { return true }

// leadership is what Lead asked for. The foreground is taken in the child, where
// all signals are blocked, SIGTTOU among them.
func (s *Spawner) leadership() *syscall.SysProcAttr {
	group := &syscall.SysProcAttr{Setpgid: s.image.leads}
	if s.image.leads && s.image.terminal >= 0 {
		terminal := int(s.image.terminal)
		leader, err := unix.IoctlGetInt(terminal, unix.TIOCGPGRP)
		group.Foreground, group.Ctty = err == nil && leader == int(s.image.group), terminal
	}
	return group
}

// check makes the order. It fails at the descriptor that a child which places
// them itself would fail at.
func (s *Spawner) check() order {
	o := order{magic: orderMagic, count: uint32(s.image.count), ignored: s.image.ignored}
	if s.image.abort {
		o.fails = uint32(StepAbort)
		return o
	}
	fds := s.image.fds[:s.image.count]
	for i, d := range fds { // those that get out of the way come first
		if d.source >= 0 && int(d.source) < i && !isOpen(d.source) {
			s.misplaced(&o, i)
			return o
		}
	}
	for i, d := range fds {
		if d.source >= 0 && !isOpen(d.source) {
			s.misplaced(&o, i)
			return o
		}
		if d.source < 0 && i < 3 {
			o.closed |= 1 << i
		}
	}
	return o
}

func (s *Spawner) misplaced(o *order, position int) {
	o.fails = uint32(StepDup)
	s.outcome.StepErrno = syscall.EBADF
	s.outcome.Source = int(s.image.fds[position].source)
	s.outcome.Position = position
}

func isOpen(fd int32) bool {
	_, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0)
	return err == nil
}

// descriptors lists what the applet gets: the socket as 0, 1 and 2, then the
// program's from 3 up, and behind them the program's 0, 1 and 2.
func (s *Spawner) descriptors(o *order, control uintptr) []uintptr {
	list := append(make([]uintptr, 0, s.image.count+3), control, control, control)
	if Step(o.fails) != StepNone {
		return list
	}
	fds := s.image.fds[:s.image.count]
	for _, d := range append(fds[3:len(fds):len(fds)], fds[:3]...) {
		list = append(list, uintptr(int(d.source)))
	}
	return list
}

// forkExec starts our own image with all signals blocked, of which the applet's
// runtime leaves those so that it can do without.
func forkExec(files []uintptr, group *syscall.SysProcAttr) (pid int, err error) {
	var all, was unix.Sigset_t
	for i := range all.Val {
		all.Val[i]--
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := unix.PthreadSigmask(unix.SIG_SETMASK, &all, &was); err != nil {
		return 0, err
	}
	pid, err = syscall.ForkExec(imagePath(), []string{"daemonproxy", appletArg}, &syscall.ProcAttr{Env: appletEnviron, Files: files, Sys: group})
	_ = unix.PthreadSigmask(unix.SIG_SETMASK, &was, nil) // it was one a moment ago
	return pid, err
}

// itself is the link that the kernel has for our own image.
const itself = "/proc/self/exe"

// imagePath is where our own image can be executed from: by the name that it was
// executed by, which works without /proc too, or by the link, which leads to it
// whatever has become of its file.
func imagePath() string {
	var st unix.Stat_t
	if executed.name != "" && unix.Stat(executed.name, &st) == nil && uint64(st.Dev) == executed.device && st.Ino == executed.inode {
		return executed.name
	}
	return itself
}

// executed is the file that we were executed from, by a name that starts at the
// root directory. It is taken down before main could go elsewhere.
var executed = executedFrom()

type imageFile struct {
	name          string
	device, inode uint64
}

func executedFrom() (f imageFile) {
	const atExecFn = 31
	vector, _ := unix.Auxv()
	for _, entry := range vector {
		if entry[0] == atExecFn {
			f.name = unix.BytePtrToString(*(**byte)(unsafe.Pointer(&entry[1])))
		}
	}
	if !strings.HasPrefix(f.name, "/") {
		dir, err := unix.Getwd()
		if err != nil {
			return imageFile{}
		}
		f.name = dir + "/" + f.name
	}
	var st unix.Stat_t
	if unix.Stat(f.name, &st) != nil {
		return imageFile{}
	}
	f.device, f.inode = uint64(st.Dev), st.Ino
	return f
}

// converse gives the applet its order and waits until it has become the program
// or has ended.
func (s *Spawner) converse(control int, o *order) {
	arguments := textOf(unsafe.Add(s.image.argv, wordSize))
	environ := textOf(unsafe.Pointer(&s.pool.environ[0]))
	o.argument, o.environ = uint32(len(arguments)), uint32(len(environ))
	if s.send(control, bytesOf(o)) && s.send(control, arguments) {
		s.send(control, environ)
	}
	var r report
	for s.receive(control, bytesOf(&r)) && r.magic == reportMagic {
		switch s.outcome.Step = Step(r.step); s.outcome.Step {
		case StepNone:
			s.executes()
		case StepExec:
			s.outcome.StepErrno = syscall.Errno(r.errno)
		}
	}
	for b := [64]byte{}; s.receive(control, b[:]); { // the last words of the applet's runtime
	}
	if s.outcome.Step == StepNone {
		s.outcome.StepErrno, s.outcome.Source, s.outcome.Position = 0, 0, 0
	}
}

// textOf is the text of an argument vector that SetArgs, SetArgv or AppendCStrings made: it lies in one piece.
func textOf(vector unsafe.Pointer) []byte {
	first := *(*unsafe.Pointer)(vector)
	if first == nil {
		return nil
	}
	last := first
	for p := unsafe.Add(vector, wordSize); ; p = unsafe.Add(p, wordSize) {
		a := *(*unsafe.Pointer)(p)
		if a == nil {
			break
		}
		last = a
	}
	size := uintptr(last) - uintptr(first)
	for byteAt(first, size) != 0 {
		size++
	}
	return unsafe.Slice((*byte)(first), size+1)
}

// send returns false if nobody is there to read it.
func (s *Spawner) send(control int, b []byte) bool {
	return s.transfer(b, func(b []byte) (int, error) {
		return unix.SendmsgN(control, b, nil, nil, unix.MSG_NOSIGNAL|unix.MSG_DONTWAIT)
	})
}

// receive fills all of b. It returns false at the end of the socket.
func (s *Spawner) receive(control int, b []byte) bool {
	return s.transfer(b, func(b []byte) (int, error) {
		n, _, err := unix.Recvfrom(control, b, unix.MSG_DONTWAIT)
		return n, err
	})
}

// transfer does it step by step, and waits for the poller where that can't go on.
func (s *Spawner) transfer(b []byte, step func([]byte) (int, error)) bool {
	for len(b) > 0 {
		switch n, err := step(b); {
		case err == syscall.EINTR:
		case err == syscall.EAGAIN:
			<-s.notice.news
		case err != nil || n == 0:
			return false
		default:
			b = b[n:]
		}
	}
	return true
}
