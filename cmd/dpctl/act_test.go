package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"daemonproxy/controller/client"
)

// stubborn starts a service that ignores SIGTERM, by then. It says so as a controller: it makes a service.
func (d *daemon) stubborn(name string) {
	d.t.Helper()
	d.send("service.fds|"+name+"|null|control.cmd|null",
		"service.args|"+name+`|/bin/sh|-c|trap '' TERM; printf 'service.tags\tready\n'; exec sleep 1000 >/dev/null`,
		"service.start|"+name)
	err := d.Wait(d.ctx, func(s *client.State) bool {
		_, ready := s.Services["ready"]
		return ready && s.Services[name].State == client.Up
	})
	if err != nil {
		d.t.Fatal(err)
	}
}

// A stopped service stays stopped, keeps its tags, and has its triggers back after a start, whoever calls that.
func TestStoppedStaysStopped(t *testing.T) {
	d := startDaemon(t)
	d.send("service.args|x|/bin/sleep|100", "service.tags|x|role=db", "service.auto_up|x|1|always|USR1")
	pid := d.await("x", client.Up).PID
	d.expect(exitDone, []string{"x stopped (SIGTERM)", "always USR1"}, "stop", "x")
	x := d.service("x")
	if x.State != client.Down || x.PID != pid || len(x.AutoUp.Triggers) != 0 {
		t.Errorf("after stop it is %+v", x)
	}
	if want := []string{"role=db", "dpctl.triggers=1,always,USR1"}; !slices.Equal(x.Tags, want) {
		t.Errorf("tags are %q, want %q", x.Tags, want)
	}
	if err := d.cmd.Process.Signal(syscall.SIGUSR1); err != nil { // once a trigger
		t.Fatal(err)
	}
	if err := d.Wait(d.ctx, func(s *client.State) bool { return s.Signals["SIGUSR1"].Count > 0 }); err != nil {
		t.Fatal(err)
	}
	if x := d.service("x"); x.State != client.Down {
		t.Errorf("a signal started it: %+v", x)
	}
	d.expect(exitDone, []string{"always USR1"}, "start", "x")
	x = d.service("x")
	if x.State != client.Up || x.AutoUp.Interval != 1 || !slices.Equal(x.AutoUp.Triggers, []string{"always", "USR1"}) {
		t.Errorf("after start it is %+v", x)
	}
	if !slices.Equal(x.Tags, []string{"role=db"}) {
		t.Errorf("tags are %q", x.Tags)
	}
}

// A second stop does not forget what the first one remembered.
func TestStopTwice(t *testing.T) {
	d := startDaemon(t)
	d.send("service.args|x|/bin/sleep|100", "service.auto_up|x|3|always")
	d.await("x", client.Up)
	d.expect(exitDone, nil, "stop", "x")
	d.expect(exitDone, []string{"down already", "gives its triggers back: always"}, "stop", "x")
	d.expect(exitDone, []string{"it has its triggers again: always"}, "start", "x")
	if x := d.service("x"); x.AutoUp.Interval != 3 || len(x.AutoUp.Triggers) != 1 {
		t.Errorf("after start it is %+v", x)
	}
}

// Triggers whose interval nobody has set are given back too.
func TestStopWithoutInterval(t *testing.T) {
	d := startDaemon(t)
	d.send("service.args|x|/bin/sleep|100", "service.auto_up|x|-|always")
	d.await("x", client.Up)
	d.expect(exitDone, []string{"gives its triggers back: always"}, "stop", "x")
	d.expect(exitDone, []string{"it has its triggers again: always"}, "start", "x")
	if x := d.service("x"); x.AutoUp.Interval != 0 || !slices.Equal(x.AutoUp.Triggers, []string{"always"}) || len(x.Tags) != 0 {
		t.Errorf("after start it is %+v", x)
	}
}

// A tag that only looks like that of stop is left alone, and keeps nothing from being remembered.
func TestForeignTag(t *testing.T) {
	d := startDaemon(t)
	d.send("service.args|x|/bin/sleep|100", "service.tags|x|dpctl.triggers=mine", "service.auto_up|x|2|always")
	d.await("x", client.Up)
	d.expect(exitDone, []string{"gives its triggers back: always"}, "stop", "x")
	d.expect(exitDone, []string{"it has its triggers again: always"}, "start", "x")
	x := d.service("x")
	if !slices.Equal(x.AutoUp.Triggers, []string{"always"}) || !slices.Equal(x.Tags, []string{"dpctl.triggers=mine"}) {
		t.Errorf("after start it is %+v", x)
	}
}

// What does not obey SIGTERM is killed after the timeout, and that is said.
func TestStopKills(t *testing.T) {
	d := startDaemon(t)
	d.stubborn("x")
	d.expect(exitDone, []string{"SIGKILL: it still ran 500ms after SIGTERM"}, "stop", "x", "--timeout", "500ms")
	if x := d.service("x"); x.State != client.Down || x.Exit.Signal != "SIGKILL" {
		t.Errorf("after stop it is %+v", x)
	}
}

