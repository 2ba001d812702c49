// Running in the background. A Go program cannot fork and go on, so for
// --daemonize it starts its own image once more, with the same arguments,
// environment and descriptors, as the daemon to be: the child. The parent, which
// has not said or done anything yet, waits on a pipe. One byte there says that
// the daemon is set up; the parent then prints its PID and leaves. End of file
// says that it failed; its messages went to the stderr that both share, and its
// exit status becomes the parent's.
//
// The child learns what it is from a variable in its environment, which it
// removes before anything else: launch and takeMark are the two sides of that.
// All of this belongs to the main goroutine during set-up.

package main

import (
	"slices"
	"strconv"
	"strings"
	"syscall"
	"unsafe"

	"daemonproxy/actor/mainthread"
	"daemonproxy/controller/protocol"

	"golang.org/x/sys/unix"
)

// markVariable holds FD:DEVICE:INODE of the status pipe's write end.
const markVariable = "DAEMONPROXY_BACKGROUND"

// statusFD is the lowest number for the write end in the child: clear of the
// numbers that people give to the descriptors they pass on.
const statusFD = 200

const processName = "daemonproxy\x00"

// launch starts the program anew as a daemon with the arguments args, the
// program's name included, and returns the status to exit with once that daemon
// is set up or has failed. An errno means that there is no child at all:
// the text for it is "fork: STRERROR".
func launch(args, environ []string) (code int, errno syscall.Errno) {
	read, write, errno := statusPipe()
	if errno != 0 {
		return 0, errno
	}
	pid, errno := startAgain(args, environ, write)
	unix.Close(write)
	defer unix.Close(read)
	if errno != 0 {
		return 0, errno
	}
	if !awaitByte(read) {
		return awaitExit(pid), 0
	}
	writeAll(1, strconv.AppendInt(nil, int64(pid), 10))
	return 0, 0
}

// statusPipe makes the pipe; only its write end outlives an exec.
func statusPipe() (read, write int, errno syscall.Errno) {
	var p [2]int
	if err := unix.Pipe2(p[:], unix.O_CLOEXEC); err != nil {
		return 0, 0, errnoOf(err)
	}
	write, err := unix.FcntlInt(uintptr(p[1]), unix.F_DUPFD, statusFD)
	if err == unix.EINVAL { // the hard limit is lower than that
		write, err = unix.FcntlInt(uintptr(p[1]), unix.F_DUPFD, 3)
	}
	unix.Close(p[1])
	if err != nil {
		unix.Close(p[0])
		return 0, 0, errnoOf(err)
	}
	return p[0], write, 0
}

// startAgain forks and executes our own image. The child has our descriptors
// under their numbers, as ForkExec closes none, and the soft limit on open files
// that we were started with: package syscall raised it, and lowers it again in
// the child.
func startAgain(args, environ []string, status int) (pid int, errno syscall.Errno) {
	mark, errno := markOf(status)
	if errno != 0 {
		return 0, errno
	}
	pid, err := syscall.ForkExec(ownImage(args, environ), args, &syscall.ProcAttr{
		Env:   append(environ, markVariable+"="+mark),
		Files: []uintptr{0, 1, 2}, // ForkExec would close those that are not named
	})
	return pid, errnoOf(err)
}

func markOf(fd int) (string, syscall.Errno) {
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return "", errnoOf(err)
	}
	return strconv.Itoa(fd) + ":" +
		strconv.FormatUint(uint64(st.Dev), 10) + ":" +
		strconv.FormatUint(uint64(st.Ino), 10), 0
}

// ownImage is a path to the program that we are. The link's target is better
// than the link, since the kernel names the process after it until the daemon
// names itself; but the file there may be gone, or be a newer one.
func ownImage(args, environ []string) string {
	const link = "/proc/self/exe"
	var own, there unix.Stat_t
	if unix.Stat(link, &own) == nil {
		var path [unix.PathMax]byte
		n, err := unix.Readlink(link, path[:])
		if err != nil || unix.Stat(string(path[:n]), &there) != nil || there.Dev != own.Dev || there.Ino != own.Ino {
			return link
		}
		return string(path[:n])
	}
	if len(args) == 0 {
		return link
	}
	return searchPath(args[0], environ)
}

// searchPath finds a program as execvp(3) does; what it cannot find stays as it
// is, for exec to say why.
func searchPath(program string, environ []string) string {
	if program == "" || strings.Contains(program, "/") {
		return program
	}
	rest, _ := mainthread.Getenv(environ, "PATH")
	for dir, more := "", true; more; {
		dir, rest, more = strings.Cut(rest, ":")
		if dir == "" {
			dir = "."
		}
		path := dir + "/" + program
		var st unix.Stat_t
		if unix.Stat(path, &st) == nil && st.Mode&unix.S_IFMT == unix.S_IFREG && unix.Access(path, unix.X_OK) == nil {
			return path
		}
	}
	return program
}

// awaitByte says whether a byte came before the end of the file.
func awaitByte(fd int) bool {
	var b [1]byte
	for {
		n, err := unix.Read(fd, b[:])
		if err != unix.EINTR {
			return n == 1
		}
	}
}

