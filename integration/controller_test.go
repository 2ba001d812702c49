package integration

import (
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// controller is one connection to the daemon: lines to send, lines to expect.
type controller struct {
	*lines
	w interface {
		io.WriteCloser
		SetWriteDeadline(time.Time) error
	}
	conn    *net.UnixConn // nil if interactive
	markers int
}

// controlSocket is where setup's `-S {dir}/ctl` puts the control socket.
func (d *daemon) controlSocket() string { return filepath.Join(d.dir, "ctl") }

// dial connects to {dir}/ctl and waits for nothing but the connection.
func (d *daemon) dial(name string) *controller {
	d.t.Helper()
	var conn *net.UnixConn
	d.eventually("a control socket", func() (ok bool) {
		c, err := net.DialUnix("unix", nil, &net.UnixAddr{Name: d.controlSocket(), Net: "unix"})
		conn = c
		return err == nil
	})
	c := &controller{lines: d.stream(name, conn), w: conn, conn: conn}
	d.clients = append(d.clients, c)
	return c
}

// client connects and returns once the daemon has answered.
func (d *daemon) client(name string) *controller {
	d.t.Helper()
	c := d.dial(name)
	c.skip()
	return c
}

// send writes whole lines.
func (c *controller) send(commands ...string) {
	c.t.Helper()
	c.raw(c.vars.text(strings.Join(commands, "{lf}")) + "\n")
}

// raw writes bytes as they are.
func (c *controller) raw(text string) {
	c.t.Helper()
	if err := c.w.SetWriteDeadline(c.deadline()); err != nil {
		c.t.Fatal(err)
	}
	if _, err := io.WriteString(c.w, text); err != nil {
		c.t.Fatalf("%s: %v", c.name, err)
	}
}

// sync requires that every line so far has been expected: the next one is the answer to a marker.
func (c *controller) sync() {
	c.t.Helper()
	c.expect(c.mark())
}

// skip drops everything that was sent up to now.
func (c *controller) skip() {
	c.t.Helper()
	c.await(c.mark())
}

// ask sends commands and returns all that came up to their end.
func (c *controller) ask(commands ...string) []string {
	c.t.Helper()
	c.send(commands...)
	return c.until(c.mark())
}

// mark sends a marker and returns the line that answers it.
func (c *controller) mark() string {
	c.t.Helper()
	c.markers++
	marker := fmt.Sprintf("marker %s %d", c.name, c.markers)
	c.send("echo⇥" + marker)
	return marker
}

// shut ends the controller's input but keeps its output.
func (c *controller) shut() {
	c.t.Helper()
	var err error
	if c.conn != nil {
		err = c.conn.CloseWrite()
	} else {
		err = c.w.Close()
	}
	if err != nil {
		c.t.Fatal(err)
	}
	c.w = nil
}

// close ends the connection altogether.
func (c *controller) close() {
	c.src.Close()
	if c.w != nil {
		c.w.Close()
	}
	c.w = nil
}

// pass sends a line together with descriptors.
func (c *controller) pass(command string, files ...*os.File) {
	c.t.Helper()
	fds := make([]int, len(files))
	for i, f := range files {
		fds[i] = int(f.Fd())
	}
	if _, _, err := c.conn.WriteMsgUnix([]byte(c.vars.text(command)+"\n"), unix.UnixRights(fds...), nil); err != nil {
		c.t.Fatal(err)
	}
}
