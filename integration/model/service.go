package model

import (
	"fmt"
	"slices"
	"strings"
)

// service is what a service was told to be, and what may have become of it.
type service struct {
	set       map[string]string // tags, args, fds, triggers: those that were set
	args, fds string
	fdsSet    bool
	interval  int64
	always    bool
	mask      uint64 // trigger signals
	lives     lives
}

// with is the service with another value of one of its texts.
func (s *service) with(key, value string) *service {
	next := *s
	next.set = map[string]string{}
	for k, v := range s.set {
		next.set[k] = v
	}
	next.set[key] = value
	return &next
}

// bytes is what counts towards the M of a pool.
func (s *service) bytes() (sum int) {
	for key, value := range s.set {
		sum += len(key) + 1 + len(value) + 1
	}
	return sum
}

// reply is what a command about a service does to one of its lives.
type reply struct {
	fault  string
	events []string // {now} stands for the time of a start that is due at once
	life   life
	gone   bool
}

// order is a command about a service that has passed all checks but those of its state.
type order struct {
	fault   string
	noRoom  string   // what is wrong if a pool has a place for the service, but not for the value
	tells   []string // warnings, before all else
	service *service // what it is to be
	replies func(l life) []reply
}

var serviceVerbs map[string]func(c *Conn, name string, s *service, a *arguments) order

func init() {
	serviceVerbs = map[string]func(c *Conn, name string, s *service, a *arguments) order{
		"service.tags": setText("tags"), "service.args": setText("args"), "service.fds": setText("fds"),
		"service.auto_up": autoUp, "service.start": start, "service.signal": sendSignal, "service.delete": remove,
	}
}

// service carries out a command about one.
func (c *Conn) service(verb string, a arguments, line string, events, tells []string) error {
	m := c.model
	name, _ := a.next()
	mustExist := verb == "service.start" || verb == "service.signal" || verb == "service.delete"
	s := m.services[name]
	var o order
	switch {
	case name == "":
		o.fault = "Expected service name"
	case !legal(name):
		o.fault = "Invalid service name"
	case s == nil && mustExist:
		o.fault = "No such service"
	default:
		if s == nil {
			s = &service{lives: lives{{}}}
		}
		o = serviceVerbs[verb](c, name, s, &a)
		// What is wrong with the other arguments ranks first, as nothing is created for a command that fails.
		switch {
		case o.fault != "":
		case m.services[name] == nil && m.Services > 0 && len(m.services) == m.Services:
			o.fault = "Unable to allocate new service"
		default:
			o.fault = o.noRoom
		}
	}
	if o.fault != "" {
		return c.sees(events, tells, effect{tells: append(o.tells, failed(line, o.fault))})
	}
	object := object("service " + name)
	var own []string
	for _, event := range events {
		if objectOf(event) == object && c.at[object] == len(m.journals[object]) {
			own = append(own, event)
		} else if err := c.hears(event); err != nil {
			return err
		}
	}
	return c.explain(name, s, o, line, own, tells)
}

// explain finds all moments between the events at which the order can have been carried out to this effect.
func (c *Conn) explain(name string, s *service, o order, line string, events, tells []string) error {
	m := c.model
	before := *s
	var after service
	gone, found := false, false
	told := 0 // how many of the events, at least, everybody has been told of by the time of the answer
	var wanted []reply
	for i := 0; i <= len(events); i++ {
		if i > 0 {
			if before.lives = m.step(&before, events[i-1]); len(before.lives) == 0 {
				break
			}
		}
		for _, l := range before.lives {
			if l.restart != none {
				continue // the start comes before anything else
			}
			for _, r := range o.replies(l) {
				wanted = append(wanted, r)
				next, ok := m.fits(r, &before, o, line, events[i:], tells)
				if !ok {
					continue
				}
				next.lives = next.lives.with(after.lives...)
				if direct := len(r.events); direct > 0 && (!found || i+direct < told) {
					told = i + direct
				}
				after, gone, found = next, r.gone, true
			}
		}
	}
	if !found {
		return fmt.Errorf("no way that %s took: %+v; answers could be %+v", name, s.lives, wanted)
	}
	object := object("service " + name)
	if told > 0 {
		m.announced[object] = len(m.journals[object]) + told
	}
	for _, event := range events {
		m.record(object, event, nil)
		c.at[object] = len(m.journals[object])
	}
	if gone {
		delete(m.services, name)
	} else if m.services[name] != nil || len(events) > 0 {
		m.services[name] = &after
	}
	return nil
}

// fits tells whether a reply explains what was told and happened from here on, and what then becomes of the service.
func (m *Model) fits(r reply, s *service, o order, line string, events, tells []string) (next service, ok bool) {
	want := o.tells
	next = *s
	if r.fault != "" {
		want = append(slices.Clone(want), failed(line, r.fault))
	} else {
		next = *o.service
	}
	if !slices.Equal(want, tells) || len(events) < len(r.events) {
		return next, false
	}
	for i, pattern := range r.events {
		at, ok := m.matches(pattern, events[i])
		if !ok {
			return next, false
		}
		if strings.Contains(pattern, "{now}") {
			r.life.due = at
		}
	}
	rest := events[len(r.events):]
	if r.gone {
		return next, len(rest) == 0
	}
	next.lives = lives{r.life}
	m.unfold(&next)
	for _, event := range rest {
		next.lives = m.step(&next, event)
	}
	return next, len(next.lives) > 0
}

func (m *Model) matches(pattern, line string) (at int64, ok bool) {
	before, after, found := strings.Cut(pattern, "{now}")
	if !found {
		return 0, pattern == line
	}
	if !strings.HasPrefix(line, before) || !strings.HasSuffix(line, after) || len(line) <= len(before)+len(after) {
		return 0, false
	}
	at, ok = integer(line[len(before) : len(line)-len(after)])
	return at, ok && at >= m.clock.From && at <= m.clock.To
}

// step gives the lives after an event that nobody commanded.
func (m *Model) step(s *service, line string) lives {
	var next lives
	for _, l := range s.lives {
		next = next.with(m.becomes(s, l, line)...)
	}
	after := *s
	after.lives = next
	m.unfold(&after)
	return after.lives
}

func (m *Model) unfoldAll() {
	for _, s := range m.services {
		m.unfold(s)
	}
}

// happens is an event that nobody commanded.
func (m *Model) happens(o object, line string) error {
	kind, name, _ := strings.Cut(string(o), " ")
	s := m.services[name]
	if kind != "service" || s == nil {
		return fmt.Errorf("nothing happens to %s by itself", o)
	}
	next := m.step(s, line)
	if len(next) == 0 {
		return fmt.Errorf("that can't happen to %+v", s.lives)
	}
	for other, known := range m.services {
		if other != name && next[0].phase == up && known.lives.every(func(l life) bool { return l.phase == up && l.pid == next[0].pid }) {
			return fmt.Errorf("%s runs with that pid", other)
		}
	}
	s.lives = next
	m.record(o, line, nil)
	return nil
}
