package reaper

import (
	"syscall"

	"daemonproxy/actor"
)

// message is what the reaper takes: childChanged, *Adopt, *Kill, stop.
type message interface {
	deliver(*Reaper)
	abandon() // the step failed: answer all the same
}

type childChanged struct{ actor.Envelope[message] }

func (m *childChanged) deliver(r *Reaper) { r.reap() }
func (m *childChanged) abandon()          {}

type stop struct{ actor.Envelope[message] }

func (*stop) deliver(*Reaper) {}
func (*stop) abandon()        {}

// Adopt is the request to enter a process into the table for its owner. The
// requester keeps one and reuses it.
type Adopt struct {
	actor.Envelope[message]
	reply actor.Reply
	pid   int
	owner Owner
	birth Birth
}

// Kill is the request to send a signal to a process, or to the process group
// that it leads.
type Kill struct {
	actor.Envelope[message]
	reply  actor.Reply
	pid    int
	owner  Owner
	signal syscall.Signal
	group  bool
	err    error
}

// Init makes the request usable; reply may be shared by all requests of one
// requester.
func (m *Adopt) Init(reply actor.Reply) { m.reply = reply; m.Bind(m) }

// Init makes the request usable; reply may be shared by all requests of one
// requester.
func (m *Kill) Init(reply actor.Reply) { m.reply = reply; m.Bind(m) }

// Adopt enters a process that was born and returns once that is done. If it
// has ended already, its owner was offered the exit and nothing is entered.
func (r *Reaper) Adopt(m *Adopt, pid int, owner Owner, birth Birth) {
	m.pid, m.owner, m.birth = pid, owner, birth
	r.mailbox.Put(&m.Envelope)
	m.reply.Wait()
}

// Kill sends the signal and returns the kernel's error. A process that was
// reaped, or is not the owner's, gives ESRCH.
func (r *Reaper) Kill(m *Kill, pid int, owner Owner, signal syscall.Signal, group bool) error {
	m.pid, m.owner, m.signal, m.group = pid, owner, signal, group
	r.mailbox.Put(&m.Envelope)
	m.reply.Wait()
	return m.err
}

func (m *Adopt) deliver(r *Reaper) {
	r.adopt(m.pid, m.owner, m.birth)
	m.reply.Done()
}

func (m *Adopt) abandon() { m.reply.Done() }

func (m *Kill) deliver(r *Reaper) {
	m.err = r.kill(m.pid, m.owner, m.signal, m.group)
	m.reply.Done()
}

func (m *Kill) abandon() { m.err = syscall.EAGAIN; m.reply.Done() }
