package model

import (
	"fmt"
	"strings"
)

// object is what events are about: "service NAME" or "fd NAME".
type object string

// objectOf tells which object a line is an event about, "" if none.
func objectOf(line string) object {
	event, rest, _ := strings.Cut(line, "\t")
	name, _, _ := strings.Cut(rest, "\t")
	switch event {
	case "service.state", "service.tags", "service.args", "service.fds", "service.auto_up":
		return object("service " + name)
	case "fd.state":
		return object("fd " + name)
	}
	return ""
}

// entry is one event about an object, in the order in which all connections are told of them.
type entry struct {
	line  string
	after *place // another object's event that everybody is told first
	then  dump   // what a statedump shows from here on
}

// place is one entry of a journal.
type place struct {
	object object
	index  int
}

// dump is what a statedump shows of an object: a handle's one line or a service's five. Gone, it shows none.
type dump []string

var serviceLines = []string{"service.state", "service.tags", "service.args", "service.fds", "service.auto_up"}

// after applies an event to what a dump showed before.
func (d dump) after(line string) dump {
	fields := strings.Split(line, "\t")
	if len(fields) > 2 && (fields[0] == "service.state" || len(fields) == 3 && fields[0] == "fd.state") && fields[2] == "deleted" {
		return nil
	}
	if fields[0] == "fd.state" {
		return dump{line}
	}
	next := append(dump(nil), d...)
	if len(next) == 0 {
		name := fields[1]
		next = dump{
			"service.state\t" + name + "\tdown\t-\t-\t-\t-\t-\t-", "service.tags\t" + name + "\t", "service.args\t" + name + "\t",
			"service.fds\t" + name + "\tnull\tnull\tnull", "service.auto_up\t" + name + "\t-",
		}
	}
	for i, event := range serviceLines {
		if event == fields[0] {
			next[i] = line
		}
	}
	return next
}

// shows tells whether line is the i-th line of the dump, now.
func (d dump) shows(i int, line string, clock Clock) bool {
	if i >= len(d) {
		return false
	}
	if d[i] == line {
		return true
	}
	was, is := strings.Split(d[i], "\t"), strings.Split(line, "\t")
	if was[0] != "service.state" || len(is) != 9 || is[0] != was[0] || is[1] != was[1] {
		return false
	}
	passing := 7 // the field that goes on growing
	if was[2] == "down" {
		passing = 8
	}
	since, ok := integer(was[3])
	passed, number := integer(is[passing])
	if !ok || !number || passed < max(clock.From-since-1, 0) || passed > clock.To-since {
		return false
	}
	was[passing] = is[passing]
	return strings.Join(was, "\t") == line
}

// record writes an event into its object's journal.
func (m *Model) record(o object, line string, after *place) *place {
	journal := m.journals[o]
	var before dump
	if len(journal) > 0 {
		before = journal[len(journal)-1].then
	}
	m.journals[o] = append(journal, entry{line, after, before.after(line)})
	return &place{o, len(journal)}
}

// exists tells whether a dump shows the object.
func (m *Model) exists(o object) bool {
	journal := m.journals[o]
	return len(journal) > 0 && journal[len(journal)-1].then != nil
}

// hears has a connection told of an event. What nobody has heard of yet must be something that happens by itself.
func (c *Conn) hears(line string) error {
	m, o := c.model, objectOf(line)
	at := c.at[o]
	if c.joining {
		for i, e := range m.journals[o][at:] {
			if e.line == line {
				at += i
				break
			}
		}
	}
	if at == len(m.journals[o]) {
		if err := m.happens(o, line); err != nil {
			return fmt.Errorf("%s hears %q: %w", c.Name, line, err)
		}
	}
	e := m.journals[o][at]
	if e.line != line {
		return fmt.Errorf("%s hears %q, but next for %s is %q", c.Name, line, o, e.line)
	}
	if e.after != nil && c.at[e.after.object] <= e.after.index && !c.joining {
		return fmt.Errorf("%s hears %q before %q", c.Name, line, m.journals[e.after.object][e.after.index].line)
	}
	c.at[o] = at + 1
	return nil
}

// dumped tells whether line is the i-th one that a dump to this connection shows of an object at this moment.
func (c *Conn) dumped(o object, i int, line string) bool {
	journal := c.model.journals[o]
	if !c.joining {
		return c.at[o] > 0 && journal[c.at[o]-1].then.shows(i, line, c.model.clock)
	}
	for at := max(c.at[o], 1); at <= len(journal); at++ {
		if journal[at-1].then.shows(i, line, c.model.clock) {
			c.at[o] = at
			return true
		}
	}
	return false
}
