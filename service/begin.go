package service

import (
	"syscall"

	"daemonproxy/actor"
	"daemonproxy/actor/logger"
	"daemonproxy/controller/protocol"
	"daemonproxy/service/spawn"
)

// retryDelay follows a start that could not be begun.
const retryDelay = 3 * actor.Second

// soonDelay is until a connection that is about to be free is looked for again.
const soonDelay = actor.Second / 50

// maxPostponements bounds that: its goroutine may be held up by something.
const maxPostponements = 50

// granted fills the spawner and lets it go: the service does not wait for the
// fork, and least of all for the exec.
func (a *Actor) granted() {
	a.acquiring = false
	s := a.spawner
	// Whoever settles the services closes the gate and then looks for lives: so a
	// start is either held back here or seen there.
	a.lives(begins)
	if !a.world.Duties.Starts() || !a.state.granted() {
		a.lives(idle)
		s.Release()
		return
	}
	b := &a.registry.starts[s.Index()]
	b.spawner, b.control, b.child = s, nil, -1
	s.Reset()
	list, isSet := a.values.get(fds)
	if !isSet {
		list = defaultFDs
	}
	if events, commands := controlEnds(list); events || commands {
		var soon bool
		b.control, b.child, soon = a.world.Controls.Reserve(events, commands)
		if b.control == nil {
			s.Release()
			a.lives(idle)
			a.notReserved(soon)
			return
		}
	}
	text, _ := a.values.get(args)
	s.SetArgs(text)
	a.postponements = 0
	if a.isMain() {
		a.prepareMain(s)
	}
	if !b.loan.Borrow(list, b) {
		s.Abort()
	}
	s.Go(a)
}

// notReserved puts off a start for which there was no free connection.
func (a *Actor) notReserved(soon bool) {
	if soon && a.postponements < maxPostponements && a.state.postponed() {
		a.postponements++
		a.world.Clock.Set(&a.alarm, a.world.Clock.Now()+soonDelay)
		return
	}
	a.postponements = 0
	if soon {
		a.world.Log.Line(logger.Error, "can't allocate controller object")
	}
	a.retry()
}

// controlEnds tells which directions of a connection a list of descriptors
// asks for.
func controlEnds(list []byte) (events, commands bool) {
	for more := len(list) > 0; more; {
		var name []byte
		name, list, more = protocol.NextField(list)
		switch string(name) {
		case "control.socket":
			events, commands = true, true
		case "control.event":
			events = true
		case "control.cmd":
			commands = true
		}
	}
	return events, commands
}

func (a *Actor) refused() {
	a.acquiring = false
	if a.state.phase == queued && a.world.Duties.Starts() {
		a.forkFailed(syscall.EAGAIN)
	}
}

// forkFailed puts off a start for which there was no process.
func (a *Actor) forkFailed(errno syscall.Errno) {
	a.world.Log.Entry(logger.Error).Str("fork failed: ").Str(protocol.Strerror(errno)).Send()
	a.retry()
}

func (a *Actor) retry() {
	if !a.state.failed(a.world.Clock.Now() + retryDelay) {
		return
	}
	if a.world.Duties.Open() && !a.world.Duties.Starts() {
		a.cancel()
		return
	}
	a.world.Log.Line(logger.Info, "will retry in 3 seconds")
	a.schedule()
}

// begun meets what became of the start. Until the reaper has entered the
// process, its pid stays with the spawner, where the reaper looks as well.
func (a *Actor) begun() {
	s := a.spawner
	b := &a.registry.starts[s.Index()]
	out := s.Outcome()
	if errno := out.ForkErrno; errno != 0 {
		if b.control != nil {
			b.control.Abort()
		}
		b.loan.Return()
		s.Release()
		if a.world.Duties.Open() {
			a.forkFailed(errno)
		}
		a.lives(idle)
		return
	}
	a.running.Started(a.name, out.PID)
	a.world.Reaper.Adopt(&a.adopt, out.PID, a, s.Birth())
	a.state.begun(out.PID, out.At)
	a.tried = false
	a.lives(runs)
	if a.isMain() {
		a.mainBegun(out)
	}
	a.logStep(s)
	a.announce()
	if b.control != nil {
		a.commit(b.control)
	}
	b.loan.Return()
	s.Release()
	if a.state.early() {
		a.state.exited(a.state.exit)
		a.ended()
		return
	}
	a.forwarded()
	switch {
	case a.world.Duties.Starts() || !a.world.Duties.Open():
	case a.registry.slaying.Load():
		a.slay()
	default:
		a.settle()
	}
}

// commit subscribes the service's own controller, which missed its `up`.
func (a *Actor) commit(control Control) {
	l := actor.NewLine()
	defer l.Free()
	l.B = a.appendState(l.B, true)
	control.Commit(l.B)
}

// logStep says in the log what the child could not do.
func (a *Actor) logStep(s *spawn.Spawner) {
	switch out := s.Outcome(); out.Step {
	case spawn.StepDup:
		a.world.Log.Entry(logger.Error).Str("Failed to dup file descriptor ").Int(int64(out.Source)).Send()
	case spawn.StepExec:
		a.world.Log.Entry(logger.Error).Str("exec(").Bytes(s.Program()).Str(", ...) failed: ").
			Str(protocol.Strerror(out.StepErrno)).Send()
	}
}