// A start that is due later is cancelled; so is one that a trigger makes.
func TestStopCancelsAStart(t *testing.T) {
	d := startDaemon(t)
	d.send("service.args|x|/bin/false", "service.auto_up|x|1000|always")
	err := d.Wait(d.ctx, func(s *client.State) bool {
		return s.Services["x"].State == client.Start && s.Services["x"].LastExit.Status == 1
	})
	if err != nil {
		t.Fatal(err)
	}
	d.expect(exitDone, []string{"x will not start", "always"}, "stop", "x")
	if x := d.service("x"); x.State != client.Down || len(x.AutoUp.Triggers) != 0 {
		t.Errorf("after stop it is %+v", x)
	}
}

// A restarted service keeps its triggers and its tags, and does not wait for the interval.
func TestRestart(t *testing.T) {
	d := startDaemon(t)
	d.send("service.args|x|/bin/sleep|100", "service.tags|x|a|b", "service.auto_up|x|1000|always")
	before := d.await("x", client.Up)
	d.expect(exitDone, []string{"x started, pid", "before: SIGTERM"}, "restart", "x")
	x := d.service("x")
	if x.State != client.Up || x.PID == before.PID || len(x.AutoUp.Triggers) != 1 || !slices.Equal(x.Tags, []string{"a", "b"}) {
		t.Errorf("after restart it is %+v", x)
	}
	d.expect(exitDone, nil, "stop", "x")
	d.expect(exitDone, []string{"triggers again: always"}, "restart", "x")
}

// A program that can't be executed is no success, if that is known at once: on a busy machine it may take several tries.
func TestStartOfNothing(t *testing.T) {
	d := startDaemon(t)
	d.send("service.args|x|/no/such/program", "service.args|y|/bin/sleep|100")
	r := d.dpctl("start", "x", "y")
	for ; r.status == exitDone; r = d.dpctl("start", "x", "y") {
		d.await("x", client.Down)
	}
	r.expect(t, exitFailed, "x: it started, but ended at once: exit 3", "y ")
	d.send("service.args|z|/bin/true")
	if r := d.dpctl("start", "z"); r.status != exitDone {
		t.Errorf("a short program that succeeds: %+v", r)
	}
}

// What runs has started, even if there is no time left to see whether it goes on.
func TestStartInTheLastMoment(t *testing.T) {
	d := startDaemon(t)
	d.send("service.args|x|/bin/sleep|100", "service.start|x")
	run := d.await("x", client.Up)
	ctx, cancel := context.WithCancelCause(d.ctx)
	cancel(errTime)
	if s, err := settle(ctx, d.Client, run); err != nil || s.PID != run.PID {
		t.Errorf("%+v, %v", s, err)
	}
}

// Tags choose several at once, and everything happens to each of them.
func TestByTag(t *testing.T) {
	d := startDaemon(t)
	for i := range 5 {
		d.send(fmt.Sprintf("service.args|s%d|/bin/sleep|100", i), fmt.Sprintf("service.tags|s%d|group=%d", i, i%2))
	}
	d.expect(exitDone, []string{"s0 started", "s2 started", "s4 started"}, "start", "--tag", "group=0")
	d.expect(exitDone, []string{"s1 started", "s3 started", "s0 runs already"}, "start", "--tag", "group")
	d.expect(exitDone, nil, "status", "--tag", "group")
	d.expect(exitDone, []string{"s1 stopped", "s3 stopped"}, "stop", "--tag", "group=1")
	d.expect(exitNotUp, nil, "status", "--tag", "group")
	d.expect(exitDone, nil, "wait", "--tag", "group=1", "--for", "down")
}

// wait returns when it is so, and not before.
func TestWait(t *testing.T) {
	d := startDaemon(t)
	b := d.background("wait", "later", "--timeout", "30s")
	d.send("service.args|later|/bin/sleep|100", "service.start|later")
	b.finish().expect(t, exitDone)
	b = d.background("wait", "later", "--for", "deleted", "--timeout", "30s")
	d.expect(exitDone, nil, "stop", "later")
	d.send("service.delete|later")
	b.finish().expect(t, exitDone)
}

// Triggers for whose memory the tags have no room are not taken away.
func TestNoRoomToRemember(t *testing.T) {
	d := startDaemon(t)
	d.send("service.args|x|/bin/sleep|100", "service.tags|x|"+strings.Repeat("y", 4070), "service.auto_up|x|1|always")
	d.await("x", client.Up)
	d.expect(exitFailed, []string{"x: its tags have no room"}, "stop", "x")
	if x := d.service("x"); x.State != client.Up || len(x.AutoUp.Triggers) != 1 {
		t.Errorf("after stop it is %+v", x)
	}
}

