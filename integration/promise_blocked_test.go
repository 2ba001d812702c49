package integration

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// The promise that a controller which stops reading costs nobody else anything.

func init() {
	helpers["sleeper"] = helperSleeper
}

// sleeper RESET CLOSE MARK: a controller on 0 that stops reading, if nobody has made the file MARK yet. It reads again
// when told to through 3, and when its connection ends, which a program can see without reading. On 2 it tells how it
// fares.
func helperSleeper(args []string) int {
	in := bufio.NewReaderSize(descriptor(0), 64<<10)
	fmt.Printf("conn.event_timeout\t%s\t%s\nstatedump\necho\tin step\n", args[0], args[1])
	if _, err := readUpTo(in, "in step"); err != nil {
		return 1
	}
	mark, err := os.OpenFile(args[2], os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, os.ErrExist) {
		fmt.Fprintln(os.Stderr, "sleeper: in step again")
		readUpTo(in, "the end of the world")
		return 0
	}
	if err != nil {
		return 1
	}
	mark.Close()
	fmt.Fprintln(os.Stderr, "sleeper: falls asleep")
	woken := []unix.PollFd{{Fd: 0}, {Fd: 3, Events: unix.POLLIN}} // a hang-up needs no asking for
	for {
		n, err := unix.Poll(woken, -1)
		if n > 0 {
			break
		}
		if err != unix.EINTR {
			return 1
		}
	}
	events, err := readUpTo(in, "overflow")
	if err != nil {
		fmt.Fprintf(os.Stderr, "sleeper: cut off after %d events\n", events)
		return 1
	}
	fmt.Printf("statedump\necho\tin step\n")
	missed, err := readUpTo(in, "in step")
	if err != nil || missed == 0 {
		return 1
	}
	fmt.Fprintf(os.Stderr, "sleeper: overflow after %d events, in step again\n", events)
	readUpTo(in, "the end of the world")
	return 0
}

// readUpTo counts the tags events before a line. They must be numbered from 0 without a gap, or be the dump's.
func readUpTo(in *bufio.Reader, end string) (events int, err error) {
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return events, err
		}
		if line == end+"\n" {
			return events, nil
		}
		if text, ok := strings.CutPrefix(line, "service.tags\tnews\t"); ok && end == "overflow" {
			if !strings.HasPrefix(text, strconv.Itoa(events)+" ") {
				return events, fmt.Errorf("event %d is %q", events, line)
			}
			events++
		} else if ok {
			events++
		}
	}
}

// hasSeen tells whether lines like these were among those read so far, in this order.
func (l *lines) hasSeen(patterns ...string) bool {
	for _, line := range l.seen {
		if len(patterns) > 0 && l.vars.match(patterns[0], line) {
			patterns = patterns[1:]
		}
	}
	return len(patterns) == 0
}

// news has every event seen by both connections, one after the other.
func (d *daemon) news(n int, watch *controller) {
	d.t.Helper()
	d.setInt("n", n)
	d.i.send("service.tags⇥news⇥{n} {repeat 3000 x}")
	d.i.await("service.tags⇥news⇥{n} {repeat 3000 x}")
	line := watch.await("service.tags⇥news⇥{any}")
	if !d.match("service.tags⇥news⇥{n} {repeat 3000 x}", line) {
		d.t.Fatalf("watch has missed event %d: it got %.60q", n, line)
	}
}

// TestPromiseControllerThatStopsReading has two of them. One is never cut off: all the time from its warning on it is
// blocked, and all the time the others get everything at once. The other is cut off and started again.
func TestPromiseControllerThatStopsReading(t *testing.T) {
	t.Parallel()
	d := setup{args: []string{"-i", "-S", "{dir}/ctl"}}.start(t)
	watch := d.client("watch")
	for _, sleeper := range []string{"patient⇥1⇥1000", "dropped⇥1⇥3"} {
		name, timeouts, _ := strings.Cut(sleeper, "⇥")
		d.set("name", name)
		d.i.send("fd.pipe⇥asleep.{name}⇥wake.{name}",
			"service.args⇥{name}⇥{helper sleeper}⇥"+timeouts+"⇥{dir}/{name}",
			"service.fds⇥{name}⇥control.socket⇥control.socket⇥stderr⇥asleep.{name}",
			"service.auto_up⇥{name}⇥-⇥always")
		d.i.await("service.state⇥{name}⇥up⇥{now}⇥{pid=" + name + "}⇥-⇥-⇥0⇥-")
		d.log.expect("sleeper: falls asleep")
	}

	n := 0
	for ; n < 150; n++ { // more than an outbox and the buffers of a socket hold
		d.news(n, watch)
	}
	d.log.awaitAll("warning: controller 2 blocked pipe for {int} seconds", "warning: controller 3 blocked pipe for {int} seconds")
	for ; n < 160; n++ {
		d.news(n, watch)
	}
	d.log.awaitAll("error: controller 3 blocked pipe for {int} seconds, closing connection",
		"sleeper: cut off after {int=received} events", "sleeper: in step again")
	d.eventually("the restart of the one that was cut off", func() bool {
		watch.skip()
		return watch.hasSeen("service.state⇥dropped⇥down⇥{now}⇥{dropped}⇥exit⇥1⇥{int}⇥0",
			"service.state⇥dropped⇥start⇥{now}⇥-⇥-⇥-⇥-⇥-", "service.state⇥dropped⇥up⇥{now}⇥{pid}⇥-⇥-⇥0⇥-")
	})
	if got := d.num("received"); got == 0 || got >= n {
		t.Errorf("the one that was cut off had got %d of %d events", got, n)
	}
	for ; n < 170; n++ {
		d.news(n, watch)
	}

	// Up to here the patient one has not read a byte. It lost events and is told so.
	d.i.send("service.args⇥alarm⇥{helper print}⇥1⇥wake up", "service.fds⇥alarm⇥null⇥wake.patient⇥stderr", "service.start⇥alarm")
	d.log.await("sleeper: overflow after {int=received} events, in step again")
	if got := d.num("received"); got == 0 || got >= n {
		t.Errorf("the patient one had got %d of %d events", got, n)
	}
	warnings := 0
	for _, line := range d.log.seen {
		if d.match("warning: controller 2 blocked{any}", line) {
			warnings++
		}
	}
	if warnings != 1 {
		t.Errorf("it was warned %d times", warnings)
	}
	if state := d.i.services()["patient"]; state[2] != "up" || state[4] != d.get("patient") {
		t.Errorf("the patient one is %q", state)
	}
}
