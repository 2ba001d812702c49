package spawn

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"daemonproxy/actor"

	"go.uber.org/goleak"
)

// patience is how long a test waits for what must happen.
const patience = 30 * time.Second

// helpers are what the test binary does when it is executed as a program whose
// first argument is a helper's name after "helper:".
var helpers = map[string]func(args []string){
	"args":    func([]string) { fmt.Printf("%q", os.Args) },
	"environ": func([]string) { fmt.Printf("%q", os.Environ()) },
	"fds":     helperFDs,
	"nested":  helperNested,
}

var self string

// noSleep keeps the race detector from lingering at the end of each helper.
const noSleep = "GORACE=atexit_sleep_ms=0"

func TestMain(m *testing.M) {
	Applet(strerror)
	if len(os.Args) > 1 {
		if name, ok := strings.CutPrefix(os.Args[1], "helper:"); ok {
			helpers[name](os.Args[2:])
			os.Exit(0)
		}
	}
	var err error
	if self, err = os.Executable(); err != nil {
		panic(err)
	}
	name, value, _ := strings.Cut(noSleep, "=")
	os.Setenv(name, value)
	goleak.VerifyTestMain(m)
}

// A client is a service as the pool sees it.
type client struct {
	Ticket
	granted, begun chan *Spawner
	refused        chan struct{}
}

func newClient() *client {
	c := &client{granted: make(chan *Spawner, 1), begun: make(chan *Spawner, 1), refused: make(chan struct{}, 1)}
	c.Waiter = c
	return c
}

func (c *client) Granted(s *Spawner) { c.granted <- s }
func (c *client) Refused()           { c.refused <- struct{}{} }
func (c *client) Begun(s *Spawner)   { c.begun <- s }

// acquire waits for a spawner.
func (c *client) acquire(t testing.TB, p *Pool) *Spawner {
	t.Helper()
	p.Acquire(&c.Ticket)
	s := await(t, c.granted, "a grant")
	s.Reset()
	return s
}

// start begins a program and waits until it runs or has failed.
func (c *client) start(t testing.TB, p *Pool, args string, fds ...int) (*Spawner, Outcome) {
	t.Helper()
	s := c.acquire(t, p)
	s.SetArgs([]byte(args))
	for _, fd := range fds {
		s.AddFD(fd)
	}
	s.Go(c)
	s = await(t, c.begun, "a start")
	return s, *s.Outcome()
}

func await[T any](t testing.TB, from <-chan T, what string) T {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(patience):
		t.Fatalf("waited in vain for %s", what)
		panic("unreachable")
	}
}

// output runs a program with descriptor 1 and 2 at a pipe and returns what it
// wrote and how it ended.
func output(t testing.TB, p *Pool, args string) (string, syscall.WaitStatus, Outcome) {
	t.Helper()
	return outputOf(t, p, func(s *Spawner) { s.SetArgs([]byte(args)) })
}

func outputOf(t testing.TB, p *Pool, fill func(*Spawner)) (string, syscall.WaitStatus, Outcome) {
	t.Helper()
	r, w := pipe(t)
	null := openNull(t)
	c := newClient()
	s := c.acquire(t, p)
	fill(s)
	s.AddFD(null)
	s.AddFD(int(w.Fd()))
	s.AddFD(int(w.Fd()))
	s.Go(c)
	s = await(t, c.begun, "a start")
	out := *s.Outcome()
	s.Release()
	w.Close()
	text, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(text), reap(t, out.PID), out
}

func reap(t testing.TB, pid int) (status syscall.WaitStatus) {
	t.Helper()
	if pid <= 0 {
		t.Fatalf("no process to wait for: pid %d", pid)
	}
	for {
		_, err := syscall.Wait4(pid, &status, 0, nil)
		if err == nil {
			return status
		}
		if !errors.Is(err, syscall.EINTR) {
			t.Fatalf("wait4(%d): %v", pid, err)
		}
	}
}

func pipe(t testing.TB) (r, w *os.File) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	// Fd makes them blocking, as they must be for the child.
	r.Fd()
	w.Fd()
	t.Cleanup(func() { r.Close(); w.Close() })
	return r, w
}

func openNull(t testing.TB) int {
	t.Helper()
	f, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return int(f.Fd())
}

// newPool makes a pool with a small environment. Without GOMAXPROCS the runtime
// of a helper would keep files of its cgroup open.
func newPool(t testing.TB, environ ...string) *Pool {
	t.Helper()
	if environ == nil {
		environ = []string{"PATH=" + os.Getenv("PATH"), "GOMAXPROCS=2", "GODEBUG=containermaxprocs=0,updatemaxprocs=0", noSleep}
	}
	p := NewPool(newPoller(t), environ, 0, strerror)
	t.Cleanup(p.Stop)
	return p
}

// newPoller makes a poller that runs until the test is over.
func newPoller(t testing.TB) *actor.Poller {
	t.Helper()
	poller, err := actor.NewPoller()
	if err != nil {
		t.Fatal(err)
	}
	var running sync.WaitGroup
	running.Go(poller.Run)
	t.Cleanup(func() {
		poller.Close()
		running.Wait()
	})
	return poller
}

// strerror gives every error a text that says which it is.
func strerror(e syscall.Errno) string { return fmt.Sprintf("errno %d", int(e)) }

// script makes an executable file.
func script(t testing.TB, mode os.FileMode, elem ...string) string {
	t.Helper()
	path := filepath.Join(elem[:len(elem)-1]...)
	if err := os.WriteFile(path, []byte(elem[len(elem)-1]), mode); err != nil {
		t.Fatal(err)
	}
	return path
}

// parallel runs f in several goroutines.
func parallel(n int, f func(i int)) {
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { f(i) })
	}
	wg.Wait()
}
