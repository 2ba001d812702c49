package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"daemonproxy/controller/client"
)

// everyCommand is each command that speaks to a daemon.
var everyCommand = [][]string{
	{"status"}, {"status", "--watch"}, {"start", "x"}, {"stop", "x"}, {"restart", "x"}, {"signal", "TERM", "x"}, {"wait", "x"},
	{"events", "--follow"}, {"send", "echo", "x"}, {"log-level"}, {"fds"}, {"graph"},
}

// Without a daemon every command says where it looked, why there, and what can be done.
func TestNoDaemon(t *testing.T) {
	none := filepath.Join(t.TempDir(), "none")
	for _, args := range everyCommand {
		cmd := exec.Command(dpctlBinary, append([]string{"-S", none}, args...)...)
		runCommand(t, cmd).expect(t, exitNoDaemon, "cannot connect to "+none+" (given by -S)", "no such file", "daemonproxy with -S")
	}
	cmd := exec.Command(dpctlBinary, "status")
	cmd.Env = append(os.Environ(), "DAEMONPROXY_SOCKET="+none)
	runCommand(t, cmd).expect(t, exitNoDaemon, none+" (given by $DAEMONPROXY_SOCKET)")

	cmd = exec.Command(dpctlBinary, "status", "-S", strings.Repeat("x", 200))
	runCommand(t, cmd).expect(t, exitNoDaemon, "1 to 107 bytes")
}

// -S ranks before the environment.
func TestSocketOrder(t *testing.T) {
	d := startDaemon(t)
	cmd := d.command("status", "-S", d.socket)
	cmd.Env = append(os.Environ(), "DAEMONPROXY_SOCKET=/nowhere")
	runCommand(t, cmd).expect(t, exitDone, "NAME")
	p := program{}
	t.Setenv("DAEMONPROXY_SOCKET", "")
	if path, origin := p.socketPath(); path != defaultSocket || !strings.Contains(origin, "default") {
		t.Errorf("without anything said it is %s, %s", path, origin)
	}
}

// The file of a daemon that was killed is told from one that is not there.
func TestDaemonWasKilled(t *testing.T) {
	d := startDaemon(t)
	d.cmd.Process.Kill()
	<-d.ended
	d.expect(exitNoDaemon, []string{"nobody listens", d.socket}, "status")
}

func TestNoPermission(t *testing.T) {
	d := startDaemon(t)
	for _, dir := range []string{binaries, d.dir} { // somebody else must get as far as the socket
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(d.socket, 0o400); err != nil {
		t.Fatal(err)
	}
	cmd := d.command("status")
	if os.Getuid() == 0 { // who may do everything
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	}
	owner := fmt.Sprintf("uid %d, gid %d, mode 0400", os.Getuid(), os.Getgid())
	runCommand(t, cmd).expect(t, exitNoDaemon, "permission denied", owner, "mode=")
}

// A daemon that does not answer is waited for no longer than --timeout, by any command.
func TestDaemonDoesNotAnswer(t *testing.T) {
	d := startDaemon(t)
	if err := d.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	for _, args := range everyCommand {
		d.expect(exitTimedOut, []string{"does not answer", "--max-clients"}, append([]string{"--timeout", "10ms"}, args...)...)
	}
}

// A daemon that stops answering later is noticed as well.
func TestDaemonStopsAnswering(t *testing.T) {
	d := startDaemon(t)
	d.stubborn("x")
	d.send("service.auto_up|x|1|always")
	b := d.background("stop", "x", "--timeout", "1s")
	err := d.Wait(d.ctx, func(s *client.State) bool { return len(s.Services["x"].AutoUp.Triggers) == 0 })
	if err != nil {
		t.Fatal(err)
	}
	if err := d.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	b.finish().expect(t, exitTimedOut, "x: time was up")
}

// background is a dpctl that runs while the test goes on.
type background struct {
	t    *testing.T
	cmd  *exec.Cmd
	out  *bufio.Reader
	errs *strings.Builder
}

func (d *daemon) background(args ...string) *background {
	d.t.Helper()
	b := &background{t: d.t, cmd: d.command(args...), errs: &strings.Builder{}}
	out, err := b.cmd.StdoutPipe()
	if err != nil {
		d.t.Fatal(err)
	}
	b.out, b.cmd.Stderr = bufio.NewReader(out), b.errs
	if err := b.cmd.Start(); err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() {
		if b.cmd.ProcessState == nil {
			b.cmd.Process.Kill()
			b.cmd.Wait()
		}
	})
	return b
}

