package integration

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// provokable is the daemon with the build tag provoke, whose echo breaks the program on demand.
var provokable = sync.OnceValues(func() (string, error) {
	path := filepath.Join(filepath.Dir(daemonBinary), "provokable")
	return path, buildDaemon(path, "provoke")
})

// end is a way for the program to end that nobody has ordered.
type end struct {
	how  string // what the daemon is told by echo, or the name of a signal
	text string // what the rescue program is told
	// The Go runtime has given up, so all that is left is what was laid ready before. Otherwise it is the ordinary
	// path, with its lines in the log.
	collapse bool
}

var ends = []end{
	{"panic", "internal error: provoked", false},
	{"nil", "internal error: runtime error: invalid memory address or nil pointer dereference", false},
	{"SEGV", "Received signal SIGSEGV (11)", false},
	{"ABRT", "Received signal SIGABRT (6)", false},
	{"panic elsewhere", "internal error: provoked", true},
	{"nil elsewhere", "internal error: runtime error: invalid memory address or nil pointer dereference", true},
	{"stack", "internal error: stack overflow", true},
	{"map", "internal error: concurrent map writes", true},
	{"memory", "internal error: {any}", true},
	{"fault", "internal error: SIGSEGV: segmentation violation", true},
}

// rescue tells in what state it finds the process, without another process.
const rescue = `echo "rescued $$ $DAEMONPROXY_EXITCODE $DAEMONPROXY_ERROR"
while read -r name set; do
	case $name in SigBlk:|SigIgn:) echo "$name $set";; esac
done </proc/self/status
echo "limit $(ulimit -Sn)"
open=
for n in 0 1 2 3 4 5 6 7 8 9 20 21 22 23 24; do
	if [ -e /proc/self/fd/$n ]; then open="$open $n"; fi
done
echo "open$open"
case $DAEMONPROXY_TRACEBACK in
"") echo no traceback ;;
*goroutine*"
	"*/*.go:*) echo traceback ;;
*) echo "traceback? $DAEMONPROXY_TRACEBACK" ;;
esac
exit 7
`

// provoked starts a daemon that can be broken, with a limit on open files that the runtime raises.
func (s setup) provoked(t *testing.T) *daemon {
	t.Helper()
	binary, err := provokable()
	if err != nil {
		t.Fatal(err)
	}
	s.build = binary
	s.wrap = []string{"/bin/sh", "-c", `ulimit -Sn 300; exec "$0" "$@"`}
	s.files = map[string]string{"rescue": "#!/bin/sh\n" + rescue}
	s.loose = true
	return s.start(t)
}

func (d *daemon) breakBy(e end) {
	d.t.Helper()
	if slices.Contains(fatalSignals, e.how) {
		d.signal(e.how)
		return
	}
	d.i.send("echo⇥provoke " + e.how)
}

// expectRescue reads what the rescue program says.
func (d *daemon) expectRescue(e end, pid int) {
	d.t.Helper()
	d.i.expect(
		fmt.Sprintf("rescued %d 4 %s", pid, e.text),
		"SigBlk: 0000000000000000",
		"SigIgn: 0000000000000000",
		"limit 300",
	)
	if e.collapse {
		d.i.expect("open 0 1 2", "traceback")
	} else {
		d.i.expect("open 0 1 2 {int}", "no traceback") // the named handle null, too
	}
	d.expectExit(7)
}

// everyEnd runs a test for all ends that are of a kind, each on its own daemon.
func everyEnd(t *testing.T, test func(t *testing.T, e end)) {
	t.Parallel()
	for _, e := range ends {
		t.Run(strings.ReplaceAll(e.how, " ", "_"), func(t *testing.T) {
			t.Parallel()
			test(t, e)
		})
	}
}

func TestEveryEndIsRescued(t *testing.T) {
	everyEnd(t, func(t *testing.T, e end) {
		d := setup{args: []string{"-i", "-E", "{dir}/rescue"}}.provoked(t)
		d.breakBy(e)
		if !e.collapse {
			d.log.expect("warning: daemonproxy exec_on_exit to '{dir}/rescue'")
		}
		d.expectRescue(e, d.pid)
		d.log.expectEOF()
	})
}

