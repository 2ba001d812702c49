package service

import (
	"fmt"
	"testing"

	"daemonproxy/actor"
	"daemonproxy/actor/reaper"
	"daemonproxy/controller/protocol"

	"golang.org/x/sys/unix"
)

func (p phase) name() string {
	return [phases]string{"down", "waiting", "queued", "beginning", "up"}[p]
}

// The events of the machine, at time 100. Two are tried on both sides of what
// they depend on.
const (
	eventStart = iota
	eventCancelled
	eventRangEarly
	eventRangDue
	eventGranted
	eventFailed
	eventPostponed
	eventBegun
	eventExited
	events
)

var happen = [events]struct {
	name string
	to   func(*state) bool
}{
	eventStart:     {"start", func(s *state) bool { return s.start(500) }},
	eventCancelled: {"cancelled", (*state).cancelled},
	eventRangEarly: {"rang early", func(s *state) bool { return s.rang(s.due - 1) }},
	eventRangDue:   {"rang", func(s *state) bool { return s.rang(s.due) }},
	eventGranted:   {"granted", (*state).granted},
	eventFailed:    {"failed", func(s *state) bool { return s.failed(600) }},
	eventPostponed: {"postponed", (*state).postponed},
	eventBegun:     {"begun", func(s *state) bool { return s.begun(77, 90) }},
	eventExited:    {"exited", func(s *state) bool { return s.exited(newExit) }},
}

var (
	oldExit = reaper.Exit{PID: 55, Status: 1 << 8, At: 40}
	newExit = reaper.Exit{PID: 66, Status: 9, At: 100}
)

// before is a state of each phase: down after a run, up without news of an
// exit.
var before = [phases]state{
	down:      {phase: down, pid: 55, upAt: 30, exit: oldExit},
	waiting:   {phase: waiting, due: 200},
	queued:    {phase: queued, due: 90},
	beginning: {phase: beginning, due: 90},
	up:        {phase: up, due: 90, pid: 66, upAt: 95},
}

// cell is what an event does: whether the actor has to act on it, and what
// follows.
type cell struct {
	acts bool
	then state
}

// ignored are the cells of events that change nothing in a phase.
func ignored(p phase) *cell { return &cell{false, before[p]} }

var (
	scheduled = &cell{true, state{phase: waiting, due: 500}}
	forgotten = &cell{true, state{}}
	putOff    = &cell{true, state{phase: waiting, due: 600}}
)

// table has a cell for every phase and event; a missing one fails the test.
var table = [phases][events]*cell{
	down: {
		eventStart:     scheduled, // the last run is forgotten
		eventCancelled: ignored(down),
		eventRangEarly: ignored(down), // the ring was under way when the alarm was stopped
		eventRangDue:   ignored(down),
		eventGranted:   ignored(down), // cancelled too late to withdraw
		eventFailed:    ignored(down),
		eventPostponed: ignored(down),
		eventBegun:     ignored(down), // impossible: beginning can't be left so
		eventExited:    ignored(down), // impossible: a process exits once
	},
	waiting: {
		eventStart:     scheduled,
		eventCancelled: forgotten,
		eventRangEarly: ignored(waiting), // moved while the ring was under way
		eventRangDue:   {true, state{phase: queued, due: 200}},
		eventGranted:   ignored(waiting), // put off too late to withdraw
		eventFailed:    ignored(waiting),
		eventPostponed: ignored(waiting),
		eventBegun:     ignored(waiting),
		eventExited:    ignored(waiting),
	},
	queued: {
		eventStart:     scheduled,
		eventCancelled: forgotten,
		eventRangEarly: ignored(queued),
		eventRangDue:   ignored(queued), // rings once
		eventGranted:   {true, state{phase: beginning, due: 90}},
		eventFailed:    putOff,
		eventPostponed: ignored(queued),
		eventBegun:     ignored(queued),
		eventExited:    ignored(queued),
	},
	beginning: {
		eventStart:     ignored(beginning),
		eventCancelled: ignored(beginning),
		eventRangEarly: ignored(beginning),
		eventRangDue:   ignored(beginning),
		eventGranted:   ignored(beginning),
		eventFailed:    putOff,
		eventPostponed: {true, state{phase: waiting, due: 90}},
		eventBegun:     {true, state{phase: up, due: 90, pid: 77, upAt: 90}},
		eventExited:    {false, state{phase: beginning, due: 90, exit: newExit}}, // kept for begun
	},
	up: {
		eventStart:     ignored(up),
		eventCancelled: ignored(up),
		eventRangEarly: ignored(up),
		eventRangDue:   ignored(up),
		eventGranted:   ignored(up),
		eventFailed:    ignored(up),
		eventPostponed: ignored(up),
		eventBegun:     ignored(up),
		eventExited:    {true, state{phase: down, due: 90, pid: 66, upAt: 95, exit: newExit}},
	},
}

