package signals

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"daemonproxy/actor"
	"daemonproxy/controller/protocol"

	"golang.org/x/sys/unix"
)

// receive is the helper: it says what its receiver is told, a line for each.
func receive(also uint64) {
	l := &Ledger{}
	r := Receiver{
		Also:   also,
		Ledger: l,
		Arrived: func(s protocol.Signal) {
			a, _ := l.Next(l.Latest()-1, true)
			fmt.Println("counted", s, a.Signal == s, a.Count)
		},
		Child: func() { fmt.Println("child") },
		Fatal: func(s protocol.Signal, num int) { fmt.Println("fatal", s, num) },
	}
	if err := r.Listen(); err != nil {
		panic(err)
	}
	runtime.LockOSThread()
	r.Unblock()
	raiseEarly()
	fmt.Println("goes on after a fault:", faulted())
	poller, err := actor.NewPoller()
	if err != nil {
		panic(err)
	}
	if err := r.Watch(poller); err != nil {
		panic(err)
	}
	go poller.Run()
	fmt.Println("ready")
	r.Run(make(chan struct{}))
}

// raiseEarly raises a signal before anybody waits for it. One that a thread sends to itself has arrived when the call
// returns.
func raiseEarly() {
	for range early {
		if err := unix.Tgkill(unix.Getpid(), unix.Gettid(), unix.SIGUSR2); err != nil {
			panic(err)
		}
	}
}

// faulted fails as a program can that goes on after it.
func faulted() (caught bool) {
	defer func() {
		_, caught = recover().(runtime.Error)
	}()
	var nowhere *Ledger
	nowhere.entries[1].Count++
	return false
}

// subject is a re-executed test binary with a receiver.
type subject struct {
	t       *testing.T
	process *os.Process
	lines   chan string
}

func newSubject(t *testing.T, also ...string) *subject { return newSubjectAs(t, helper, also...) }

func newSubjectAs(t *testing.T, role string, also ...string) *subject {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, append([]string{role}, also...)...)
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	s := &subject{t, cmd.Process, make(chan string)}
	go func() {
		defer close(s.lines)
		for in := bufio.NewScanner(out); in.Scan(); {
			s.lines <- in.Text()
		}
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		for range s.lines {
		}
		_ = cmd.Wait()
	})
	s.want("goes on after a fault: true")
	s.want("ready")
	for i := range early {
		s.want(fmt.Sprintf("counted SIGUSR2 true %d", i+1))
	}
	return s
}

func (s *subject) want(line string) {
	s.t.Helper()
	select {
	case got := <-s.lines:
		if got != line {
			s.t.Fatalf("it says %q, want %q", got, line)
		}
	case <-time.After(patience):
		s.t.Fatalf("it does not say %q", line)
	}
}

func (s *subject) send(number syscall.Signal) {
	s.t.Helper()
	if err := s.process.Signal(number); err != nil {
		s.t.Fatal(err)
	}
}

func TestReceiverCounts(t *testing.T) {
	s := newSubject(t)
	for round := 1; round <= 2; round++ {
		for _, c := range []struct {
			number syscall.Signal
			name   string
		}{
			{unix.SIGINT, "SIGINT"}, {unix.SIGHUP, "SIGHUP"}, {unix.SIGTERM, "SIGTERM"},
			{unix.SIGUSR1, "SIGUSR1"}, {unix.SIGQUIT, "SIGQUIT"},
		} {
			s.send(c.number)
			s.want(fmt.Sprintf("counted %s true %d", c.name, round))
		}
	}
}

func TestReceiverCountsWhatItIsToldTo(t *testing.T) {
	s := newSubject(t, strconv.FormatUint(1<<(unix.SIGPWR-1)|1<<(unix.SIGWINCH-1), 10))
	s.send(unix.SIGWINCH)
	s.want("counted SIGWINCH true 1")
	s.send(unix.SIGPWR)
	s.want("counted SIGPWR true 1")
	s.send(unix.SIGVTALRM)
	s.send(unix.SIGHUP)
	s.want("counted SIGHUP true 1")
}