// TestEveryEndIsRescuedThoughNobodyListens has a descriptor 2 that is full.
func TestEveryEndIsRescuedThoughNobodyListens(t *testing.T) {
	everyEnd(t, func(t *testing.T, e end) {
		r, w, _ := fullPipe(t)
		defer r.Close()
		d := setup{args: []string{"-i", "-E", "{dir}/rescue"}, fds: map[int]*os.File{2: w}}.provoked(t)
		w.Close()
		d.breakBy(e)
		d.expectRescue(e, d.pid)
	})
}

// TestEveryEndOfPID1IsRescued is about the guarded first process, which is told of its rescue by a command.
func TestEveryEndOfPID1IsRescued(t *testing.T) {
	everyEnd(t, func(t *testing.T, e end) {
		d := setup{args: []string{"-i"}, pid1: true}.provoked(t)
		d.i.send("terminate.exec_args⇥/bin/false", "terminate.exec_args⇥{dir}/rescue")
		d.i.sync()
		d.breakBy(e)
		d.expectRescue(e, 1)
	})
}

func TestEveryEndInPoolModeIsRescued(t *testing.T) {
	everyEnd(t, func(t *testing.T, e end) {
		d := setup{args: []string{"-i", "--fd-pool", "20x64", "--service-pool", "8x128"}}.provoked(t)
		d.i.send("terminate.exec_args⇥{dir}/rescue")
		d.i.sync()
		d.breakBy(e)
		d.expectRescue(e, d.pid)
	})
}

// TestAbortFromOutsideIsOrdinary sees that the handler for the runtime's own SIGABRT passes on those of others, and is
// gone when there is nothing to execute.
func TestAbortFromOutsideIsOrdinary(t *testing.T) {
	t.Parallel()
	d := setup{args: []string{"-i", "--exit-guard", "5", "-E", "/bin/false"}}.start(t)
	d.i.send("terminate.exec_args")
	d.i.sync()
	for range 3 {
		d.signal("ABRT")
		d.log.expect("fatal: (attempting to continue) Received signal SIGABRT (6)")
	}
	d.i.send("fd.open⇥kept⇥read,write,create⇥{dir}/kept", "service.args⇥s⇥{helper hang}", "service.start⇥s")
	d.i.await("service.state⇥s⇥up⇥{now}⇥{pid=p}⇥-⇥-⇥0⇥-")
	d.i.send("terminate.exec_args⇥/bin/sh⇥-c⇥readlink /proc/self/fd/*; echo $DAEMONPROXY_ERROR")
	d.i.sync()
	d.signal("ABRT")
	d.log.expect(
		"warning: daemonproxy exec_on_exit to '/bin/sh'",
		"warning: service 's' running as pid {p}",
	)
	d.i.await("{dir}/kept")
	d.i.await("Received signal SIGABRT (6)")
	d.expectExit(0)
}

// TestCollapseWithoutRescue is about what remains then: the traceback, for whoever reads it, and an end in any case.
func TestCollapseWithoutRescue(t *testing.T) {
	t.Parallel()
	const killed = 2 // what the Go runtime exits with
	for _, pid1 := range []bool{false, true} {
		d := setup{args: []string{"-i"}, pid1: pid1, broken: true}.provoked(t)
		d.i.send("terminate.exec_args⇥{dir}/rescue", "terminate.exec_args", "echo⇥provoke map")
		d.log.await("fatal error: concurrent map writes")
		d.log.await("goroutine {int} {any}")
		d.expectExit(killed)
	}
	r, w, _ := fullPipe(t)
	defer r.Close()
	d := setup{args: []string{"-i"}, broken: true, fds: map[int]*os.File{2: w}}.provoked(t)
	w.Close()
	d.i.send("echo⇥provoke stack")
	d.expectExit(killed)
}

// TestCollapseWithAFailingRescue tells then on descriptor 2 what happened.
func TestCollapseWithAFailingRescue(t *testing.T) {
	t.Parallel()
	for _, pid1 := range []bool{false, true} {
		d := setup{args: []string{"-i"}, pid1: pid1, broken: true}.provoked(t)
		d.i.send("terminate.exec_args⇥no-such-program", "echo⇥provoke map")
		d.log.await("fatal error: concurrent map writes")
		d.log.await("goroutine {int} {any}")
		<-d.exited
	}
}
