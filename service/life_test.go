package service

import (
	"fmt"
	"strings"
	"testing"

	"daemonproxy/actor"
	"daemonproxy/controller/protocol"

	"golang.org/x/sys/unix"
)

func TestLifeOfAService(t *testing.T) {
	h := newHouse(t, 0, 0)
	h.define("s", "exit|3")
	h.must("service.start|s")
	h.want("service.state|s|start|*|-|-|-|-|-")
	pid := h.want("service.state|s|up|*|*|-|-|0|-")[4]
	h.want("service.state|s|down|*|" + pid + "|exit|3|*|0")
	h.fails("service.signal|s|TERM", "service is not running")
	h.must("service.delete|s")
	h.want("service.state|s|deleted|-|-|-|-|-|-")
	h.fails("service.start|s", "No such service")
	h.quiet()
	if log := h.logged(); log != "" {
		t.Fatalf("the log says %q", log)
	}
}

func TestSignals(t *testing.T) {
	h := newHouse(t, 0, 0)
	h.define("s", "wait")
	h.fails("service.signal|s|KILL", "service is not running")
	h.must("service.start|s")
	pid := h.want("service.state|s|start|*|-|-|-|-|-", "service.state|s|up|*|*|-|-|0|-")[4]
	h.fails("service.start|s", "service is not startable")
	h.fails("service.start|s|-", "no service.start pending")
	h.fails("service.delete|s", "service is running")
	h.must("service.signal|s|0")
	h.fails("service.signal|s|KILL|group", "can't kill s (pgid "+pid+"): No such process")
	h.must("service.signal|s|KILL")
	h.want("service.state|s|down|*|" + pid + "|signal|SIGKILL|*|0")
}

// A program that ends faster than its parent looks.
func TestQuickExits(t *testing.T) {
	h := newHouse(t, 0, 0)
	const services, runs = 6, 10
	for i := range services {
		h.must(fmt.Sprintf("service.args|s%d|/bin/true", i))
		h.next()
	}
	for range runs {
		for i := range services {
			h.must(fmt.Sprintf("service.start|s%d", i))
		}
		got := map[string]string{}
		for range 3 * services {
			f := strings.Split(h.next(), "|")
			got[f[1]] += f[2] + " "
		}
		for name, order := range got {
			if order != "start up down " {
				t.Fatalf("%s: %s", name, order)
			}
		}
	}
	h.quiet()
}

func TestExecFailure(t *testing.T) {
	h := newHouse(t, 0, 0)
	h.must("service.args|s|/nonexistent/prog|x", "service.start|s")
	h.want("service.args|s|/nonexistent/prog|x", "service.state|s|start|*|-|-|-|-|-",
		"service.state|s|up|*|*|-|-|0|-", "service.state|s|down|*|*|exit|3|*|0")
	if log := h.logged(); log != "error: exec(/nonexistent/prog, ...) failed: No such file or directory\n" {
		t.Fatalf("the log says %q", log)
	}
}

func TestMissingHandle(t *testing.T) {
	h := newHouse(t, 0, 0)
	h.define("s", "exit|0")
	h.must("service.fds|s|null|missing", "service.start|s")
	h.want("service.fds|s|null|missing", "service.state|s|start|*|-|-|-|-|-",
		"service.state|s|up|*|*|-|-|0|-", "service.state|s|down|*|*|signal|SIGABRT|*|0")
}

func TestStartRefusals(t *testing.T) {
	h := newHouse(t, 0, 0)
	now := h.world.Clock.Now() / actor.Second
	h.fails("service.start|s", "No such service")
	h.must("service.tags|s|x")
	h.want("service.tags|s|x")
	for _, c := range []struct{ args, when, want string }{
		{"", "", "no args configured for service"},
		{"", "|-", "no service.start pending"},
		{"", fmt.Sprintf("|%d", now-10), "invalid timestamp"},
		{"", "|-5", "invalid timestamp"},
		{"|", "", "no args configured for service"},
		{"||a", "", "no args configured for service"},
	} {
		h.must("service.args|s" + c.args)
		h.next()
		h.fails("service.start|s"+c.when, c.want)
	}
	h.quiet()
}