// await reads until a line has the text.
func (b *background) await(text string) {
	b.t.Helper()
	for {
		line, err := b.out.ReadString('\n')
		if strings.Contains(line, text) {
			return
		}
		if err != nil {
			b.t.Fatalf("waiting for %q: %v, stderr: %s", text, err, b.errs)
		}
	}
}

func (b *background) finish() result {
	b.t.Helper()
	out, err := io.ReadAll(b.out)
	if err != nil {
		b.t.Fatal(err)
	}
	b.cmd.Wait()
	return result{string(out), b.errs.String(), b.cmd.ProcessState.ExitCode()}
}

// A daemon that ends in the middle ends whoever waits, with a word.
func TestDaemonEndsInTheMiddle(t *testing.T) {
	for _, args := range [][]string{
		{"status", "--watch"}, {"status", "--watch", "--json"}, {"events", "--follow"}, {"events", "--follow", "--json"},
	} {
		d := startDaemon(t)
		d.send("service.args|x|/bin/true")
		b := d.background(args...)
		b.await("x")
		d.send("terminate|0")
		b.finish().expect(t, exitNoDaemon, "the connection to daemonproxy broke")
	}
}

// So it does while dpctl waits for a program to end.
func TestDaemonEndsDuringStop(t *testing.T) {
	d := startDaemon(t)
	d.stubborn("x")
	d.send("service.auto_up|x|1|always")
	b := d.background("stop", "x", "--timeout", "1h")
	err := d.Wait(d.ctx, func(s *client.State) bool { return len(s.Services["x"].AutoUp.Triggers) == 0 })
	if err != nil {
		t.Fatal(err)
	}
	d.cmd.Process.Kill()
	b.finish().expect(t, exitNoDaemon, "x: the connection to daemonproxy broke")
}

// An overflow while somebody watches is told, and what is shown then is right again.
func TestOverflowWhileWatching(t *testing.T) {
	d := startDaemon(t)
	d.send("service.args|before|/bin/true")
	events, watch := d.background("events", "--follow"), d.background("status", "--watch")
	jsonEvents := d.background("events", "--follow", "--json")
	all := []*background{events, watch, jsonEvents}
	for _, b := range all {
		b.await("before")
		if err := b.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
			t.Fatal(err)
		}
	}
	text := strings.Repeat("x", 4000)
	for i := range 200 { // more than the outbox and the kernel hold
		d.send(fmt.Sprintf("service.tags|flood|%d|%s", i, text))
	}
	d.send("service.delete|flood", "service.delete|before", "service.args|after|/bin/true")
	for _, b := range all {
		if err := b.cmd.Process.Signal(syscall.SIGCONT); err != nil {
			t.Fatal(err)
		}
	}
	jsonEvents.await(`"event":"lost"`)
	jsonEvents.await(`"name":"after"`)
	events.await("service.args\tafter\t")
	watch.await("after")
	d.send("terminate|0")
	events.finish().expect(t, exitNoDaemon, "events are missing")
	r := watch.finish()
	r.expect(t, exitNoDaemon)
	tables := strings.Split(r.out, "NAME")
	if last := tables[len(tables)-1]; strings.Contains(last, "flood") || strings.Contains(last, "before") {
		t.Errorf("the last table has what is deleted: %s", last)
	}
}

// All connections in use are named as a possible reason.
func TestNoFreeConnection(t *testing.T) {
	d := startDaemon(t, "--max-clients", "2")
	second, err := net.Dial("unix", d.socket)
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	fmt.Fprint(second, "echo\tserved\n")
	if _, err := bufio.NewReader(second).ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	d.expect(exitTimedOut, []string{"--max-clients"}, "status", "--timeout", "10ms")
}

// A reader that leaves ends dpctl, as it does any program in a pipe.
func TestReaderLeaves(t *testing.T) {
	d := startDaemon(t)
	cmd := exec.CommandContext(d.ctx, "/bin/sh", "-c", dpctlBinary+" events | head -n 1")
	cmd.Env = append(os.Environ(), "DAEMONPROXY_SOCKET="+d.socket)
	runCommand(t, cmd).expect(t, exitDone, "fd.state")
}
