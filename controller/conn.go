package controller

import (
	"sync/atomic"

	"daemonproxy/actor"
	"daemonproxy/actor/logger"
	"daemonproxy/controller/protocol"
	"daemonproxy/handle"
	"daemonproxy/service"

	"golang.org/x/sys/unix"
)

// kind is where a connection comes from, as far as it makes a difference.
type kind uint8

const (
	interactive kind = iota // stdin and stdout
	config                  // a file: commands only
	configStdin             // the same from descriptor 0
	client                  // of the control socket
	ofService               // a service with a control.* handle
)

// Default write timeouts, in seconds (docs/protocol.md, Limits).
const (
	defaultReset = 15
	defaultClose = 30
)

// Conn is one slot for a connection. Its goroutine owns everything but the
// outbox and the fields that say so.
type Conn struct {
	table   *Table
	world   *World
	number  int
	mailbox actor.Mailbox[*offer]
	offers  offers
	ended   chan struct{}
	active  bool

	// Set by whoever reserved the slot, before begin.
	kind   kind
	fd     int // -1: descriptor 0 that is no socket, which is shared with others and read by source
	source *actor.Source
	input  bool // it may send commands
	told   int64

	outbox actor.Outbox
	events atomic.Uint32 // epoll events since the last look; set by the poller
	peer   atomic.Int32  // the socket of a service's connection, for leaving; -1 = none
	watch  actor.Watch

	readable  bool
	hungUp    bool
	thorough  bool   // reads until nothing is there: the peer has sent its last, or urgent data, at which a read stops
	atEnd     bool   // the input has ended; lines may be left
	closing   bool   // no more commands; ends once the outbox is empty
	expired   bool   // the reader was blocked for too long; ends now
	underWay  []byte // the line of the command that is being carried out
	lines     *protocol.Input
	command   protocol.Command
	path      *[protocol.MaxLine]byte // of chdir, with NUL
	passed    passed
	dumpBegan int      // outbox.Overflows when the statedump under way began
	signal    [64]byte // room for a signal's line

	services *service.Call
	handles  *handle.Call
	control  socketCall
	reserved reserved

	// How long the reader may block, in seconds, and how long it has.
	reset, close int64
	blocked      int64 // outbox.BlockedSince at the last look
	warned       bool
	alarm        actor.Alarm
}

// offer is what a connection takes: news, each at most once at a time.
type offer struct {
	actor.Envelope[*offer]
	meet func(*Conn)
}

type offers struct {
	begun, ready, changed, signaled, rang, stop offer
}

func newConn(t *Table, number int) *Conn {
	c := &Conn{
		table: t, world: t.world, number: number,
		ended:    make(chan struct{}),
		lines:    new(protocol.Input), // what is large stands apart: it takes no memory until it is used
		path:     new([protocol.MaxLine]byte),
		services: service.NewCall(),
		handles:  handle.NewCall(),
	}
	c.peer.Store(-1)
	c.mailbox.Init()
	nothing := func(*Conn) {}
	for _, bind := range []struct {
		offer *offer
		meet  func(*Conn)
	}{
		{&c.offers.begun, (*Conn).begun},
		{&c.offers.ready, (*Conn).ready},
		{&c.offers.changed, nothing},
		{&c.offers.signaled, nothing},
		{&c.offers.rang, nothing},
		{&c.offers.stop, nil},
	} {
		bind.offer.meet = bind.meet
		bind.offer.Bind(bind.offer)
	}
	c.outbox.Init(t.world.Clock, c)
	c.watch.Watcher = c
	c.alarm.Ringer = c
	c.control.init()
	if c.world.Grown {
		c.outbox.Touch()
		actor.Touch(c.lines.Space())
		actor.Touch(c.path[:])
	}
	go c.run()
	return c
}

// Ready is told by the poller, or a source, what the descriptor is ready for.
func (c *Conn) Ready(events uint32) {
	c.events.Or(events)
	c.mailbox.Put(&c.offers.ready.Envelope)
}

// OutboxChanged and Ring are offers that only make the connection look again.
func (c *Conn) OutboxChanged() { c.mailbox.Put(&c.offers.changed.Envelope) }

// Ring is the clock's.
func (c *Conn) Ring() { c.mailbox.Put(&c.offers.rang.Envelope) }

// begin hands the slot, filled, to its goroutine.
func (c *Conn) begin() { c.mailbox.Put(&c.offers.begun.Envelope) }

func (c *Conn) run() {
	defer close(c.ended)
	actor.GrowStack()
	for {
		m := c.mailbox.Take()
		if m == &c.offers.stop {
			if c.active {
				c.free()
			}
			return
		}
		c.take(m)
		if c.active {
			c.work()
		}
	}
}

func (c *Conn) take(m *offer) {
	if c.active || m == &c.offers.begun {
		m.meet(c)
	}
}

func (c *Conn) begun() {
	c.active = true
	c.readable = c.input
	c.hungUp, c.thorough, c.atEnd, c.closing, c.expired, c.warned = false, false, false, false, false, false
	c.reset, c.close, c.blocked = defaultReset, defaultClose, 0
	if c.fd < 0 {
		c.source = actor.NewSource(0, c)
	}
	c.ready() // what was offered before the slot was handed over
}

