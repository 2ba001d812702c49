package model

import (
	"fmt"
	"math"
	"strings"
)

const maxInterval = math.MaxInt32

var texts = map[string]string{"tags": "tags", "args": "argv", "fds": "file descriptors"}

// setText is service.tags, service.args and service.fds.
func setText(key string) func(c *Conn, name string, s *service, a *arguments) order {
	return func(c *Conn, name string, s *service, a *arguments) (o order) {
		value := a.rest
		if key == "fds" {
			for _, handle := range strings.Split(value, "\t") {
				if !legal(handle) {
					return order{fault: "invalid fd name"}
				}
				if a.more && handle != "-" && !c.model.exists(object("fd "+handle)) {
					o.tells = append(o.tells, `warning: fd "`+handle+`" is not yet defined`)
				}
			}
		}
		o.service = s.with(key, value)
		switch key {
		case "args":
			o.service.args = value
		case "fds":
			o.service.fds, o.service.fdsSet = value, true
		}
		if c.model.ServiceBytes > 0 && o.service.bytes() > c.model.ServiceBytes {
			o.noRoom = "unable to set " + texts[key]
		}
		o.replies = func(l life) []reply {
			return []reply{{events: []string{"service." + key + "\t" + name + "\t" + value}, life: l}}
		}
		return o
	}
}

func autoUp(c *Conn, name string, s *service, a *arguments) order {
	interval, fault := autoUpInterval(a, s.interval)
	if fault != "" {
		return order{fault: fault}
	}
	text := a.rest
	always, mask, ok := triggers(text)
	if !ok {
		return order{fault: "unable to set auto_up triggers"}
	}
	next := s.with("triggers", text)
	event := fmt.Sprintf("service.auto_up\t%s\t%d\t%s", name, interval, text)
	if !always && mask == 0 {
		delete(next.set, "triggers")
		event = "service.auto_up\t" + name + "\t-"
	}
	next.interval, next.always, next.mask = interval, always, mask
	noRoom := ""
	if c.model.ServiceBytes > 0 && next.bytes() > c.model.ServiceBytes && next.set["triggers"] != "" {
		noRoom = "unable to set auto_up triggers"
	}
	condition := always || mask&c.model.pending() != 0
	return order{noRoom: noRoom, service: next, replies: func(l life) []reply {
		if !condition {
			l.owed = false
		}
		if !condition || l.phase == begun || l.phase == up {
			return []reply{{events: []string{event}, life: l}}
		}
		return []reply{{events: []string{startEvent(name, "{now}"), event}, life: life{phase: waiting, owed: l.owed}}}
	}}
}

func autoUpInterval(a *arguments, stored int64) (interval int64, fault string) {
	field, _ := a.next()
	if field == "-" {
		return stored, ""
	}
	interval, ok := integer(field)
	switch {
	case !ok:
		return 0, "Expected integer"
	case interval < 1 || interval > maxInterval:
		return 0, "invalid interval"
	}
	return interval, ""
}

// triggers reads up to the first empty field.
func triggers(text string) (always bool, mask uint64, ok bool) {
	for _, field := range strings.Split(text, "\t") {
		if field == "" {
			break
		}
		if field == "always" {
			always = true
			continue
		}
		number, known := named(field)
		if !known {
			return false, 0, false
		}
		mask |= 1 << (number - 1)
	}
	return always, mask, true
}

func startEvent(name, due string) string {
	return "service.state\t" + name + "\tstart\t" + due + "\t-\t-\t-\t-\t-"
}

func start(c *Conn, name string, s *service, a *arguments) order {
	field, given := a.next()
	switch {
	case field == "-":
		return order{service: s, replies: func(l life) []reply { return cancel(name, l) }}
	case !given:
		return order{service: s, replies: func(l life) []reply { return []reply{startAt(name, s, l, "{now}", 0)} }}
	}
	due, ok := integer(field)
	if !ok || due < c.model.clock.From {
		return order{fault: "invalid timestamp"}
	}
	return order{service: s, replies: func(l life) []reply {
		replies := []reply{startAt(name, s, l, itoa(due), due)}
		if due < c.model.clock.To { // it may be over by the time it is read
			replies = append(replies, reply{fault: "invalid timestamp", life: l})
		}
		return replies
	}}
}

func startAt(name string, s *service, l life, text string, due int64) reply {
	switch {
	case s.args == "" || s.args[0] == '\t':
		return reply{fault: "no args configured for service", life: l}
	case l.phase == begun || l.phase == up:
		return reply{fault: "service is not startable", life: l}
	}
	return reply{events: []string{startEvent(name, text)}, life: life{phase: waiting, due: due, owed: l.owed}}
}

func cancel(name string, l life) []reply {
	if l.phase != waiting {
		return []reply{{fault: "no service.start pending", life: l}}
	}
	return []reply{{events: []string{"service.state\t" + name + "\tdown\t-\t-\t-\t-\t-\t-"}, life: life{owed: l.owed}}}
}

func sendSignal(_ *Conn, name string, s *service, a *arguments) order {
	number, fault := signal(a)
	if fault != "" {
		return order{fault: fault}
	}
	options, given := a.next()
	for _, option := range strings.Split(options, ",") {
		if given && option != "group" {
			return order{fault: `unknown option "` + option + `"`}
		}
	}
	return order{service: s, replies: func(l life) []reply {
		switch {
		case l.phase != up:
			return []reply{{fault: "service is not running", life: l}}
		case given:
			return []reply{{fault: fmt.Sprintf("can't kill %s (pgid %s): No such process", name, l.pid), life: l}}
		}
		replies := []reply{{life: l.signalled(number)}}
		if l.end != "" || l.killers != 0 { // it may have ended, and its end be told next
			replies = append(replies, reply{fault: fmt.Sprintf("can't kill %s (pid %s): No such process", name, l.pid), life: l})
		}
		return replies
	}}
}

func remove(_ *Conn, name string, s *service, _ *arguments) order {
	return order{service: s, replies: func(l life) []reply {
		if l.phase == begun || l.phase == up {
			return []reply{{fault: "service is running", life: l}}
		}
		return []reply{{events: []string{"service.state\t" + name + "\tdeleted\t-\t-\t-\t-\t-\t-"}, gone: true}}
	}}
}
