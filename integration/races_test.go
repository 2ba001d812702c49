package integration

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// TestOwnUpComesFirst: a service that commands in its first moment still reads of its own start first.
func TestOwnUpComesFirst(t *testing.T) {
	t.Parallel()
	r, w := pipe(t)
	d := setup{args: []string{"-i"}, fds: map[int]*os.File{3: w}}.start(t)
	out := d.stream("out", r)
	d.i.send(`service.args⇥s⇥/bin/sh⇥-c⇥printf 'echo\thi\n' >&1; read -r line; echo "$line" >&2; read -r line; echo "$line" >&2`,
		"service.fds⇥s⇥control.event⇥control.cmd⇥fd_3")
	for range 30 {
		d.i.send("service.start⇥s")
		out.expect("service.state⇥s⇥up⇥{now}⇥{pid}⇥-⇥-⇥0⇥-", "hi")
		d.i.await("service.state⇥s⇥down⇥{any}")
	}
}

// TestSlotIsLikeNew: the end of a connection leaves nothing behind for the next one in its slot.
func TestSlotIsLikeNew(t *testing.T) {
	t.Parallel()
	r, w := pipe(t)
	d := setup{args: []string{"-i", "-S", "{dir}/ctl"}, fds: map[int]*os.File{3: w}}.start(t)
	out := d.stream("out", r)
	d.i.send("service.args⇥s⇥{helper talk}", "service.fds⇥s⇥control.event⇥null⇥fd_3")
	for n := range 30 {
		a := d.dial("a")
		a.raw("echo\tx\nexit\n")
		if n%2 == 0 {
			a.rest()
		}
		a.close()
		d.i.send("service.start⇥s")
		out.await("got: service.state⇥s⇥up⇥{any}")
		d.i.send(fmt.Sprintf("service.tags⇥s⇥%d", n))
		out.expect(fmt.Sprintf("got: service.tags⇥s⇥%d", n))
		d.i.await(fmt.Sprintf("service.tags⇥s⇥%d", n))
		d.i.send("service.signal⇥s⇥KILL")
		d.i.await("service.state⇥s⇥down⇥{any}")
	}
}

// TestStartAndTerminate: the start of a service just before the end either has not happened, or shows in the list of
// those that run; it is no failure.
func TestStartAndTerminate(t *testing.T) {
	t.Parallel()
	for range 10 {
		d := start(t, "-i")
		d.i.send("service.args⇥s⇥{helper hang}", "echo⇥x")
		d.i.await("x")
		d.i.raw("service.start\ts\nterminate\t3\n")
		d.expectExit(3)
		d.log.drain() // its end won't come as long as the service holds the other end
		log := d.log.seen
		if len(log) == 0 || log[0] != "info: daemonproxy exiting" {
			t.Errorf("the log says %q", log)
		}
		for _, child := range children(os.Getpid()) {
			environ, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", child.pid))
			if err != nil || !slices.Contains(strings.Split(string(environ), "\x00"), testMark+d.dir) {
				continue
			}
			if want := fmt.Sprintf("warning: service 's' running as pid %d", child.pid); !slices.Contains(log, want) {
				t.Errorf("%s %d runs on, but the log says %q", child.comm, child.pid, log)
			}
		}
	}
}

// TestFailedStartRemovesItsSocket: a fatal error of the start leaves no file behind.
func TestFailedStartRemovesItsSocket(t *testing.T) {
	t.Parallel()
	d := setup{args: []string{"-S", "{dir}/ctl", "-i", "-c", "-"}, fresh: true}.start(t)
	d.log.expect("error: stdin not available", "fatal: Unable to process config file")
	d.expectExit(3)
	expectGone(t, d.controlSocket())
}

// TestExitWithUnreadCommands: what a client sent after its exit does not spoil the end of its connection.
func TestExitWithUnreadCommands(t *testing.T) {
	t.Parallel()
	d := start(t, "-i", "-S", "{dir}/ctl")
	for range 10 {
		a := d.client("a")
		// The connection may be over before all is written.
		if _, err := a.w.Write([]byte("echo\tlast\nexit\n" + strings.Repeat("service.tags\tlate\tx\n", 4000))); err != nil && !errors.Is(err, syscall.EPIPE) {
			t.Fatal(err)
		}
		a.expect("last")
		a.expectEOF()
		a.close()
	}
	d.i.sync()
}

// TestDeleteAfterStart: what was commanded after a start does not change what that start begins with, however many
// starts stand in line before it. A start without its descriptor would end by SIGABRT, one without its program says so.
func TestDeleteAfterStart(t *testing.T) {
	t.Parallel()
	const services, rounds = 20, 50
	d := setup{args: []string{"-i"}}.start(t)
	var starts, ends []string
	for n := range services {
		d.i.send(fmt.Sprintf("service.fds⇥s%d⇥null⇥null⇥null⇥h", n))
		starts = append(starts, fmt.Sprintf("service.args\ts%d\t/no/such\nservice.start\ts%d\nservice.args\ts%d\n", n, n, n))
		ends = append(ends, fmt.Sprintf("service.state⇥s%d⇥down⇥{any}", n))
	}
	for range rounds {
		d.i.raw("fd.open\th\tread\t/dev/null\n" + strings.Join(starts, "") + "fd.delete\th\n")
		d.i.awaitAll(append(ends, "fd.state⇥h⇥deleted")...)
		for range services {
			d.log.expect("error: exec(/no/such, ...) failed: No such file or directory")
		}
	}
}
