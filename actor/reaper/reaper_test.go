package reaper

import (
	"math/rand/v2"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"testing"
	"time"

	"daemonproxy/actor"

	"golang.org/x/sys/unix"
)

func newReaper() (*Reaper, *system, *births) {
	s, bs := &system{}, &births{}
	return New(bs, s), s, bs
}

func TestExitOfAnAdoptedProcess(t *testing.T) {
	r, s, _ := newReaper()
	o := &owner{}
	r.adopt(7, o, &birth{})
	before := actor.Monotonic()
	s.exits(7, 3<<8)
	r.reap()
	o.want(t, 7)
	e := o.exits[0]
	if e.Status.ExitStatus() != 3 || e.At < before || e.At > actor.Monotonic() {
		t.Fatalf("%+v", e)
	}
	if err := r.kill(7, o, unix.SIGTERM, false); err != unix.ESRCH || len(s.kills) != 0 {
		t.Fatalf("a reaped pid was signalled: %v", err)
	}
}

func TestExitBeforeAdopt(t *testing.T) {
	r, s, bs := newReaper()
	o := &owner{}
	b := &birth{pid: 7, owner: o}
	*bs = append(*bs, b)
	s.exits(7, 0)
	r.reap()
	o.want(t, 7)
	r.adopt(7, o, b)
	if len(r.table) != 0 {
		t.Fatal("a process that has ended was entered")
	}
	if err := r.kill(7, o, unix.SIGTERM, false); err != unix.ESRCH || len(s.kills) != 0 {
		t.Fatalf("a reaped pid was signalled: %v", err)
	}
}

// The pid of a child that was reaped but whose birth is still noted comes back
// as another service's child.
func TestRecycledPID(t *testing.T) {
	r, s, bs := newReaper()
	first, second := &owner{}, &owner{}
	old, young := &birth{pid: 7, owner: first}, &birth{pid: 7, owner: second}
	*bs = append(*bs, old)
	s.exits(7, 0)
	r.reap()
	*bs = append(*bs, young)
	r.adopt(7, second, young)
	r.adopt(7, first, old) // late: its service was busy
	if err := r.kill(7, first, unix.SIGKILL, false); err != unix.ESRCH || len(s.kills) != 0 {
		t.Fatalf("a signal for the old process hit the new one: %v", err)
	}
	s.exits(7, 9)
	r.reap()
	first.want(t, 7)
	second.want(t, 7)
	if !second.exits[0].Status.Signaled() || first.exits[0].Status.Signaled() {
		t.Fatal("the exits were swapped")
	}

	// And once more, before either was adopted.
	third, fourth := &owner{}, &owner{}
	a, b := &birth{pid: 8, owner: third}, &birth{pid: 8, owner: fourth}
	*bs = births{a, b}
	s.exits(8, 0)
	s.exits(8, 0)
	r.reap()
	third.want(t, 8)
	fourth.want(t, 8)
	r.adopt(8, third, a)
	r.adopt(8, fourth, b)
	if len(r.table) != 0 {
		t.Fatal("entered")
	}
}

// The pid of a child that was adopted and reaped, but whose birth is still
// noted, comes back as an orphan's: its owner has one exit.
func TestRecycledPIDOfAnOrphan(t *testing.T) {
	r, s, bs := newReaper()
	o := &owner{}
	b := &birth{pid: 7, owner: o}
	*bs = append(*bs, b)
	r.adopt(7, o, b)
	s.exits(7, 0)
	s.exits(7, 0)
	r.reap()
	o.want(t, 7)
}

func TestOrphansAreReapedSilently(t *testing.T) {
	r, s, _ := newReaper()
	o := &owner{}
	r.adopt(7, o, &birth{})
	s.exits(5, 0)
	s.exits(7, 0)
	s.exits(9, 0)
	r.reap()
	o.want(t, 7)
	if len(s.ended) != 0 {
		t.Fatal("not all were waited for")
	}
}

