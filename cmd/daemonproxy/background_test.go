package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"daemonproxy/actor/mainthread"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"
)

// init keeps the main goroutine on the main thread, as the program does.
func init() { runtime.LockOSThread() }

// TestMain is also the launcher and the daemon of the tests below: the test
// binary with roleVariable set launches itself, and takes the part of the daemon
// when the launcher's mark is on it.
func TestMain(m *testing.M) {
	if os.Getenv(roleVariable) == "" {
		goleak.VerifyTestMain(m)
		return
	}
	environ, d := takeMark(os.Environ())
	if d != nil {
		beDaemon(d, environ)
	}
	code, errno := launch(os.Args, environ)
	if errno != 0 {
		fmt.Fprintln(os.Stderr, "fork:", errno)
		code = 99
	}
	os.Exit(code)
}

const roleVariable = "DAEMONPROXY_TEST_LAUNCHER"

// beDaemon does what the first argument says.
func beDaemon(d *daemonized, environ []string) {
	switch os.Args[1] {
	case "fail":
		fmt.Fprint(os.Stderr, "failed")
		os.Exit(7)
	case "die":
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	case "limit":
		_ = syscall.Exec("/bin/sh", []string{"sh", "-c", "ulimit -Sn >&3"}, os.Environ())
		os.Exit(98)
	}
	report := os.NewFile(3, "report")
	flags, _ := unix.FcntlInt(uintptr(d.status), unix.F_GETFD, 0)
	if errno := becomeDaemon(); errno != 0 {
		fmt.Fprint(report, "setsid: ", errno)
		os.Exit(97)
	}
	errno := d.ready(os.Args[1] == "keep")
	var open []string
	for fd := range 1000 {
		if path, err := os.Readlink("/proc/self/fd/" + strconv.Itoa(fd)); err == nil && (fd < 6 || fd == d.status) {
			open = append(open, fmt.Sprint(fd, "=", path))
		}
	}
	comm, _ := os.ReadFile("/proc/self/comm")
	sid, _ := unix.Getsid(0)
	_, marked := mainthread.Getenv(environ, markVariable)
	fmt.Fprintf(report, "%d leader=%v,%v comm=%s cloexec=%v high=%v marked=%v args=%q errno=%d open=%q",
		os.Getpid(), sid == os.Getpid(), unix.Getpgrp() == os.Getpid(), bytes.TrimSpace(comm),
		flags&unix.FD_CLOEXEC != 0, d.status >= statusFD, marked, os.Args[1:], errno, open)
	os.Exit(0)
}

// runLauncher starts the launcher with the given words and gives its standard
// output, its exit status, and what the daemon wrote to descriptor 3.
func runLauncher(t *testing.T, edit func(*exec.Cmd), args ...string) (stdout string, code int, report string) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	input, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer input.Close()
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append(os.Environ(), roleVariable+"=1")
	cmd.ExtraFiles = []*os.File{w, nil, input} // 3 and 5
	var out bytes.Buffer
	cmd.Stdout = &out
	if edit != nil {
		edit(cmd)
	}
	err = cmd.Run()
	w.Close()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	text, err := io.ReadAll(r) // ends when the daemon has
	if err != nil {
		t.Fatal(err)
	}
	return out.String(), cmd.ProcessState.ExitCode(), string(text)
}

func TestLaunchReady(t *testing.T) {
	home, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	stdin := filepath.Join(home, "background.go")
	for _, mode := range []string{"ready", "keep"} {
		t.Run(mode, func(t *testing.T) {
			stdout, code, report := runLauncher(t, func(cmd *exec.Cmd) {
				f, err := os.Open(stdin)
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { f.Close() })
				cmd.Stdin = f
				cmd.Env = append(cmd.Env, markVariable+"=3:1:2") // a stale one
			}, mode, "a\tb", "")
			first := "/dev/null"
			if mode == "keep" {
				first = stdin
			}
			// 4 is closed in the launcher and so is free for the runtime's use: it is not looked at.
			want := stdout + ` leader=true,true comm=daemonproxy cloexec=true high=true marked=false args=["` + mode +
				`" "a\tb" ""] errno=0 open=["0=` + first + `" "1=/dev/null" "2=/dev/null" "3=pipe:`
			if code != 0 || !strings.HasPrefix(report, want) || !strings.Contains(report, `"5=/dev/null"`) {
				t.Errorf("stdout %q, exit %d, report\n %s\nwant\n %s", stdout, code, report, want)
			}
			if _, err := strconv.Atoi(stdout); err != nil {
				t.Errorf("stdout %q is not only a PID", stdout)
			}
			if strings.Contains(report, `"`+strconv.Itoa(statusFD)+"=") {
				t.Errorf("the status pipe is still open: %s", report)
			}
		})
	}
}

