package integration

import (
	"os"
	"strconv"
	"strings"
	"testing"
)

// The examples run as they stand, in a copy of their directory.

// TestExampleCtrlC runs each example on a terminal: Ctrl-C reaches all of its processes at once, and still everything
// ends in order.
func TestExampleCtrlC(t *testing.T) {
	for _, e := range []example{quickstart, plain, minimal, controllerSh, controllerPython} {
		t.Run(e.dir, func(t *testing.T) {
			t.Parallel()
			x, tty := e.startOnTerminal(t)
			if _, err := tty.Write([]byte{3}); err != nil {
				t.Fatal(err)
			}
			x.expectEnd()
		})
	}
}

// TestExampleHangup closes the terminal of those that are meant to run on one.
func TestExampleHangup(t *testing.T) {
	for _, e := range []example{quickstart, plain} {
		t.Run(e.dir, func(t *testing.T) {
			t.Parallel()
			x, tty := e.startOnTerminal(t)
			tty.Close()
			x.expectEnd()
		})
	}
}

func TestExampleQuickstart(t *testing.T) {
	t.Parallel()
	x := quickstart.start(t)
	watch := x.client("watch")
	x.out.await("log: worker {pid=first}: at work")
	x.log.await("controller: worker {first} ended (exit 1); next start in 1 s")
	x.out.await("log: worker {first}: something broke")
	x.log.await("controller: worker {pid} ended (exit 1); next start in 2 s")
	x.log.await("controller: worker {pid} ended (exit 1); next start in 4 s")

	// The events tell the same, but for those that were over when this test connected.
	last := 0
	for last < 4 {
		watch.await("service.state⇥worker⇥down⇥{int=down}⇥{pid}⇥exit⇥1⇥{int}⇥0")
		watch.await("service.state⇥worker⇥start⇥{int=due}⇥-⇥-⇥-⇥-⇥-")
		delay := watch.vars.num("due") - watch.vars.num("down")
		if last != 0 && delay != 2*last {
			t.Fatalf("a delay of %d s after one of %d s", delay, last)
		}
		last = delay
	}

	x.signal("INT")
	x.expectEnd()
	log := strings.Join(x.log.rest(), "\n")
	for _, text := range []string{"controller: got SIGINT", "controller: the logger is down; good-bye"} {
		if !strings.Contains(log, text) {
			t.Errorf("no %q in the log", text)
		}
	}
	if strings.Contains(log, "warning: service") {
		t.Error("the log warns of running services")
	}
}

// TestExampleQuickstartSurvives kills the logger and the controller.
func TestExampleQuickstartSurvives(t *testing.T) {
	t.Parallel()
	x := quickstart.start(t)
	watch := x.client("watch")
	x.out.await("log: worker {pid}: at work")

	x.kill(x.awaitUp(watch, "logger"))
	watch.await("service.state⇥logger⇥down⇥{now}⇥{pid}⇥signal⇥SIGKILL⇥{int}⇥0")
	watch.await("service.state⇥logger⇥up⇥{now}⇥{pid=logger}⇥-⇥-⇥0⇥-")
	x.out.await("log: worker {pid}: at work")

	x.kill(x.awaitUp(watch, "controller"))
	watch.await("service.state⇥controller⇥up⇥{now}⇥{pid}⇥-⇥-⇥0⇥-")
	watch.await("service.state⇥worker⇥up⇥{now}⇥{pid=worker}⇥-⇥-⇥0⇥-")
	x.out.await("log: worker {worker}: at work")
	if pid := x.pidOf(watch, "logger"); pid != x.num("logger") {
		t.Errorf("the logger is %d, it was %s", pid, x.get("logger"))
	}

	x.signal("TERM")
	x.expectEnd()
}

// TestExampleQuickstartKilledAtTheEnd kills the controller while it ends everything; the next one finishes the work.
func TestExampleQuickstartKilledAtTheEnd(t *testing.T) {
	t.Parallel()
	x := quickstart.start(t)
	watch := x.client("watch")
	x.out.await("log: worker {pid}: at work")
	controller := x.awaitUp(watch, "controller")
	x.signal("TERM")
	x.kill(controller)
	x.expectEnd()
}

func TestExamplePlain(t *testing.T) {
	t.Parallel()
	x := plain.start(t)
	watch := x.client("watch")
	for range 2 {
		ticker := x.awaitUp(watch, "ticker")
		x.eventually("a tick in the file", func() bool {
			return strings.Contains(x.file("ticker.log"), " tick 1 of process "+strconv.Itoa(ticker)+"\n")
		})
		x.kill(ticker)
		watch.await("service.state⇥ticker⇥down⇥{now}⇥" + strconv.Itoa(ticker) + "⇥signal⇥SIGKILL⇥{int}⇥0")
	}
	x.awaitUp(watch, "ticker")
	x.signal("TERM")
	x.expectEnd()
}