// blockable are signals that the runtime leaves as it found them.
var blockable = []syscall.Signal{unix.SIGUSR1, unix.SIGUSR2, unix.SIGPWR, unix.SIGWINCH}

// block blocks them for the program that is executed next.
func block() {
	runtime.LockOSThread()
	mask := [actor.SigsetSize / 8]uint64{}
	for _, s := range blockable {
		mask[0] |= 1 << (s - 1)
	}
	if _, _, errno := unix.RawSyscall6(unix.SYS_RT_SIGPROCMASK, unix.SIG_BLOCK, uintptr(unsafe.Pointer(&mask)), 0, actor.SigsetSize, 0, 0); errno != 0 {
		panic(errno)
	}
}

// A process inherits which signals are blocked, from a program that waits for them by sigwait(2), say.
func TestReceiverCountsWhatWasBlocked(t *testing.T) {
	s := newSubjectAs(t, blocked, strconv.FormatUint(1<<(unix.SIGPWR-1)|1<<(unix.SIGWINCH-1), 10))
	for _, number := range blockable {
		s.send(number)
		count := 1
		if number == unix.SIGUSR2 {
			count += early
		}
		s.want(fmt.Sprintf("counted %s true %d", protocol.Signal(number), count))
	}
}

func TestReceiverTellsOfChildrenAndFatalSignals(t *testing.T) {
	s := newSubject(t)
	s.send(unix.SIGCHLD)
	s.want("child")
	for _, number := range []syscall.Signal{
		unix.SIGABRT, unix.SIGFPE, unix.SIGILL, unix.SIGSEGV, unix.SIGBUS, unix.SIGTRAP,
	} {
		s.send(number)
		s.want(fmt.Sprintf("fatal %s %d", protocol.Signal(number), int(number)))
	}
}

// All others have no effect; the line that a later signal causes is the next.
func TestReceiverIgnoresTheRest(t *testing.T) {
	s := newSubject(t)
	counts := 0
	for number := syscall.Signal(1); number <= protocol.MaxSignal; number++ {
		switch {
		case in(usual|fatal, number), number == unix.SIGCHLD:
			continue
		}
		switch number {
		case unix.SIGKILL, unix.SIGSTOP, unix.SIGTSTP, unix.SIGTTIN:
			continue
		}
		s.send(number)
		s.send(unix.SIGUSR1)
		counts++
		s.want(fmt.Sprintf("counted SIGUSR1 true %d", counts))
	}
}

func TestJobControlWorks(t *testing.T) {
	s := newSubject(t)
	for _, number := range []syscall.Signal{unix.SIGTSTP, unix.SIGTTIN} {
		s.send(number)
		var status unix.WaitStatus
		pid, err := unix.Wait4(s.process.Pid, &status, unix.WUNTRACED, nil)
		for err == unix.EINTR {
			pid, err = unix.Wait4(s.process.Pid, &status, unix.WUNTRACED, nil)
		}
		if err != nil || pid != s.process.Pid || !status.Stopped() || status.StopSignal() != number {
			t.Fatalf("%v: %d, %#x, %v", number, pid, status, err)
		}
		s.send(unix.SIGCONT)
	}
	s.send(unix.SIGTTOU)
	s.send(unix.SIGUSR2)
	s.want(fmt.Sprintf("counted SIGUSR2 true %d", early+1))
}

func TestReceiverEnds(t *testing.T) {
	r := Receiver{Ledger: &Ledger{}}
	stop, ended := make(chan struct{}), make(chan struct{})
	go func() {
		r.Run(stop)
		close(ended)
	}()
	close(stop)
	select {
	case <-ended:
	case <-time.After(patience):
		t.Fatal("Run does not end")
	}
}
