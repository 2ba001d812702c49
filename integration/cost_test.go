package integration

import (
	"debug/elf"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// What daemonproxy costs, in figures that do not depend on the machine's mood: heap objects, system calls, bytes of the
// file. Each bound is what was measured when it was written, and a little. Whoever goes beyond one has made something
// dearer: lower it when something got cheaper, raise it only for a reason. Times are left to `make bench`, and what is
// not to be linked in to `make deps`.

// TestRoundsCostNoHeapObjects: once names, buffers and threads are in place, no command and no life of a service
// allocates anything, without pools as well.
func TestRoundsCostNoHeapObjects(t *testing.T) {
	t.Parallel()
	d := setup{args: []string{"-i", "-S", "{dir}/ctl"}}.start(t)
	a := d.client("a")
	d.i.send("service.args⇥s⇥{helper exit}⇥0")
	round := func() {
		d.i.send("echo⇥x", "service.tags⇥s⇥a⇥b", "service.fds⇥s⇥null⇥null⇥stderr", "service.auto_up⇥s⇥5⇥USR2", "service.args⇥t⇥x",
			"service.delete⇥t", "service.start⇥s⇥9999999999", "service.start⇥s⇥-", "service.signal⇥s⇥TERM", "nosuch", "statedump",
			"fd.pipe⇥r⇥w", "fd.delete⇥r", "fd.delete⇥w", "fd.open⇥f⇥read⇥/dev/null", "fd.delete⇥f", "log.filter", "service.start⇥s")
		d.i.await("service.state⇥s⇥down⇥{int}⇥{any}")
		a.skip()
	}
	for range 50 {
		round()
	}
	const rounds = 100
	before := d.memory(mallocs)
	for range rounds {
		round()
	}
	grown := d.memory(mallocs) - before
	t.Logf("%d objects in %d rounds", grown, rounds)
	// Not one a round. The runtime's own, for a thread or a collection, are few and do not come with every round.
	if grown >= rounds && !dearer() {
		t.Errorf("%d rounds allocated %d objects", rounds, grown)
	}
}

// dearer tells whether the daemon has something that allocates and makes system calls of its own: the race detector, or
// the applet for its starts.
func dearer() bool { return raceBuild || startPath == "applet" }

// mallocs is the place of the count of heap objects in the answer of the command memory.
const mallocs = 0

// TestSystemCalls counts those that a start, a command and an event take.
func TestSystemCalls(t *testing.T) {
	t.Parallel()
	d := setup{
		args: []string{"-i"},
		wrap: []string{"/bin/sh", "-c", `exec strace -D -f -q -s 80 -o "$` + strings.TrimSuffix(testMark, "=") + `/trace" "$0" "$@"`},
	}.start(t)
	children := map[string]bool{}
	phases := []struct {
		what  string
		each  int // the bound
		times int
		run   func()
	}{
		{"a start, its up and its down, with three descriptors", 42, 50, func() {
			d.i.send("service.start⇥s")
			d.i.await("service.state⇥s⇥up⇥{int}⇥{pid=child}⇥{any}")
			children[strconv.Itoa(d.num("child"))] = true
			d.i.await("service.state⇥s⇥down⇥{any}")
		}},
		{"a command and its event, for its sender", 3, 100, func() {
			d.i.send("service.tags⇥s⇥x")
			d.i.expect("service.tags⇥s⇥x")
		}},
		{"400 echoes in one write", 4, 20, func() {
			d.i.raw(strings.Repeat("echo\tx\n", 400))
			for range 400 {
				d.i.expect("x")
			}
		}},
		{"fd.pipe and the deletion of both ends", 7, 50, func() {
			d.i.send("fd.pipe⇥r⇥w", "fd.delete⇥r", "fd.delete⇥w")
			d.i.await("fd.state⇥w⇥deleted")
		}},
		{"a command and its event, for its sender and one more controller", 4, 100, nil},
	}
	d.i.send("service.args⇥s⇥/bin/true")
	d.threadsForThose(2) // who open a file and log, beside the reading of stdin
	phases[0].run()      // buffers
	var a *controller
	phases[4].run = func() {
		d.i.send("service.tags⇥s⇥x")
		d.i.expect("service.tags⇥s⇥x")
		a.expect("service.tags⇥s⇥x")
	}
	for i, phase := range phases {
		if i == 4 {
			a = d.client("a")
		}
		d.i.ask("chdir⇥/begin " + phase.what)
		for range phase.times {
			phase.run()
		}
		d.i.ask("chdir⇥/end " + phase.what)
	}
	d.i.send("terminate⇥0")
	d.expectExit(0)
	trace := d.traced()
	for _, phase := range phases {
		calls := systemCalls(t, trace, phase.what, children)
		total := 0
		for _, n := range calls {
			total += n
		}
		t.Logf("%s: %.1f calls: %v", phase.what, float64(total)/float64(phase.times), calls)
		// Marking begin and end takes some too.
		if total > phase.each*phase.times+marking && !dearer() {
			t.Errorf("%s: %d system calls for %d, more than %d each", phase.what, total, phase.times, phase.each)
		}
	}
}

// threadsForThose has the daemon make the threads for n more calls that last, which it keeps.
func (d *daemon) threadsForThose(n int) {
	d.t.Helper()
	d.fifos(n)
	if hung := d.openFIFOs(); hung != n {
		d.t.Fatalf("%d of %d hang in an open", hung, n)
	}
	for n, c := range d.clients {
		defer unix.Close(fifoReader(d.t, fmt.Sprintf("%s/fifo%d", d.dir, n)))
		c.send("exit")
		c.rest()
		d.i.send(fmt.Sprintf("fd.delete⇥f%d", n))
	}
	d.i.skip()
}

// marking is what the marks of a phase take, and a thread that the runtime makes meanwhile.
const marking = 24

// traced is what strace has written once it is through.
func (d *daemon) traced() (lines []string) {
	d.t.Helper()
	d.eventually("the end of strace", func() bool {
		text, err := os.ReadFile(filepath.Join(d.dir, "trace"))
		if err != nil {
			d.t.Fatal(err)
		}
		lines = strings.Split(string(text), "\n")
		last := strconv.Itoa(d.pid) + " +++ exited with"
		return len(lines) > 1 && strings.HasPrefix(strings.Join(strings.Fields(lines[len(lines)-2]), " "), last)
	})
	return lines
}

// schedulers are calls by which the runtime parks and wakes its threads, counts the time and looks for work: their
// number is a matter of chance.
var schedulers = map[string]bool{
	"futex": true, "nanosleep": true, "epoll_wait": true, "epoll_pwait": true, "sched_yield": true, "restart_syscall": true,
	"rt_sigreturn": true, "tgkill": true, "getpid": true, "madvise": true,
}

// systemCalls of a phase, by name. A child counts until it has become its program.
func systemCalls(t *testing.T, trace []string, phase string, children map[string]bool) map[string]int {
	calls := map[string]int{}
	executed := map[string]bool{}
	bell := wakeups(trace)
	within := false
	for _, line := range trace {
		pid, call, _ := strings.Cut(line, " ")
		name, rest, ok := strings.Cut(strings.TrimLeft(call, " "), "(")
		switch {
		case strings.HasPrefix(rest, `"/begin `+phase+`"`):
			within = true
		case strings.HasPrefix(rest, `"/end `+phase+`"`):
			return calls
		case !within || !ok || strings.ContainsAny(name, " <+-") || schedulers[name] || executed[pid] || bell != "" && strings.HasPrefix(rest, bell+", "):
			continue
		default:
			calls[name]++
			executed[pid] = name == "execve" && children[pid]
		}
	}
	t.Fatalf("strace did not see %q", phase)
	return nil
}

// wakeups is the number of the eventfd by which the runtime wakes the thread that waits for descriptors.
func wakeups(trace []string) (fd string) {
	for _, line := range trace {
		if before, _, ok := strings.Cut(line, `, "\1\0\0\0\0\0\0\0", 8`); ok && strings.Contains(before, " write(") {
			return before[strings.LastIndex(before, "(")+1:]
		}
	}
	return ""
}

// TestSizeOfTheBinary as `make build` makes it.
func TestSizeOfTheBinary(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "daemonproxy")
	build := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w", "-o", path, "daemonproxy/cmd/daemonproxy")
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOARCH=amd64")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	const bound = 2_200_000
	t.Logf("%d bytes", info.Size())
	if info.Size() > bound {
		t.Errorf("%d bytes, more than %d", info.Size(), bound)
	}
}

// TestSetUpIsForgotten: what of the program's file was read for the set-up alone does not stay resident.
func TestSetUpIsForgotten(t *testing.T) {
	t.Parallel()
	if raceBuild {
		return // the race detector is code of its own
	}
	binary, err := elf.Open(daemonBinary)
	if err != nil {
		t.Fatal(err)
	}
	defer binary.Close()
	loaded := 0
	for _, p := range binary.Progs {
		if p.Type == elf.PT_LOAD && p.Flags&elf.PF_W == 0 {
			loaded += int(p.Memsz)
		}
	}
	d := start(t, "-i")
	d.eventually("less than three quarters of it are resident", func() bool {
		return d.rollup("Rss")-d.rollup("Anonymous") < loaded*3/4
	})
}