func TestDelayedStart(t *testing.T) {
	h := newHouse(t, 0, 0)
	h.define("s", "exit|0")
	at := h.world.Clock.Now()/actor.Second + 1000
	h.must(fmt.Sprintf("service.start|s|%d", at))
	h.want(fmt.Sprintf("service.state|s|start|%d|-|-|-|-|-", at))
	h.must(fmt.Sprintf("service.start|s|%d", at-1)) // moved
	h.want(fmt.Sprintf("service.state|s|start|%d|-|-|-|-|-", at-1))
	h.must("service.start|s|-")
	h.want("service.state|s|down|-|-|-|-|-|-")
	h.fails("service.start|s|-", "no service.start pending")
	h.must(fmt.Sprintf("service.start|s|%d", at))
	h.next()
	h.pass(900)
	h.fails("service.start|s|1", "invalid timestamp")
	h.quiet()
	h.pass(200)
	h.want("service.state|s|up|*|*|-|-|0|-", "service.state|s|down|*|*|exit|0|*|0")
	h.must("service.start|s|9223372036854775807")
	h.want("service.state|s|start|9223372036854775807|-|-|-|-|-")
	h.must("service.delete|s")
	h.want("service.state|s|deleted|-|-|-|-|-|-")
}

// The current second means now.
func TestStartInTheCurrentSecond(t *testing.T) {
	h := newHouse(t, 0, 0)
	h.define("s", "exit|0")
	for {
		now := h.world.Clock.Now() / actor.Second
		err := h.do(fmt.Sprintf("service.start|s|%d", now))
		if err == "invalid timestamp" && h.world.Clock.Now()/actor.Second != now {
			continue // the second was over
		}
		if err != "" {
			t.Fatal(err)
		}
		break
	}
	h.want("service.state|s|start|*|-|-|-|-|-", "service.state|s|up|*|*|-|-|0|-")
	h.want("service.state|s|down|*|*|exit|0|*|0")
}

func TestRestarts(t *testing.T) {
	h := newHouse(t, 0, 0)
	h.define("s", "exit|1")
	h.must("service.auto_up|s|1000|always")
	h.want("service.state|s|start|*|-|-|-|-|-", "service.auto_up|s|1000|always")
	h.want("service.state|s|up|*|*|-|-|0|-")
	down := seconds(t, h.want("service.state|s|down|*|*|exit|1|*|0")[3])
	h.want(fmt.Sprintf("service.state|s|start|%d|-|-|-|-|-", down+1000))

	// Cancelling leaves it down, until auto_up is set anew; the interval is kept.
	h.must("service.start|s|-")
	h.want("service.state|s|down|-|-|-|-|-|-")
	h.must("service.tags|s|barrier")
	h.want("service.tags|s|barrier")
	h.must("service.auto_up|s|-|always")
	h.want("service.state|s|start|*|-|-|-|-|-", "service.auto_up|s|1000|always")
	h.want("service.state|s|up|*|*|-|-|0|-", "service.state|s|down|*|*|exit|1|*|0", "service.state|s|start|*|-|-|-|-|-")

	// Clearing the triggers does not cancel it: it runs once more.
	h.must("service.auto_up|s|-")
	h.want("service.auto_up|s|-")
	h.pass(1001)
	h.want("service.state|s|up|*|*|-|-|0|-", "service.state|s|down|*|*|exit|1|*|0")
	h.must("service.tags|s|end")
	h.want("service.tags|s|end")
	h.quiet()
}

func TestRestartWithoutInterval(t *testing.T) {
	h := newHouse(t, 0, 0)
	h.define("s", "exit|0")
	h.must("service.auto_up|s|-|always")
	h.want("service.state|s|start|*|-|-|-|-|-", "service.auto_up|s|0|always")
	for range 5 {
		h.want("service.state|s|up|*|*|-|-|0|-", "service.state|s|down|*|*|exit|0|*|0", "service.state|s|start|*|-|-|-|-|-")
	}
}

func (h *house) arrive(s unix.Signal) {
	h.world.Ledger.Arrived(protocol.Signal(s))
	h.registry.Arrived(protocol.Signal(s))
}

func TestTriggers(t *testing.T) {
	h := newHouse(t, 0, 0)
	h.define("s", "exit|0")
	h.must("service.auto_up|s|100|USR1|SIGHUP")
	h.want("service.auto_up|s|100|USR1|SIGHUP")
	h.arrive(unix.SIGUSR2)
	h.must("service.tags|s|no")
	h.want("service.tags|s|no")
	h.arrive(unix.SIGHUP)
	run := []string{"service.state|s|start|*|-|-|-|-|-", "service.state|s|up|*|*|-|-|0|-", "service.state|s|down|*|*|exit|0|*|0"}
	h.want(run...)
	h.want(run[0]) // the count is still > 0: by the restart rule
	h.arrive(unix.SIGUSR1)
	h.want(run...) // an arrival starts it now
	h.want(run[0])
	h.world.Ledger.Clear(protocol.Signal(unix.SIGHUP), 1)
	h.world.Ledger.Clear(protocol.Signal(unix.SIGUSR1), 1)
	h.pass(101)
	h.want(run[1])
	h.want("service.state|s|down|*|*|exit|0|*|0")
	h.must("service.tags|s|end")
	h.want("service.tags|s|end")

	// Level triggered: set while the count is > 0.
	h.must("service.auto_up|s|100|USR2")
	h.want(run[0], "service.auto_up|s|100|USR2", run[1])
}

