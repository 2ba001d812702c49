package integration

import (
	"bufio"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// Promises about controllers: whatever becomes of one, nobody else notices.

func init() {
	helpers["foreman"] = helperForeman
	helpers["sleeper"] = helperSleeper
}

// foreman JOBS STEPS: a controller on 0 and 1 that wants JOBS services jobN, each with a pipe as its input. Whatever
// exists already it leaves alone. In one life it takes no more than STEPS steps: then it says so on 2 and hangs, its
// last command not yet answered.
func helperForeman(args []string) int {
	jobs, _ := strconv.Atoi(args[0])
	steps, _ := strconv.Atoi(args[1])
	f := foreman{in: bufio.NewScanner(descriptor(0))}
	if !f.tell("statedump") {
		return 1
	}
	for n := range jobs {
		job := fmt.Sprintf("job%d", n)
		wanted := []struct{ record, event, command string }{
			{"in" + job, "fd.state\tin" + job + "\tpipe\tfrom\tout" + job, "fd.pipe\tin" + job + "\tout" + job},
			{job, "service.args\t" + job + "\t" + selfPath() + "\thelper\tcat", ""},
			{job, "service.fds\t" + job + "\tin" + job + "\tfd_3\tstderr", ""},
			{job, "service.state\t" + job + "\tup", "service.start\t" + job},
		}
		for _, want := range wanted {
			if f.knows(want.record, want.event) {
				continue
			}
			if want.command == "" {
				want.command = want.event
			}
			if steps--; steps == 0 {
				fmt.Println(want.command)
				fmt.Fprintln(os.Stderr, "foreman: at", want.command)
				return helperHang(nil)
			}
			if !f.tell(want.command) {
				return 1
			}
		}
	}
	fmt.Fprintln(os.Stderr, "foreman: all is done")
	return helperHang(nil)
}

// foreman is what the controller knows of the daemon's state.
type foreman struct {
	in    *bufio.Scanner
	known []string // the lines it has got
}

// tell sends a command and takes all events up to its end.
func (f *foreman) tell(command string) bool {
	fmt.Printf("%s\necho\tdone\n", command)
	for f.in.Scan() {
		if f.in.Text() == "done" {
			return true
		}
		f.known = append(f.known, f.in.Text())
	}
	return false
}

// knows tells whether the last event of this kind about an object begins like this one.
func (f *foreman) knows(name, event string) bool {
	kind, _, _ := strings.Cut(event, "\t")
	for _, line := range slices.Backward(f.known) {
		if strings.HasPrefix(line, kind+"\t"+name+"\t") {
			return strings.HasPrefix(line, event)
		}
	}
	return false
}

// TestPromiseKilledController kills a controller again and again in the middle of its work. Each next one learns from
// a statedump how far the work had got; the services never notice.
func TestPromiseKilledController(t *testing.T) {
	t.Parallel()
	const jobs = 12
	r, w := pipe(t)
	d := setup{args: []string{"-i", "-S", "{dir}/ctl"}, fds: map[int]*os.File{3: w}, time: time.Minute}.start(t)
	w.Close()
	out := d.stream("out", r)
	watch := d.client("watch")
	// 48 steps; with 7 in one life the controller is killed once at each of the four kinds of step, and more.
	d.i.send("service.args⇥foreman⇥{helper foreman}⇥12⇥7", "service.fds⇥foreman⇥control.event⇥control.cmd⇥stderr",
		"service.auto_up⇥foreman⇥-⇥always")
	d.i.await("service.state⇥foreman⇥up⇥{now}⇥{pid=foreman}⇥-⇥-⇥0⇥-")

	pids := map[string]string{}   // by service, from its `up`
	inputs := map[string]string{} // by service, what it reads from
	lives := 1
	for ; d.log.await("foreman: {any}") != "foreman: all is done"; lives++ {
		d.kill(d.num("foreman"))
		d.i.await("service.state⇥foreman⇥down⇥{now}⇥{foreman}⇥signal⇥SIGKILL⇥{int}⇥0")
		d.i.await("service.state⇥foreman⇥up⇥{now}⇥{pid=foreman}⇥-⇥-⇥0⇥-")
		for name, state := range d.i.services() {
			if state[2] == "up" && name != "foreman" && inputs[name] == "" {
				pid, err := strconv.Atoi(state[4])
				if err != nil {
					t.Fatalf("got %q", state)
				}
				inputs[name] = openDescriptors(pid)[0]
			}
		}
	}
	if lives < 6 {
		t.Errorf("the controller needed %d lives", lives)
	}

	for len(pids) < jobs {
		watch.await("service.state⇥{any=name}⇥up⇥{now}⇥{pid=p}⇥-⇥-⇥0⇥-")
		if name := d.get("name"); strings.HasPrefix(name, "job") {
			if pids[name] != "" {
				t.Errorf("%s was started twice", name)
			}
			pids[name] = d.get("p")
		}
	}
	state := watch.services()
	for name, pid := range pids {
		if got := state[name]; got[2] != "up" || got[4] != pid {
			t.Errorf("%s was started as %s and is %q", name, pid, got)
		}
	}
	for line := range slices.Values(watch.seen) {
		if watch.vars.match("service.state⇥job{any}⇥down⇥{any}⇥exit⇥{any}", line) {
			t.Errorf("a service has ended: %q", line)
		}
	}
	for name, input := range inputs {
		pid, err := strconv.Atoi(pids[name])
		if err != nil {
			t.Fatal(err)
		}
		if now := openDescriptors(pid)[0]; now != input || !strings.HasPrefix(now, "pipe:") {
			t.Errorf("%s reads from %s, and had %s", name, now, input)
		}
	}

	// The pipes work.
	d.i.send("service.args⇥say⇥{helper print}⇥1⇥through")
	for _, name := range slices.Sorted(maps.Keys(pids)) {
		d.set("job", name)
		d.i.send("service.fds⇥say⇥null⇥out{job}⇥stderr", "service.start⇥say")
		out.expect("through")
		d.i.await("service.state⇥say⇥down⇥{any}⇥exit⇥0⇥{int}⇥0")
	}
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
	d := setup{args: []string{"-i", "-S", "{dir}/ctl"}, time: time.Minute}.start(t)
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
	watch.await("service.state⇥dropped⇥down⇥{now}⇥{dropped}⇥exit⇥1⇥{int}⇥0")
	watch.await("service.state⇥dropped⇥up⇥{now}⇥{pid}⇥-⇥-⇥0⇥-")
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

// TestPromiseConfigStillBeingWritten writes a configuration into stdin piece by piece, even half lines, while its first
// services run already.
func TestPromiseConfigStillBeingWritten(t *testing.T) {
	t.Parallel()
	d := setup{args: []string{"-c", "-", "-S", "{dir}/ctl"}}.start(t)
	watch := d.client("watch")
	before := openDescriptors(d.pid)
	config := &controller{lines: d.out, w: d.stdin}
	first := d.text("fd.pipe⇥in⇥out\nservice.args⇥cat⇥{helper cat}\nservice.fds⇥cat⇥in⇥stdout⇥stderr\nservice.start⇥cat\n")
	half := len(first) - 5
	config.raw(first[:half])
	watch.await("service.fds⇥cat⇥in⇥stdout⇥stderr") // and the last line is not complete
	if state := watch.services()["cat"]; state[2] != "down" {
		t.Errorf("half a line has had an effect: %q", state)
	}
	config.raw(first[half:])
	watch.await("service.state⇥cat⇥up⇥{now}⇥{pid=cat}⇥-⇥-⇥0⇥-")

	config.raw("service.args\tsay")
	// The config is within a line; the service works, and so does everybody else.
	watch.send("service.args⇥other⇥{helper print}⇥1⇥from another", "service.fds⇥other⇥null⇥out⇥stderr", "service.start⇥other")
	d.out.expect("from another")
	watch.expectDown("other", "service.state⇥other⇥down⇥{now}⇥{pid}⇥exit⇥0⇥{int}⇥{int}")
	config.raw(d.text("⇥{helper print}⇥1⇥from the config\nservice.fds⇥say⇥null⇥out⇥stderr\nservice.start⇥say"))
	d.stdin.Close()
	d.out.expect("from the config")
	d.log.expect("warning: Command ends with EOF... processing anyway")
	watch.expectDown("say", "service.state⇥say⇥down⇥{now}⇥{pid}⇥exit⇥0⇥{int}⇥{int}")

	watch.send("fd.delete⇥out")
	d.out.expect("end of input")
	watch.expectDown("cat", "service.state⇥cat⇥down⇥{now}⇥{cat}⇥exit⇥0⇥{int}⇥{int}")
	watch.send("fd.delete⇥in")
	watch.await("fd.state⇥in⇥deleted")
	d.expectFootprint(before)
}

// expectFootprint requires that the daemon has no child and no more descriptors than before. Tests without an
// interactive controller end with it.
func (d *daemon) expectFootprint(before map[int]string) {
	d.t.Helper()
	d.eventually(fmt.Sprintf("no child, and no descriptors but %q", sorted(before)), func() bool {
		return len(children(d.pid)) == 0 && held(openDescriptors(d.pid)) <= held(before)
	})
}
