package integration

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// Controllers that read far too slowly, or not at all, and are not gone.

// numbered requires that the tags events among these lines are numbered on from next, whole, with gaps only where an
// overflow was told of, and returns how many overflows there were.
func numbered(t *testing.T, lines []string, size int) (overflows int) {
	t.Helper()
	next, lost := 0, false
	for _, line := range lines {
		if line == "overflow" {
			overflows++
			lost = true
			continue
		}
		text, ok := strings.CutPrefix(line, "service.tags\ts\t")
		if !ok {
			continue
		}
		number, rest, _ := strings.Cut(text, " ")
		n, err := strconv.Atoi(number)
		if err != nil || len(rest) != size || n < next || n > next && !lost {
			t.Fatalf("%.60q (%d bytes) after %d", line, len(line), next-1)
		}
		next, lost = n+1, false
	}
	return overflows
}

// TestClientThatReadsByteByByte reads one byte for each event that another gets. The other waits for nothing; the slow
// one gets whole lines in order up to where it lost some, is told so, and is in step again when it has caught up.
func TestClientThatReadsByteByByte(t *testing.T) {
	t.Parallel()
	d := setup{args: []string{"-i", "-S", "{dir}/ctl"}}.start(t)
	slow := d.client("slow")
	slow.send("conn.event_timeout⇥1000⇥2000")
	slow.sync()
	const events, size = 1200, 400
	var read []byte
	for n := range events {
		d.setInt("n", n)
		d.i.send("service.tags⇥s⇥{n} {repeat 400 x}")
		d.i.expect("service.tags⇥s⇥{n} {repeat 400 x}")
		var one [1]byte
		if _, err := slow.conn.Read(one[:]); err != nil {
			t.Fatal(err)
		}
		read = append(read, one[0])
	}
	d.i.seen = nil
	slow.buf = append(read, slow.buf...)
	lines := slow.until("overflow")
	numbered(t, lines, size)
	if len(lines) == events {
		t.Error("nothing was lost: the test is too small")
	}
	d.i.send("service.tags⇥s⇥new")
	slow.await("service.tags⇥s⇥new")
	slow.sync()
}

// catchUp reads until everything up to now has been answered. An answer may be lost with the events of an overflow.
func (c *controller) catchUp() (lines []string) {
	c.t.Helper()
	for mark := c.mark(); ; {
		line, err := c.next(c.deadline())
		switch {
		case err != nil:
			c.t.Fatalf("%s: %v", c.name, err)
		case line == mark:
			return lines
		case line == "overflow":
			mark = c.mark()
		}
		lines = append(lines, line)
	}
}

// TestHundredThousandCommandsWithoutReading: they are all carried out, in order, though nobody reads the answers, and
// others are served meanwhile. Who loses some of the flood of events is told so, and has the last ones again after that.
func TestHundredThousandCommandsWithoutReading(t *testing.T) {
	t.Parallel()
	d := setup{args: []string{"-i", "-S", "{dir}/ctl"}}.start(t)
	flood, watch := d.client("flood"), d.client("watch")
	flood.send("conn.event_timeout⇥0⇥1000") // its commands go on while it is blocked
	flood.sync()
	const commands = 100_000
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		for n := 0; n < commands; n += 100 {
			var burst strings.Builder
			for i := range 100 {
				fmt.Fprintf(&burst, "service.tags\ts\t%d \n", n+i)
			}
			flood.raw(burst.String())
		}
	}()
	var watched []string
	for all := false; !all; {
		select {
		case <-sent:
			all = true
		default:
		}
		watched = append(watched, watch.catchUp()...)
		d.i.catchUp()
		watch.seen, d.i.seen = nil, nil
	}
	told := flood.catchUp() // behind the last of its commands
	if numbered(t, told, 0) == 0 {
		t.Error("nothing was lost: the test is too small")
	}
	watched = append(watched, watch.catchUp()...)
	overflows := numbered(t, watched, 0)
	t.Logf("the one that watched got %d of %d events, with %d overflows", len(watched)-overflows, commands, overflows)
	if overflows == 0 && len(watched) != commands {
		t.Errorf("it was not told that it lost any")
	}
	last := fmt.Sprintf("service.tags\ts\t%d ", commands-1)
	for _, c := range []*controller{flood, watch, d.i} {
		c.catchUp()
		if state := c.ask("statedump"); !slices.Contains(state, last) {
			t.Errorf("the dump of %s is %q", c.name, state)
		}
	}
}

// TestStoppedControllerService stops one by SIGSTOP. Nobody else waits; continued, it is told that it lost events, and
// goes on; stopped again, it can be killed and its slot serves the next.
func TestStoppedControllerService(t *testing.T) {
	t.Parallel()
	d := setup{args: []string{"-i", "-S", "{dir}/ctl", "--max-clients", "3"}}.start(t)
	watch := d.client("watch")
	d.i.send("service.args⇥talk⇥{helper talk}⇥conn.event_timeout|1000|2000⇥echo|ready", "service.fds⇥talk⇥control.event⇥control.cmd⇥stderr",
		"service.start⇥talk")
	d.log.await("got: ready")
	d.i.await("service.state⇥talk⇥up⇥{now}⇥{pid=talk}⇥-⇥-⇥0⇥-")
	d.i.send("service.signal⇥talk⇥STOP")
	d.i.sync()
	d.eventually("it is stopped", func() bool { s, _ := readStat(d.num("talk")); return s.state == "T" })
	const events, size = 150, 3000
	for n := range events {
		d.setInt("n", n)
		d.i.send("service.tags⇥s⇥{n} {repeat 3000 x}")
		d.i.expect("service.tags⇥s⇥{n} {repeat 3000 x}")
		watch.await("service.tags⇥s⇥{n} {repeat 3000 x}")
	}
	d.i.send("service.signal⇥talk⇥CONT")
	var told []string
	for _, line := range d.log.until("got: overflow") {
		told = append(told, strings.TrimPrefix(line, "got: "))
	}
	numbered(t, told, size)
	d.i.send("service.tags⇥s⇥new")
	d.log.expect("got: service.tags⇥s⇥new")

	d.i.send("service.signal⇥talk⇥STOP", "service.signal⇥talk⇥KILL")
	d.i.await("service.state⇥talk⇥down⇥{now}⇥{talk}⇥signal⇥SIGKILL⇥{int}⇥0")
	d.client("next").sync()
}
