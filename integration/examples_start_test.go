package integration

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// example is one directory below ../examples, and the command that its README gives to start it.
type example struct {
	dir    string
	config string // empty: the directory has a run.sh of its own
	ready  string // a line of its output that tells that it is at work; empty: look into its log file
}

var (
	quickstart       = example{dir: "quickstart", ready: "log: worker {pid}: at work"}
	plain            = example{dir: "plain", config: "plain.conf"}
	minimal          = example{dir: "minimal", config: "minimal.conf", ready: "serving as {pid}"}
	controllerSh     = example{dir: "controller-sh", config: "services.conf"}
	controllerPython = example{dir: "controller-python", config: "services.conf"}
)

// started is an example that runs in a copy of its directory, with a control socket beside.
type started struct {
	*daemon
	dir string
}

func (e example) start(t testing.TB) *started {
	t.Helper()
	return e.startOn(t, setup{})
}

func (e example) startOn(t testing.TB, s setup) *started {
	t.Helper()
	dir := filepath.Join(t.TempDir(), e.dir)
	if err := os.CopyFS(dir, os.DirFS(filepath.Join("..", "examples", e.dir))); err != nil {
		t.Fatal(err)
	}
	s.args = []string{"-S", "{dir}/ctl"}
	if e.config == "" {
		// The words are: $0, the daemon's path, its arguments.
		s.wrap = append(s.wrap, "/bin/sh", "-c", `export DAEMONPROXY=$1; shift; exec "$0" "$@"`, filepath.Join(dir, "run.sh"))
	} else {
		s.wrap = append(s.wrap, "/bin/sh", "-c", `cd "$0" && exec "$@"`, dir)
		s.args = append(s.args, "-c", e.config)
	}
	return &started{s.launch(t), dir}
}

// startOnTerminal starts the example as the foreground job of a terminal, and returns once its services have begun.
func (e example) startOnTerminal(t testing.TB) (*started, *terminal) {
	t.Helper()
	tty := newTerminal(t)
	x := e.startOn(t, setup{
		fds:  map[int]*os.File{0: tty.slave, 1: tty.slave, 2: tty.slave},
		wrap: strings.Split(helperArgs("foreground"), "\t"),
	})
	tty.slave.Close()
	screen := x.stream("screen", tty)
	if e.ready != "" {
		screen.await(e.ready)
		return x, tty
	}
	x.eventually("output of the services", func() bool {
		logs, _ := filepath.Glob(filepath.Join(x.dir, "*.log"))
		return len(logs) == 1 && x.file(filepath.Base(logs[0])) != ""
	})
	return x, tty
}

// expectEnd requires exit status 0, and that every process of the example is gone soon after.
func (x *started) expectEnd() {
	x.t.Helper()
	x.expectExit(0)
	var left []string
	x.eventually("the end of all processes", func() bool {
		left = processesWith(testMark + x.daemon.dir)
		if len(left) > 0 && time.Until(x.limit) < time.Second {
			x.t.Fatalf("still there: %q", left)
		}
		return len(left) == 0
	})
}

// processesWith lists the processes that have this environment variable. Zombies have none.
func processesWith(mark string) (found []string) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	for _, entry := range entries {
		environ, err := os.ReadFile(filepath.Join("/proc", entry.Name(), "environ"))
		if err != nil || !slices.Contains(strings.Split(string(environ), "\x00"), mark) {
			continue
		}
		cmdline, _ := os.ReadFile(filepath.Join("/proc", entry.Name(), "cmdline"))
		found = append(found, entry.Name()+" "+strings.ReplaceAll(string(cmdline), "\x00", " "))
	}
	return found
}

// file is a file that the example writes.
func (x *started) file(name string) string {
	text, err := os.ReadFile(filepath.Join(x.dir, name))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		x.t.Fatal(err)
	}
	return string(text)
}

// pidOf asks for the pid of a service that is up.
func (x *started) pidOf(c *controller, service string) int {
	x.t.Helper()
	state := c.services()[service]
	if len(state) != 9 || state[2] != "up" {
		x.t.Fatalf("%s is not up: %q", service, state)
	}
	var pid int
	if _, err := fmt.Sscan(state[4], &pid); err != nil {
		x.t.Fatal(err)
	}
	return pid
}

// awaitUp returns the pid of a service as soon as it is up.
func (x *started) awaitUp(c *controller, service string) int {
	x.t.Helper()
	if state := c.services()[service]; len(state) == 9 && state[2] == "up" {
		return x.pidOf(c, service)
	}
	c.await("service.state⇥" + service + "⇥up⇥{now}⇥{pid=up}⇥-⇥-⇥{int}⇥-")
	return c.vars.num("up")
}

// terminal is a pseudo-terminal: the master as a source of lines, the slave for the daemon.
type terminal struct {
	*os.File
	slave *os.File
}

// newTerminal turns Ctrl-C into SIGINT as usual, but neither echoes nor adds carriage returns.
func newTerminal(t testing.TB) *terminal {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { master.Close() })
	raw, err := master.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var number int
	var failed error
	if err := raw.Control(func(fd uintptr) {
		if failed = unix.IoctlSetPointerInt(int(fd), unix.TIOCSPTLCK, 0); failed == nil {
			number, failed = unix.IoctlGetInt(int(fd), unix.TIOCGPTN)
		}
	}); err != nil || failed != nil {
		t.Fatal(err, failed)
	}
	slave, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { slave.Close() })
	mode, err := unix.IoctlGetTermios(int(slave.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	mode.Lflag &^= unix.ECHO
	mode.Oflag &^= unix.OPOST
	if err := unix.IoctlSetTermios(int(slave.Fd()), unix.TCSETS, mode); err != nil {
		t.Fatal(err)
	}
	return &terminal{master, slave}
}

// Read reports the end that a terminal has, when no process has it open any more, as such.
func (p *terminal) Read(b []byte) (int, error) {
	n, err := p.File.Read(b)
	if errors.Is(err, syscall.EIO) {
		err = io.EOF
	}
	return n, err
}

func init() { helpers["foreground"] = helperForeground }

// foreground PROGRAM ARG…: becomes PROGRAM, leader of a session whose terminal is its stdin.
func helperForeground(args []string) int {
	if _, err := unix.Setsid(); err != nil {
		fmt.Fprintln(os.Stderr, "setsid:", err)
		return 1
	}
	if err := unix.IoctlSetInt(0, unix.TIOCSCTTY, 0); err != nil {
		fmt.Fprintln(os.Stderr, "TIOCSCTTY:", err)
		return 1
	}
	fmt.Fprintln(os.Stderr, syscall.Exec(args[0], args, os.Environ()))
	return 1
}
