package integration

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestManyServices starts and ends many services at the same time; settle then looks for zombies.
func TestManyServices(t *testing.T) {
	t.Parallel()
	d := start(t, "-i")
	const services = 200
	var starts, states []string
	for n := range services {
		d.i.send(fmt.Sprintf("service.args⇥s%d⇥{helper exit}⇥%d", n, n%256))
		starts = append(starts, fmt.Sprintf("service.start⇥s%d", n))
		states = append(states, fmt.Sprintf("service.state⇥s%d⇥down⇥{now}⇥{pid}⇥exit⇥%d⇥{int}⇥0", n, n%256))
	}
	d.i.skip()
	d.i.send(starts...)
	d.i.awaitAll(states...)
	d.i.sync()
}

// TestRestartsInARow lets a service without an interval exit and restart by a trigger, again and again.
func TestRestartsInARow(t *testing.T) {
	t.Parallel()
	d := start(t, "-i")
	d.i.send("service.args⇥s⇥/bin/sh⇥-c⇥exit 4", "service.auto_up⇥s⇥-⇥USR1")
	d.i.await("service.auto_up⇥s⇥0⇥USR1")
	d.signal("USR1")
	for range 100 {
		d.i.await("service.state⇥s⇥up⇥{now}⇥{pid=p}⇥-⇥-⇥0⇥-")
		d.i.await("service.state⇥s⇥down⇥{now}⇥{p}⇥exit⇥4⇥{int}⇥0")
		d.i.expect("service.state⇥s⇥start⇥{now}⇥-⇥-⇥-⇥-⇥-")
	}
	d.i.send("signal.clear⇥USR1⇥1")
	d.i.skip()
}

// TestNobodyReadsStdout: commands are obeyed though their answers have nowhere to go.
func TestNobodyReadsStdout(t *testing.T) {
	t.Parallel()
	d := setup{args: []string{"-i"}, loose: true}.start(t)
	d.out.src.Close()
	for range 100 {
		d.i.send("echo⇥nobody hears", "statedump")
	}
	d.i.send("fd.open⇥f⇥write,create⇥{dir}/made", "terminate⇥8")
	d.expectExit(8)
	expectMode(t, d.dir+"/made", 0o600)
}

// TestCommandsGoOnInOverflow: a client that is blocked for RESET seconds with a full input buffer has its commands
// carried out, without answers.
func TestCommandsGoOnInOverflow(t *testing.T) {
	t.Parallel()
	d := setup{args: []string{"-i", "-S", "{dir}/ctl"}}.start(t)
	a := d.client("a")
	a.send("conn.event_timeout⇥1⇥50")
	a.sync()
	d.block()
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		for range 100 {
			a.raw("#" + strings.Repeat("x", 4000) + "\n")
		}
		a.raw("fd.open\tf\twrite,create\t" + d.dir + "/made\n")
	}()
	d.log.expect("warning: controller 1 blocked pipe for {int} seconds")
	d.i.await("fd.state⇥f⇥file⇥write,create⇥{dir}/made")
	<-sent
	a.await("overflow")
	a.sync()
}

// TestFloodDoesNotStarveOthers: while one client sends without end, another is served.
func TestFloodDoesNotStarveOthers(t *testing.T) {
	t.Parallel()
	d := start(t, "-i", "-S", "{dir}/ctl")
	a := d.client("a")
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		burst := strings.Repeat("service.signal\tnobody\tTERM\n", 100)
		for {
			select {
			case <-stop:
				return
			default:
				a.raw(burst)
			}
		}
	}()
	read := make(chan struct{})
	go func() { // a reads all its errors
		defer close(read)
		for {
			if line, err := a.next(a.deadline()); err != nil || line == "the end" {
				return
			}
		}
	}()
	for range 200 {
		d.i.sync()
	}
	close(stop)
	<-stopped
	a.raw("echo\tthe end\n")
	<-read
}

// TestByteByByte: how the bytes of a line arrive does not matter.
func TestByteByByte(t *testing.T) {
	t.Parallel()
	d := start(t, "-i", "-S", "{dir}/ctl")
	a := d.client("a")
	for _, b := range []byte("echo\tone\necho\ttwo\n#x\n\necho\tthree\n") {
		a.raw(string(b))
	}
	a.expect("one", "two", "three")
	a.sync()
}