// awaitExit waits for the child's end and gives it as a shell does.
func awaitExit(pid int) int {
	var status unix.WaitStatus
	for {
		_, err := unix.Wait4(pid, &status, 0, nil)
		switch {
		case err == unix.EINTR:
			continue
		case err != nil: // somebody else reaped it
			return mainthread.ExitEnvironment
		case status.Signaled():
			return 128 + int(status.Signal())
		}
		return status.ExitStatus()
	}
}

// daemonized is the child's side: a debt of one byte to the parent.
type daemonized struct{ status int }

// takeMark removes the launcher's mark from the environment, so that no service
// ever sees it. There is a daemonized only if the mark is for us: it must
// name a pipe that we can write to and that has the right device and inode, and
// that pipe must outlive an exec, which nothing but the launcher's does.
// It must run before the inherited descriptors are looked at: then the pipe, now
// close-on-exec, is not one of them.
func takeMark(environ []string) (rest []string, d *daemonized) {
	mark, ok := mainthread.Getenv(environ, markVariable)
	if !ok {
		return environ, nil
	}
	rest = slices.DeleteFunc(environ, func(v string) bool { return strings.HasPrefix(v, markVariable+"=") })
	return rest, launched(mark)
}

// launched returns nil if that mark is not for us.
func launched(mark string) *daemonized {
	number, _, _ := strings.Cut(mark, ":")
	n, ok := protocol.ParseInteger([]byte(number))
	fd := int(n)
	if !ok || fd < 3 || !isStatusPipe(fd) {
		return nil
	}
	if own, errno := markOf(fd); errno != 0 || own != mark {
		return nil
	}
	unix.CloseOnExec(fd)
	return &daemonized{status: fd}
}

func isStatusPipe(fd int) bool {
	var st unix.Stat_t
	if unix.Fstat(fd, &st) != nil || st.Mode&unix.S_IFMT != unix.S_IFIFO {
		return false
	}
	mode, err := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0)
	if err != nil || mode&unix.O_ACCMODE != unix.O_WRONLY {
		return false
	}
	flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0)
	return err == nil && flags&unix.FD_CLOEXEC == 0
}

// becomeDaemon makes us the leader of a session of our own, and so of a process
// group, without a terminal, and sets the process's name. It must run on the
// main thread, as that one's name counts. An errno is setsid's.
func becomeDaemon() syscall.Errno {
	if _, err := unix.Setsid(); err != nil {
		return errnoOf(err)
	}
	name := []byte(processName)
	// It cannot fail with a readable name.
	_ = unix.Prctl(unix.PR_SET_NAME, uintptr(unsafe.Pointer(&name[0])), 0, 0, 0)
	return 0
}

// ready puts descriptors 1 and 2, and 0 unless it is to be kept, on /dev/null
// and then tells the launcher that the daemon runs. An errno says why /dev/null
// could not be had: the descriptors stay as they are, and the daemon runs.
func (d *daemonized) ready(keepStdin bool) syscall.Errno {
	first := 0
	if keepStdin {
		first = 1
	}
	errno := nullStandard(first)
	// Nobody may be there to read it any more; that changes nothing for us.
	writeAll(d.status, []byte{'\n'})
	unix.Close(d.status)
	return errno
}

// nullStandard puts the descriptors from first to 2 on /dev/null. Each keeps its
// close-on-exec flag.
func nullStandard(first int) syscall.Errno {
	null, errno := openNull()
	if errno != 0 {
		return errno
	}
	for fd := first; fd <= 2; fd++ {
		if fd == null {
			continue
		}
		flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0)
		keep := 0
		if err == nil && flags&unix.FD_CLOEXEC != 0 {
			keep = unix.O_CLOEXEC
		}
		err = unix.Dup3(null, fd, keep)
		for err == unix.EINTR || err == unix.EBUSY {
			err = unix.Dup3(null, fd, keep)
		}
		if err != nil {
			errno = errnoOf(err)
		}
	}
	if null > 2 {
		unix.Close(null)
	}
	return errno
}

func openNull() (int, syscall.Errno) {
	for {
		fd, err := unix.Open("/dev/null", unix.O_RDWR|unix.O_CLOEXEC, 0)
		if err != unix.EINTR {
			return fd, errnoOf(err)
		}
	}
}

// writeAll writes b during set-up or at the end, waiting where fd, which may be
// non-blocking and is not ours, is full. A failed write loses the rest.
func writeAll(fd int, b []byte) {
	for len(b) > 0 {
		n, err := unix.Write(fd, b)
		switch err {
		case nil:
			b = b[n:]
		case unix.EINTR:
		case unix.EAGAIN:
			poll := [1]unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}
			_, _ = unix.Poll(poll[:], -1)
		default:
			return
		}
	}
}

// errnoOf is the number in an error of a system call, 0 for none.
func errnoOf(err error) syscall.Errno {
	if err == nil {
		return 0
	}
	if errno, ok := err.(syscall.Errno); ok {
		return errno
	}
	return syscall.EINVAL
}
