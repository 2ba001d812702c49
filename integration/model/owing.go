package model

import (
	"fmt"
	"maps"
	"slices"
)

// Owes lists the services to which something must still happen, with what has happened to each so far: if that is no
// longer the same later, then something has.
func (m *Model) Owes(clock Clock) map[string]int {
	owing := map[string]int{}
	for name, s := range m.services {
		if s.lives.every(func(l life) bool { return l.owes(clock) }) {
			owing[name] = len(m.journals[object("service "+name)])
		}
	}
	return owing
}

// forget drops what an arrival could still have done long after it: a service is told at once, but none of those who
// hear of the signal can tell when.
func (m *Model) forget() error {
	if m.clock.From <= m.arrived.To+1 {
		return nil
	}
	for name, s := range m.services {
		if s.lives.every(func(l life) bool { return l.owed }) {
			return fmt.Errorf("%s was not started by a signal", name)
		}
		s.lives = slices.DeleteFunc(s.lives, func(l life) bool { return l.owed })
	}
	return nil
}

// Spinning lists the services that are started again as soon as they end.
func (m *Model) Spinning() (names []string) {
	for _, name := range slices.Sorted(maps.Keys(m.services)) {
		if s := m.services[name]; s.interval == 0 && (s.always || s.mask&m.pending() != 0) {
			names = append(names, name)
		}
	}
	return names
}

// Hasty tells whether a service has triggers and no interval.
func (m *Model) Hasty(name string) bool {
	s := m.services[name]
	return s != nil && s.interval == 0 && (s.always || s.mask != 0)
}

// Stays tells whether the program of a service would run until it is ended.
func (m *Model) Stays(name string) bool {
	s := m.services[name]
	return s != nil && slices.Equal(m.ends(s), []string{""})
}

// soon is longer than anybody goes on looking at what Running says.
const soon = 500

// Running lists the pids of the services that are up for certain and won't end by themselves; settled is false if
// there are other processes besides, or soon will be.
func (m *Model) Running() (pids []string, settled bool) {
	settled = true
	for _, name := range slices.Sorted(maps.Keys(m.services)) {
		lives := m.services[name].lives
		switch l := lives[0]; {
		case len(lives) > 1 && !lives.every(func(other life) bool { return other.phase == l.phase && other.pid == l.pid }),
			slices.ContainsFunc(lives, func(l life) bool { return l.owes(m.clock) }),
			l.phase == waiting && l.due < m.clock.To+soon, l.restart == later && l.then < m.clock.To+soon:
			settled = false
		case l.phase == up:
			pids = append(pids, l.pid)
		}
	}
	return pids, settled
}
