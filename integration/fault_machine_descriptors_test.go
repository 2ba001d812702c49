package integration

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

const tooMany = "Too many open files"

// scarce starts a daemon with so few descriptors that a test can use them up, and a service that runs.
func scarce(t *testing.T, args ...string) *daemon {
	t.Helper()
	d := setup{
		args: append([]string{"-i", "-S", "{dir}/ctl"}, args...),
		wrap: program("limited", "48", "48"),
	}.start(t)
	d.i.send("service.args⇥running⇥{helper hang}", "service.start⇥running", "service.args⇥s⇥{helper exit}⇥7",
		"fd.open⇥kept⇥read⇥/etc/passwd", "fd.pipe⇥r⇥w")
	d.i.await("service.state⇥running⇥up⇥{any}")
	d.i.skip()
	return d
}

// exhaust opens handles until the daemon has no descriptor left, and returns how many.
func (d *daemon) exhaust() (opened int) {
	d.t.Helper()
	for {
		d.i.send(fmt.Sprintf("fd.open⇥x%d⇥read⇥/dev/null", opened))
		line, err := d.i.next(d.limit)
		if err != nil {
			d.t.Fatal(err)
		}
		if d.match("error⇥open failed: "+tooMany+", for command {any}", line) {
			return opened
		}
		if !d.match("fd.state⇥x{int}⇥file⇥read⇥/dev/null", line) {
			d.t.Fatalf("got %q", line)
		}
		opened++
	}
}

// TestFaultNoMoreDescriptors: what needs a descriptor says that there is none, and changes nothing; the rest goes on.
func TestFaultNoMoreDescriptors(t *testing.T) {
	t.Parallel()
	for _, pools := range [][]string{nil, {"--service-pool", "10", "--fd-pool", "100"}} {
		d := scarce(t, pools...)
		opened := d.exhaust()
		before := d.i.handles()
		for command, failure := range map[string]string{
			"fd.open⇥kept⇥read⇥/dev/null":      "open failed: ",
			"fd.open⇥new⇥write,create⇥{dir}/f": "open failed: ",
			"fd.pipe⇥kept⇥new":                 "pipe() failed: ",
			"fd.pipe⇥r⇥w":                      "pipe() failed: ",
			"fd.pipe⇥kept⇥new⇥unix":            "socketpair() failed: ",
			"fd.socket⇥kept⇥inet":              "socket: ",
		} {
			d.i.send(command)
			d.i.expect("error⇥" + failure + tooMany + ", for command {any}")
		}
		if _, err := os.Stat(d.dir + "/f"); err == nil {
			t.Error("an open that failed made a file")
		}
		if after := d.i.handles(); fmt.Sprint(before) != fmt.Sprint(after) {
			t.Errorf("handles were\n%v\nand are\n%v", before, after)
		}

		d.startsAllTheSame()
		d.signal("HUP")
		d.i.await("signal⇥SIGHUP⇥{now}⇥1")
		d.i.send("memory")
		d.i.expect("memory⇥{int}⇥{int}⇥-⇥-⇥-") // for want of a descriptor to read /proc by
		d.i.send("service.signal⇥running⇥TERM")
		d.i.expect("service.state⇥running⇥down⇥{now}⇥{pid}⇥signal⇥SIGTERM⇥{int}⇥0")

		d.i.send("fd.delete⇥x0", "fd.open⇥x0⇥read⇥/dev/null", "fd.delete⇥x0", "fd.delete⇥x1", "fd.pipe⇥r⇥w")
		d.i.expect("fd.state⇥x0⇥deleted", "fd.state⇥x0⇥{any}", "fd.state⇥x0⇥deleted", "fd.state⇥x1⇥deleted",
			"fd.state⇥r⇥pipe⇥from⇥w", "fd.state⇥w⇥pipe⇥to⇥r")
		for n := range opened {
			d.i.send(fmt.Sprintf("fd.delete⇥x%d", n))
		}
		d.i.skip()
	}
}

