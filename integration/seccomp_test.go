package integration

import (
	"errors"
	"fmt"
	"net"
	"os"
	"runtime"
	"strconv"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// callWatch sees certain system calls of a daemon. The kernel stops each of them, tells us (seccomp_unotify(2)), and
// does as we say when we have looked at it.
type callWatch struct {
	wrap   []string // for setup.wrap: the helper that asks the kernel for this
	passed *os.File // for setup.fds[9]: on which the helper sends us the kernel's end
}

// writeWatch sees a daemon's attempts to write to one file, failed ones included.
type writeWatch struct {
	*callWatch
	attempts chan time.Time
}

// watchWrites must be called before the daemon starts: it ends after it.
// target is the file as a link in /proc/PID/fd names it.
func watchWrites(t *testing.T, target string) *writeWatch {
	t.Helper()
	attempts := make(chan time.Time, 10000)
	return &writeWatch{attempts: attempts, callWatch: watchCalls(t, "writes", func(call *notification) response {
		if name, err := os.Readlink(fmt.Sprintf("/proc/%d/fd/%d", call.pid, call.args[0])); err == nil && name == target {
			attempts <- time.Now()
		}
		return response{flags: letItContinue}
	})}
}

// watchCalls lets answer decide on the calls of that name, on a goroutine of its own.
func watchCalls(t *testing.T, calls string, answer func(*notification) response) *callWatch {
	t.Helper()
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	end := os.NewFile(uintptr(pair[0]), "watch")
	ours, err := net.FileConn(end)
	end.Close()
	if err != nil {
		t.Fatal(err)
	}
	w := &callWatch{wrap: program("watched", "9", calls), passed: os.NewFile(uintptr(pair[1]), "watched")}
	ended := make(chan error, 1)
	go func() { ended <- watch(ours.(*net.UnixConn), answer) }()
	t.Cleanup(func() {
		ours.Close()
		w.passed.Close()
		if err := <-ended; err != nil {
			t.Error("watching system calls:", err)
		}
	})
	return w
}

// next waits for an attempt.
func (w *writeWatch) next(t *testing.T, limit time.Time) time.Time {
	t.Helper()
	select {
	case attempt := <-w.attempts:
		return attempt
	case <-time.After(time.Until(limit)):
		t.Fatal("no further attempt to write")
		panic("unreachable")
	}
}

// notification and response are struct seccomp_notif and struct seccomp_notif_resp.
type (
	notification struct {
		id         uint64
		pid, flags uint32
		nr         int32
		arch       uint32
		ip         uint64
		args       [6]uint64
	}
	response struct {
		id    uint64
		val   int64
		errno int32
		flags uint32
	}
)

const (
	notifReceive  = 3<<30 | unsafe.Sizeof(notification{})<<16 | '!'<<8 // SECCOMP_IOCTL_NOTIF_RECV
	notifSend     = 3<<30 | unsafe.Sizeof(response{})<<16 | '!'<<8 | 1 // SECCOMP_IOCTL_NOTIF_SEND
	letItContinue = 1                                                  // SECCOMP_USER_NOTIF_FLAG_CONTINUE
)

// watch returns when the last process under the filter has ended.
func watch(conn *net.UnixConn, answer func(*notification) response) error {
	oob := make([]byte, unix.CmsgSpace(4))
	_, n, _, _, err := conn.ReadMsgUnix(make([]byte, 1), oob)
	if err != nil {
		return err
	}
	messages, err := unix.ParseSocketControlMessage(oob[:n])
	if err != nil || len(messages) != 1 {
		return fmt.Errorf("%d messages: %w", len(messages), err)
	}
	fds, err := unix.ParseUnixRights(&messages[0])
	if err != nil {
		return err
	}
	defer unix.Close(fds[0])
	for {
		poll := []unix.PollFd{{Fd: int32(fds[0]), Events: unix.POLLIN}}
		if _, err := unix.Poll(poll, -1); err != nil && !errors.Is(err, unix.EINTR) {
			return err
		}
		if poll[0].Revents&unix.POLLIN == 0 {
			if poll[0].Revents&unix.POLLHUP != 0 {
				return nil
			}
			continue
		}
		var call notification
		if errno := ioctl(fds[0], notifReceive, unsafe.Pointer(&call)); errno == unix.ENOENT || errno == unix.EINTR {
			continue // its thread was killed, or has been interrupted and tries again
		} else if errno != 0 {
			return errno
		}
		reply := answer(&call)
		reply.id = call.id
		if errno := ioctl(fds[0], notifSend, unsafe.Pointer(&reply)); errno != 0 && errno != unix.ENOENT {
			return errno
		}
	}
}

func ioctl(fd int, request uintptr, arg unsafe.Pointer) unix.Errno {
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), request, uintptr(arg))
	return errno
}

func init() { helpers["watched"] = helperWatched }

// watched is which calls can be watched; those of clocks only where the clock is not CLOCK_MONOTONIC.
var watched = map[string][]uint32{
	"writes": {unix.SYS_WRITE, unix.SYS_WRITEV, unix.SYS_PWRITE64, unix.SYS_PWRITEV, unix.SYS_PWRITEV2},
	"set-up": {unix.SYS_EPOLL_CREATE1},
	"kills":  {unix.SYS_KILL},
	"clocks": {unix.SYS_CLOCK_GETTIME, unix.SYS_CLOCK_NANOSLEEP, unix.SYS_TIMERFD_CREATE, unix.SYS_TIMER_CREATE},
}

// watched FD CALLS PROGRAM ARG…: becomes PROGRAM under a filter that reports those calls on a descriptor, which it
// sends over FD.
func helperWatched(args []string) int {
	runtime.LockOSThread() // the filter is this thread's, and exec keeps this thread
	fd, _ := strconv.Atoi(args[0])
	filter := []unix.SockFilter{{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: 0}} // the number of the system call
	calls := watched[args[1]]
	for i, nr := range calls {
		filter = append(filter, unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: nr, Jt: uint8(len(calls) - i)})
	}
	filter = append(filter, unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW})
	if args[1] == "clocks" {
		const firstArgument = 16 // its lower half, where that comes first
		filter = append(filter,
			unix.SockFilter{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: firstArgument},
			unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: unix.CLOCK_MONOTONIC, Jf: 1},
			unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW})
	}
	filter = append(filter, unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_USER_NOTIF})
	program := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return 1
	}
	listener, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_NEW_LISTENER,
		uintptr(unsafe.Pointer(&program)))
	if errno != 0 {
		return 1
	}
	if err := unix.Sendmsg(fd, []byte{0}, unix.UnixRights(int(listener)), nil, 0); err != nil {
		return 1
	}
	unix.CloseOnExec(int(listener))
	unix.CloseOnExec(fd)
	return becomes(args[2:])
}
