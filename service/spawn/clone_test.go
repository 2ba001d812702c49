//go:build linux && !applet && (amd64 || arm64 || arm.6 || riscv64)

package spawn

import (
	"os"
	"runtime"
	"sync/atomic"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// Programs that hang keep goroutines waiting, and no threads.
func TestHungExecsHoldNoThreads(t *testing.T) {
	p := newPool(t)
	shut := newBarrier(t)
	threads := func() int {
		list, err := os.ReadDir("/proc/self/task")
		if err != nil {
			t.Fatal(err)
		}
		return len(list)
	}
	before := threads()
	var hung []*client
	for range Spawners {
		hung = append(hung, hang(t, p, shut))
	}
	for i := range p.spawners {
		for atomic.LoadInt32(&p.spawners[i].birth.pid) == 0 {
			runtime.Gosched()
		}
	}
	if after := threads(); after >= before+Spawners/2 {
		t.Errorf("%d threads, there were %d", after, before)
	}
	free(t, shut, hung)
}

// A start needs no descriptor.
func TestStartsWithoutDescriptors(t *testing.T) {
	p := newPool(t)
	c := newClient()
	s, out := c.start(t, p, "/bin/sh\t-c\texit 4") // also opens what the runtime needs
	s.Release()
	reap(t, out.PID)
	var was unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &was); err != nil {
		t.Fatal(err)
	}
	defer unix.Setrlimit(unix.RLIMIT_NOFILE, &was)
	for _, room := range []uint64{0, 1, 2} { // of the two that a pipe has
		lowest, err := unix.FcntlInt(0, unix.F_DUPFD_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		unix.Close(lowest)
		limit := unix.Rlimit{Cur: uint64(lowest) + room, Max: was.Max}
		if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
			t.Fatal(err)
		}
		s, out := c.start(t, p, "/bin/sh\t-c\texit 4")
		s.Release()
		if status := reap(t, out.PID); out.Step != StepNone || status.ExitStatus() != 4 {
			t.Errorf("room for %d: %+v, status %#x", room, out, status)
		}
		if room > 0 { // for what has to get out of the way
			s, out = c.start(t, p, "/bin/sh\t-c\texit 4", 1, 0, 2)
			s.Release()
			if status := reap(t, out.PID); out.Step != StepNone || status.ExitStatus() != 4 {
				t.Errorf("room for %d: %+v, status %#x", room, out, status)
			}
		}
		s, out = c.start(t, p, "/missing")
		s.Release()
		if status := reap(t, out.PID); out.Step != StepExec || status.ExitStatus() != exitFailed {
			t.Errorf("room for %d: %+v, status %#x", room, out, status)
		}
		if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &was); err != nil {
			t.Fatal(err)
		}
	}
}

// dyingChild is the child that may make the process undumpable now.
func dyingChild() int32 { return undumpable }

// endBy tells whether a child that was sent a signal before its exec ended as it
// should.
func endBy(sig syscall.Signal, status syscall.WaitStatus) bool {
	if dumping&set(sig) != 0 {
		return status.ExitStatus() == 128+int(sig)
	}
	return status.Signal() == sig
}

// ready tells whether such a child is to be sent it yet: that may come at any time.
func ready(int) bool { return true }

// Room leaves no child behind.
func TestRoom(t *testing.T) {
	p := newPool(t)
	if !p.Room(3) {
		t.Fatal("there is room")
	}
	if pid, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil); err != syscall.ECHILD {
		t.Fatalf("a child is left: %d, %v", pid, err)
	}
}
