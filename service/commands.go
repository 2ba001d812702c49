package service

import (
	"syscall"

	"daemonproxy/actor"
	"daemonproxy/actor/reaper"
	"daemonproxy/controller/protocol"
)

// defaultFDs is the list of descriptors of a service that was never given one.
var defaultFDs = []byte("null\tnull\tnull")

var setFailed = [keys]protocol.Code{
	tags: protocol.TagsFailed,
	args: protocol.ArgsFailed,
	fds:  protocol.FDsFailed,
}

func (m *set) apply(a *Actor) {
	if !a.values.set(m.key, m.text) {
		m.err.Code = setFailed[m.key]
		a.dropUnborn()
		return
	}
	a.exists = true
	if m.key == args && a.isMain() {
		a.registry.main.replaced = true
	}
	a.publishLine(int(m.key) + 1)
}

// dropUnborn gives back a slot that was taken for a command that failed.
func (a *Actor) dropUnborn() {
	if !a.exists {
		a.free()
	}
}

func (m *autoUp) apply(a *Actor) {
	if !m.triggers.Enabled() {
		a.values.unset(triggers)
	} else if !a.values.set(triggers, m.text) {
		m.err.Code = protocol.TriggersFailed
		a.dropUnborn()
		return
	}
	a.exists = true
	a.triggers = m.triggers
	a.mask.Store(m.triggers.Mask)
	if !m.keep {
		a.interval = m.interval
	}
	a.triggered()
	a.publishLine(int(triggers) + 1)
}

func (m *start) apply(a *Actor) {
	m.err.Code = a.commandedStart(m)
}

func (a *Actor) commandedStart(m *start) protocol.Code {
	if !a.exists {
		return protocol.NoSuchService
	}
	if m.when == protocol.Cancel {
		return a.cancel()
	}
	now := a.world.Clock.Now()
	due := now
	if m.when == protocol.At {
		if m.time < now/actor.Second {
			return protocol.TimestampInvalid
		}
		if m.time > now/actor.Second {
			due = min(m.time, (1<<63-1)/actor.Second) * actor.Second
		}
	}
	if text, _ := a.values.get(args); len(text) == 0 || text[0] == '\t' {
		return protocol.NoArgs
	}
	if !a.world.Duties.Starts() || !a.state.start(due) {
		return protocol.NotStartable
	}
	if m.when == protocol.At {
		a.state.asked = m.time
	}
	a.schedule()
	return protocol.OK
}

func (a *Actor) cancel() protocol.Code {
	if !a.state.cancelled() {
		return protocol.NoStartPending
	}
	a.withdraw()
	a.world.Clock.Stop(&a.alarm)
	a.announce()
	return protocol.OK
}

func (m *signal) apply(a *Actor) {
	switch {
	case !a.exists:
		m.err.Code = protocol.NoSuchService
		return
	case a.state.phase != up:
		m.err.Code = protocol.NotRunning
		return
	}
	err := a.send(syscall.Signal(m.signal), m.group)
	if err == nil {
		return
	}
	m.err.Code, m.err.Num = protocol.KillFailed, int32(a.state.pid)
	if m.group {
		m.err.Code = protocol.KillGroupFailed
	}
	errno, _ := err.(syscall.Errno)
	m.err.Errno = uint16(errno)
}

// send sends a signal to the process, or to the process group that it leads.
func (a *Actor) send(signal syscall.Signal, group bool) error {
	return a.world.Reaper.Kill(&a.kill, a.state.pid, reaper.Owner(a), signal, group)
}

func (m *remove) apply(a *Actor) {
	switch {
	case !a.exists:
		m.err.Code = protocol.NoSuchService
		return
	case a.state.phase == up || a.state.phase == beginning:
		m.err.Code = protocol.StillRunning
		return
	}
	a.announceDeleted()
	a.free()
}

func (a *Actor) announceDeleted() {
	l := actor.NewLine()
	defer l.Free()
	l.B = protocol.AppendServiceState(l.B, a.name, &protocol.ServiceState{Phase: protocol.PhaseDeleted})
	a.world.Bus.Publish(l.B)
}

// describedLines is the number of lines that describe a service in a
// statedump.
const describedLines = 5

func (m *describe) apply(a *Actor) {
	if !a.exists {
		m.line = describedLines
	}
	for m.line < describedLines && m.outbox.Room() {
		a.tellLine(m.outbox, m.line)
		m.line++
	}
}

func (a *Actor) tellLine(outbox *actor.Outbox, line int) {
	l := actor.NewLine()
	defer l.Free()
	l.B = a.appendLine(l.B, line)
	a.world.Bus.Tell(outbox, l.B)
}

func (a *Actor) publishLine(line int) {
	l := actor.NewLine()
	defer l.Free()
	l.B = a.appendLine(l.B, line)
	a.world.Bus.Publish(l.B)
}

// appendLine appends one of the lines that describe the service: the state,
// then its texts in the order of their keys.
func (a *Actor) appendLine(b []byte, line int) []byte {
	if line == 0 {
		return a.appendState(b, false)
	}
	k := key(line - 1)
	text, isSet := a.values.get(k)
	switch {
	case k == triggers:
		return protocol.AppendServiceAutoUp(b, a.name, a.interval, text)
	case k == fds && !isSet:
		text = defaultFDs
	}
	return protocol.AppendServiceValue(b, textVerbs[k], a.name, text)
}

var textVerbs = [triggers]protocol.Verb{
	tags: protocol.ServiceTags,
	args: protocol.ServiceArgs,
	fds:  protocol.ServiceFDs,
}
