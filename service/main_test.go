package service

import (
	"fmt"
	"os"
	ossignal "os/signal"
	"strconv"
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
	"daemonproxy/service/spawn"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"
)

// patience bounds waits that only a failing test sees the end of.
const patience = 10 * time.Second

var self string

// As "helper:exit N" the test binary ends with that status, as "helper:wait" it
// waits to be killed.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case "helper:exit":
			status, _ := strconv.Atoi(os.Args[2])
			// Without the second that the race detector takes for an exit.
			_, _, _ = unix.RawSyscall(unix.SYS_EXIT_GROUP, uintptr(status), 0, 0)
		case "helper:wait":
			<-time.After(patience)
			os.Exit(1)
		}
	}
	var err error
	if self, err = os.Executable(); err != nil {
		panic(err)
	}
	goleak.VerifyTestMain(m)
}

// house is a world of services with real processes, a clock that can be moved
// forward, and everything else made for tests.
type house struct {
	t        *testing.T
	world    *World
	registry *Registry
	call     *Call
	controls *controls
	poller   *actor.Poller
	spawners *spawn.Pool
	lines    chan string
	left     chan struct{} // news of settling: there may be one less to wait for
	log      *os.File
	null     *os.File
	ahead    atomic.Int64
	nudge    actor.Alarm
}

type nobody struct{}

func (nobody) Ring() {}

func newHouse(t *testing.T, maxSlots, valueLimit int) *house {
	t.Helper()
	h := &house{t: t, call: NewCall(), lines: make(chan string, 100000)}
	h.nudge.Ringer = nobody{}
	h.controls = &controls{house: h}
	log := logger.New()
	log.SetFilter(logger.Trace)
	file, err := os.CreateTemp(t.TempDir(), "log")
	if err != nil {
		t.Fatal(err)
	}
	h.log = file
	if h.null, err = os.OpenFile(os.DevNull, os.O_RDWR, 0); err != nil {
		t.Fatal(err)
	}
	log.Attach([]byte("stderr"), sink{file})
	bus := &actor.Bus{Trace: func(line []byte) { h.lines <- strings.TrimSuffix(string(line), "\n") }}
	clock := actor.NewClock(func() int64 { return actor.Monotonic() + h.ahead.Load() })
	if h.poller, err = actor.NewPoller(); err != nil {
		t.Fatal(err)
	}
	h.spawners = spawn.NewPool(h.poller, os.Environ(), 0, protocol.Strerror)
	h.world = &World{
		Bus: bus, Clock: clock, Log: log, Duties: mainthread.New(log, nil), Ledger: &signals.Ledger{},
		Reaper: reaper.New(Births(h.spawners), nil), Spawners: h.spawners,
		Descriptors: descriptors{h}, Controls: h.controls,
	}
	h.registry = NewRegistry(h.world, maxSlots, valueLimit)
	h.run()
	return h
}

// run lets the actors around the services run until the test ends.
func (h *house) run() {
	var running sync.WaitGroup
	stop := make(chan struct{})
	children := make(chan os.Signal, 100)
	ossignal.Notify(children, unix.SIGCHLD)
	running.Go(func() {
		for {
			select {
			case <-children:
				h.world.Reaper.ChildChanged()
			case <-stop:
				return
			}
		}
	})
	running.Go(func() { h.world.Clock.Run(stop) })
	running.Go(h.world.Reaper.Run)
	running.Go(h.poller.Run)
	h.t.Cleanup(func() {
		h.world.Duties.Terminate(0, "")
		h.spawners.Stop()
		h.spawners.Drain(patience)
		h.registry.Stop()
		ossignal.Stop(children)
		h.world.Reaper.Stop()
		h.poller.Close()
		close(stop)
		running.Wait()
		_ = h.log.Close()
		_ = h.null.Close()
	})
}

// pass moves the clock forward.
func (h *house) pass(seconds int64) {
	h.ahead.Add(seconds * actor.Second)
	h.world.Clock.Set(&h.nudge, 0)
}

type sink struct{ file *os.File }

func (s sink) FD() int { return int(s.file.Fd()) }
func (sink) Release()  {}

// logged is all that the log got.
func (h *house) logged() string {
	h.t.Helper()
	if !h.world.Log.Flush(patience) {
		h.t.Fatal("the log is stuck")
	}
	b, err := os.ReadFile(h.log.Name())
	if err != nil {
		h.t.Fatal(err)
	}
	return string(b)
}

// do parses and carries out a command (| stands for TAB) and returns the text
// of its error.
func (h *house) do(line string) string { return h.doWith(h.call, line) }

