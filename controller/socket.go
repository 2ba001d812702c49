package controller

import (
	"time"

	"daemonproxy/actor"
	"daemonproxy/actor/logger"
	"daemonproxy/controller/protocol"

	"golang.org/x/sys/unix"
)

const (
	backlog = 64
	// fullWarning is how often the log says that clients wait for a slot.
	fullWarning = 5 * actor.Second
)

// Socket is the control socket: an actor that accepts clients into slots of the
// table. There is one, with or without a listening socket.
type Socket struct {
	world   *World
	table   *Table
	mailbox actor.Mailbox[socketMessage]
	ready   socketReady
	stop    socketStop
	alarm   actor.Alarm
	watch   actor.Watch
	ended   chan struct{}

	listener listener
	warned   int64 // when clients last had to wait for a slot; 0 = they need not
}

// socketMessage is what the control socket takes: *socketCall, socketReady,
// socketStop.
type socketMessage interface{ apply(*Socket) }

// socketCall is a request to make another socket or none.
type socketCall struct {
	actor.Envelope[socketMessage]
	reply   actor.Reply
	command *protocol.Command // nil: only remove
	err     protocol.Error
}

func (m *socketCall) init() {
	m.reply = actor.NewReply()
	m.Bind(m)
}

func (m *socketCall) apply(s *Socket) {
	defer m.reply.Done()
	defer func() {
		if v := recover(); v != nil {
			actor.Panicked(v)
			m.err = protocol.Error{Code: protocol.Internal}
		}
	}()
	if m.command != nil && !protocol.ValidSocketPath(m.command.Path) {
		// No path at all: the socket that there is stays.
		s.logFailure(stepBind, m.command.Path, unix.EINVAL)
		m.err = protocol.Error{Code: protocol.ControlSocketFailed}
		return
	}
	actor.Lasts()
	defer actor.Over()
	s.remove(true)
	if m.command != nil && !s.create(m.command) {
		m.err = protocol.Error{Code: protocol.ControlSocketFailed}
	}
}

// socketReady is the offer to look for clients: there may be one, or a slot is
// free, or it is time to say again that there is none.
type socketReady struct {
	actor.Envelope[socketMessage]
}

func (*socketReady) apply(s *Socket) {
	defer func() {
		if v := recover(); v != nil {
			actor.Panicked(v)
		}
	}()
	s.accept()
}

type socketStop struct {
	actor.Envelope[socketMessage]
}

func (*socketStop) apply(*Socket) {}

// NewSocket returns the control socket, which does not listen yet. Bind gives
// it the table; Run is its goroutine.
func NewSocket(w *World) *Socket {
	s := &Socket{world: w, ended: make(chan struct{}), listener: listener{fd: -1}}
	s.mailbox.Init()
	s.ready.Bind(&s.ready)
	s.stop.Bind(&s.stop)
	s.alarm.Ringer, s.watch.Watcher = s, s
	return s
}

// Serve sets the slots that clients get, before Run.
func (s *Socket) Serve(t *Table) { s.table = t }

// Run serves until Stop.
func (s *Socket) Run() {
	defer close(s.ended)
	actor.GrowStack()
	for {
		m := s.mailbox.Take()
		if m == &s.stop {
			return
		}
		m.apply(s)
	}
}

// Stop ends Run and then removes the socket and its file, without a word in
// the log: the orderly end of the program. It does not wait for a file system
// that does not answer.
func (s *Socket) Stop(limit time.Duration) {
	s.mailbox.Put(&s.stop.Envelope)
	timer, late := actor.NewBell()
	timer.Reset(limit)
	defer timer.Stop()
	select {
	case <-s.ended:
		s.remove(false)
	case <-late:
	}
}

// Ready, Ring and slotFreed are offers.
func (s *Socket) Ready(uint32) { s.mailbox.Put(&s.ready.Envelope) }

// Ring is the clock's.
func (s *Socket) Ring() { s.mailbox.Put(&s.ready.Envelope) }

func (s *Socket) slotFreed() { s.mailbox.Put(&s.ready.Envelope) }

// Create is socket.create.
func (s *Socket) Create(m *socketCall, cmd *protocol.Command) protocol.Error {
	m.command = cmd
	return s.ask(m)
}

// Delete is socket.delete.
func (s *Socket) Delete(m *socketCall) protocol.Error {
	m.command = nil
	return s.ask(m)
}

func (s *Socket) ask(m *socketCall) protocol.Error {
	m.err = protocol.Error{}
	s.mailbox.Put(&m.Envelope)
	m.reply.Wait()
	return m.err
}

// Open is -S: a socket at start, before Run, with the defaults of
// socket.create. Clients are accepted once Run has begun.
func (s *Socket) Open(path string) bool {
	return s.create(&protocol.Command{
		Path: []byte(path), Mode: protocol.DefaultMode, UID: -1, GID: -1,
	})
}

// Undo takes Open back.
func (s *Socket) Undo() { s.remove(false) }

func (s *Socket) create(cmd *protocol.Command) bool {
	if step, err := s.listener.listen(cmd); err != nil {
		s.logFailure(step, cmd.Path, err)
		return false
	}
	if err := s.world.Poller.Add(&s.watch, s.listener.fd); err != nil {
		s.logFailure("epoll_ctl", cmd.Path, err)
		s.remove(false)
		return false
	}
	return true
}

func (s *Socket) logFailure(step string, path []byte, err error) {
	e := s.world.Log.Entry(logger.Error).Str(step)
	if step == stepBind {
		e = e.Bytes(path)
	}
	e.Str(": ").Str(strerror(err)).Send()
}

// remove closes the socket and unlinks its file if that is still the one that
// was made.
func (s *Socket) remove(say bool) {
	if s.listener.fd < 0 {
		return
	}
	s.world.Clock.Stop(&s.alarm)
	s.world.Poller.Remove(&s.watch)
	unlinked := s.listener.close()
	if unlinked && say {
		s.world.Log.Entry(logger.Info).Str("Unlinked control socket ").Bytes(s.listener.path).Send()
	}
	s.warned = 0
}

// accept gives slots to clients as long as there are both.
func (s *Socket) accept() {
	for s.listener.fd >= 0 && s.world.Duties.Open() {
		if !s.waiting() {
			s.warned = 0
			return
		}
		c := s.table.reserve()
		if c == nil {
			s.full()
			return
		}
		fd, err := s.listener.accept()
		if err == 0 {
			c.client(fd)
			continue
		}
		s.table.unreserve(c)
		switch err {
		case unix.EINTR, unix.ECONNABORTED, unix.EAGAIN:
		default:
			// No descriptors or no memory: the client goes on waiting, and no
			// event will tell of it again.
			s.world.Log.Entry(logger.Error).Str("accept: ").Str(protocol.Strerror(err)).Send()
			s.world.Clock.Set(&s.alarm, s.world.Clock.Now()+fullWarning)
			return
		}
	}
}

// waiting tells whether there is a client to be accepted. A slot is reserved
// only then: a service that starts may need the last one.
func (s *Socket) waiting() bool {
	poll := [1]unix.PollFd{{Fd: int32(s.listener.fd), Events: unix.POLLIN}}
	n, err := unix.Poll(poll[:], 0)
	return n > 0 || err == unix.EINTR
}

// full says that clients wait, at once and then now and again.
func (s *Socket) full() {
	now := s.world.Clock.Now()
	if s.warned == 0 || now-s.warned >= fullWarning {
		s.warned = now
		s.world.Log.Line(logger.Warning, "No free controllers to accpet socket connection")
	}
	s.world.Clock.Set(&s.alarm, s.warned+fullWarning)
}