func TestEveryPhaseMeetsEveryEvent(t *testing.T) {
	for p := range phases {
		for e := range events {
			name := fmt.Sprintf("%s, %s", p.name(), happen[e].name)
			want := table[p][e]
			if want == nil {
				t.Errorf("%s: the table has no such cell", name)
				continue
			}
			s := before[p]
			if acts := happen[e].to(&s); acts != want.acts {
				t.Errorf("%s: acts %v", name, acts)
			}
			if s != want.then {
				t.Errorf("%s: then %+v, want %+v", name, s, want.then)
			}
			if s.early() {
				t.Errorf("%s: an exit is believed to have come", name)
			}
		}
	}
}

// The exit comes before the news of the birth.
func TestExitFasterThanBegun(t *testing.T) {
	s := state{phase: beginning, due: 90}
	s.exited(newExit)
	if !s.begun(66, 95) || !s.early() {
		t.Fatalf("%+v", s)
	}
	if w := s.wire(100, true); w.Phase != protocol.PhaseUp || w.PID != 66 {
		t.Fatalf("it is up first: %+v", w)
	}
	if !s.exited(s.exit) || s.phase != down || s.early() {
		t.Fatalf("%+v", s)
	}
}

func TestRestartRule(t *testing.T) {
	const sec = actor.Second
	for _, c := range []struct{ upAt, exitAt, interval, now, want int64 }{
		{10 * sec, 10*sec + 3*sec/10, 2, 11 * sec, 12*sec + 3*sec/10},
		{10 * sec, 11*sec + sec/2, 1, 11*sec + sec/2 + 7, 11*sec + sec/2 + 7},
		{10 * sec, 11 * sec, 1, 11*sec + 5, 11*sec + 5}, // run == interval
		{10 * sec, 11*sec - 1, 1, 11 * sec, 12*sec - 1},
		{10 * sec, 10 * sec, 0, 10*sec + 1, 10*sec + 1},
		{10 * sec, 10 * sec, protocol.MaxInterval, 10 * sec, 10*sec + protocol.MaxInterval*sec},
	} {
		s := state{phase: down, upAt: c.upAt, exit: reaper.Exit{PID: 1, At: c.exitAt}}
		if got := s.restartAt(c.interval, c.now); got != c.want {
			t.Errorf("%+v: %d", c, got)
		}
	}
}

func TestWire(t *testing.T) {
	const sec = actor.Second
	exited := reaper.Exit{PID: 7, Status: 44 << 8, At: 25*sec + 9*sec/10}
	killed := reaper.Exit{PID: 7, Status: 9 | 0x80, At: 25 * sec}
	for _, c := range []struct {
		state
		now  int64
		live bool
		want protocol.ServiceState
	}{
		{state{}, 5 * sec, false, protocol.ServiceState{Phase: protocol.PhaseDownNever}},
		{state{phase: waiting, due: 9*sec + 1, asked: 9}, 5 * sec, false, protocol.ServiceState{Phase: protocol.PhaseStart, Time: 9}},
		{state{phase: queued, due: 9 * sec, asked: 9}, 9 * sec, true, protocol.ServiceState{Phase: protocol.PhaseStart, Time: 9}},
		{state{phase: beginning, due: 9 * sec, asked: 9}, 99 * sec, false, protocol.ServiceState{Phase: protocol.PhaseStart, Time: 9}},
		{state{phase: up, pid: 7, upAt: 20*sec + sec/2}, 30 * sec, false,
			protocol.ServiceState{Phase: protocol.PhaseUp, Time: 20, PID: 7, Uptime: 9}},
		{state{phase: up, pid: 7, upAt: 20 * sec}, 30 * sec, true,
			protocol.ServiceState{Phase: protocol.PhaseUp, Time: 20, PID: 7}},
		// 5.8 seconds: the floor of the difference, not the difference of floors.
		{state{phase: down, pid: 7, upAt: 20*sec + sec/10, exit: exited}, 30 * sec, false,
			protocol.ServiceState{Phase: protocol.PhaseDownExited, Time: 25, PID: 7, Status: 44, Uptime: 5, Downtime: 4}},
		{state{phase: down, pid: 7, upAt: 20 * sec, exit: killed}, 30 * sec, true,
			protocol.ServiceState{Phase: protocol.PhaseDownSignaled, Time: 25, PID: 7, Signal: protocol.Signal(unix.SIGKILL), Uptime: 5}},
	} {
		if got := c.wire(c.now, c.live); got != c.want {
			t.Errorf("%+v: %+v, want %+v", c.state, got, c.want)
		}
	}
}
