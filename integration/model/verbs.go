package model

import (
	"math"
	"slices"
	"strings"
)

// verbs are the commands that leave no doubt about the state they meet: each gives what it may do, most of them one
// thing.
var verbs = map[string]func(c *Conn, a *arguments) []effect{
	"echo": echo, "exit": nothing, "chdir": chdir, "memory": memory,
	"fd.pipe": fdPipe, "fd.open": fdOpen, "fd.socket": fdSocket, "fd.take": fdTake, "fd.delete": fdDelete,
	"socket.create": socketCreate, "socket.delete": socketDelete,
	"log.filter": logFilter, "log.dest": logDest, "conn.event_timeout": eventTimeout, "signal.clear": signalClear,
	"terminate.exec_args": setExecArgs, "terminate.guard": setGuard, "terminate": terminate,
}

func nothing(*Conn, *arguments) []effect { return []effect{{}} }

func echo(_ *Conn, a *arguments) []effect {
	if a.rest == "" {
		return []effect{{}}
	}
	return []effect{{tells: []string{a.rest}}}
}

const shownMemory = "memory\tfive numbers"

func memory(*Conn, *arguments) []effect { return []effect{{tells: []string{shownMemory}}} }

// memoryShape is what matters of memory's answer.
func memoryShape(line string) string {
	fields := strings.Split(line, "\t")
	if fields[0] != "memory" || len(fields) != 6 {
		return line
	}
	for _, field := range fields[1:] {
		if n, ok := integer(field); !ok || n <= 0 {
			return line
		}
	}
	return shownMemory
}

func chdir(c *Conn, a *arguments) []effect {
	path, ok := a.next()
	switch {
	case !ok:
		return []effect{{fault: "missing path argument"}}
	case a.more:
		return []effect{{fault: "unexpected argument after path"}}
	}
	if errno := c.model.files.chdir(path); errno != "" {
		return []effect{{fault: "chdir failed: " + errno}}
	}
	return []effect{{}}
}

var levels = []string{"none", "trace", "debug", "info", "warning", "error", "fatal"}

func logFilter(c *Conn, a *arguments) []effect {
	level := c.model.filter
	if field, given := a.next(); given {
		switch field {
		case "+":
			level = min(level+1, len(levels)-1)
		case "-":
			level = max(level-1, 0)
		default:
			if level = slices.Index(levels, field); level < 0 {
				return []effect{{fault: "Invalid loglevel argument"}}
			}
		}
	}
	return []effect{{tells: []string{"log.filter\t" + levels[level]}, do: func() { c.model.filter = level }}}
}

func logDest(c *Conn, a *arguments) []effect {
	kind, given := a.next()
	name, _ := a.next()
	fault := ""
	switch {
	case !given:
		fault = "missing argument"
	case kind != "fd":
		fault = "Unknown logging type"
	case name == "":
		fault = "Expected file descriptor name"
	case !legal(name):
		fault = "Invalid file descriptor name"
	case c.model.handles[name] == nil:
		return []effect{{tells: []string{"warning\tfd \"" + name + "\" does not exist"}}}
	}
	return []effect{{fault: fault}}
}

func eventTimeout(_ *Conn, a *arguments) []effect {
	var seconds [2]int64
	for i := range seconds {
		field, _ := a.next()
		var ok bool
		if seconds[i], ok = integer(field); !ok {
			return []effect{{fault: "Expected integer"}}
		}
	}
	for _, s := range seconds {
		if s < 0 || s > math.MaxInt32 {
			return []effect{{fault: "invalid timeout (must be 0..7FFFFFFF)"}}
		}
	}
	if seconds[0] > seconds[1] {
		return []effect{{fault: "reset timeout is greater than close timeout"}}
	}
	return []effect{{}}
}

func socketCreate(c *Conn, a *arguments) []effect {
	m := c.model
	options, _ := a.next()
	path, ok := a.next()
	switch {
	case !ok:
		return []effect{{fault: "missing argument"}}
	case !socketOptions(options):
		return []effect{{fault: "Invalid options"}}
	case path == "" || len(path) > 107:
		return []effect{{fault: "Failed to create control socket"}}
	}
	m.removeControl()
	full, is, errno := m.files.find(path)
	if errno != "" || is != absent && is != socketFile {
		return []effect{{fault: "Failed to create control socket"}}
	}
	m.files[full] = socketFile
	m.control = full
	return []effect{{}}
}

func socketOptions(list string) bool {
	if list == "" || list == "-" {
		return true
	}
	for _, item := range strings.Split(list, ",") {
		name, value, _ := strings.Cut(item, "=")
		n, ok := integer(value)
		switch {
		case !ok || value[0] == '-':
			return false
		case name == "mode":
			if strings.Trim(value, "01234567") != "" || len(strings.TrimLeft(value, "0")) > 3 {
				return false
			}
		case name != "uid" && name != "gid" || n >= math.MaxUint32:
			return false
		}
	}
	return true
}

func socketDelete(c *Conn, _ *arguments) []effect {
	c.model.removeControl()
	return []effect{{}}
}

func (m *Model) removeControl() {
	delete(m.files, m.control)
	m.control = ""
}

func setExecArgs(c *Conn, a *arguments) []effect {
	c.model.execArgs = a.rest
	return []effect{{}}
}

func setGuard(c *Conn, a *arguments) []effect {
	m := c.model
	sign, _ := a.next()
	field, _ := a.next()
	code, ok := integer(field)
	fault := ""
	switch {
	case sign != "+" && sign != "-":
		fault = "expected + or -"
	case !ok:
		fault = "Expected integer"
	case code == 0:
		fault = "code cannot be 0"
	case sign == "+" && m.guard != 0:
		fault = "terminate guard code is already set"
	case sign == "-" && m.guard == 0:
		fault = "terminate guard was not set"
	case sign == "-" && m.guard != code:
		fault = "incorrect guard code"
	case sign == "+":
		m.guard = code
	default:
		m.guard = 0
	}
	return []effect{{fault: fault}}
}

func terminate(c *Conn, a *arguments) []effect {
	_, fault := c.model.ending(a)
	return []effect{{fault: fault}}
}

// ending is what terminate does: the status, or the reason why not.
func (m *Model) ending(a *arguments) (status int, fault string) {
	field, _ := a.next()
	code, ok := integer(field)
	if !ok {
		return 0, "Expected integer"
	}
	if m.guard != 0 {
		field, _ := a.next()
		guard, ok := integer(field)
		switch {
		case !ok:
			return 0, "terminate guard code required"
		case guard != m.guard:
			return 0, "incorrect terminate guard code"
		case m.execArgs == "":
			return 0, "cannot exit, and exec-on-exit is not configured"
		}
	}
	return int(uint8(code)), ""
}

// Ends tells whether a command would end the daemon, and how.
func (m *Model) Ends(line string) (status int, execs, ends bool) {
	verb, rest, more := strings.Cut(line, "\t")
	if verb != "terminate" || len(line) > maxLine || strings.Contains(line, "\x00") {
		return 0, false, false
	}
	status, fault := m.ending(&arguments{rest, more})
	return status, m.execArgs != "", fault == ""
}
