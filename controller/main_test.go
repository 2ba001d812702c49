package controller

import (
	"bufio"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"daemonproxy/actor"
	"daemonproxy/actor/logger"
	"daemonproxy/actor/mainthread"
	"daemonproxy/actor/reaper"
	"daemonproxy/actor/signals"
	"daemonproxy/controller/protocol"
	"daemonproxy/handle"
	"daemonproxy/service"
	"daemonproxy/service/spawn"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"
)

// patience bounds waits that only a failing test sees the end of.
const patience = 10 * time.Second

func TestMain(m *testing.M) {
	unix.Umask(0o077)
	goleak.VerifyTestMain(m)
}

// house is a world of connections on a control socket, with a clock that can
// be moved forward. Its services never start: no test needs that.
type house struct {
	t     *testing.T
	world *World
	table *Table
	path  string
	log   *os.File
	ahead atomic.Int64
	nudge actor.Alarm
}

type nobody struct{}

func (nobody) Ring() {}

type sink struct{ *os.File }

func (s sink) FD() int { return int(s.Fd()) }
func (sink) Release()  {}

// lender lends handles to services.
type lender struct{ *handle.Registry }

func (l lender) NewLoan() service.Loan { return loan{l.Registry.NewLoan(1)} }

type loan struct{ *handle.Loan }

func (l loan) Borrow(names []byte, into service.Places) bool { return l.Loan.Borrow(names, into) }

func newHouse(t *testing.T, slots int) *house {
	t.Helper()
	dir := t.TempDir()
	h := &house{t: t, path: filepath.Join(dir, "socket")}
	h.nudge.Ringer = nobody{}
	var err error
	if h.log, err = os.Create(filepath.Join(dir, "log")); err != nil {
		t.Fatal(err)
	}
	log := logger.New()
	log.Attach([]byte("stderr"), sink{h.log})
	bus := &actor.Bus{}
	clock := actor.NewClock(func() int64 { return actor.Monotonic() + h.ahead.Load() })
	poller, err := actor.NewPoller()
	if err != nil {
		t.Fatal(err)
	}
	duties := mainthread.New(log, nil)
	handles := handle.NewRegistry(bus, log, 0, 0)
	spawners := spawn.NewPool(poller, nil, 0, protocol.Strerror)
	services := &service.World{
		Bus: bus, Clock: clock, Log: log, Duties: duties, Ledger: &signals.Ledger{},
		Reaper: reaper.New(service.Births(spawners), nil), Spawners: spawners, Descriptors: lender{handles},
	}
	h.world = &World{
		Bus: bus, Clock: clock, Poller: poller, Log: log, Duties: duties, Ledger: services.Ledger,
		Services: service.NewRegistry(services, 0, 0), Handles: handles,
	}
	h.world.Socket = NewSocket(h.world)
	h.table = NewTable(h.world, slots)
	h.world.Socket.Serve(h.table)
	services.Controls = h.table
	if !h.world.Socket.Open(h.path) {
		t.Fatal("no control socket")
	}
	h.run(spawners)
	return h
}

func (h *house) run(spawners *spawn.Pool) {
	var running sync.WaitGroup
	stop := make(chan struct{})
	running.Go(func() { h.world.Clock.Run(stop) })
	running.Go(h.world.Poller.Run)
	running.Go(h.world.Socket.Run)
	h.t.Cleanup(func() {
		h.world.Socket.Stop(patience)
		h.table.Stop()
		h.world.Services.Stop()
		spawners.Stop()
		h.world.Poller.Close()
		close(stop)
		running.Wait()
		h.world.Handles.Close()
		_ = h.log.Close()
	})
}

// pass moves the clock forward.
func (h *house) pass(seconds int64) {
	h.ahead.Add(seconds * actor.Second)
	h.world.Clock.Set(&h.nudge, 0)
}

// logged is all that the log has said. Nothing else writes it out.
func (h *house) logged() string {
	h.t.Helper()
	h.world.Log.Flush(patience)
	b, err := os.ReadFile(h.log.Name())
	if err != nil {
		h.t.Fatal(err)
	}
	return string(b)
}

// awaitLog waits until the log has said it.
func (h *house) awaitLog(text string) {
	h.t.Helper()
	h.until("the log to say "+text, func() bool { return strings.Contains(h.logged(), text) })
}

// until looks until ok, a little while between the looks.
func (h *house) until(what string, ok func() bool) {
	h.t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(patience); !ok(); <-tick.C {
		if time.Now().After(end) {
			h.t.Fatal("waited in vain for " + what)
		}
	}
}

func (h *house) used() (slots int) {
	h.table.mu.Lock()
	defer h.table.mu.Unlock()
	for _, used := range h.table.used {
		if used {
			slots++
		}
	}
	return slots
}

// first is the connection that came first.
func (h *house) first() *Conn {
	h.t.Helper()
	h.until("a connection", func() bool { return len(h.table.made()) > 0 })
	return h.table.made()[0]
}

// peer is a controller, as it sees us.
type peer struct {
	t *testing.T
	*net.UnixConn
	in *bufio.Reader
}

func newPeer(t *testing.T, conn *net.UnixConn) *peer {
	t.Helper()
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(patience))
	return &peer{t, conn, bufio.NewReader(conn)}
}

func (h *house) connect() *peer {
	h.t.Helper()
	conn, err := net.DialUnix("unix", nil, &net.UnixAddr{Name: h.path, Net: "unix"})
	if err != nil {
		h.t.Fatal(err)
	}
	return newPeer(h.t, conn)
}

// say sends lines, with | for TAB.
func (c *peer) say(lines ...string) {
	c.t.Helper()
	text := strings.ReplaceAll(strings.Join(lines, "\n")+"\n", "|", "\t")
	if _, err := c.Write([]byte(text)); err != nil {
		c.t.Fatal(err)
	}
}

// want compares the next lines.
func (c *peer) want(lines ...string) {
	c.t.Helper()
	for _, want := range lines {
		got, err := c.in.ReadString('\n')
		if err != nil {
			c.t.Fatalf("%v instead of %q", err, want)
		}
		if got = strings.ReplaceAll(strings.TrimSuffix(got, "\n"), "\t", "|"); got != want {
			c.t.Fatalf("got %q, want %q", got, want)
		}
	}
}

// wantEnd is for a connection that was closed in order.
func (c *peer) wantEnd() {
	c.t.Helper()
	if line, err := c.in.ReadString('\n'); line != "" || err == nil || err.Error() != "EOF" {
		c.t.Fatalf("got %q, %v instead of the end", line, err)
	}
}

// pipes makes a controller of a pair of sockets, as of a service.
func (h *house) pipes(events, commands bool) (service.Control, *peer) {
	h.t.Helper()
	control, child, _ := h.table.Reserve(events, commands)
	if control == nil {
		h.t.Fatal("no slot")
	}
	fd, err := unix.Dup(child)
	if err != nil {
		h.t.Fatal(err)
	}
	file := os.NewFile(uintptr(fd), "child")
	conn, err := net.FileConn(file)
	_ = file.Close()
	if err != nil {
		h.t.Fatal(err)
	}
	return control, newPeer(h.t, conn.(*net.UnixConn))
}