func (c *Conn) ready() {
	events := c.events.Swap(0)
	if events&^unix.EPOLLOUT != 0 {
		c.readable = c.input
	}
	if events&^unix.EPOLLIN != 0 {
		c.outbox.Retry()
	}
	c.thorough = c.thorough || events&(unix.EPOLLRDHUP|unix.EPOLLHUP|unix.EPOLLERR|unix.EPOLLPRI) != 0
	c.hungUp = c.hungUp || events&(unix.EPOLLHUP|unix.EPOLLERR) != 0
}

// work goes on with the connection as far as it can, and ends it when it is
// over.
func (c *Conn) work() {
	defer c.caught()
	for again := true; again && c.active; {
		c.outbox.Cork()
		c.advance()
		c.sendKept()
		c.outbox.Uncork()
		again = c.timeouts()
		if c.over() {
			c.free()
		}
	}
}

func (c *Conn) caught() {
	if v := recover(); v != nil {
		actor.Panicked(v)
		c.free()
	}
}

// advance works through the input until it is used up or the outbox has no
// room. A command that panics has failed, if the program goes on.
func (c *Conn) advance() {
	for !c.executeAll() {
		line := c.underWay
		c.underWay = nil
		c.fail(protocol.Error{Code: protocol.Internal}, line)
	}
}

// executeAll does so up to a panic. It is caught once for all commands, as that would be felt for each.
func (c *Conn) executeAll() (done bool) {
	defer c.recovered()
	for !c.closing && !c.expired {
		if !c.room() {
			for c.fill() {
			}
			if !c.warned || !c.lines.Full() {
				return true
			}
			c.outbox.Overflow()
			continue
		}
		if c.told < c.world.Ledger.Latest() {
			c.tellSignals()
		}
		line, kind := c.lines.Next()
		switch {
		case kind == protocol.None && c.atEnd:
			c.end()
		case kind == protocol.None:
			if !c.fill() {
				return true
			}
		case !c.world.Duties.Open():
			return true
		default:
			c.execute(line, kind)
		}
	}
	return true
}

// recovered has a panic be the failure of the command under way. Where there is none, it ends the connection (caught).
func (c *Conn) recovered() {
	if v := recover(); v != nil {
		if c.underWay == nil {
			panic(v)
		}
		actor.Panicked(v)
	}
}

// room tells whether the outbox has room for what a command may say.
func (c *Conn) room() bool {
	if c.outbox.RoomAfter(c.lines.Kept()) {
		return true
	}
	c.sendKept()
	return c.outbox.Room()
}

// awaitRoom waits, in the midst of a command, until the outbox has room for
// lines. It reports false if the command is to be abandoned: the connection is
// over, or in overflow. done says that the command's line is not needed any
// more, so that input may be read meanwhile.
func (c *Conn) awaitRoom(done bool) bool {
	for !c.outbox.Overflowed() && c.outbox.Writable() && !c.expired {
		if c.outbox.Room() {
			return true
		}
		for done && c.fill() {
		}
		c.timeouts()
		if c.warned && done && c.lines.Full() {
			c.outbox.Overflow()
			return false
		}
		if c.expired || !c.await() {
			return false
		}
	}
	return false
}

// await takes the next offer in the midst of a command. It reports false if the
// slot is to end.
func (c *Conn) await() bool {
	m := c.mailbox.Take()
	if m == &c.offers.stop {
		c.mailbox.Put(&m.Envelope) // for the loop of run
		return false
	}
	c.take(m)
	return true
}

// finish begins the end: no more commands and no more events, but those that
// are in the outbox already.
func (c *Conn) finish() {
	c.closing = true
	c.world.Bus.Unsubscribe(&c.outbox)
}

// over tells whether the connection has ended.
func (c *Conn) over() bool {
	switch {
	case c.expired:
		return true
	case c.closing:
		return c.outbox.Empty()
	case !c.input:
		return c.hungUp || !c.outbox.Writable()
	}
	return false
}

// timeouts acts on a reader that has been blocked for too long, and reports
// whether commands may go on because of it.
func (c *Conn) timeouts() (again bool) {
	if c.expired {
		return false
	}
	since := c.outbox.BlockedSince()
	if since != c.blocked {
		c.blocked, c.warned = since, false
	}
	if since == 0 {
		c.world.Clock.Stop(&c.alarm)
		return false
	}
	seconds := c.world.Clock.Now() - since
	if !c.warned && seconds >= c.reset*actor.Second {
		c.warned, again = true, true
		c.world.Log.Entry(logger.Warning).Str("controller ").Int(int64(c.number)).
			Str(" blocked pipe for ").Int(seconds / actor.Second).Str(" seconds").Send()
	}
	if seconds >= c.close*actor.Second {
		c.world.Log.Entry(logger.Error).Str("controller ").Int(int64(c.number)).
			Str(" blocked pipe for ").Int(seconds / actor.Second).Str(" seconds, closing connection").Send()
		c.expired = true
		return false
	}
	next := c.reset
	if c.warned {
		next = c.close
	}
	c.world.Clock.Set(&c.alarm, since+next*actor.Second)
	return again
}

// tellSignals tells the controller what has arrived since the last time.
func (c *Conn) tellSignals() {
	for c.told < c.world.Ledger.Latest() && c.room() && c.outbox.Writable() {
		next, ok := c.world.Ledger.Next(c.told, false)
		if !ok {
			return
		}
		c.told = next.At
		c.sendSignal(next)
	}
}
