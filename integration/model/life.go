package model

import (
	"strconv"
	"strings"
)

type phase uint8

const (
	idle    phase = iota // never run, or the start was cancelled
	waiting              // for its due time, or to be begun
	begun                // the program is being begun; a start to everybody outside
	up
	ended
)

// life is one possible course that a service has taken. It can be compared, so that a set of lives stays small.
type life struct {
	phase   phase
	due     int64  // waiting, begun
	end     string // begun, up: how the program ends by itself, as two fields of the event; "" if it does not
	killers uint64 // up: signals that may end it, bit by number
	stopped bool   // up
	pid     string // up, ended
	at      int64  // up, ended: the time of that event
	restart restart
	then    int64 // the time of a restart that is delayed
	owed    bool  // a trigger signal has arrived that the service may not have seen yet
}

// restart is what follows an end.
type restart uint8

const (
	none restart = iota
	now
	later
)

type lives []life

func (l lives) with(more ...life) lives {
	for _, one := range more {
		known := false
		for _, other := range l {
			known = known || one == other
		}
		if !known {
			l = append(l, one)
		}
	}
	return l
}

// every tells whether something holds for all lives.
func (l lives) every(holds func(life) bool) bool {
	for _, one := range l {
		if !holds(one) {
			return false
		}
	}
	return true
}

// unfold adds what may have happened without a word: a start that was due has been begun, and an arrival came when it
// meant nothing.
func (m *Model) unfold(s *service) {
	for _, l := range s.lives {
		if l.phase == waiting && l.due <= m.clock.To {
			for _, end := range m.ends(s) {
				s.lives = s.lives.with(life{phase: begun, due: l.due, end: end, owed: l.owed})
			}
		}
	}
	for _, l := range s.lives {
		if l.owed && (l.phase == begun || l.phase == up) {
			l.owed = false
			s.lives = s.lives.with(l)
		}
	}
}

// becomes gives the lives that a state line leads to if nobody commanded it.
func (m *Model) becomes(s *service, l life, line string) lives {
	f := strings.Split(line, "\t")
	if len(f) != 9 || f[0] != "service.state" {
		return nil
	}
	at, ok := integer(f[3])
	if !ok {
		return nil
	}
	switch f[2] {
	case "start":
		return m.restarted(l, at, f)
	case "up":
		pid, ok := integer(f[4])
		if l.phase != begun || at < l.due || at > m.clock.To || !ok || pid < 1 || strings.Join(f[5:], " ") != "- - 0 -" {
			return nil
		}
		return lives{{phase: up, end: l.end, pid: f[4], at: at, owed: l.owed}}
	case "down":
		if l.phase != up || at < l.at || at > m.clock.To || f[4] != l.pid || f[8] != "0" || !l.allows(f[5], f[6]) {
			return nil
		}
		uptime, ok := integer(f[7])
		if !ok || uptime < 0 || uptime < at-l.at-1 || uptime > at-l.at {
			return nil
		}
		return m.aftermath(s, life{phase: ended, pid: l.pid, at: at, owed: l.owed}, uptime)
	}
	return nil
}

// restarted is a start by itself: after an end, or by a signal.
func (m *Model) restarted(l life, at int64, f []string) (next lives) {
	if strings.Join(f[4:], "") != "-----" {
		return nil
	}
	soon := at >= m.arrived.From && at <= m.clock.To
	if l.restart == later && at == l.then || l.restart == now && at >= l.at && at <= m.clock.To {
		next = next.with(life{phase: waiting, due: at, owed: l.owed})
	}
	if l.owed && l.restart == none && soon && (l.phase == idle || l.phase == waiting || l.phase == ended) {
		next = next.with(life{phase: waiting, due: at})
	}
	return next
}

// allows tells whether a process may end so.
func (l life) allows(how, status string) bool {
	if l.end == how+"\t"+status {
		return true
	}
	for number := 1; number <= 64; number++ {
		if l.killers>>(number-1)&1 == 1 && how == "signal" && status == signalName(number) {
			return true
		}
	}
	return false
}

// aftermath is the restart rule, under any of the signals that were pending lately.
func (m *Model) aftermath(s *service, l life, uptime int64) (next lives) {
	for _, pending := range m.pendingLately {
		after := l
		if s.always || s.mask&pending != 0 {
			after.restart = now
			if uptime < s.interval {
				after.restart, after.then = later, l.at+s.interval
			}
		}
		next = next.with(after)
	}
	return next
}

// owes tells whether something must still happen to the service by itself.
func (l life) owes(clock Clock) bool {
	const kill = 1 << (9 - 1)
	switch l.phase {
	case begun:
		return true
	case waiting:
		return l.owed || l.due <= clock.To
	case up:
		return l.killers&kill != 0 || !l.stopped && (l.end != "" || l.killers != 0)
	}
	return l.owed || l.restart != none
}

// ends lists how the program of a service that is begun now would end by itself.
func (m *Model) ends(s *service) []string {
	missing, shaky := false, false
	for _, name := range strings.Split(s.fds, "\t") {
		if s.fdsSet && name != "" && name != "-" {
			missing = missing || !m.exists(object("fd "+name))
			shaky = shaky || m.unsettled && !constants[name] // somebody else may make or delete it
		}
	}
	const abort = "signal\tSIGABRT"
	if missing && !shaky {
		return []string{abort}
	}
	end, ok := m.Programs[s.args]
	if !ok {
		end = "exit\t3" // it can't be executed
	}
	if shaky {
		return []string{end, abort}
	}
	return []string{end}
}

// deadly tells whether a signal ends a program that has left everything as it was.
func deadly(number int) bool {
	switch number {
	case 0, numbers["CHLD"], numbers["CONT"], numbers["STOP"], numbers["TSTP"], numbers["TTIN"], numbers["TTOU"],
		numbers["URG"], numbers["WINCH"]:
		return false
	}
	return true
}

// signalled is what a signal does to a running process.
func (l life) signalled(number int) life {
	switch {
	case deadly(number):
		l.killers |= 1 << (number - 1)
	case number == numbers["STOP"]:
		l.stopped = true
	case number == numbers["CONT"]:
		l.stopped = false
	}
	return l
}

func itoa(n int64) string { return strconv.FormatInt(n, 10) }