func TestKill(t *testing.T) {
	r, s, _ := newReaper()
	mine, other := &owner{}, &owner{}
	r.adopt(7, mine, &birth{})
	r.adopt(8, other, &birth{})
	for _, c := range []struct {
		pid   int
		owner Owner
		group bool
		err   error
		kills []kill
	}{
		{7, mine, false, nil, []kill{{7, unix.SIGHUP}}},
		{7, mine, true, nil, []kill{{-7, unix.SIGHUP}}},
		{8, mine, false, unix.ESRCH, nil},
		{8, mine, true, unix.ESRCH, nil},
		{9, mine, false, unix.ESRCH, nil},
		{0, mine, true, unix.ESRCH, nil},
		{-1, mine, false, unix.ESRCH, nil},
	} {
		s.kills = nil
		if err := r.kill(c.pid, c.owner, unix.SIGHUP, c.group); err != c.err || !slices.Equal(s.kills, c.kills) {
			t.Errorf("%+v: %v, %v", c, err, s.kills)
		}
	}
	s.errno = unix.EPERM
	if err := r.kill(7, mine, unix.SIGHUP, false); err != unix.EPERM {
		t.Errorf("the kernel's error is lost: %v", err)
	}
}

func TestTableStaysSorted(t *testing.T) {
	r, s, _ := newReaper()
	random := rand.New(rand.NewPCG(1, 1))
	owners := map[int]*owner{}
	for range 5000 {
		pid := 1 + random.IntN(300)
		if o, runs := owners[pid]; runs {
			s.exits(pid, 0)
			r.reap()
			o.want(t, pid)
			delete(owners, pid)
		} else {
			owners[pid] = &owner{}
			r.adopt(pid, owners[pid], &birth{})
		}
		if len(r.table) != len(owners) || !slices.IsSortedFunc(r.table, func(a, b process) int { return a.pid - b.pid }) {
			t.Fatal("the table is wrong")
		}
	}
}

// The same by messages, as in the program.
func TestRequests(t *testing.T) {
	r, s, _ := newReaper()
	o, q := &owner{}, newRequester()
	s.exits(5, 0) // ended before Run
	run(t, r)
	r.Adopt(&q.adopt, 7, o, &birth{})
	if err := r.Kill(&q.kill, 7, o, unix.SIGTERM, true); err != nil {
		t.Fatal(err)
	}
	if len(s.ended) != 0 || !slices.Equal(s.kills, []kill{{-7, unix.SIGTERM}}) {
		t.Fatal(s)
	}
	s.exits(7, 0)
	r.ChildChanged()
	r.ChildChanged()
	if err := r.Kill(&q.kill, 7, o, unix.SIGTERM, true); err != unix.ESRCH {
		t.Fatal(err)
	}
	o.want(t, 7)
}

// angry panics on its exit.
type angry struct{}

func (angry) Exited(Exit) { panic("angry") }

func TestAPanicEndsOneStepOnly(t *testing.T) {
	told := ""
	actor.OnPanic(func(text string) { told = text })
	r, s, _ := newReaper()
	o, q := &owner{}, newRequester()
	r.adopt(6, angry{}, &birth{})
	r.adopt(7, o, &birth{})
	s.exits(6, 0)
	s.exits(7, 0)
	run(t, r)
	for range 2 { // behind what the panic left to do
		if err := r.Kill(&q.kill, 6, o, unix.SIGTERM, false); err != unix.ESRCH {
			t.Fatal(err)
		}
	}
	if told != "angry" {
		t.Errorf("the handler was told %q", told)
	}
	o.want(t, 7)
}

func TestAPanicAnswersTheRequest(t *testing.T) {
	actor.OnPanic(func(string) {})
	r, _, _ := newReaper()
	r.system = nil
	o, q := &owner{}, newRequester()
	r.adopt(7, o, &birth{})
	r.step(&q.adopt) // without birth
	select {
	case <-q.adopt.reply:
	default:
		t.Error("Adopt was not answered")
	}
	q.kill.pid, q.kill.owner = 7, o
	r.step(&q.kill)
	select {
	case <-q.kill.reply:
	default:
		t.Error("Kill was not answered")
	}
	if q.kill.err == nil {
		t.Error("a failed Kill gave no error")
	}
}

