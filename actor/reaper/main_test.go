package reaper

import (
	"os"
	"syscall"
	"testing"
	"time"

	"daemonproxy/actor"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"
)

// patience bounds waits that only a failing test sees the end of.
const patience = 10 * time.Second

// helper as first argument makes the test binary a child for the reaper.
const helper = "helper:child"

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == helper {
		child(os.Args[2])
	}
	goleak.VerifyTestMain(m)
}

// child exits with a status, or waits to be killed.
func child(how string) {
	if how == "wait" {
		<-time.After(patience)
	}
	os.Exit(int(how[0] - '0'))
}

// system is the kernel of tests: ended children are queued, kills noted.
type system struct {
	ended []Exit
	kills []kill
	errno error
}

type kill struct {
	pid    int
	signal syscall.Signal
}

func (s *system) Wait() (int, unix.WaitStatus, bool) {
	if len(s.ended) == 0 {
		return 0, 0, false
	}
	e := s.ended[0]
	s.ended = s.ended[1:]
	return e.PID, e.Status, true
}

func (s *system) Kill(pid int, signal syscall.Signal) error {
	s.kills = append(s.kills, kill{pid, signal})
	return s.errno
}

func (s *system) exits(pid int, status unix.WaitStatus) {
	s.ended = append(s.ended, Exit{PID: pid, Status: status})
}

// owner keeps the exits that it was told.
type owner struct{ exits []Exit }

func (o *owner) Exited(e Exit) { o.exits = append(o.exits, e) }

func (o *owner) want(t *testing.T, pids ...int) {
	t.Helper()
	if len(o.exits) != len(pids) {
		t.Fatalf("told of %d exits, want %d", len(o.exits), len(pids))
	}
	for i, e := range o.exits {
		if e.PID != pids[i] {
			t.Fatalf("told of %d, want %d", e.PID, pids[i])
		}
	}
}

// birth is one fork under way.
type birth struct {
	pid    int
	owner  Owner
	exited bool
}

func (b *birth) MarkExited()     { b.exited = true }
func (b *birth) HasExited() bool { return b.exited }
func (b *birth) MarkAdopted()    { b.exited = true }

// births finds the first one that has not exited.
type births []*birth

func (bs *births) Born(pid int) (Owner, Birth, bool) {
	for _, b := range *bs {
		if b.pid == pid && !b.exited {
			return b.owner, b, true
		}
	}
	return nil, nil, false
}

// requester is what a service has for its requests.
type requester struct {
	adopt Adopt
	kill  Kill
}

func newRequester() *requester {
	q := new(requester)
	reply := actor.NewReply()
	q.adopt.Init(reply)
	q.kill.Init(reply)
	return q
}

// run lets the reaper run until the test ends.
func run(t *testing.T, r *Reaper) {
	ended := make(chan struct{})
	go func() {
		r.Run()
		close(ended)
	}()
	t.Cleanup(func() {
		r.Stop()
		select {
		case <-ended:
		case <-time.After(patience):
			t.Error("Run does not end")
		}
	})
}