// TestIgnoredSignalsAreInherited: a service ignores what daemonproxy was started to ignore, but for the signals that
// daemonproxy handles itself.
func TestIgnoredSignalsAreInherited(t *testing.T) {
	t.Parallel()
	r, w := pipe(t)
	d := setup{
		args: []string{"-i"},
		wrap: []string{"/bin/sh", "-c", `trap "" XFSZ HUP USR1 WINCH PIPE; exec "$0" "$@"`},
		fds:  map[int]*os.File{3: w},
	}.start(t)
	out := d.stream("out", r)
	d.i.send(`service.args⇥s⇥/bin/sh⇥-c⇥while read -r line; do echo "$line"; done </proc/self/status`,
		"service.fds⇥s⇥null⇥fd_3⇥stderr", "service.start⇥s")
	line := out.await("SigIgn:⇥{any}")
	mask, err := strconv.ParseUint(strings.TrimPrefix(line, "SigIgn:\t"), 16, 64)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]bool{"XFSZ": true, "WINCH": true, "HUP": false, "USR1": false, "TERM": false, "PIPE": false} {
		if got := mask>>(signalNumber(name)-1)&1 == 1; got != want {
			t.Errorf("%s is ignored: %v, want %v", name, got, want)
		}
	}
}

// TestStopAndContinue: job control works as for any program.
func TestStopAndContinue(t *testing.T) {
	t.Parallel()
	d := setup{args: []string{"-i"}, job: true}.start(t)
	d.signal("TSTP")
	d.eventually("the daemon is stopped", func() bool { s, _ := readStat(d.pid); return s.state == "T" })
	d.signal("CONT")
	d.i.sync()
	d.signal("TSTP")
	d.eventually("the daemon is stopped again", func() bool { s, _ := readStat(d.pid); return s.state == "T" })
	d.signal("CONT")
	d.i.sync()
}

// TestConfigOnTheStdinOfInteractive is refused.
func TestConfigOnTheStdinOfInteractive(t *testing.T) {
	t.Parallel()
	d := setup{args: []string{"-i", "-c", "-"}, fresh: true}.start(t)
	d.log.expect("error: stdin not available", "fatal: Unable to process config file")
	d.expectExit(3)
}

// TestArrivalsAreCounted: each arrival that has been seen counts, also when a client is slow to read of it.
func TestArrivalsAreCounted(t *testing.T) {
	t.Parallel()
	d := start(t, "-i")
	for n := 1; n <= 50; n++ {
		d.signal("USR2")
		d.i.expect(fmt.Sprintf("signal⇥SIGUSR2⇥{now}⇥%d", n))
	}
}

// TestTakenSocketIsShown: a handle from fd.take is shown as a socket if it is one.
func TestTakenSocketIsShown(t *testing.T) {
	t.Parallel()
	d := start(t, "-i", "-S", "{dir}/ctl")
	a := d.client("a")
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	one, other := os.NewFile(uintptr(pair[0]), "one"), os.NewFile(uintptr(pair[1]), "other")
	defer one.Close()
	defer other.Close()
	a.pass("fd.take⇥s", one)
	a.expect("fd.state⇥s⇥socket⇥unix,dgram⇥unknown")
	a.pass("fd.take⇥s", other) // it replaces the first
	a.expect("fd.state⇥s⇥socket⇥unix,dgram⇥unknown")
	d.i.skip()
}

// TestSignalsBlockedAtBirth: whoever starts the daemon may have blocked signals, as those do that wait for them by
// sigwait(3). The daemon takes them, and its services do not inherit that.
func TestSignalsBlockedAtBirth(t *testing.T) {
	t.Parallel()
	d := setup{wrap: program("blocked"), args: []string{"-i"}}.start(t)
	for _, name := range []string{"USR1", "USR2", "HUP", "INT", "QUIT", "TERM"} {
		d.signal(name)
		d.i.expect("signal⇥SIG" + name + "⇥{int}⇥1")
	}
	d.i.send("service.args⇥s⇥/bin/sh⇥-c⇥kill -USR1 $$", "service.start⇥s")
	d.i.await("service.state⇥s⇥down⇥{int}⇥{int}⇥signal⇥SIGUSR1⇥{any}")
}
