package spawn

import (
	"os"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// barrier is a program whose exec waits as long as we have a lease on its file, at most
// for /proc/sys/fs/lease-break-time, and then fails.
type barrier struct {
	path string
	file *os.File
}

func newBarrier(t *testing.T) barrier {
	t.Helper()
	path := filepath.Join(t.TempDir(), "program")
	if err := os.WriteFile(path, []byte("#!/missing\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { file.Close() }) // ends the lease
	b := barrier{path, file}
	b.lease(t, unix.F_WRLCK)
	return b
}

func (b barrier) lease(t *testing.T, how int) {
	t.Helper()
	if _, err := unix.FcntlInt(b.file.Fd(), unix.F_SETLEASE, how); err != nil {
		t.Fatal("lease:", err)
	}
}

// hang starts a program that does not begin until the barrier is lifted.
func hang(t *testing.T, p *Pool, b barrier) *client {
	t.Helper()
	c := newClient()
	s := c.acquire(t, p)
	s.SetArgs([]byte(b.path))
	s.Go(c)
	return c
}

// free lets the hung ones go and waits until they are gone.
func free(t *testing.T, b barrier, hung []*client) {
	t.Helper()
	b.lease(t, unix.F_UNLCK)
	var spawners []*Spawner
	for _, c := range hung {
		s := await(t, c.begun, "a hung start to go on")
		if out := s.Outcome(); out.Step != StepExec || reap(t, out.PID).ExitStatus() != exitFailed {
			t.Errorf("%+v", out)
		}
		spawners = append(spawners, s)
	}
	for _, s := range spawners {
		s.Release()
	}
}

func TestHungExecsStopNobody(t *testing.T) {
	p := newPool(t)
	shut := newBarrier(t)
	var hung []*client
	for range Spawners - 1 {
		hung = append(hung, hang(t, p, shut))
	}
	if text, _, _ := output(t, p, "/bin/sh\t-c\techo last"); text != "last\n" {
		t.Errorf("got %q", text)
	}
	runtime.GC()
	p.Close()
	if p.Drain(time.Millisecond) {
		t.Error("Drain takes hung ones for done")
	}
	free(t, shut, hung)
}

func TestSixteenHungRefuse(t *testing.T) {
	p := newPool(t)
	shut := newBarrier(t)
	var hung []*client
	for range Spawners {
		hung = append(hung, hang(t, p, shut))
	}
	// Two wait until the last hangs; two come later.
	var late [4]*client
	for i := range late {
		late[i] = newClient()
		p.Acquire(&late[i].Ticket)
		if i > 0 {
			await(t, late[i].refused, "a refusal")
		}
	}
	await(t, late[0].refused, "a refusal")
	free(t, shut, hung)
	for range 2 * Spawners {
		s, out := late[0].start(t, p, "/bin/sh\t-c\texit 7")
		s.Release()
		if status := reap(t, out.PID); status.ExitStatus() != 7 {
			t.Errorf("status %#x", status)
		}
	}
}

// Programs that are only slow are waited for, however many there are.
func TestSixteenSlowDoNotRefuse(t *testing.T) {
	p := newPool(t)
	shut := newBarrier(t)
	var slow []*client
	for range Spawners {
		slow = append(slow, hang(t, p, shut))
	}
	youngest := nanotime()
	late := newClient()
	p.Acquire(&late.Ticket)
	free(t, shut, slow)
	select {
	case <-late.refused:
		if age := time.Duration(nanotime() - youngest); age < Hung {
			t.Fatalf("refused when the last was at it for %v", age)
		}
	case s := <-late.granted:
		s.Release()
	}
}

// A spawner hangs when the exec of its program does, not before that has begun: until then it
// may be our own image that takes its time.
func TestWhatHangs(t *testing.T) {
	now := nanotime()
	hung, young := now-2*int64(Hung), now+int64(time.Hour)
	for _, c := range []struct {
		phase      phase
		since      int64
		hang, left bool // all hang; somebody is waited for
	}{
		{gone, hung, true, false},
		{gone, young, false, true},
		{gone, notYet, false, true},
		{begun, hung, false, true},
		{granted, hung, false, false},
		{idle, hung, false, false},
	} {
		p := new(Pool)
		for i := range p.spawners {
			p.spawners[i].phase, p.spawners[i].since = gone, hung
		}
		last := &p.spawners[Spawners-1]
		last.phase, last.since = c.phase, c.since
		busy, left := p.underWay(Hung)
		if hang := p.hangLocked() <= 0; hang != c.hang || !busy || left > 0 != c.left {
			t.Errorf("%+v: hang %v, busy %v, left %v", c, hang, busy, left)
		}
	}
}

func TestQueue(t *testing.T) {
	p := newPool(t)
	var holders [Spawners]*Spawner
	for i := range holders {
		holders[i] = newClient().acquire(t, p)
	}
	var clients [4]*client
	for i := range clients {
		clients[i] = newClient()
		p.Acquire(&clients[i].Ticket)
		p.Acquire(&clients[i].Ticket) // is queued already
	}
	if !p.Withdraw(&clients[1].Ticket) || p.Withdraw(&clients[1].Ticket) {
		t.Error("a queued ticket can be withdrawn once")
	}
	for i, k := range []int{0, 2, 3} {
		holders[i].Release()
		for j, c := range clients {
			select {
			case holders[i] = <-c.granted:
				if j != k {
					t.Errorf("client %d was served before %d", j, k)
				}
			default:
				if j == k {
					t.Errorf("client %d was not served", j)
				}
			}
		}
	}
	if p.Withdraw(&clients[0].Ticket) {
		t.Error("a granted ticket was withdrawn")
	}
	p.Acquire(&clients[1].Ticket)
	p.Close()
	await(t, clients[1].refused, "a refusal")
	for _, s := range holders {
		s.Release()
	}
}

func TestClosedPoolForksNoMore(t *testing.T) {
	for _, end := range []func(*Pool){(*Pool).Close, (*Pool).Stop} {
		p := newPool(t)
		c := newClient()
		s := c.acquire(t, p)
		end(p)
		s.SetArgs([]byte("/bin/sh"))
		s.Go(c)
		s = await(t, c.begun, "an answer")
		if out := s.Outcome(); *out != (Outcome{ForkErrno: syscall.ECANCELED}) {
			t.Errorf("%+v", out)
		}
		s.Release()
		p.Acquire(&c.Ticket)
		await(t, c.refused, "a refusal")
		if !p.Drain(patience) {
			t.Error("something is under way")
		}
	}
}

func TestBorn(t *testing.T) {
	p := newPool(t)
	shut := newBarrier(t)
	c := hang(t, p, shut)
	b := &p.spawners[0].birth
	var pid int
	for pid == 0 { // the kernel tells us so, and nobody else does
		pid = int(atomic.LoadInt32(&b.pid))
		runtime.Gosched()
	}
	owner, found, ok := p.Born(pid)
	if owner != c || found != b || !ok || b.HasExited() {
		t.Errorf("Born: %v, %v, %v", owner, found, ok)
	}
	for _, other := range []int{0, -1, pid + 1} {
		if _, _, ok := p.Born(other); ok {
			t.Errorf("Born found %d", other)
		}
	}
	found.MarkExited()
	if _, _, ok := p.Born(pid); ok || !b.HasExited() {
		t.Error("Born found a child that has exited")
	}
	free(t, shut, []*client{c})
	if b.HasExited() {
		t.Error("the mark outlives the birth")
	}

	s, out := c.start(t, p, "/bin/sh\t-c\texit")
	if owner, _, ok := p.Born(out.PID); owner != c || !ok {
		t.Error("not found after Begun")
	}
	_, found, _ = p.Born(out.PID)
	reap(t, out.PID)
	s.Release()
	if _, _, ok := p.Born(out.PID); ok {
		t.Error("found after Release")
	}
	s, out = c.start(t, p, "/bin/sh\t-c\texit")
	found.MarkExited() // too late: the place is another child's
	if _, _, ok := p.Born(out.PID); !ok {
		t.Error("a late mark hit the next child")
	}
	reap(t, out.PID)
	s.Release()
}

// A signal that dumps core must not do so while the child is in our memory.
func TestSignalBeforeExec(t *testing.T) {
	p := newPool(t)
	shut := newBarrier(t)
	for _, sig := range []syscall.Signal{syscall.SIGQUIT, syscall.SIGSEGV, syscall.SIGABRT, syscall.SIGTERM, syscall.SIGKILL} {
		c := hang(t, p, shut)
		b := &p.spawners[0].birth
		for pid := 0; pid == 0 || !ready(pid); pid = int(atomic.LoadInt32(&b.pid)) {
			runtime.Gosched()
		}
		if err := syscall.Kill(int(b.pid), sig); err != nil {
			t.Fatal(err)
		}
		s := await(t, c.begun, "the end of the child")
		status := reap(t, s.Outcome().PID)
		s.Release()
		if !endBy(sig, status) {
			t.Errorf("%v: status %#x", sig, status)
		}
	}
}

func TestStartsUnderCollection(t *testing.T) {
	p := newPool(t)
	stop := make(chan struct{})
	collected := make(chan struct{})
	var longest time.Duration
	go func() {
		defer close(collected)
		for {
			select {
			case <-stop:
				return
			default:
				began := time.Now()
				runtime.GC()
				longest = max(longest, time.Since(began))
			}
		}
	}()
	starts := 1000
	if testing.Short() || StartPath != "clone" {
		starts = 100
	}
	fds, _ := sources(t, 4)
	parallel(6, func(g int) {
		c := newClient()
		for i := range starts {
			p.Acquire(&c.Ticket)
			s := <-c.granted
			s.Reset()
			if i%2 == 0 {
				s.SetArgs([]byte("/bin/sh\t-c\texit 3"))
			} else {
				s.SetArgs([]byte("missing\tprogram"))
			}
			s.AddFD(fds[0])
			s.AddFD(fds[3])
			s.Go(c)
			s = <-c.begun
			out := s.Outcome()
			status := reap(t, out.PID)
			if status.ExitStatus() != 3 || out.Step != []Step{StepNone, StepExec}[i%2] {
				t.Errorf("status %#x, %+v", status, out)
			}
			s.Release()
		}
	})
	close(stop)
	<-collected
	t.Logf("longest collection %v", longest)
}

func TestStamp(t *testing.T) {
	p := newPool(t)
	before := nanotime()
	s, out := newClient().start(t, p, "/bin/sh\t-c\texit")
	s.Release()
	if after := nanotime(); out.At < before || out.At > after {
		t.Errorf("forked at %d, not between %d and %d", out.At, before, after)
	}
	reap(t, out.PID)
}

// benchmark starts a program that ends at once, and waits for it.