// startsAllTheSame starts a service without a descriptor to spare.
func (d *daemon) startsAllTheSame() {
	d.t.Helper()
	d.i.send("service.start⇥s")
	if startPath == "applet" { // needs some for the applet to report by
		d.log.await("error: fork failed: " + tooMany)
		d.i.send("service.start⇥s⇥-")
		d.i.await("service.state⇥s⇥down⇥-⇥{any}")
		return
	}
	d.i.await("service.state⇥s⇥down⇥{now}⇥{pid}⇥exit⇥7⇥{int}⇥0")
}

// TestFaultDescriptorsUsedUp by pipes, by clients, and by starts of services that are controllers. What comes too late
// says so or waits, the rest goes on, and all is well when they have ended.
func TestFaultDescriptorsUsedUp(t *testing.T) {
	t.Parallel()
	left := func(d *daemon) int { return 48 - len(openDescriptors(d.pid)) }
	for _, by := range []func(*daemon) (end func()){
		func(d *daemon) func() {
			pipes := 0
			for ; left(d) >= 2; pipes++ {
				d.i.send(fmt.Sprintf("fd.pipe⇥r%d⇥w%d", pipes, pipes))
				d.i.skip()
			}
			d.i.send("fd.pipe⇥r⇥w")
			d.i.await("error⇥pipe() failed: " + tooMany + ", for command {any}")
			return func() {
				for n := range pipes {
					d.i.send(fmt.Sprintf("fd.delete⇥r%d", n), fmt.Sprintf("fd.delete⇥w%d", n))
				}
			}
		},
		func(d *daemon) func() {
			for left(d) > 0 {
				d.client("many")
			}
			late := d.dial("late")
			late.raw("echo\thello\n")
			d.log.await("error: accept: " + tooMany)
			return func() {
				for _, c := range d.clients[:len(d.clients)-1] {
					c.close()
				}
				late.await("hello")
				late.close()
			}
		},
		func(d *daemon) func() {
			for n := range 50 { // each wants two for a moment, and keeps one
				d.i.send(fmt.Sprintf("service.args⇥c%d⇥/bin/sleep⇥1000", n), fmt.Sprintf("service.fds⇥c%d⇥control.event⇥null⇥null", n),
					fmt.Sprintf("service.start⇥c%d", n))
			}
			d.log.await("error: can't create socketpair: " + tooMany)
			return d.quiet
		},
	} {
		d := scarce(t, "--max-clients", "60")
		before := held(openDescriptors(d.pid))
		end := by(d)
		if startPath != "applet" {
			d.startsAllTheSame()
		}
		d.signal("HUP")
		d.i.await("signal⇥SIGHUP⇥{now}⇥1")
		d.i.send("service.signal⇥running⇥TERM")
		d.i.await("service.state⇥running⇥down⇥{now}⇥{pid}⇥signal⇥SIGTERM⇥{int}⇥0")
		end()
		d.i.skip()
		d.eventually("all are closed", func() bool { return held(openDescriptors(d.pid)) == before })
	}
}

// TestFaultNoDescriptorForAClient: it waits, as in the backlog, and is served once there is one.
func TestFaultNoDescriptorForAClient(t *testing.T) {
	t.Parallel()
	d := scarce(t)
	opened := d.exhaust()
	a := d.dial("a")
	a.raw("echo\thello\n")
	d.log.await("error: accept: " + tooMany)
	d.i.sync()
	for n := range opened {
		d.i.send(fmt.Sprintf("fd.delete⇥x%d", n))
	}
	a.await("hello")
	d.i.skip()

	// Of many clients, as many are served as descriptors allow, one after the other.
	opened = d.exhaust()
	d.i.send("fd.delete⇥x0", "fd.delete⇥x1")
	for range 12 {
		d.dial("many").raw("echo\thello\nexit\n")
	}
	for _, c := range d.clients[1:] {
		c.await("hello")
		c.expectEOF()
	}
	for n := range opened {
		d.i.send(fmt.Sprintf("fd.delete⇥x%d", n))
	}
	d.i.skip()
}