// told passes exits on to the test.
type told chan Exit

func (c told) Exited(e Exit) { c <- e }

func TestRealProcesses(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	r := New(&births{}, nil)
	news := make(chan os.Signal, 16)
	signal.Notify(news, unix.SIGCHLD)
	quit := make(chan struct{})
	passed := make(chan struct{})
	go func() {
		defer close(passed)
		for {
			select {
			case <-news:
				r.ChildChanged()
			case <-quit:
				return
			}
		}
	}()
	defer func() {
		signal.Stop(news)
		close(quit)
		<-passed
	}()
	run(t, r)
	q := newRequester()
	start := func(how string, group bool) (int, told) {
		pid, err := syscall.ForkExec(self, []string{self, helper, how}, &syscall.ProcAttr{
			Files: []uintptr{0, 1, 2}, Sys: &syscall.SysProcAttr{Setpgid: group},
		})
		if err != nil {
			t.Fatal(err)
		}
		o := make(told, 1)
		b := &birth{pid: pid, owner: o}
		r.Adopt(&q.adopt, pid, o, b)
		return pid, o
	}
	exit := func(pid int, o told) unix.WaitStatus {
		t.Helper()
		select {
		case e := <-o:
			if e.PID != pid {
				t.Fatalf("exit of %d, want %d", e.PID, pid)
			}
			return e.Status
		case <-time.After(patience):
			t.Fatal("no exit")
		}
		return 0
	}
	pid, o := start("3", false)
	if s := exit(pid, o); s.ExitStatus() != 3 {
		t.Errorf("status %#x, want 3", s)
	}
	pid, o = start("wait", false)
	if err := r.Kill(&q.kill, pid, o, 0, false); err != nil {
		t.Errorf("it runs, but: %v", err)
	}
	if err := r.Kill(&q.kill, pid, o, unix.SIGKILL, true); err != unix.ESRCH {
		t.Errorf("it leads no group, but: %v", err)
	}
	if err := r.Kill(&q.kill, pid, o, unix.SIGKILL, false); err != nil {
		t.Error(err)
	}
	if s := exit(pid, o); !s.Signaled() || s.Signal() != unix.SIGKILL {
		t.Errorf("status %#x, want killed", s)
	}
	pid, o = start("wait", true)
	if err := r.Kill(&q.kill, pid, o, unix.SIGKILL, true); err != nil {
		t.Error(err)
	}
	exit(pid, o)
	if err := r.Kill(&q.kill, pid, o, 0, false); err != unix.ESRCH {
		t.Errorf("it was reaped, but: %v", err)
	}
}

// stopper wants to know of stops, too.
type stopper struct {
	owner
	stops []syscall.Signal
}

func (o *stopper) Stopped(s syscall.Signal) { o.stops = append(o.stops, s) }

func TestStoppedChild(t *testing.T) {
	r, s, bs := newReaper()
	adopted, born, deaf := &stopper{}, &stopper{}, &owner{}
	r.adopt(7, adopted, &birth{})
	r.adopt(8, deaf, &birth{})
	*bs = append(*bs, &birth{pid: 9, owner: born})
	stopped := func(sig syscall.Signal) unix.WaitStatus { return unix.WaitStatus(int(sig)<<8 | 0x7f) }
	s.exits(7, stopped(unix.SIGTSTP))
	s.exits(8, stopped(unix.SIGTSTP))
	s.exits(9, stopped(unix.SIGTTIN))
	s.exits(10, stopped(unix.SIGSTOP)) // an orphan
	r.reap()
	adopted.want(t)
	born.want(t)
	deaf.want(t)
	if !slices.Equal(adopted.stops, []syscall.Signal{unix.SIGTSTP}) || !slices.Equal(born.stops, []syscall.Signal{unix.SIGTTIN}) {
		t.Errorf("told of %v and %v", adopted.stops, born.stops)
	}
	s.exits(7, 0)
	s.exits(9, 0)
	r.reap()
	adopted.want(t, 7)
	born.want(t, 9)
}
