package client

import (
	"strconv"
	"strings"
)

// parse reads the line of an event. What it does not know, or what has not the shape that it should have, is a Line.
func parse(text string) Event {
	verb, rest, _ := strings.Cut(text, "\t")
	name, value, more := strings.Cut(rest, "\t")
	if name == "" || !more {
		return Line{text}
	}
	switch verb {
	case "service.state":
		if e, ok := parseServiceState(name, fields(value)); ok {
			return e
		}
	case "service.tags":
		return ServiceTags{name, fields(value)}
	case "service.args":
		return ServiceArgs{name, fields(value)}
	case "service.fds":
		return ServiceFDs{name, fields(value)}
	case "service.auto_up":
		if e, ok := parseAutoUp(name, fields(value)); ok {
			return e
		}
	case "fd.state":
		if e, ok := parseHandle(name, fields(value)); ok {
			return e
		}
	case "signal":
		if e, ok := parseSignal(name, fields(value)); ok {
			return e
		}
	}
	return Line{text}
}

// fields splits a value. The empty value has none: on the wire it can't be told from one empty field.
func fields(value string) []string {
	if value == "" {
		return nil
	}
	return strings.Split(value, "\t")
}

func parseServiceState(name string, f []string) (e ServiceState, ok bool) {
	if len(f) != 7 {
		return e, false
	}
	e = ServiceState{Name: name, State: f[0]}
	var pid int64
	numbers := []struct {
		to   *int64
		text string
	}{{&e.Time, f[1]}, {&pid, f[2]}, {&e.Uptime, f[5]}, {&e.Downtime, f[6]}}
	for _, n := range numbers {
		if *n.to, ok = parseNumber(n.text); !ok {
			return e, false
		}
	}
	if pid != None {
		e.PID = int(pid)
	}
	switch f[3] {
	case "exit":
		status, err := strconv.Atoi(f[4])
		e.Exit = Exit{Reason: "exit", Status: status}
		return e, err == nil
	case "signal":
		e.Exit = Exit{Reason: "signal", Signal: f[4]}
	}
	return e, true
}

func parseAutoUp(name string, f []string) (e ServiceAutoUp, ok bool) {
	e.Name = name
	if len(f) == 1 && f[0] == "-" {
		return e, true
	}
	if len(f) < 2 {
		return e, false
	}
	e.Interval, ok = parseNumber(f[0])
	e.Triggers = f[1:]
	return e, ok
}

func parseHandle(name string, f []string) (e HandleState, ok bool) {
	switch {
	case len(f) == 1 && f[0] == Deleted:
		return HandleState{Name: name, Type: Deleted}, true
	case len(f) == 3:
		return HandleState{Name: name, Type: f[0], Flags: strings.Split(f[1], ","), Description: f[2]}, true
	}
	return e, false
}

func parseSignal(name string, f []string) (e SignalCount, ok bool) {
	if len(f) != 2 {
		return e, false
	}
	e.Name = name
	if e.Time, ok = parseNumber(f[0]); !ok {
		return e, false
	}
	e.Count, ok = parseNumber(f[1])
	return e, ok
}

// parseNumber reads an integer, or "-", which is None.
func parseNumber(text string) (int64, bool) {
	if text == "-" {
		return None, true
	}
	n, err := strconv.ParseInt(text, 10, 64)
	return n, err == nil
}
