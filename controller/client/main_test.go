package client_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"daemonproxy/controller/client"

	"go.uber.org/goleak"
)

// daemonBinary is the daemonproxy under test: the real one.
var daemonBinary string

// asController, in the environment, makes this test binary the controller of ExampleStdio.
const asController = "CLIENT_TEST_CONTROLLER"

func TestMain(m *testing.M) {
	if os.Getenv(asController) != "" {
		keepUp()
		return
	}
	os.Exit(run(m))
}

func run(m *testing.M) int {
	scratch, err := os.MkdirTemp("", "dpclient")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(scratch)
	daemonBinary = filepath.Join(scratch, "daemonproxy")
	if out, err := exec.Command("go", "build", "-o", daemonBinary, "daemonproxy/cmd/daemonproxy").CombinedOutput(); err != nil {
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

// daemon is a running daemonproxy with a control socket.
type daemon struct {
	socket string
	cmd    *exec.Cmd
	ended  chan struct{}
}

// startDaemon returns once the socket can be connected to. Services that use stderr write to its log.
func startDaemon(t testing.TB, args ...string) *daemon {
	t.Helper()
	dir, err := os.MkdirTemp("", "dpc")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return startAt(t, filepath.Join(dir, "sock"), args...)
}

// startAt is startDaemon with a given socket.
func startAt(t testing.TB, socket string, args ...string) *daemon {
	t.Helper()
	d := &daemon{socket: socket, ended: make(chan struct{})}
	if err := d.start(args...); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.kill)
	return d
}

// start returns once the socket can be connected to.
func (d *daemon) start(args ...string) error {
	d.cmd = exec.Command(daemonBinary, append([]string{"-S", d.socket}, args...)...)
	d.cmd.Env = append(os.Environ(), asController+"=")
	log, err := d.cmd.StderrPipe()
	if err != nil {
		return err
	}
	if err := d.cmd.Start(); err != nil {
		return err
	}
	go func() {
		io.Copy(io.Discard, log)
		d.cmd.Wait()
		close(d.ended)
	}()
	for {
		conn, err := net.Dial("unix", d.socket)
		if err == nil {
			return conn.Close()
		}
		select {
		case <-d.ended:
			return errors.New("daemonproxy ended")
		case <-time.After(2 * time.Millisecond):
		}
	}
}

// kill ends the daemon, whose services are its own affair.
func (d *daemon) kill() {
	d.cmd.Process.Kill()
	<-d.ended
}

// within is the one deadline of a test; it only fails.
func within(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// connected is a client of a daemon of its own.
func connected(t testing.TB, args ...string) (*daemon, *client.Client, context.Context) {
	t.Helper()
	d, ctx := startDaemon(t, args...), within(t)
	return d, d.connect(t, ctx), ctx
}

func (d *daemon) connect(t testing.TB, ctx context.Context) *client.Client {
	t.Helper()
	c, err := client.Dial(ctx, d.socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// do sends a command, '|' standing for TAB, and requires that it succeeds.
func do(t testing.TB, ctx context.Context, c *client.Client, command string) client.Answer {
	t.Helper()
	answer, err := c.DoLine(ctx, strings.ReplaceAll(command, "|", "\t"))
	if err != nil {
		t.Fatalf("%s: %v", command, err)
	}
	return answer
}

// exampleDaemon is startDaemon for examples, which have no test to fail.
func exampleDaemon() *daemon {
	dir, err := os.MkdirTemp("", "dpc")
	if err != nil {
		panic(err)
	}
	d := &daemon{socket: filepath.Join(dir, "sock"), ended: make(chan struct{})}
	if err := d.start(); err != nil {
		panic(err)
	}
	return d
}

// end is kill for examples.
func (d *daemon) end() {
	d.kill()
	os.RemoveAll(filepath.Dir(d.socket))
}
