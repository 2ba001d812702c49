package client_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"daemonproxy/controller/client"
)

// userSignal is one that nothing else in these tests sends.
const userSignal = syscall.SIGUSR2

func TestDialFails(t *testing.T) {
	ctx := within(t)
	_, err := client.Dial(ctx, filepath.Join(t.TempDir(), "none"))
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no socket: %v", err)
	}
	if _, err = client.Dial(ctx, strings.Repeat("x", 200)); err == nil || !strings.Contains(err.Error(), "107") {
		t.Errorf("a long path: %v", err)
	}
	dead := filepath.Join(t.TempDir(), "dead")
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: dead})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	l.Close()
	if _, err = client.Dial(ctx, dead); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("nobody listens: %v", err)
	}
}

// Without a free connection, Dial waits for one, but not beyond its context.
func TestDialWaitsForAFreeConnection(t *testing.T) {
	d, first, ctx := connected(t, "--max-clients", "2")
	d.connect(t, ctx)
	short, cancel := context.WithCancel(ctx)
	go func() {
		first.Do(ctx, "echo", "served")
		cancel()
	}()
	var notServed *client.NotServedError
	if _, err := client.Dial(short, d.socket); !errors.As(err, &notServed) {
		t.Errorf("a third connection: %v", err)
	}
	served := make(chan struct{})
	go func() {
		defer close(served)
		d.connect(t, ctx)
	}()
	first.Close()
	<-served
}

// A daemon that dies ends everything that waits, with the reason.
func TestDaemonDies(t *testing.T) {
	d, c, ctx := connected(t)
	waited := make(chan error, 1)
	go func() { waited <- c.Wait(ctx, func(*client.State) bool { return false }) }()
	var last error
	for event, err := range c.Events(ctx) {
		if event == (client.Synced{}) {
			d.kill()
		}
		last = err
	}
	if !errors.Is(last, client.ErrDisconnected) {
		t.Errorf("events end with %v", last)
	}
	if err := <-waited; !errors.Is(err, client.ErrDisconnected) {
		t.Errorf("Wait: %v", err)
	}
	<-c.Done()
	if _, err := c.Do(ctx, "echo", "x"); !errors.Is(err, client.ErrDisconnected) {
		t.Errorf("Do: %v", err)
	}
}

// DialAgain finds the next daemon at the same place and mirrors what that one has.
func TestReconnect(t *testing.T) {
	d, ctx := startDaemon(t), within(t)
	c, err := client.DialAgain(ctx, d.socket)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	do(t, ctx, c, "service.args|old|/bin/true")
	var seen []string
	for event, err := range c.Events(ctx) {
		if err != nil {
			t.Fatal(err)
		}
		switch e := event.(type) {
		case client.Synced:
			seen = append(seen, "synced")
			if len(seen) == 1 {
				d.kill()
				startAt(t, d.socket)
			}
		case client.Lost:
			seen = append(seen, "lost")
			if !errors.Is(e.Err, client.ErrDisconnected) {
				t.Errorf("lost for %v", e.Err)
			}
			// Do waits for the connection, or fails with the one that broke under it.
			if _, err := c.Do(ctx, "service.args", "new", "/bin/true"); err != nil {
				t.Errorf("Do: %v", err)
			}
		}
		if len(seen) == 3 {
			break
		}
	}
	if fmt.Sprint(seen) != "[synced lost synced]" {
		t.Errorf("seen %v", seen)
	}
	do(t, ctx, c, "echo|x")
	state := c.State()
	if _, old := state.Services["old"]; old || len(state.Services) != 1 {
		t.Errorf("services are %v", state.Services)
	}
}

// A client of plain pipes: an interactive daemonproxy that the program itself runs. Its greeting is no event.
func TestPipes(t *testing.T) {
	ctx := within(t)
	inR, inW, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	outR, outW, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(daemonBinary, "-i")
	cmd.Stdin, cmd.Stdout = inR, outW
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	inR.Close()
	outW.Close()
	c, err := client.New(ctx, outR, inW)
	if err != nil {
		t.Fatal(err)
	}
	do(t, ctx, c, "service.args|x|/bin/true")
	do(t, ctx, c, "terminate|3")
	if err := cmd.Wait(); err == nil || cmd.ProcessState.ExitCode() != 3 {
		t.Errorf("exit: %v", err)
	}
	c.Close()
}

// Who is at the other end of a pair of streams that does not speak the protocol is no daemonproxy.
func TestNotADaemon(t *testing.T) {
	ours, theirs := net.Pipe()
	go io.Copy(io.Discard, theirs)
	go func() {
		fmt.Fprint(theirs, strings.Repeat("x", 100<<10))
		theirs.Close()
	}()
	if _, err := client.New(within(t), ours, ours); err == nil || !strings.Contains(err.Error(), "not daemonproxy") {
		t.Errorf("got %v", err)
	}
}

// The controller of the example does what it says.
func TestControllerInGo(t *testing.T) {
	d, c, ctx := connected(t)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	do(t, ctx, c, "service.args|web|/bin/sh|-c|exit 4")
	do(t, ctx, c, "service.args|controller|/usr/bin/env|"+asController+"=1|"+self)
	do(t, ctx, c, "service.fds|controller|control.event|control.cmd|stderr")
	do(t, ctx, c, "service.start|controller")
	for runs := 0; runs < 2; {
		err := c.Wait(ctx, func(s *client.State) bool {
			return runs == 0 && s.Services["web"].State == client.Down && s.Services["web"].Exit.Status == 4 ||
				runs == 1 && s.Services["web"].State == client.Start && s.Services["web"].Time > 0
		})
		if err != nil {
			t.Fatal(err)
		}
		runs++
	}
	do(t, ctx, c, "service.args|web|/bin/sleep|100")
	if err := c.Wait(ctx, func(s *client.State) bool { return s.Services["web"].State == client.Up }); err != nil {
		t.Fatal(err)
	}
	if err := d.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	<-d.ended
	if web, _ := c.Service("web"); web.Exit.Signal != "SIGTERM" {
		t.Errorf("web ended with %v", web.Exit)
	}
}