func (h *house) doWith(call *Call, line string) string {
	var c protocol.Command
	protocol.Parse([]byte(strings.ReplaceAll(line, "|", "\t")), &c)
	if c.Err.Code != protocol.OK {
		return string(c.Err.Append(nil))
	}
	run := map[protocol.Verb]func(*Call, *protocol.Command) protocol.Error{
		protocol.ServiceTags: h.registry.Set, protocol.ServiceArgs: h.registry.Set, protocol.ServiceFDs: h.registry.Set,
		protocol.ServiceAutoUp: h.registry.AutoUp, protocol.ServiceStart: h.registry.Start,
		protocol.ServiceSignal: h.registry.Signal, protocol.ServiceDelete: h.registry.Delete,
	}[c.Verb]
	if err := run(call, &c); err.Code != protocol.OK {
		return string(err.Append(nil))
	}
	return ""
}

// must is for commands that succeed.
func (h *house) must(lines ...string) {
	h.t.Helper()
	for _, line := range lines {
		if err := h.do(line); err != "" {
			h.t.Fatalf("%s: %s", line, err)
		}
	}
}

// fails is for commands that do not.
func (h *house) fails(line, want string) {
	h.t.Helper()
	if err := h.do(line); err != want {
		h.t.Fatalf("%s: %q, want %q", line, err, want)
	}
}

// next is the next event, with | for TAB.
func (h *house) next() string {
	h.t.Helper()
	select {
	case line := <-h.lines:
		return strings.ReplaceAll(line, "\t", "|")
	case <-time.After(patience):
		h.t.Fatal("waited in vain for an event")
	}
	return ""
}

// want compares the next events with patterns, in which * is any one field, and
// returns the fields of the last.
func (h *house) want(patterns ...string) (fields []string) {
	h.t.Helper()
	for _, pattern := range patterns {
		line := h.next()
		fields = strings.Split(line, "|")
		parts := strings.Split(pattern, "|")
		match := len(fields) == len(parts)
		for i := range parts {
			match = match && (parts[i] == "*" || parts[i] == fields[i])
		}
		if !match {
			h.t.Fatalf("event %q, want %q", line, pattern)
		}
	}
	return fields
}

// quiet says that no event is due, all requests so far being answered.
func (h *house) quiet() {
	h.t.Helper()
	select {
	case line := <-h.lines:
		h.t.Fatalf("an event too many: %q", line)
	default:
	}
}

// seconds is a time of the wire.
func seconds(t *testing.T, field string) int64 {
	t.Helper()
	n, err := strconv.ParseInt(field, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// define makes a service that runs the helper.
func (h *house) define(name, helper string) {
	h.t.Helper()
	args := fmt.Sprintf("service.args|%s|%s|helper:%s", name, self, helper)
	h.must(args)
	h.want(args)
}

// descriptors knows the names null and control.*.
type descriptors struct{ *house }

func (d descriptors) NewLoan() Loan { return &loan{house: d.house} }

type loan struct {
	*house
	lent int
}

func (l *loan) Borrow(names []byte, into Places) bool {
	complete := true
	for rest, more := names, len(names) > 0; more; {
		var name []byte
		name, rest, more = protocol.NextField(rest)
		switch {
		case string(name) == "null":
			into.Place(int(l.null.Fd()))
			l.lent++
		case strings.HasPrefix(string(name), "control."):
			into.PlaceControl()
		default:
			into.Place(-1)
			complete = complete && string(name) == "-"
		}
	}
	return complete
}

func (l *loan) Return() { l.lent = 0 }

// controls gives sockets of which nobody reads the other end. It notes what
// happens on the bus's channel, so that the order shows.
type controls struct {
	house *house
	full  atomic.Bool
}

type reserved struct {
	house *house
	fds   [2]int
}

func (c *controls) Reserve(events, commands bool) (control Control, child int, soon bool) {
	if c.full.Load() {
		c.house.world.Log.Line(logger.Error, "can't allocate controller object")
		return nil, -1, false
	}
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, -1, false
	}
	c.house.lines <- fmt.Sprintf("reserved: events %v, commands %v", events, commands)
	return &reserved{c.house, fds}, fds[1], false
}

func (c *reserved) Commit(up []byte) {
	c.house.lines <- "committed with " + strings.ReplaceAll(strings.TrimSuffix(string(up), "\n"), "\t", "|")
	c.done()
}
func (c *reserved) Abort() { c.house.lines <- "aborted"; c.done() }

func (c *reserved) done() {
	_ = unix.Close(c.fds[0])
	_ = unix.Close(c.fds[1])
}

// command is a parsed line, with | for TAB.
func command(line string) (c protocol.Command) {
	protocol.Parse([]byte(strings.ReplaceAll(line, "|", "\t")), &c)
	return c
}