func TestExampleMinimal(t *testing.T) {
	t.Parallel()
	x := minimal.start(t)
	watch := x.client("watch")
	x.out.await("serving as {pid=first}")
	watch.await("service.state⇥web⇥down⇥{now=down}⇥{first}⇥exit⇥0⇥3⇥0")
	watch.await("service.state⇥web⇥start⇥{down+2}⇥-⇥-⇥-⇥-⇥-")
	watch.await("service.state⇥web⇥up⇥{now}⇥{pid=second}⇥-⇥-⇥0⇥-")
	x.out.await("serving as {second}")

	x.kill(x.pidOf(watch, "controller"))
	watch.await("service.state⇥controller⇥up⇥{now}⇥{pid}⇥-⇥-⇥0⇥-")
	if pid := x.pidOf(watch, "web"); pid != x.num("second") {
		t.Errorf("web is %d, it was %s", pid, x.get("second"))
	}

	x.signal("TERM")
	watch.awaitAll("service.state⇥web⇥down⇥{now}⇥{second}⇥signal⇥SIGTERM⇥{int}⇥0")
	x.expectEnd()
}

// TestExampleMinimalIsShort: the README promises a controller of under 40 lines.
func TestExampleMinimalIsShort(t *testing.T) {
	text, err := os.ReadFile("../examples/minimal/minimal.sh")
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(text), "\n"); n >= 40 {
		t.Errorf("it has %d lines", n)
	}
}

func TestExampleControllerSh(t *testing.T) {
	t.Parallel()
	x := controllerSh.start(t)
	watch := x.client("watch")
	for _, delay := range []string{"1", "2", "4"} {
		x.log.await("controller: crashing ended (exit 1), next start in " + delay + " s")
	}
	good, stubborn := x.awaitOutput(watch, "good"), x.awaitOutput(watch, "stubborn")

	x.signal("TERM")
	watch.await("signal⇥SIGTERM⇥{now=asked}⇥1")
	watch.await("service.state⇥good⇥down⇥{now}⇥" + strconv.Itoa(good) + "⇥exit⇥0⇥{int}⇥0")
	watch.await("service.state⇥stubborn⇥down⇥{now=forced}⇥" + strconv.Itoa(stubborn) + "⇥signal⇥SIGKILL⇥{int}⇥0")
	if grace := x.num("forced") - x.num("asked"); grace < 5 {
		t.Errorf("SIGKILL came %d s after SIGTERM", grace)
	}
	watch.await("service.state⇥logger⇥down⇥{now}⇥{pid}⇥exit⇥0⇥{int}⇥0")
	x.expectEnd()
	if log := x.file("services.log"); !strings.Contains(log, "good "+strconv.Itoa(good)+" ends\n") {
		t.Errorf("the last words of a service are missing in %q", log)
	}
}

// awaitOutput returns the pid of a service that is at work: it has logged its name and pid.
func (x *started) awaitOutput(watch *controller, name string) int {
	x.t.Helper()
	pid := x.awaitUp(watch, name)
	x.eventually("output of "+name, func() bool {
		return strings.Contains(x.file("services.log"), name+" "+strconv.Itoa(pid)+"\n")
	})
	return pid
}

// TestExampleControllerShKilledAtTheEnd kills the controller between its SIGTERM and its SIGKILL.
func TestExampleControllerShKilledAtTheEnd(t *testing.T) {
	t.Parallel()
	x := controllerSh.start(t)
	watch := x.client("watch")
	good := x.awaitOutput(watch, "good")
	x.awaitOutput(watch, "stubborn")
	x.signal("TERM")
	watch.await("service.state⇥good⇥down⇥{now}⇥" + strconv.Itoa(good) + "⇥exit⇥0⇥{int}⇥0")
	x.kill(x.pidOf(watch, "controller"))
	watch.await("service.state⇥controller⇥up⇥{now}⇥{pid}⇥-⇥-⇥0⇥-")
	watch.await("service.state⇥stubborn⇥down⇥{now}⇥{pid}⇥signal⇥SIGKILL⇥{int}⇥0")
	watch.await("service.state⇥logger⇥down⇥{now}⇥{pid}⇥exit⇥0⇥{int}⇥0")
	x.expectEnd()
}
