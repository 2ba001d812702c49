package controller

import (
	"daemonproxy/actor"
	"daemonproxy/actor/logger"
	"daemonproxy/actor/signals"
	"daemonproxy/controller/protocol"
	"daemonproxy/service"

	"golang.org/x/sys/unix"
)

// Interactive makes stdin and stdout a controller. It gets the banner before
// anything else.
func (t *Table) Interactive(banner []string) bool {
	c := t.reserveFirst()
	if c == nil {
		return false
	}
	c.kind, c.fd, c.input = interactive, -1, true
	if oneSocket() && t.world.Poller.Add(&c.watch, 0) == nil {
		c.fd = 0
		c.outbox.Open(1)
	} else {
		c.outbox.OpenShared(1)
	}
	for _, text := range banner {
		c.sendInfo(text)
	}
	c.greet(nil)
	return true
}

// oneSocket tells whether stdin and stdout are the same local stream socket, as those
// are whose starter speaks to us over one. It is served like a client's, since no
// call on a socket has to wait; only that it stays open.
func oneSocket() bool {
	var in, out unix.Stat_t
	if unix.Fstat(0, &in) != nil || unix.Fstat(1, &out) != nil || in.Dev != out.Dev || in.Ino != out.Ino {
		return false
	}
	domain, err := unix.GetsockoptInt(0, unix.SOL_SOCKET, unix.SO_DOMAIN)
	if err != nil || domain != unix.AF_UNIX {
		return false
	}
	kind, err := unix.GetsockoptInt(0, unix.SOL_SOCKET, unix.SO_TYPE)
	return err == nil && kind == unix.SOCK_STREAM
}

// ConfigStdin reads commands from descriptor 0.
func (t *Table) ConfigStdin() bool {
	c := t.reserveFirst()
	if c == nil {
		return false
	}
	c.kind, c.fd, c.input = configStdin, -1, true
	return true
}

// Config reads commands from an open file, which becomes the connection's. It
// is non-blocking, so that a FIFO holds up nobody.
func (t *Table) Config(fd int) bool {
	c := t.reserveFirst()
	if c == nil {
		return false
	}
	c.kind, c.fd, c.input = config, fd, true
	// A regular file can't be watched, and need not be.
	if err := t.world.Poller.Add(&c.watch, fd); err != nil && err != unix.EPERM {
		c.logError("epoll_ctl", err)
	}
	return true
}

// reserveFirst takes a slot for a connection of which Begin is to know.
func (t *Table) reserveFirst() *Conn {
	c := t.reserve()
	if c != nil {
		t.first = append(t.first, c)
	}
	return c
}

// Begin lets the connections that were made at start go to work.
func (t *Table) Begin() {
	for _, c := range t.first {
		c.begin()
	}
}

// client makes an accepted connection a controller.
func (c *Conn) client(fd int) {
	c.kind, c.fd, c.input = client, fd, true
	c.outbox.Open(fd)
	c.greet(nil)
	c.watchFD()
	c.begin()
}

// greet subscribes the connection. Before any event it is told the uncleared
// signals and the given line, if any.
func (c *Conn) greet(line []byte) {
	c.world.Bus.Subscribe(&c.outbox, func() {
		c.tellUncleared()
		if line != nil {
			c.send(line)
		}
	})
}

func (c *Conn) tellUncleared() {
	c.told = c.world.Ledger.Latest()
	for after := int64(0); ; {
		next, ok := c.world.Ledger.Next(after, true)
		if !ok || next.At > c.told {
			break
		}
		after = next.At
		c.sendSignal(next)
	}
}

// sendSignal does without an actor.Line, since it may be called with the bus
// locked.
func (c *Conn) sendSignal(a signals.Arrival) {
	c.send(protocol.AppendSignal(c.signal[:0], a.Signal, a.At/actor.Second, a.Count))
}

func (c *Conn) sendInfo(text string) {
	l := actor.NewLine()
	defer l.Free()
	c.send(protocol.AppendInfo(l.B, text))
}

// watchFD watches the descriptor. One that can't be watched is hung up on: it
// would never be heard of again.
func (c *Conn) watchFD() {
	if err := c.world.Poller.Add(&c.watch, c.fd); err != nil {
		c.logError("epoll_ctl", err)
		unix.Shutdown(c.fd, unix.SHUT_RDWR)
	}
}

// Reserve makes a connection for a service that uses control.* handles, with
// the given directions.
func (t *Table) Reserve(events, commands bool) (control service.Control, child int, soon bool) {
	c := t.reserve()
	switch {
	case c == nil && t.leaving():
		return nil, -1, true
	case c == nil:
		t.world.Log.Line(logger.Error, "can't allocate controller object")
		return nil, -1, false
	}
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.world.Log.Entry(logger.Error).Str("can't create socketpair: ").Str(strerror(err)).Send()
		t.release(c)
		return nil, -1, false
	}
	// Only our end is non-blocking: the other one is the program's.
	if err := unix.SetNonblock(pair[0], true); err != nil {
		t.world.Log.Line(logger.Error, "can't initialize controller")
		unix.Close(pair[0])
		unix.Close(pair[1])
		t.release(c)
		return nil, -1, false
	}
	if !events {
		unix.Shutdown(pair[0], unix.SHUT_WR)
	}
	if !commands {
		unix.Shutdown(pair[0], unix.SHUT_RD)
	}
	c.kind, c.fd, c.input = ofService, pair[0], commands
	c.reserved = reserved{conn: c, child: pair[1], events: events}
	return &c.reserved, pair[1], false
}

// reserved is a slot that waits for its service's process.
type reserved struct {
	conn   *Conn
	child  int
	events bool
}

// Commit brings the connection to life; it is told up before any other event.
func (r *reserved) Commit(up []byte) {
	unix.Close(r.child)
	c := r.conn
	if r.events {
		c.outbox.Open(c.fd)
		c.greet(up)
	}
	c.peer.Store(int32(c.fd))
	c.watchFD()
	c.begin()
}

// Abort gives the slot back.
func (r *reserved) Abort() {
	unix.Close(r.child)
	unix.Close(r.conn.fd)
	r.conn.table.release(r.conn)
}

// free ends the connection and makes its slot free.
func (c *Conn) free() {
	c.world.Bus.Unsubscribe(&c.outbox)
	c.outbox.Close()
	c.world.Clock.Stop(&c.alarm)
	c.world.Poller.Remove(&c.watch)
	c.events.Store(0) // of this connection, not the next one
	c.peer.Store(-1)
	c.passed.closeAll(c)
	if c.fd >= 0 {
		if c.kind != interactive {
			unix.Shutdown(c.fd, unix.SHUT_RD) // what came behind discardInput would have the peer reset
		}
		c.discardInput()
		if c.kind != interactive {
			unix.Close(c.fd)
		}
	}
	if c.source != nil {
		c.source.Stop()
		c.source = nil
	}
	c.lines.Reset() // whoever gets the slot next may be greeted before its goroutine begins
	c.active = false
	switch c.kind {
	case configStdin:
		c.world.Handles.PutNull(0)
	case interactive:
		c.world.Duties.EndSession()
	}
	ended := c.kind == config || c.kind == configStdin
	c.table.release(c)
	if ended && c.world.ConfigEnded != nil {
		c.world.ConfigEnded()
	}
}

func (c *Conn) logError(what string, err error) {
	c.world.Log.Entry(logger.Error).Str(what).Str(": ").Str(strerror(err)).Send()
}

func strerror(err error) string {
	errno, _ := err.(unix.Errno)
	return protocol.Strerror(errno)
}
