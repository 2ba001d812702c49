package integration

import (
	"bytes"
	"os/exec"
	"syscall"
	"testing"
)

// What docs/containers.md says about tini and dumb-init beside daemonproxy.

// besides are the three with the options that make them most alike, as they are called in the table of the page.
var besides = []struct {
	name               string
	words, whole       []string // to run a program; so that signals reach its whole group
	single             []string // so that they reach the program alone
	mapped             []string // so that it gets SIGQUIT for SIGTERM
	notFound, notAProg int
	reaps              bool // orphans, by words, when not process 1
}{
	{name: "tini", words: []string{"tini", "-s", "--"}, whole: []string{"tini", "-s", "-g", "--"}, single: []string{"tini", "-s", "--"},
		notFound: 127, notAProg: 126, reaps: true},
	{name: "tini without -s", words: []string{"tini", "--"}, whole: []string{"tini", "-g", "--"}, single: []string{"tini", "--"},
		notFound: 127, notAProg: 126},
	{name: "dumb-init", words: []string{"dumb-init", "--"}, whole: []string{"dumb-init", "--"}, single: []string{"dumb-init", "--single-child", "--"},
		mapped: []string{"dumb-init", "--rewrite", "15:3", "--"}, notFound: 2, notAProg: 2},
	{name: "daemonproxy", words: []string{"daemonproxy", "--"}, whole: []string{"daemonproxy", "--signal-group", "--"}, single: []string{"daemonproxy", "--"},
		mapped: []string{"daemonproxy", "--signal-map", "TERM=QUIT", "--"}, notFound: 127, notAProg: 126, reaps: true},
}

func TestBesideTiniAndDumbInit(t *testing.T) {
	t.Parallel()
	for _, b := range besides {
		t.Run(b.name, func(t *testing.T) {
			t.Parallel()
			for script, status := range map[string]int{"exit 0": 0, "exit 3": 3, "exit 255": 255, "kill -KILL $$": 137, "kill -TERM $$": 143} {
				besideStatus(t, status, words(b.words, "sh", "-c", script))
			}
			besideStatus(t, b.notFound, words(b.words, "/no/such/program"))
			besideStatus(t, b.notAProg, words(b.words, "/etc/passwd"))

			x := beside(t, words(b.whole, program("pair")))
			x.out.awaitAll("main is ready", "member is ready")
			x.kill(x.process.Pid, "USR1")
			x.out.awaitAll("main got SIGUSR1", "member got SIGUSR1")

			x = beside(t, words(b.single, program("pair")))
			x.out.awaitAll("main is ready", "member is ready")
			for range 2 {
				x.kill(x.process.Pid, "USR1")
				x.out.expect("main got SIGUSR1")
			}

			if b.mapped != nil {
				x = beside(t, words(b.mapped, program("signals")))
				x.out.await("main is ready")
				x.kill(x.process.Pid, "TERM")
				x.out.expect("main got SIGQUIT")
			}

			besideOrphan(t, words(b.words, "sh", "-c", "sh -c 'sleep 1000 & echo $!'; echo gone; read x"), b.reaps)
			besideEndsAll(t, words(b.words, "sh", "-c", "sleep 1000 & exit 3"))
		})
	}
}

// beside starts one of them, on our pipes.
func beside(t *testing.T, argv []string) *container {
	t.Helper()
	c := &container{vars: newVars(), t: t, dir: t.TempDir()}
	c.launch(besideArgv(t, argv), &syscall.SysProcAttr{})
	return c
}

func besideStatus(t *testing.T, status int, argv []string) {
	t.Helper()
	x := beside(t, argv)
	if got := x.status(); got != status {
		t.Errorf("%q: status %d, want %d", argv, got, status)
	}
}

// besideOrphan looks who is the parent of a process that has lost its own: this test, if not the one that it ran under.
func besideOrphan(t *testing.T, argv []string, reaps bool) {
	t.Helper()
	x := beside(t, argv)
	x.out.await("{pid=orphan}")
	x.out.await("gone")
	s, ok := readStat(x.num("orphan"))
	if !ok || (s.parent == x.process.Pid) != reaps {
		t.Errorf("%q, process %d: the orphan is %+v", argv, x.process.Pid, s)
	}
}

// besideEndsAll is about the end of process 1: what the program has left behind ends too, and so does its hold on the pipe.
func besideEndsAll(t *testing.T, argv []string) {
	t.Helper()
	argv = besideArgv(t, argv)
	c := exec.Command(argv[0], argv[1:]...)
	c.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWPID}
	var out bytes.Buffer
	c.Stdout = &out
	if err := c.Run(); c.ProcessState == nil || c.ProcessState.ExitCode() != 3 {
		t.Errorf("%q: %v\n%s", argv, err, out.String())
	}
}

// besideArgv finds the first word.
func besideArgv(t *testing.T, argv []string) []string {
	t.Helper()
	if argv[0] == "daemonproxy" {
		return append([]string{daemonBinary}, argv[1:]...)
	}
	path, err := exec.LookPath(argv[0])
	if err != nil {
		t.Fatal(err)
	}
	return append([]string{path}, argv[1:]...)
}
