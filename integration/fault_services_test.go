package integration

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// TestFaultThreeHundredAtOnce lets 300 services end in the same moment, a third by themselves, with 100 different
// statuses, a third by signals, a third by commands. Each has one exit, its own.
func TestFaultThreeHundredAtOnce(t *testing.T) {
	t.Parallel()
	const services = 300
	d := start(t, "-i", "-S", "{dir}/ctl")
	d.i.send("fd.pipe⇥r0⇥w0", "fd.pipe⇥r1⇥w1")
	for n := range services {
		d.i.send(fmt.Sprintf("service.args⇥s%d⇥/bin/sh⇥-c⇥read x; exit %d", n, n%256),
			fmt.Sprintf("service.fds⇥s%d⇥r%d", n, min(n%3, 1)), fmt.Sprintf("service.start⇥s%d", n))
	}
	pids := make([]int, services)
	for range services {
		var n, at, pid int
		line := d.i.await("service.state⇥{any}⇥up⇥{any}")
		if _, err := fmt.Sscanf(line, "service.state\ts%d\tup\t%d\t%d\t", &n, &at, &pid); err != nil {
			t.Fatal(err)
		}
		pids[n] = pid
	}
	d.i.skip()
	a := d.client("a")

	signals := []string{"KILL", "TERM", "HUP", "INT", "USR1", "USR2", "PIPE", "ALRM"}
	want := make([]string, services) // what follows the pid
	var commands strings.Builder
	for n := range services {
		name := signals[n/3%len(signals)]
		want[n] = "signal\tSIG" + name + "\t"
		switch n % 3 {
		case 0:
			want[n] = fmt.Sprintf("exit\t%d\t", n%256)
		case 1:
			fmt.Fprintf(&commands, "service.signal\ts%d\t%s\n", n, name)
		}
	}
	a.raw(commands.String() + "fd.delete\tw0\n")
	d.signal("STOP") // so that it finds many when it goes on
	for n := 2; n < services; n += 3 {
		if err := syscall.Kill(pids[n], signalNumber(signals[n/3%len(signals)])); err != nil {
			t.Error(err)
		}
	}
	d.signal("CONT")
	seen := map[int]bool{}
	for range services {
		line := d.i.await("service.state⇥{any}")
		fields := strings.SplitN(line, "\t", 6)
		n, err := strconv.Atoi(fields[1][1:])
		if err != nil || seen[n] || fields[2] != "down" || fields[4] != strconv.Itoa(pids[n]) || !strings.HasPrefix(fields[5], want[n]) {
			t.Errorf("got %q, want pid %d, %q", line, pids[n], want[n])
		}
		seen[n] = true
	}
	if more := d.i.ask("echo⇥"); len(more) > 2 {
		t.Errorf("there is more: %q", more)
	}
	for range services {
		a.await("service.state⇥{any}⇥down⇥{any}")
	}
}

// TestFaultEndBeforeItIsKnown: however soon a process ends, its up comes first, once, and then its down, with its pid.
func TestFaultEndBeforeItIsKnown(t *testing.T) {
	t.Parallel()
	const services, rounds = 40, 10
	d := start(t, "-i")
	for n := range services {
		d.i.send(fmt.Sprintf("service.args⇥s%d⇥%s", n, []string{"/bin/true", "/bin/false", "/nonexistent"}[n%3]))
	}
	d.i.skip()
	var starts strings.Builder
	for n := range services {
		fmt.Fprintf(&starts, "service.start\ts%d\n", n)
	}
	for range rounds {
		d.i.raw(starts.String())
		states := map[string][]string{}
		for range 3 * services {
			fields := strings.Split(d.i.await("service.state⇥{any}"), "\t")
			states[fields[1]] = append(states[fields[1]], fields[2]+" "+fields[4]+" "+fields[5]+" "+fields[6])
		}
		for n := range services {
			got := states[fmt.Sprintf("s%d", n)]
			pid := strings.Fields(got[1])[1]
			want := []string{"start - - -", "up " + pid + " - -", fmt.Sprintf("down %s exit %d", pid, []int{0, 1, 3}[n%3])}
			if fmt.Sprint(got) != fmt.Sprint(want) {
				t.Fatalf("got %q, want %q", got, want)
			}
		}
	}
}

