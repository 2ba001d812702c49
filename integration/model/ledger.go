package model

import (
	"fmt"
	"slices"
	"strings"
)

// arrivals is what the signal table says of one signal. The ledger keeps them in the order of their last arrival.
type arrivals struct {
	signal int
	at     string // as the first connection was told
	count  int64
}

func (a *arrivals) line() string {
	return fmt.Sprintf("signal\t%s\t%s\t%d", signalName(a.signal), a.at, a.count)
}

// Arrives says that a signal was sent to the daemon, at a time when no command is under way.
func (m *Model) Arrives(clock Clock, name string) {
	number, _ := named(name)
	a := &arrivals{signal: number}
	if i := slices.IndexFunc(m.ledger, func(a *arrivals) bool { return a.signal == number }); i >= 0 {
		a = m.ledger[i]
		m.ledger = slices.Delete(m.ledger, i, i+1)
	}
	a.at = "?"
	a.count++
	m.ledger = append(m.ledger, a)
	for _, c := range m.conns {
		c.signals = append(c.signals, a.line())
	}
	m.clock, m.arrived = clock, clock
	m.pendingLately = append(m.pendingLately, m.pending())
	for _, s := range m.services {
		if s.mask>>(number-1)&1 == 0 {
			continue
		}
		m.unfold(s)
		for i := range s.lives {
			s.lives[i].owed = true
		}
		m.mayRestart(s)
		m.unfold(s)
	}
}

// mayRestart: an end that was told of just now may be weighed only now.
func (m *Model) mayRestart(s *service) {
	for _, l := range s.lives {
		if l.phase == ended && l.restart == none && l.at >= m.clock.From-1 {
			l.restart = now
			s.lives = s.lives.with(l)
			l.restart, l.then = later, l.at+s.interval
			s.lives = s.lives.with(l)
		}
	}
}

func (m *Model) pending() (mask uint64) {
	for _, a := range m.ledger {
		if a.count > 0 {
			mask |= 1 << (a.signal - 1)
		}
	}
	return mask
}

// hearsSignal has a connection told of an arrival.
func (c *Conn) hearsSignal(line string) error {
	want := c.signals[0]
	fields, wanted := strings.Split(line, "\t"), strings.Split(want, "\t")
	if len(fields) != 4 || fields[1] != wanted[1] || fields[3] != wanted[3] {
		return fmt.Errorf("%s hears %q, want %q", c.Name, line, want)
	}
	number, _ := named(fields[1])
	i := slices.IndexFunc(c.model.ledger, func(a *arrivals) bool { return a.signal == number })
	a := c.model.ledger[i]
	at, ok := integer(fields[2])
	if a.at == "?" && ok && at >= c.model.clock.From && at <= c.model.clock.To {
		a.at = fields[2]
	}
	if fields[2] != a.at {
		return fmt.Errorf("%s hears %q, want the time %s", c.Name, line, a.at)
	}
	c.signals = c.signals[1:]
	return nil
}

func signalClear(c *Conn, a *arguments) []effect {
	number, fault := signal(a)
	if fault != "" {
		return []effect{{fault: fault}}
	}
	field, _ := a.next()
	count, ok := integer(field)
	if !ok {
		return []effect{{fault: "Expected integer"}}
	}
	return []effect{{do: func() {
		for _, a := range c.model.ledger {
			if a.signal == number {
				a.count = max(a.count-count, 0)
			}
		}
		c.model.cleared()
	}}}
}

// cleared follows a change of the pending signals: an arrival or an end may be weighed before or after it.
func (m *Model) cleared() {
	m.pendingLately = append(m.pendingLately, m.pending())
	for _, s := range m.services {
		for _, l := range s.lives {
			l.owed = false
			if !s.always {
				l.restart, l.then = none, 0
			}
			s.lives = s.lives.with(l)
		}
	}
}

// Counted tells whether a signal has ever been cleared to 0: clearing a negative number then raises it.
func (m *Model) Counted(name string) bool {
	number, _ := named(name)
	return slices.ContainsFunc(m.ledger, func(a *arrivals) bool { return a.signal == number && a.count > 0 })
}
