package model

import (
	"fmt"
	"slices"
	"strings"
)

// Segment is a command, and all lines that its connection got between the answers to the echo before and the one after.
type Segment struct {
	Command string   // without LF; "" if there was none
	Passed  []string // descriptors that came with it, as fd.take shows them
	Lines   []string
}

// Part is what one connection did and heard in a round.
type Part struct {
	Conn     *Conn
	Segments []Segment
	Owns     func(kind, name string) bool // the things ("service" or "fd") that nobody else changes meanwhile; nil: none
}

// Round checks what all connections heard. What the owners of things heard says what happened; the others must hear the
// same: what a command changed in this round, what happened by itself in this or a later one. The last segment of each
// is without a command, and was asked for when all with commands had been read.
func (m *Model) Round(clock Clock, parts []Part) error {
	m.clock = clock
	m.pendingLately = m.pendingLately[len(m.pendingLately)-1:]
	owners := 0
	for _, p := range parts {
		if p.Owns != nil {
			owners++
		}
	}
	m.unsettled = owners > 1
	clear(m.announced)
	if err := m.happened(parts, func(s Segment) bool { return s.Command != "" }); err != nil {
		return err
	}
	if err := m.happened(parts, func(s Segment) bool { return s.Command == "" }); err != nil {
		return err
	}
	for _, p := range parts {
		if err := p.listens(); err != nil {
			return err
		}
		for o, length := range m.announced {
			if p.Conn.at[o] < length && !p.Conn.joining && !p.left() {
				return fmt.Errorf("%s was not told %q", p.Conn.Name, m.journals[o][p.Conn.at[o]].line)
			}
		}
		if len(p.Conn.signals) > 0 && !p.left() {
			return fmt.Errorf("%s was not told %q", p.Conn.Name, p.Conn.signals)
		}
		p.Conn.joining = false
	}
	return m.forget()
}

// happened takes from the owners' segments what happened.
func (m *Model) happened(parts []Part, these func(Segment) bool) error {
	for _, p := range parts {
		for _, s := range p.Segments {
			if !these(s) {
				continue
			}
			if err := p.Conn.commands(s, p); err != nil {
				return fmt.Errorf("%s sent %.300q and got %q: %w", p.Conn.Name, s.Command, s.Lines, err)
			}
		}
	}
	return nil
}

// left tells whether the connection ended itself.
func (p Part) left() bool {
	verb, _, _ := strings.Cut(p.Segments[len(p.Segments)-1].Command, "\t")
	return verb == "exit"
}

// commands makes out what a command did, from what its own connection heard.
func (c *Conn) commands(s Segment, p Part) error {
	m := c.model
	m.unfoldAll()
	defer m.unfoldAll()
	c.passed = append(c.passed, s.Passed...)
	if len(c.passed) > 16 {
		c.passed = c.passed[:16]
	}
	var tells, events []string
	for _, line := range s.Lines {
		switch o := objectOf(line); {
		case o == "" && len(c.signals) > 0 && strings.HasPrefix(line, "signal\t"):
			if err := c.hearsSignal(line); err != nil {
				return err
			}
		case o == "":
			tells = append(tells, line)
		case p.owns(o):
			events = append(events, line)
		}
	}
	verb, rest, more := strings.Cut(s.Command, "\t")
	a := arguments{rest, more}
	switch {
	case silent(s.Command):
		return c.sees(events, tells, effect{})
	case len(s.Command) > maxLine:
		return c.sees(events, tells, effect{tells: []string{"error\tline too long"}})
	case strings.Contains(s.Command, "\x00"):
		return c.sees(events, tells, effect{tells: []string{"error\tline contains NUL"}})
	case verb == "statedump":
		return c.sweeps(s.Lines, p)
	case serviceVerbs[verb] != nil:
		return c.service(verb, a, s.Command, events, tells)
	case verbs[verb] == nil:
		return c.sees(events, tells, effect{tells: []string{"error\tUnknown command: " + verb}})
	}
	if verb == "memory" {
		for i, line := range tells {
			tells[i] = memoryShape(line)
		}
	}
	effects := verbs[verb](c, &a)
	for i, e := range effects {
		if e.fault != "" {
			effects[i].tells = []string{failed(s.Command, e.fault)}
		}
	}
	return c.sees(events, tells, effects...)
}

func (p Part) owns(o object) bool {
	kind, name, _ := strings.Cut(string(o), " ")
	return p.Owns != nil && p.Owns(kind, name)
}

// effect is one thing that a command may do.
type effect struct {
	fault  string     // the error's text
	tells  []string   // what the requester alone gets
	chains [][]string // events about handles; each chain is told in its order
	do     func()     // what else changes
}

// sees takes the effect that fits what was told. All other events must be such as happen by themselves.
func (c *Conn) sees(events, tells []string, effects ...effect) error {
	i := slices.IndexFunc(effects, func(e effect) bool { return slices.Equal(e.tells, tells) })
	if i < 0 {
		return fmt.Errorf("want %q", effects[0].tells)
	}
	e := effects[i]
	if e.do != nil {
		e.do()
	}
	c.model.unfoldAll()
	last := make([]*place, len(e.chains))
lines:
	for _, line := range events {
		for i, chain := range e.chains {
			if len(chain) > 0 && chain[0] == line {
				o := objectOf(line)
				last[i] = c.model.record(o, line, last[i])
				c.at[o] = last[i].index + 1
				c.model.announced[o] = c.at[o]
				e.chains[i] = chain[1:]
				continue lines
			}
		}
		if err := c.hears(line); err != nil {
			return err
		}
	}
	for _, chain := range e.chains {
		if len(chain) > 0 {
			return fmt.Errorf("%q is missing", chain)
		}
	}
	return nil
}

// listens takes a connection through what others have done.
func (p Part) listens() error {
	for _, s := range p.Segments {
		var d dumping
		for _, line := range s.Lines {
			o := objectOf(line)
			if o == "" || p.owns(o) {
				continue
			}
			if s.Command == "statedump" && d.takes(p.Conn, o, line) {
				continue
			}
			if err := p.Conn.hears(line); err != nil {
				return err
			}
		}
	}
	return nil
}
