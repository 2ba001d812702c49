package integration

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

func TestExampleControllerPython(t *testing.T) {
	t.Parallel()
	x := controllerPython.start(t)
	watch := x.client("watch")
	clock := x.awaitUp(watch, "clock")
	first := x.awaitUp(watch, "count")

	// A new row, and a change of one of two.
	x.sql(`
		INSERT INTO service (name, args) VALUES ('idle', 'sleep 1000');
		UPDATE service SET args = '/bin/sh -c "echo replaced; exec sleep 999"' WHERE name = 'count'`)
	x.signal("HUP")
	x.awaitUp(watch, "idle")
	x.eventually("output of the new command", func() bool { return strings.Contains(x.file("services.log"), "replaced\n") })
	count := x.awaitUp(watch, "count")
	if count == first {
		t.Error("count was not restarted")
	}

	// The controller is killed; the services do not notice, and the next one gets no work.
	x.kill(x.pidOf(watch, "controller"))
	watch.await("service.state⇥controller⇥down⇥{now}⇥{pid}⇥signal⇥SIGKILL⇥{int}⇥0")
	watch.await("service.state⇥controller⇥up⇥{now}⇥{pid=controller}⇥-⇥-⇥0⇥-")
	// A change that makes no sense, one of a service, one of none, and one gone.
	x.sql(`
		INSERT INTO service (name, args) VALUES ('bad name', 'true'), ('controller', 'true');
		UPDATE service SET delay = 2 WHERE name = 'count';
		UPDATE service SET args = '"unbalanced' WHERE name = 'clock';
		DELETE FROM service WHERE name = 'idle'`)
	x.signal("HUP")
	x.log.awaitAll(
		"controller: row 'bad name': {any}; the service stays as it is",
		"controller: row 'clock': {any}; the service stays as it is",
		"controller: controller is in the table, but was not made from it",
	)
	watch.await("service.state⇥idle⇥deleted⇥-⇥-⇥-⇥-⇥-⇥-")
	for _, line := range watch.ask("statedump") {
		if line == "service.auto_up\tcount\t2\talways" {
			x.set("delay", "2")
		}
	}
	if x.get("delay") != "2" {
		watch.await("service.auto_up⇥count⇥2⇥always")
	}
	for name, pid := range map[string]int{"clock": clock, "count": count, "controller": x.num("controller")} {
		if now := x.pidOf(watch, name); now != pid {
			t.Errorf("%s is %d, it was %d", name, now, pid)
		}
	}
	if slices.ContainsFunc(processesWith(testMark+x.daemon.dir), func(p string) bool { return strings.HasSuffix(p, "sleep 1000 ") }) {
		t.Error("idle still runs")
	}

	// SIGTERM is not enough for one of the services.
	x.sql(`INSERT INTO service (name, args) VALUES ('stubborn', '/bin/sh -c "trap '''' TERM; echo stubborn; while :; do sleep 1; done"')`)
	x.signal("HUP")
	x.eventually("a service without ears", func() bool { return strings.Contains(x.file("services.log"), "stubborn\n") })
	x.signal("TERM")
	watch.await("service.state⇥stubborn⇥down⇥{now}⇥{pid}⇥signal⇥SIGKILL⇥{int}⇥0")
	x.expectEnd()
}

// TestExampleControllerPythonKilled kills the controller at moments of a change that this test can tell apart; the
// next one finishes the change, and touches nothing else.
func TestExampleControllerPythonKilled(t *testing.T) {
	t.Parallel()
	x := controllerPython.start(t)
	watch := x.client("watch")
	clock := x.awaitUp(watch, "clock")
	x.awaitUp(watch, "count")
	for i, event := range []string{
		"service.auto_up⇥count⇥-",
		"service.args⇥count⇥sleep⇥{any}",
		"service.state⇥count⇥down⇥{now}⇥{pid}⇥signal⇥SIGTERM⇥{int}⇥0",
		"service.auto_up⇥count⇥1⇥always",
	} {
		controller := x.awaitUp(watch, "controller")
		last := 1000 + i
		x.sql("UPDATE service SET args = 'sleep " + strconv.Itoa(last) + "' WHERE name = 'count'")
		x.signal("HUP")
		watch.await(event)
		x.kill(controller)
		watch.await("service.state⇥controller⇥up⇥{now}⇥{pid}⇥-⇥-⇥0⇥-")
		x.eventually("the new command", func() bool {
			state := watch.services()["count"]
			if len(state) != 9 || state[2] != "up" {
				return false
			}
			cmdline, _ := os.ReadFile(filepath.Join("/proc", state[4], "cmdline"))
			return string(cmdline) == "sleep\x00"+strconv.Itoa(last)+"\x00"
		})
	}
	if pid := x.pidOf(watch, "clock"); pid != clock {
		t.Errorf("clock is %d, it was %d", pid, clock)
	}
	x.signal("TERM")
	x.expectEnd()
}

// sql changes the table of the Python example, the way its README shows.
func (x *started) sql(script string) {
	x.t.Helper()
	python := exec.Command("python3", "-c",
		`import sqlite3, sys; d = sqlite3.connect("services.db"); d.executescript(sys.argv[1])`, script)
	python.Dir = x.dir
	if out, err := python.CombinedOutput(); err != nil {
		x.t.Fatalf("%v: %s", err, out)
	}
}