func TestControllerOfAService(t *testing.T) {
	for fds, ends := range map[string]string{
		"control.socket":             "events true, commands true",
		"null|control.event":         "events true, commands false",
		"control.cmd|-":              "events false, commands true",
		"control.cmd||control.event": "events true, commands true",
	} {
		t.Run(fds, func(t *testing.T) {
			h := newHouse(t, 0, 0)
			h.define("s", "exit|0")
			h.must("service.fds|s|" + fds)
			h.next()
			h.must("service.start|s")
			h.want("service.state|s|start|*|-|-|-|-|-", "reserved: "+ends)
			h.want("service.state|s|up|*|*|-|-|0|-", "committed with service.state|s|up|*|*|-|-|0|-")
			if strings.Contains(fds, "||") { // in this house an empty name is a missing one
				h.want("service.state|s|down|*|*|signal|SIGABRT|*|0")
			} else {
				h.want("service.state|s|down|*|*|exit|0|*|0")
			}
		})
	}
}

func TestRetryWithoutControllerSlot(t *testing.T) {
	h := newHouse(t, 0, 0)
	h.define("s", "exit|0")
	h.must("service.fds|s|control.socket")
	h.next()
	h.controls.full.Store(true)
	before := h.world.Clock.Now()
	h.must("service.start|s")
	first := seconds(t, h.want("service.state|s|start|*|-|-|-|-|-")[3])
	again := seconds(t, h.want("service.state|s|start|*|-|-|-|-|-")[3])
	after := h.world.Clock.Now()
	if again < (before+3*actor.Second)/actor.Second || again > (after+3*actor.Second)/actor.Second {
		t.Fatalf("started at %d, again at %d", first, again)
	}
	h.must("service.tags|s|barrier") // the retry is logged before its event
	h.want("service.tags|s|barrier")
	if log := h.logged(); log != "error: can't allocate controller object\ninfo: will retry in 3 seconds\n" {
		t.Fatalf("the log says %q", log)
	}
	h.controls.full.Store(false)
	h.pass(4)
	h.want("reserved: events true, commands true", "service.state|s|up|*|*|-|-|0|-", "committed with service.state|s|up|*|*|-|-|0|-",
		"service.state|s|down|*|*|exit|0|*|0")
}

// All spawners hang, or none forks any more.
func TestRetryAfterRefusal(t *testing.T) {
	h := newHouse(t, 0, 0)
	h.define("s", "exit|0")
	h.spawners.Close()
	h.must("service.start|s")
	h.want("service.state|s|start|*|-|-|-|-|-", "service.state|s|start|*|-|-|-|-|-")
	if log := h.logged(); log != "error: fork failed: Resource temporarily unavailable\ninfo: will retry in 3 seconds\n" {
		t.Fatalf("the log says %q", log)
	}
	h.pass(4)
	h.want("service.state|s|start|*|-|-|-|-|-")
	h.must("service.delete|s")
	h.want("service.state|s|deleted|-|-|-|-|-|-")
}

// After the end was ordered nothing starts and nothing is said about it.
func TestNothingStartsAfterTerminate(t *testing.T) {
	h := newHouse(t, 0, 0)
	h.define("s", "wait")
	h.define("later", "exit|0")
	h.must("service.auto_up|s|-|always", "service.auto_up|later|1|USR1")
	h.want("service.state|s|start|*|-|-|-|-|-", "service.auto_up|s|0|always")
	for more := 2; more > 0; more-- { // in either order
		h.next()
	}
	h.must(fmt.Sprintf("service.start|later|%d", h.world.Clock.Now()/actor.Second+1000))
	h.next()
	h.world.Duties.Terminate(0, "")
	h.spawners.Close()
	h.arrive(unix.SIGUSR1)
	h.pass(2000)
	h.must("service.signal|s|KILL")
	h.want("service.state|s|down|*|*|signal|SIGKILL|*|0")
	h.must("service.tags|s|barrier", "service.tags|later|barrier")
	h.want("service.tags|s|barrier", "service.tags|later|barrier")
	if log := h.logged(); log != "" {
		t.Fatalf("the log says %q", log)
	}
}
