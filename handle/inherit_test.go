package handle

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"daemonproxy/actor"
)

// What a process inherits, and its descriptors 0 to 2, can be tested only in a
// process of its own: the test binary again, with the name of a helper. It has
// stdin on /dev/zero, stdout and stderr on files, and reports failures on 3.
var helpers = map[string]func(b *bench){
	"inherit":    helpInherit,
	"closed":     helpClosed,
	"no null":    helpNoNull,
	"standard":   helpStandard,
	"no cover":   helpNoCover,
	"stand in":   helpStandIn,
	"pool":       helpPool,
	"log stderr": helpLogStderr,
}

const reportFD = 3

func TestHelpers(t *testing.T) {
	for name := range helpers {
		t.Run(name, func(t *testing.T) {
			r, w, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			zero, err := os.Open("/dev/zero")
			if err != nil {
				t.Fatal(err)
			}
			defer zero.Close()
			cmd := exec.Command(os.Args[0])
			cmd.Dir = t.TempDir()
			cmd.Env = append(os.Environ(), "HANDLE_TEST_HELPER="+name)
			cmd.Stdin = zero
			cmd.Stdout = create(t, filepath.Join(cmd.Dir, "stdout"))
			cmd.Stderr = create(t, filepath.Join(cmd.Dir, "stderr"))
			cmd.ExtraFiles = []*os.File{w}
			err = cmd.Start()
			w.Close()
			if err != nil {
				t.Fatal(err)
			}
			report, _ := io.ReadAll(r)
			if err := cmd.Wait(); err != nil || string(report) != "passed\n" {
				stderr, _ := os.ReadFile(filepath.Join(cmd.Dir, "stderr"))
				t.Errorf("%v\n%s%s", err, report, stderr)
			}
		})
	}
}

func create(t *testing.T, path string) *os.File {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// helperTB is a testing.TB without a test.
type helperTB struct {
	testing.TB
	failed bool
}

func (*helperTB) Helper()        {}
func (*helperTB) Cleanup(func()) {}
func (t *helperTB) Error(args ...any) {
	t.failed = true
	unix.Write(reportFD, []byte(fmt.Sprintln(args...)))
}
func (t *helperTB) Errorf(format string, args ...any) { t.Error(fmt.Sprintf(format, args...)) }
func (t *helperTB) Fatal(args ...any)                 { t.Error(args...); os.Exit(1) }
func (t *helperTB) Fatalf(format string, args ...any) {
	t.Error(fmt.Sprintf(format, args...))
	os.Exit(1)
}

func runHelper(name string) int {
	for _, fd := range inherited(nil) { // the report, and what the test itself was given
		unix.CloseOnExec(fd)
	}
	t := new(helperTB)
	helpers[name](newBench(t, 0, 0))
	if t.failed {
		return 1
	}
	unix.Write(reportFD, []byte("passed\n"))
	return 0
}

func (b *bench) inherit(skip ...int) {
	if err := b.registry.Inherit(b.call, skip); err != nil {
		b.t.Fatal(err)
	}
}

var constants = []string{
	"control.cmd|special|write|daemonproxy command pipe",
	"control.event|special|read|daemonproxy event stream",
	"control.socket|special|read,write|daemonproxy control socket",
}

const nullLine = "null|special|read,write|/dev/null"

func (b *bench) showsAtStart(standard [3]string, others ...string) {
	lines := slices.Clone(constants)
	lines = append(lines, others...)
	lines = append(lines, nullLine, "stderr|"+standard[2], "stdin|"+standard[0], "stdout|"+standard[1])
	b.shows(lines...)
}

var ordinary = [3]string{"file|read|unknown", "file|write|unknown", "file|write|unknown"}

// clearCloseOnExec makes fd one that a parent could have left open.
func clearCloseOnExec(fd int) { unix.FcntlInt(uintptr(fd), unix.F_SETFD, 0) }

func helpInherit(b *bench) {
	open := func(at int, fd int, err error) {
		if err == nil {
			err = unix.Dup3(fd, at, unix.O_CLOEXEC)
			unix.Close(fd)
		}
		if err != nil {
			b.t.Fatal(at, err)
		}
		clearCloseOnExec(at)
	}
	file := func(at, mode int) {
		fd, err := unix.Open("/dev/null", mode, 0)
		open(at, fd, err)
	}
	socket := func(at, domain, kind int) {
		fd, err := unix.Socket(domain, kind, 0)
		open(at, fd, err)
	}
	file(101, unix.O_RDONLY)
	file(102, unix.O_WRONLY|unix.O_APPEND|unix.O_NONBLOCK)
	file(103, unix.O_RDWR)
	file(104, unix.O_RDWR)
	file(1500, unix.O_RDONLY)
	socket(111, unix.AF_UNIX, unix.SOCK_SEQPACKET)
	socket(112, unix.AF_INET, unix.SOCK_DGRAM)
	socket(113, unix.AF_NETLINK, unix.SOCK_RAW)
	b.inherit(104)
	b.showsAtStart(ordinary,
		"fd_101|file|read|unknown", "fd_102|file|write|unknown", "fd_103|file|read,write|unknown",
		"fd_111|socket|unix,seqpacket|unknown", "fd_112|socket|inet,dgram|unknown",
		"fd_113|file|read,write|unknown", "fd_1500|file|read|unknown")
	if fd := b.fd("fd_1500"); fd != 1500 {
		b.t.Error("fd_1500 is ", fd)
	}
	for fd := range 2000 {
		flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0)
		if err == nil && (flags&unix.FD_CLOEXEC == 0) != (fd == 104) {
			b.t.Error("close-on-exec is wrong: ", fd)
		}
	}
	if fileFlags(b.t, 102)&unix.O_NONBLOCK == 0 || fileFlags(b.t, 101)&unix.O_NONBLOCK != 0 {
		b.t.Error("blocking mode changed")
	}
	var p places
	if b.registry.NewLoan(0).Borrow([]byte("control.cmd\tcontrol.event\tnull\tcontrol.socket"), &p); !slices.Equal(p, places{-2, -2, b.fd("null"), -2}) {
		b.t.Error("lent: ", p)
	}
	var kept []int
	b.registry.KeepOpen(func(fd int) { kept = append(kept, fd) })
	slices.Sort(kept)
	if !slices.Equal(kept, []int{0, 1, 2, b.fd("null"), 101, 102, 103, 111, 112, 113, 1500}) {
		b.t.Error("to be kept open: ", kept)
	}
}

