package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"daemonproxy/controller/client"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"
)

// The programs under test: real ones, in a directory of their own.
var binaries, daemonBinary, dpctlBinary string

var update = flag.Bool("update", false, "write the golden files anew")

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(runTests(m))
}

func runTests(m *testing.M) int {
	var err error
	if binaries, err = os.MkdirTemp("", "dpctltest"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(binaries)
	for fd := 3; fd < 1024; fd++ { // what go test was started with is no handle of the daemon's
		unix.CloseOnExec(fd)
	}
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	daemonBinary, dpctlBinary = filepath.Join(binaries, "daemonproxy"), filepath.Join(binaries, "dpctl")
	build := exec.Command("go", "build", "-o", binaries+"/", "daemonproxy/cmd/daemonproxy", "daemonproxy/cmd/dpctl")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "go build: %v\n%s", err, out)
		return 1
	}
	code := m.Run()
	if err := goleak.Find(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	return code
}

// daemon is a running daemonproxy, the dpctl that speaks to it, and a client that sees everything.
type daemon struct {
	t      *testing.T
	ctx    context.Context // the deadline of the test, which only fails
	dir    string
	socket string
	cmd    *exec.Cmd
	ended  chan struct{}
	*client.Client
}

func startDaemon(t *testing.T, args ...string) *daemon {
	t.Helper()
	dir, err := os.MkdirTemp("", "dpctl")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	ctx, cancel := context.WithTimeout(context.Background(), 40*time.Second)
	t.Cleanup(cancel)
	d := &daemon{t: t, ctx: ctx, dir: dir, socket: filepath.Join(dir, "sock"), ended: make(chan struct{})}
	d.cmd = exec.Command(daemonBinary, append([]string{"-S", d.socket}, args...)...)
	log, err := d.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := d.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		io.Copy(io.Discard, log)
		d.cmd.Wait()
		close(d.ended)
	}()
	t.Cleanup(d.end)
	for {
		if d.Client, err = client.Dial(ctx, d.socket); err == nil {
			return d
		}
		select {
		case <-d.ended:
			t.Fatal("daemonproxy ended")
		case <-time.After(2 * time.Millisecond):
		}
	}
}

// end kills the daemon and what it ran.
func (d *daemon) end() {
	state := d.State()
	d.Close()
	d.cmd.Process.Kill()
	<-d.ended
	for _, s := range state.Services {
		if s.State == client.Up {
			syscall.Kill(s.PID, syscall.SIGKILL)
			syscall.Wait4(s.PID, nil, 0, nil) // it has been given to us, as to a subreaper
		}
	}
}

// send sends a command of the protocol, '|' standing for TAB.
func (d *daemon) send(commands ...string) {
	d.t.Helper()
	for _, command := range commands {
		if _, err := d.DoLine(d.ctx, strings.ReplaceAll(command, "|", "\t")); err != nil {
			d.t.Fatalf("%s: %v", command, err)
		}
	}
}

// await waits until a service is in a state, and returns it.
func (d *daemon) await(name, state string) (s client.Service) {
	d.t.Helper()
	err := d.Wait(d.ctx, func(all *client.State) bool {
		s = all.Services[name]
		return s.State == state
	})
	if err != nil {
		d.t.Fatalf("%s never was %s: %v", name, state, err)
	}
	return s
}

// service is how a service is once all that dpctl has been answered is known to this client too.
func (d *daemon) service(name string) client.Service {
	d.t.Helper()
	d.send("echo|all before this")
	s, _ := d.Service(name)
	return s
}

// command is a dpctl that speaks to the daemon.
func (d *daemon) command(args ...string) *exec.Cmd {
	cmd := exec.CommandContext(d.ctx, dpctlBinary, args...)
	cmd.Env = append(os.Environ(), "DAEMONPROXY_SOCKET="+d.socket)
	return cmd
}

// result is what a dpctl said.
type result struct {
	out, err string
	status   int
}

func runCommand(t *testing.T, cmd *exec.Cmd) result {
	t.Helper()
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return result{out.String(), errs.String(), cmd.ProcessState.ExitCode()}
}

func (d *daemon) dpctl(args ...string) result {
	d.t.Helper()
	return runCommand(d.t, d.command(args...))
}

// expect runs dpctl and requires its exit status, and texts in what it says.
func (d *daemon) expect(status int, texts []string, args ...string) result {
	d.t.Helper()
	r := d.dpctl(args...)
	r.expect(d.t, status, texts...)
	return r
}

func (r result) expect(t *testing.T, status int, texts ...string) {
	t.Helper()
	if r.status != status {
		t.Errorf("exit status %d, want %d\nstdout: %s\nstderr: %s", r.status, status, r.out, r.err)
	}
	for _, text := range texts {
		if !strings.Contains(r.out+r.err, text) {
			t.Errorf("nothing says %q\nstdout: %s\nstderr: %s", text, r.out, r.err)
		}
	}
}

// What differs from run to run.
var varying = []struct {
	pattern *regexp.Regexp
	with    string
}{
	{regexp.MustCompile(`"since":"[^"]*"`), `"since":"SINCE"`},
	{regexp.MustCompile(`"(pid|due|time|uptime|downtime)":\d+`), `"$1":N`},
	{regexp.MustCompile(`pid \d+`), `pid PID`},
	{regexp.MustCompile(`(?m)^(\S+ +up +)\d+ +\d+s `), "${1}PID  SINCE "},
	{regexp.MustCompile(`(?m)^(\S+ +down +- +)\d+s `), "${1}SINCE "},
	{regexp.MustCompile(`(?m)(service\.state\t\S+\tup\t)\d+\t\d+\t-\t-\t\d+`), "${1}T\tPID\t-\t-\tUPTIME"},
	{regexp.MustCompile(`(?m)(service\.state\t\S+\tdown\t)\d+\t\d+\t(\S+\t\S+)\t\d+\t\d+`), "${1}T\tPID\t$2\tUPTIME\tDOWNTIME"},
	{regexp.MustCompile(`(?m)(service\.state\t\S+\tstart\t)\d+`), "${1}T"},
	{regexp.MustCompile(`(?m)(signal\t\S+\t)\d+`), "${1}T"},
	{regexp.MustCompile(` {2,}`), "  "}, // TestTable looks at the alignment
}

// golden compares what dpctl said with a file of testdata.
func (r result) golden(t *testing.T, name string) {
	t.Helper()
	got := fmt.Sprintf("%s-- stderr, status %d --\n%s", r.out, r.status, r.err)
	for _, v := range varying {
		got = v.pattern.ReplaceAllString(got, v.with)
	}
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s: got\n%s\nwant\n%s", name, got, want)
	}
}
