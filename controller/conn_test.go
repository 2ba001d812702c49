package controller

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"daemonproxy/actor"
	"daemonproxy/controller/protocol"

	"golang.org/x/sys/unix"
)

func TestAnswers(t *testing.T) {
	h := newHouse(t, 2)
	c := h.connect()
	c.say("# silent", " \t\r", "", "echo", "echo|", "echo||", "echo|a|b", "what|x", " echo|x", "|x", "statedump\r", "chdir")
	c.want("|", "a|b", "error|Unknown command: what", "error|Unknown command:  echo", "error|Unknown command: ",
		"error|Unknown command: statedump\r", `error|missing path argument, for command "chdir"`)
	if _, err := c.Write([]byte("echo\ta\x00b\n#\x00\necho\tnext\n")); err != nil {
		t.Fatal(err)
	}
	c.want("error|line contains NUL", "next")
	c.say("echo|"+strings.Repeat("x", 4095), "#"+strings.Repeat("x", 5000), "echo|"+strings.Repeat("y", 4090))
	c.want("error|line too long", strings.Repeat("y", 4090))
	c.say("service.signal|absent|nothing", "service.start|absent|x", "service.delete|absent", "service.signal|absent")
	c.want(`error|No such service, for command "service.signal|absent|nothing"`,
		`error|No such service, for command "service.start|absent|x"`,
		`error|No such service, for command "service.delete|absent"`,
		`error|No such service, for command "service.signal|absent"`)
	want := "error: controller[0] sent unknown command what\n"
	if log := h.logged(); !strings.Contains(log, want) || !strings.Contains(log, "error: controller[0] line contains NUL\n") ||
		!strings.Contains(log, "error: controller[0] command exceeds buffer size\n") ||
		!strings.Contains(log, "error: controller[0] command failed: 'chdir'\nerror:   with error: 'missing path argument'\n") {
		t.Fatal(log)
	}
}

// At its end a controller gets all answers and then EOF, by half-close and by
// exit, whatever else it has sent.
func TestEndsInOrder(t *testing.T) {
	h := newHouse(t, 2)
	c := h.connect()
	c.say("echo|1")
	if _, err := c.Write([]byte("echo\t2\necho\tdropped")); err != nil {
		t.Fatal(err)
	}
	_ = c.CloseWrite()
	c.want("1", "2")
	c.wantEnd()
	h.awaitLog("warning: Command ends with EOF... ignored\n")

	c = h.connect()
	c.say("echo|1", "exit", "echo|"+strings.Repeat("more", 1000), strings.Repeat("echo|later\n", 2000))
	c.want("1")
	c.wantEnd()

	c = h.connect() // a long answer, a slow reader
	var lines, want []string
	for i := range 500 {
		lines = append(lines, fmt.Sprintf("echo|%d %s", i, strings.Repeat("x", 1000)))
		want = append(want, lines[i][5:])
	}
	go func() {
		_, _ = c.Write([]byte(strings.ReplaceAll(strings.Join(lines, "\n")+"\n", "|", "\t")))
		_ = c.CloseWrite()
	}()
	c.want(want...)
	c.wantEnd()
}

func TestEventsReachEveryController(t *testing.T) {
	h := newHouse(t, 3)
	h.world.Ledger.Arrived(protocol.Signal(unix.SIGUSR1))
	a, b := h.connect(), h.connect()
	signal, err := a.in.ReadString('\n')
	if err != nil || !strings.HasPrefix(signal, "signal\tSIGUSR1\t") || !strings.HasSuffix(signal, "\t1\n") {
		t.Fatal(signal, err)
	}
	b.want(strings.ReplaceAll(strings.TrimSuffix(signal, "\n"), "\t", "|"))
	b.say("echo|there")
	b.want("there")
	a.say("service.tags|s|x", "echo|done")
	a.want("service.tags|s|x", "done")
	b.want("service.tags|s|x")
	b.say("statedump", "echo|end")
	b.want("service.state|s|down|-|-|-|-|-|-", "service.tags|s|x", "service.args|s|",
		"service.fds|s|null|null|null", "service.auto_up|s|-",
		strings.ReplaceAll(strings.TrimSuffix(signal, "\n"), "\t", "|"), "end")
	a.say("signal.clear|USR1|1", "statedump", "service.fds|s|a||-", "echo|end")
	a.want("service.state|s|down|-|-|-|-|-|-", "service.tags|s|x", "service.args|s|",
		"service.fds|s|null|null|null", "service.auto_up|s|-",
		`warning: fd "a" is not yet defined`, `warning: fd "" is not yet defined`, "service.fds|s|a||-", "end")
	h.world.Ledger.Arrived(protocol.Signal(unix.SIGUSR1))
	h.table.Signaled()
	line, err := a.in.ReadString('\n')
	if err != nil || !strings.HasPrefix(line, "signal\tSIGUSR1\t") || !strings.HasSuffix(line, "\t1\n") {
		t.Fatal(line, err)
	}
}