func helpClosed(b *bench) {
	unix.Close(0)
	unix.Close(2)
	b.inherit()
	closed := "file|read,write|unknown"
	b.showsAtStart([3]string{closed, ordinary[1], closed})
	if target(b.t, 0) != "/dev/null" || target(b.t, 2) != "/dev/null" || b.fd("null") < 3 {
		b.t.Error("not on /dev/null")
	}
}

// Without a free number /dev/null cannot be opened, nor can /proc be read.
func helpNoNull(b *bench) {
	fd, _ := unix.Open("/dev/zero", unix.O_RDONLY, 0)
	var limit unix.Rlimit
	unix.Getrlimit(unix.RLIMIT_NOFILE, &limit)
	unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 3, Max: limit.Max})
	b.inherit()
	unix.Setrlimit(unix.RLIMIT_NOFILE, &limit)
	b.showsAtStart(ordinary, fmt.Sprintf("fd_%d|file|read|unknown", fd))
	if null := b.fd("null"); null != -1 {
		b.t.Error("null has ", null)
	}
	b.wantLog("stderr", "warning: Can't open /dev/null: Too many open files\n")
}

// wantLog writes the log out and compares it with the file.
func (b *bench) wantLog(path, want string) {
	b.t.Helper()
	stop, ended := make(chan struct{}), make(chan struct{})
	go func() {
		b.log.Run(stop)
		close(ended)
	}()
	b.log.Flush(time.Minute)
	close(stop)
	<-ended
	if got, err := os.ReadFile(path); string(got) != want {
		b.t.Errorf("%s: got log %q (%v), want %q", path, got, err, want)
	}
}

func helpStandard(b *bench) {
	b.inherit()
	b.step("fd.delete|stdin", "stdin|deleted")
	b.step("fd.pipe|x|stdout", "x|pipe|from|stdout", "stdout|pipe|to|x")
	for fd := range 2 {
		if flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err != nil || flags&unix.FD_CLOEXEC == 0 {
			b.t.Error("closed, or not close-on-exec: ", fd)
		}
		if target(b.t, fd) != "/dev/null" {
			b.t.Error(fd, target(b.t, fd))
		}
	}
	b.registry.PutNull(2)
	if target(b.t, 2) != "/dev/null" {
		b.t.Error(target(b.t, 2))
	}
}

// Should there be no /dev/null, a standard descriptor is still not left free.
func helpNoCover(b *bench) {
	d := b.registry.descriptors.take(0)
	d.Release()
	if n, err := unix.Read(0, make([]byte, 1)); err != unix.EBADF || !isOpen(0) {
		b.t.Error("descriptor 0: ", n, err)
	}
}

func helpStandIn(b *bench) {
	b.inherit()
	b.registry.StandInNull(b.call, "stdin", "stdout")
	b.showsAtStart(ordinary)
	null := b.fd("null")
	if fds := b.fds("stdin|stdout|stderr"); fds[0] != null || fds[1] != null || fds[2] != 2 {
		b.t.Error("lent: ", fds)
	}
	b.step("fd.delete|stdin", "stdin|deleted")
	b.step("fd.open|stdout||/dev/zero", "stdout|file|read|/dev/zero")
	if target(b.t, 0) != "/dev/zero" || !strings.HasSuffix(target(b.t, 1), "/stdout") || target(b.t, null) != "/dev/null" {
		b.t.Error("the controller's descriptors, or null, suffered")
	}
}

func helpPool(b *bench) {
	if err := NewRegistry(b.bus, b.log, 7, 96).Inherit(b.call, nil); err != nil {
		b.t.Error(err)
	}
	for fd := range 3 {
		clearCloseOnExec(fd)
	}
	unix.Open("/dev/null", unix.O_RDONLY, 0)
	if err := NewRegistry(new(actor.Bus), b.log, 7, 96).Inherit(b.call, nil); err != ErrFull {
		b.t.Error(err)
	}
}

func helpLogStderr(b *bench) {
	b.inherit()
	b.log.Line(5, "one")
	b.wantLog("stderr", "error: one\n")
	b.step("fd.delete|stderr", "stderr|deleted")
	b.log.Line(5, "two")
	b.step("fd.open|stderr|write,create|again", "stderr|file|write,create|again")
	b.wantLog("again", "error: two\n")
	b.wantLog("stderr", "error: one\n")
}
