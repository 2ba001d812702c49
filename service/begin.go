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
		b.control, b.child = a.world.Controls.Reserve(events, commands)
		if b.control == nil {
			s.Release()
			a.lives(idle)
			a.retry()
			return
		}
	}
	text, _ := a.values.get(args)
	s.SetArgs(text)
	if a.isMain() {
		a.prepareMain(s)
	}
	if !b.loan.Borrow(list, b) {
		s.Abort()
	}
	s.Go(a)
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
	if out.ForkErrno != 0 {
		if b.control != nil {
			b.control.Abort()
		}
		b.loan.Return()
		s.Release()
		if a.world.Duties.Open() {
			a.forkFailed(out.ForkErrno)
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
	control := b.control
	if control != nil {
		control.Commit()
	}
	b.loan.Return()
	s.Release()
	a.announce()
	if control != nil {
		control.Begin()
	}
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