// A dump of everything does not overflow by itself, however slowly it is read.
func TestLongDump(t *testing.T) {
	h := newHouse(t, 2)
	c := h.connect()
	const services = 200
	text := strings.Repeat("x", 2000)
	for i := range services {
		line := fmt.Sprintf("service.tags|s%03d|%s", i, text)
		c.say(line)
		c.want(line)
	}
	c.say("statedump", "echo|end")
	for i := range services {
		name := fmt.Sprintf("s%03d", i)
		c.want("service.state|"+name+"|down|-|-|-|-|-|-", "service.tags|"+name+"|"+text, "service.args|"+name+"|",
			"service.fds|"+name+"|null|null|null", "service.auto_up|"+name+"|-")
	}
	c.want("end")
}

// blocked lets a controller that does not read be blocked by events.
func (h *house) blocked() *peer {
	h.t.Helper()
	c := h.connect()
	c.say("echo|ready")
	c.want("ready")
	h.until("the blockage", func() bool {
		for i := 0; i < 300 && h.first().outbox.BlockedSince() == 0; i++ {
			h.world.Bus.Publish([]byte("event\t" + strings.Repeat("x", 1000) + "\n"))
		}
		return h.first().outbox.BlockedSince() != 0
	})
	return c
}

func TestOverflow(t *testing.T) {
	h := newHouse(t, 2)
	c := h.blocked()
	for range 30 {
		h.world.Bus.Publish([]byte("event\t" + strings.Repeat("x", 1000) + "\n"))
	}
	if !h.first().outbox.Overflowed() {
		t.Fatal("no overflow")
	}
	for {
		line, err := c.in.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		if line == "overflow\n" {
			break
		}
		if len(line) != 1007 {
			t.Fatalf("%q", line)
		}
	}
	c.say("echo|again")
	c.want("again")
	if log := h.logged(); strings.Contains(log, "blocked") {
		t.Fatal(log)
	}
}

func TestTimeouts(t *testing.T) {
	h := newHouse(t, 2)
	c := h.blocked()
	h.pass(14)
	if log := h.logged(); strings.Contains(log, "blocked") {
		t.Fatal(log)
	}
	h.pass(2)
	h.awaitLog("warning: controller 0 blocked pipe for 16 seconds\n")
	h.pass(10)
	h.pass(10)
	h.awaitLog("error: controller 0 blocked pipe for 36 seconds, closing connection\n")
	h.until("the slot", func() bool { return h.used() == 0 })
	if n := strings.Count(h.logged(), "warning: controller"); n != 1 {
		t.Fatalf("warned %d times", n)
	}
	if _, err := io.Copy(io.Discard, c); err != nil {
		t.Fatal(err)
	}
}

// After RESET a blocked controller with a full input buffer has its commands
// carried out, the answers being discarded.
func TestResetLetsCommandsProceed(t *testing.T) {
	h := newHouse(t, 2)
	c := h.blocked()
	for range 10 {
		h.world.Bus.Publish([]byte("event\t" + strings.Repeat("x", 1000) + "\n"))
	}
	c.say(strings.Repeat("echo|lost\n", 1000), "service.tags|made|x")
	if h.world.Services.Exists([]byte("made")) {
		t.Fatal("commands went on in spite of the blockage")
	}
	h.pass(16)
	h.awaitLog("blocked pipe for 16 seconds\n")
	h.until("the last command", func() bool { return h.world.Services.Exists([]byte("made")) })
}