// Two who stop at once remember the same.
func TestStopAndStop(t *testing.T) {
	d := startDaemon(t)
	d.send("service.args|x|/bin/sleep|100", "service.tags|x|a", "service.auto_up|x|2|always")
	for range 10 {
		d.await("x", client.Up)
		first, second := d.background("stop", "x"), d.background("stop", "x")
		first.finish().expect(t, exitDone, "gives its triggers back: always")
		second.finish().expect(t, exitDone, "gives its triggers back: always")
		if x := d.service("x"); x.State != client.Down || !slices.Equal(x.Tags, []string{"a", "dpctl.triggers=2,always"}) {
			t.Fatalf("after two stops it is %+v", x)
		}
		d.expect(exitDone, nil, "start", "x")
	}
}

// Whoever wins when some stop and some start: the triggers are there, or remembered, and other tags are kept.
func TestStopAndStart(t *testing.T) {
	d := startDaemon(t)
	d.send("service.args|x|/bin/sleep|100", "service.tags|x|a", "service.auto_up|x|2|always")
	d.await("x", client.Up)
	for range 8 {
		var all sync.WaitGroup
		for _, verb := range []string{"stop", "start", "stop", "start"} {
			b := d.background(verb, "x")
			all.Go(func() {
				r := b.finish()
				beaten := strings.Contains(r.err, "somebody") || strings.Contains(r.err, "ended at once: SIGTERM")
				if r.status != exitDone && !beaten {
					t.Errorf("%s: %+v", verb, r)
				}
			})
		}
		all.Wait()
		x := d.service("x")
		r, remembered := recall(x.Tags)
		if !slices.Contains(x.Tags, "a") {
			t.Fatalf("a tag is lost: %+v", x)
		}
		if len(x.AutoUp.Triggers) == 0 && (!remembered || r.interval != 2 || !slices.Equal(r.triggers, []string{"always"})) {
			t.Fatalf("the triggers are lost: %+v", x)
		}
		d.expect(exitDone, nil, "start", "x")
		if x = d.service("x"); !slices.Equal(x.AutoUp.Triggers, []string{"always"}) || x.State != client.Up {
			t.Fatalf("after a start in peace it is %+v", x)
		}
	}
}

// Each of several services that are stopped by two at once is stopped, and remembers its own.
func TestManyAtOnce(t *testing.T) {
	d := startDaemon(t)
	for i := range 10 {
		d.send(fmt.Sprintf("service.tags|s%d|all", i), fmt.Sprintf("service.args|s%d|/bin/sleep|100", i),
			fmt.Sprintf("service.auto_up|s%d|%d|always", i, i+1))
	}
	for i := range 10 {
		d.await(fmt.Sprintf("s%d", i), client.Up)
	}
	first, second := d.background("stop", "--tag", "all"), d.background("stop", "--tag", "all")
	first.finish().expect(t, exitDone)
	second.finish().expect(t, exitDone)
	for i := range 10 {
		s := d.service(fmt.Sprintf("s%d", i))
		if want := []string{"all", fmt.Sprintf("dpctl.triggers=%d,always", i+1)}; s.State != client.Down || !slices.Equal(s.Tags, want) {
			t.Errorf("s%d is %+v", i, s)
		}
	}
}

// A stop that is killed while it waits has left enough for a start to put everything right.
func TestStopIsKilled(t *testing.T) {
	d := startDaemon(t)
	d.stubborn("x")
	d.send("service.auto_up|x|4|always")
	b := d.background("stop", "x", "--timeout", "1h")
	err := d.Wait(d.ctx, func(s *client.State) bool { return len(s.Services["x"].AutoUp.Triggers) == 0 })
	if err != nil {
		t.Fatal(err)
	}
	b.cmd.Process.Kill()
	b.finish()
	d.expect(exitDone, []string{"runs already", "triggers again: always"}, "start", "x")
	if x := d.service("x"); x.AutoUp.Interval != 4 || len(x.Tags) != 0 {
		t.Errorf("after start it is %+v", x)
	}
}

// Triggers that are set while the tag is there are what a start keeps.
func TestNewTriggersWhileStopped(t *testing.T) {
	d := startDaemon(t)
	d.send("service.args|x|/bin/sleep|100", "service.auto_up|x|4|always")
	d.await("x", client.Up)
	d.expect(exitDone, nil, "stop", "x")
	d.send("service.auto_up|x|9|USR2")
	d.expect(exitDone, []string{"x started"}, "start", "x")
	if x := d.service("x"); x.AutoUp.Interval != 9 || !slices.Equal(x.AutoUp.Triggers, []string{"USR2"}) || len(x.Tags) != 0 {
		t.Errorf("after start it is %+v", x)
	}
}
