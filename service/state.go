package service

import (
	"daemonproxy/actor"
	"daemonproxy/actor/reaper"
	"daemonproxy/controller/protocol"
)

// phase is where a service is in its life. Clients see waiting, queued and
// beginning as one state, "start".
type phase uint8

const (
	down      phase = iota
	waiting         // for its due time
	queued          // due, and waiting for a spawner
	beginning       // a spawner has it: forked at any moment, not yet known to run
	up
	phases // their number
)

// state is the life cycle of one service as a pure machine: its methods are
// named after what happened, change the state, and report whether the actor has
// to act on it. They do nothing else, so that every phase can be tried with
// every event without a process.
type state struct {
	phase phase
	due   int64 // waiting, queued, beginning
	asked int64 // the same in seconds, if that is too far for nanoseconds
	pid   int   // up; down after a run
	upAt  int64 // up; down after a run
	// exit is how the last run ended, if phase is down and its PID is not 0. In
	// beginning and up it is an exit that came before the news of the birth.
	exit reaper.Exit
}

// start schedules a start: by command, trigger or restart. It reports false
// while the service runs or is being begun.
func (s *state) start(due int64) bool {
	switch s.phase {
	case down, waiting, queued:
		*s = state{phase: waiting, due: due}
		return true
	}
	return false
}

// cancelled withdraws a start that was not begun.
func (s *state) cancelled() bool {
	switch s.phase {
	case waiting, queued:
		*s = state{}
		return true
	}
	return false
}

// rang reports whether it is time to ask for a spawner.
func (s *state) rang(now int64) bool {
	if s.phase == waiting && now >= s.due {
		s.phase = queued
		return true
	}
	return false
}

// granted reports whether the spawner is still wanted.
func (s *state) granted() bool {
	if s.phase == queued {
		s.phase = beginning
		return true
	}
	return false
}

// failed puts a start off that could not be begun: no spawner, no controller
// slot, or no fork.
func (s *state) failed(retry int64) bool {
	switch s.phase {
	case queued, beginning:
		*s = state{phase: waiting, due: retry}
		return true
	}
	return false
}

// postponed goes back to waiting with the same due time, without a word.
func (s *state) postponed() bool {
	if s.phase != beginning {
		return false
	}
	s.phase = waiting
	return true
}

// begun says that the process exists. If it has ended meanwhile, exit is set
// and exited is due next.
func (s *state) begun(pid int, at int64) bool {
	if s.phase != beginning {
		return false
	}
	s.phase, s.pid, s.upAt = up, pid, at
	return true
}

// exited says that the process was reaped. It reports false if the service does
// not know of the process yet; then the exit is kept.
func (s *state) exited(exit reaper.Exit) bool {
	switch s.phase {
	case up:
		s.phase, s.exit = down, exit
		return true
	case beginning:
		s.exit = exit
	}
	return false
}

// early reports an exit that was faster than begun.
func (s *state) early() bool { return s.phase == up && s.exit.PID != 0 }

// restartAt is the restart rule: a run that was shorter than the interval is
// followed by a pause of one interval, counted from the exit.
func (s *state) restartAt(interval, now int64) int64 {
	if s.exit.At-s.upAt < interval*actor.Second {
		return s.exit.At + interval*actor.Second
	}
	return now
}

// wire is the state as clients see it. Live events show 0 for a duration that
// only begins.
func (s *state) wire(now int64, live bool) protocol.ServiceState {
	since := func(at int64) int64 {
		if live {
			return 0
		}
		return (now - at) / actor.Second
	}
	switch {
	case s.phase == up:
		return protocol.ServiceState{
			Phase:  protocol.PhaseUp,
			Time:   s.upAt / actor.Second,
			PID:    s.pid,
			Uptime: since(s.upAt),
		}
	case s.phase != down:
		return protocol.ServiceState{Phase: protocol.PhaseStart, Time: max(s.due/actor.Second, s.asked)}
	case s.exit.PID == 0:
		return protocol.ServiceState{Phase: protocol.PhaseDownNever}
	}
	w := protocol.ServiceState{
		Phase:    protocol.PhaseDownExited,
		Time:     s.exit.At / actor.Second,
		PID:      s.pid,
		Uptime:   (s.exit.At - s.upAt) / actor.Second,
		Downtime: since(s.exit.At),
	}
	if s.exit.Status.Signaled() {
		w.Phase, w.Signal = protocol.PhaseDownSignaled, protocol.Signal(s.exit.Status.Signal())
	} else {
		w.Status = s.exit.Status.ExitStatus()
	}
	return w
}