func TestTimeoutsOfZero(t *testing.T) {
	h := newHouse(t, 2)
	c := h.connect()
	c.say("conn.event_timeout|0|0", "echo|ready")
	c.want("ready")
	h.until("the end", func() bool {
		h.world.Bus.Publish([]byte("event\t" + strings.Repeat("x", 1000) + "\n"))
		return h.used() == 0
	})
	h.awaitLog("error: controller 0 blocked pipe for 0 seconds, closing connection\n")
}

func TestConfigFile(t *testing.T) {
	h := newHouse(t, 2)
	path := filepath.Join(t.TempDir(), "config")
	if err := os.WriteFile(path, []byte("service.tags\ta\tx\nwhat\nservice.tags\tlast\tx"), 0o600); err != nil {
		t.Fatal(err)
	}
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil || !h.table.Config(fd) {
		t.Fatal(err)
	}
	h.table.Begin()
	h.until("its end", func() bool { return h.used() == 0 })
	if !h.world.Services.Exists([]byte("a")) || !h.world.Services.Exists([]byte("last")) {
		t.Fatal("not carried out")
	}
	want := "error: controller[0] sent unknown command what\nwarning: Command ends with EOF... processing anyway\n"
	if log := h.logged(); log != want {
		t.Fatal(log)
	}
	if fd, err = unix.Open(filepath.Dir(path), unix.O_RDONLY|unix.O_CLOEXEC, 0); err != nil || !h.table.Config(fd) {
		t.Fatal(err)
	}
	h.table.Begin()
	h.until("its end", func() bool { return h.used() == 0 })
	h.awaitLog("error: read(client[0])): Is a directory\n")
}

// The gate: after terminate no command begins.
func TestTerminate(t *testing.T) {
	h := newHouse(t, 2)
	c := h.connect()
	c.say("terminate.guard|+|5", "terminate|0", "terminate|0|4", "terminate|0|5", "terminate.guard|-|4", "terminate.guard|+|6",
		"terminate.guard|-|5", "terminate.guard|-|5", "echo|1", "terminate|7", "echo|2", "service.tags|s|x")
	c.want(`error|terminate guard code required, for command "terminate|0"`,
		`error|incorrect terminate guard code, for command "terminate|0|4"`,
		`error|cannot exit, and exec-on-exit is not configured, for command "terminate|0|5"`,
		`error|incorrect guard code, for command "terminate.guard|-|4"`,
		`error|terminate guard code is already set, for command "terminate.guard|+|6"`,
		`error|terminate guard was not set, for command "terminate.guard|-|5"`, "1")
	<-h.world.Duties.Ordered()
	if end := h.world.Duties.Ending(); end.Code != 7 || end.Text != "terminated normally" {
		t.Fatal(end)
	}
	h.connect().say("service.tags|t|x")
	h.table.Drain(0)
	if h.world.Services.Exists([]byte("s")) || h.world.Services.Exists([]byte("t")) {
		t.Fatal("a command began")
	}
}

// Everybody may hold a line and wait for the bus while a client is greeted.
func TestGreetingUnderAFloodOfEvents(t *testing.T) {
	h := newHouse(t, 2)
	h.world.Ledger.Arrived(protocol.Signal(unix.SIGUSR1))
	var publishers sync.WaitGroup
	stop := make(chan struct{})
	for range 20 {
		publishers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				l := actor.NewLine()
				l.B = append(l.B, "event\n"...)
				h.world.Bus.Publish(l.B)
				l.Free()
			}
		})
	}
	for range 100 {
		c := h.connect()
		line, err := c.in.ReadString('\n')
		if err != nil || !strings.HasPrefix(line, "signal\tSIGUSR1\t") {
			t.Errorf("first came %q, %v", line, err)
			break
		}
		_ = c.Close()
	}
	close(stop)
	publishers.Wait()
}