// TestFaultNoDescriptorForWhatIsPassed: the fd.take that was to have it fails, and the next one has the next descriptor.
func TestFaultNoDescriptorForWhatIsPassed(t *testing.T) {
	t.Parallel()
	d := scarce(t)
	a := d.client("a")
	opened := d.exhaust()
	a.skip()
	a.pass("echo⇥one", devNull(t, os.O_RDONLY))
	a.expect("one")
	d.log.await("error: No descriptor for what was passed")
	for n := range opened {
		d.i.send(fmt.Sprintf("fd.delete⇥x%d", n))
	}
	d.i.skip()
	a.skip()
	a.pass("echo⇥two", devNull(t, os.O_WRONLY))
	a.send("fd.take⇥one", "fd.take⇥two", "fd.take⇥three")
	a.expect("two", "error⇥No ancillary file descriptor received, for command {any}", "fd.state⇥two⇥file⇥write⇥unknown",
		"error⇥No ancillary file descriptor received, for command {any}")

	d.i.skip()
	opened = d.exhaust() // and nothing is left over of one that nobody asked for
	a.skip()
	a.pass("echo⇥three", devNull(t, os.O_RDONLY))
	a.expect("three")
	a.close()
	for n := range opened {
		d.i.send(fmt.Sprintf("fd.delete⇥x%d", n))
	}
	d.i.skip()
}

// TestFaultNoDescriptorForAController: a service that needs a connection is put off, again and again, and runs when there
// is one.
func TestFaultNoDescriptorForAController(t *testing.T) {
	t.Parallel()
	d := scarce(t)
	d.i.send("service.args⇥c⇥{helper talk}⇥echo|x", "service.fds⇥c⇥control.event⇥control.cmd⇥stderr")
	d.i.skip()
	opened := d.exhaust()
	d.i.send("service.start⇥c")
	for range 2 {
		d.log.await("error: can't create socketpair: " + tooMany)
		d.log.await("info: will retry in 3 seconds")
	}
	d.i.send("fd.delete⇥x0") // one is not enough for a pair
	d.log.await("error: can't create socketpair: " + tooMany)
	for n := range opened {
		d.i.send(fmt.Sprintf("fd.delete⇥x%d", n))
	}
	d.i.await("service.state⇥c⇥up⇥{any}")
	d.log.await("got: x")
	d.i.skip()
}

// TestFaultNoDescriptorForASocket: with one descriptor left the control socket may fail; then it leaves no file behind.
func TestFaultNoDescriptorForASocket(t *testing.T) {
	t.Parallel()
	d := scarce(t)
	d.i.send("socket.delete")
	opened := d.exhaust()
	d.write("other", "a file that takes the inode of the socket that is gone")
	for free := range 4 {
		for n := range free {
			d.i.send(fmt.Sprintf("fd.delete⇥x%d", n))
		}
		for _, options := range []string{"-", "mode=666"} {
			d.i.skip()
			answer := d.i.ask("socket.create⇥" + options + "⇥{dir}/ctl2")
			_, err := os.Lstat(d.dir + "/ctl2")
			if made := err == nil; made == (len(answer) > 0) {
				t.Errorf("%d free, %s: answer %q, and the file is there: %v", free, options, answer, made)
			}
			if len(answer) > 0 && !strings.HasPrefix(answer[0], "error\tFailed to create control socket") {
				t.Errorf("%d free, %s: answer %q", free, options, answer)
			}
			if free == 3 && len(answer) > 0 {
				t.Errorf("with three descriptors it fails: %q", answer)
			}
			d.i.send("socket.delete")
		}
		d.i.skip()
		expectGone(t, d.dir+"/ctl2")
		for n := range free {
			d.i.send(fmt.Sprintf("fd.open⇥x%d⇥read⇥/dev/null", n))
		}
	}
	for n := range opened {
		d.i.send(fmt.Sprintf("fd.delete⇥x%d", n))
	}
	d.i.skip()
}