func TestLaunchFailure(t *testing.T) {
	var stderr bytes.Buffer
	stdout, code, _ := runLauncher(t, func(cmd *exec.Cmd) { cmd.Stderr = &stderr }, "fail")
	if stdout != "" || code != 7 || stderr.String() != "failed" {
		t.Errorf("stdout %q, exit %d, stderr %q", stdout, code, stderr.String())
	}
	stdout, code, _ = runLauncher(t, nil, "die")
	if stdout != "" || code != 128+9 {
		t.Errorf("stdout %q, exit %d", stdout, code)
	}
}

// A low limit must neither be lost nor hinder the status pipe.
func TestLaunchKeepsLimit(t *testing.T) {
	for _, which := range []string{"-Sn", "-n"} {
		_, code, report := runLauncher(t, func(cmd *exec.Cmd) {
			cmd.Args = []string{"sh", "-c", "ulimit " + which + ` 64 && exec "$0" limit`, cmd.Path}
			cmd.Path = "/bin/sh"
		})
		if code != 0 || report != "64\n" {
			t.Errorf("ulimit %s: exit %d, limit %q", which, code, report)
		}
	}
}

func TestTakeMarkRefuses(t *testing.T) {
	read, write, errno := statusPipe()
	if errno != 0 {
		t.Fatal(errno)
	}
	defer unix.Close(read)
	good, errno := markOf(write)
	if errno != 0 {
		t.Fatal(errno)
	}
	fd, identity, _ := strings.Cut(good, ":")
	regular, err := os.Open("background.go")
	if err != nil {
		t.Fatal(err)
	}
	defer regular.Close()
	ofFile, errno := markOf(int(regular.Fd()))
	if errno != 0 {
		t.Fatal(errno)
	}
	for _, mark := range []string{
		"", "x", ":", "::", "-1:0:0", "1", "2:" + identity, fd, fd + ":", good + "0", good + ":", "0" + good,
		strconv.Itoa(read) + ":" + identity, "1000000:" + identity, "99999999999999999999:" + identity, ofFile,
	} {
		environ, d := takeMark([]string{"A=1", markVariable + "=" + mark, "", "A=2", markVariable + "=again"})
		if d != nil {
			t.Errorf("%q was taken for a launcher's mark", mark)
		}
		if want := []string{"A=1", "", "A=2"}; !slices.Equal(environ, want) {
			t.Errorf("%q leaves the environment %q, want %q", mark, environ, want)
		}
	}
	marked := func() []string { return []string{markVariable + "=" + good} }
	_, d := takeMark(marked())
	if d == nil || d.status != write {
		t.Fatalf("%q was not taken", good)
	}
	if _, d := takeMark(marked()); d != nil {
		t.Error("a pipe that is close-on-exec already was taken")
	}
	unix.Close(write)
}

func TestOwnImage(t *testing.T) {
	want, err := os.Readlink("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	if got := ownImage([]string{"something"}, nil); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	dir := t.TempDir()
	prog := filepath.Join(dir, "prog")
	if err := os.WriteFile(prog, nil, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "data"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for in, want := range map[string]string{"prog": prog, "data": "data", "": "", "./prog": "./prog", "none": "none"} {
		if got := searchPath(in, []string{"PATH=/nowhere:" + dir}); got != want {
			t.Errorf("searchPath(%q) = %q, want %q", in, got, want)
		}
	}
}