// TestFaultDoubleFork: a service that goes into the background is down, whatever it has left there, with whatever
// descriptors. What it left gets no signal of a service.
func TestFaultDoubleFork(t *testing.T) {
	t.Parallel()
	r, w := pipe(t)
	d := setup{args: []string{"-i"}, fds: map[int]*os.File{3: w}}.start(t)
	out := d.stream("out", r)
	d.i.send("fd.pipe⇥r⇥w", "service.args⇥s⇥{helper background}⇥5", "service.fds⇥s⇥r⇥fd_3⇥stderr")
	d.i.skip()
	var left []int
	for range 20 {
		d.i.send("service.start⇥s")
		d.i.await("service.state⇥s⇥up⇥{now}⇥{pid=p}⇥-⇥-⇥0⇥-")
		d.i.expect("service.state⇥s⇥down⇥{now}⇥{p}⇥exit⇥5⇥{int}⇥0")
		out.await("left {pid=left}")
		left = append(left, d.num("left"))
		d.i.send("service.signal⇥s⇥KILL", "service.signal⇥s⇥KILL⇥group")
		d.i.expect("error⇥service is not running, for command {any}", "error⇥service is not running, for command {any}")
	}
	for _, pid := range left {
		if s, ok := readStat(pid); !ok || s.state == "Z" || s.parent == d.pid {
			t.Errorf("%d is %+v", pid, s)
		}
	}
	d.i.send("fd.delete⇥w") // they end with this
	d.i.skip()
	for _, pid := range left {
		d.eventually("what was left ends", func() bool { s, ok := readStat(pid); return !ok || s.state == "Z" })
	}
}

// TestFaultNothingButKill: a service ignores all that it can; it stays up until SIGKILL, also when stopped.
func TestFaultNothingButKill(t *testing.T) {
	t.Parallel()
	d := start(t, "-i")
	all := ""
	for n := 1; n <= 64; n++ {
		switch syscall.Signal(n) {
		case unix.SIGKILL, unix.SIGSTOP, 32, 33: // the last two are the C library's own
		default:
			all += fmt.Sprintf(" %d", n)
		}
	}
	d.i.send("service.args⇥s⇥/bin/sh⇥-c⇥trap ''"+all+"; echo deaf >&2; exec sleep 1000", "service.fds⇥s⇥null⇥null⇥stderr", "service.start⇥s")
	d.i.await("service.state⇥s⇥up⇥{now}⇥{pid=p}⇥-⇥-⇥0⇥-")
	d.log.await("deaf")
	for _, n := range strings.Fields(all) {
		d.i.send("service.signal⇥s⇥" + n)
	}
	d.i.sync()
	d.i.send("service.signal⇥s⇥STOP")
	d.eventually("it is stopped", func() bool { s, _ := readStat(d.num("p")); return s.state == "T" })
	if s := d.i.services()["s"]; s[2] != "up" || s[4] != d.get("p") {
		t.Errorf("it is %q", s)
	}
	d.i.send("service.delete⇥s", "service.start⇥s")
	d.i.expect("error⇥service is running, for command {any}", "error⇥service is not startable, for command {any}")
	d.i.send("service.signal⇥s⇥KILL")
	d.i.expect("service.state⇥s⇥down⇥{now}⇥{p}⇥signal⇥SIGKILL⇥{int}⇥0")
}

// TestFaultChangedGroups: services make sessions and groups of their own and join those of others. A service's signal
// reaches it wherever it is; one to its group reaches the group that it leads, and nobody if it leads none.
func TestFaultChangedGroups(t *testing.T) {
	t.Parallel()
	d := start(t, "-i")
	d.i.send("service.args⇥leads⇥{helper joins}⇥0", "service.args⇥session⇥{helper joins}⇥session")
	for _, name := range []string{"leads", "session"} {
		d.i.send("service.fds⇥"+name+"⇥null⇥null⇥stderr", "service.start⇥"+name)
		d.i.await("service.state⇥" + name + "⇥up⇥{now}⇥{pid=" + name + "}⇥-⇥-⇥0⇥-")
		d.log.await("joined {" + name + "}")
	}
	d.i.send("service.args⇥joins⇥{helper joins}⇥{leads}", "service.fds⇥joins⇥null⇥null⇥stderr", "service.start⇥joins")
	d.i.await("service.state⇥joins⇥up⇥{now}⇥{pid=joins}⇥-⇥-⇥0⇥-")
	d.log.await("joined {leads}")
	d.i.send("service.signal⇥joins⇥KILL⇥group")
	d.i.expect("error⇥can't kill joins (pgid {joins}): No such process, for command {any}")
	d.i.send("service.signal⇥session⇥TERM⇥group")
	d.i.expect("service.state⇥session⇥down⇥{now}⇥{session}⇥signal⇥SIGTERM⇥{int}⇥0")
	// The leader ends alone, and its group lives on without it.
	d.i.send("service.signal⇥leads⇥TERM")
	d.i.expect("service.state⇥leads⇥down⇥{now}⇥{leads}⇥signal⇥SIGTERM⇥{int}⇥0")
	d.i.send("service.signal⇥leads⇥KILL⇥group", "service.signal⇥joins⇥0")
	d.i.expect("error⇥service is not running, for command {any}")
	d.i.sync()
	d.i.send("service.signal⇥joins⇥TERM")
	d.i.expect("service.state⇥joins⇥down⇥{now}⇥{joins}⇥signal⇥SIGTERM⇥{int}⇥0")
}
