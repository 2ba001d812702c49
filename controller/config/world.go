package config

import (
	"bytes"
	"maps"
	"slices"
	"strconv"
	"syscall"

	"daemonproxy/controller/protocol"
)

// mainService is what the daemon may have defined itself, before it reads its config: daemonproxy -- PROGRAM.
const mainService = "main"

// world is what would exist after the lines so far.
type world struct {
	services map[string]*service
	handles  map[string]bool
	defined  map[string]int // handles: the first line that makes them
	logDest  string
	logLine  int
}

// service is what the lines say about one.
type service struct {
	line    int // that made it
	program bool
	fds     []string
	fdsLine int

	// That a start lacks one of these has been reported.
	toldProgram, toldFDs bool
}

func newWorld() *world {
	w := &world{services: map[string]*service{}, handles: map[string]bool{}, defined: map[string]int{}}
	for _, name := range []string{"null", "control.cmd", "control.event", "control.socket", "stdin", "stdout", "stderr"} {
		w.handles[name] = true
	}
	return w
}

// has reports whether a handle exists. One that the daemon may inherit counts.
func (w *world) has(handle string) bool { return w.handles[handle] || isInherited(handle) }

func isInherited(handle string) bool {
	digits, ok := bytes.CutPrefix([]byte(handle), []byte("fd_"))
	n, isNumber := protocol.ParseInteger(digits)
	return ok && isNumber && n > 2
}

// follow does what a command would do, and reports what would fail then.
func (c *checker) follow(command *protocol.Command, line []byte) {
	name := string(command.Name)
	switch command.Verb {
	case protocol.Exit:
		c.ended = true
	case protocol.ServiceTags:
		c.service(name)
	case protocol.ServiceArgs:
		program, _, _ := protocol.NextField(command.Value)
		c.service(name).program = len(program) > 0
		if hasWords(program) {
			c.report("the program of service ", quote(name), " is ", quote(program), spacesHint)
		}
	case protocol.ServiceFDs:
		c.setFDs(c.service(name), command)
	case protocol.ServiceAutoUp:
		c.setAutoUp(c.service(name), command, line)
	case protocol.ServiceStart, protocol.ServiceSignal, protocol.ServiceDelete:
		c.useService(command)
	case protocol.FDPipe:
		if command.Socket.Pair && command.Socket.Domain != protocol.Unix {
			c.report("socketpair() failed: ", string(protocol.AppendErrno(nil, syscall.EOPNOTSUPP)), "; only unix makes pairs")
			return
		}
		c.makeHandle(name)
		c.makeHandle(string(command.Peer))
	case protocol.FDOpen, protocol.FDSocket:
		if command.Verb == protocol.FDOpen && len(command.Path) == 0 {
			c.report("open failed: ", string(protocol.AppendErrno(nil, syscall.ENOENT)), "; the path is empty")
			return
		}
		c.makeHandle(name)
	case protocol.FDTake:
		c.report("No ancillary file descriptor received: a config passes none")
	case protocol.FDDelete:
		if !c.has(name) {
			c.report("No such file descriptor: ", quote(name))
		}
		delete(c.handles, name)
	case protocol.LogDest:
		c.logDest, c.logLine = name, c.line
	case protocol.SocketCreate:
		if !protocol.ValidSocketPath(command.Path) {
			c.report("Failed to create control socket: its path has ", bytesText(len(command.Path)), ", and may have 1 to ",
				strconv.Itoa(protocol.MaxSocketPath))
		}
	}
}

func (c *checker) makeHandle(name string) {
	c.handles[name] = true
	if c.defined[name] == 0 {
		c.defined[name] = c.line
	}
}

// service is the named one, which a line that configures it makes.
func (c *checker) service(name string) *service {
	s := c.services[name]
	if s == nil {
		s = &service{line: c.line, program: name == mainService}
		c.services[name] = s
	}
	return s
}

// hasWords reports whether a program's name is rather a whole command. That of a directory may have a space.
func hasWords(program []byte) bool {
	space := bytes.LastIndexByte(program, ' ')
	return space >= 0 && (bytes.IndexByte(program[space:], '/') < 0 ||
		bytes.Contains(program, []byte(" -")) || bytes.Contains(program, []byte(" /")))
}

func (c *checker) setFDs(s *service, command *protocol.Command) {
	s.fds, s.fdsLine, s.toldFDs = nil, c.line, false
	if !command.HasValue {
		return
	}
	empty := false
	for _, field := range bytes.Split(command.Value, []byte{'\t'}) {
		if len(field) == 0 {
			empty = true
			continue
		}
		s.fds = append(s.fds, string(field))
	}
	if empty && len(command.Value) > 0 {
		c.report("an empty field among the descriptors: it is skipped, and takes no number (- leaves a number closed)")
	}
}

func (c *checker) setAutoUp(s *service, command *protocol.Command, line []byte) {
	fields := bytes.Split(line, []byte{'\t'})[3:]
	for i, field := range fields {
		if len(field) > 0 {
			continue
		}
		if slices.ContainsFunc(fields[i:], func(later []byte) bool { return len(later) > 0 }) {
			c.report("what follows an empty field is no trigger; two TABs in a row make an empty field")
		}
		fields = fields[:i]
		break
	}
	for _, field := range fields {
		if signal, ok := protocol.SignalByName(field); ok && !isCounted(signal) {
			c.report(quote(field), " is no signal that daemonproxy counts, so it never starts anything")
		}
	}
	if command.Triggers.Always {
		c.start(string(command.Name), s)
	}
}

// isCounted reports whether the daemon counts a signal. As process 1, or as an entrypoint, it counts the last two as
// well, and a config can't tell.
func isCounted(signal protocol.Signal) bool {
	switch syscall.Signal(signal) {
	case syscall.SIGINT, syscall.SIGHUP, syscall.SIGTERM, syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGQUIT,
		syscall.SIGPWR, syscall.SIGWINCH:
		return true
	}
	return false
}

func (c *checker) useService(command *protocol.Command) {
	name := string(command.Name)
	s := c.services[name]
	if s == nil && name == mainService {
		return
	}
	if s == nil {
		c.report("No such service: ", quote(name))
		return
	}
	switch {
	case command.Verb == protocol.ServiceDelete:
		delete(c.services, name)
	case command.Verb == protocol.ServiceStart && command.When == protocol.Now:
		c.start(name, s)
	case command.Verb == protocol.ServiceStart && command.When == protocol.At && !s.program:
		c.report("no args configured for service ", quote(name))
		s.toldProgram = true
	}
}

// start reports what a service lacks that is started at this line.
func (c *checker) start(name string, s *service) {
	if !s.program {
		c.report("no args configured for service ", quote(name), ", which starts here")
		s.toldProgram = true
	}
	for _, handle := range s.fds {
		if handle != "-" && !c.has(handle) {
			c.report("service ", quote(name), " starts here, but its descriptor ", quote(handle), " does not exist yet")
			s.toldFDs = true
		}
	}
}

// conclude reports what was never made.
func (c *checker) conclude() {
	for _, name := range slices.Sorted(maps.Keys(c.services)) {
		s := c.services[name]
		if !s.program && !s.toldProgram {
			c.reportAt(s.line, "no args configured for service ", quote(name))
		}
		for _, handle := range s.fds {
			if handle != "-" && !c.has(handle) && !s.toldFDs {
				c.reportAt(s.fdsLine, "fd ", quote(handle), " is not defined", c.deleted(handle))
			}
		}
	}
	if c.logDest != "" && !c.has(c.logDest) {
		c.reportAt(c.logLine, "fd ", quote(c.logDest), " is not defined", c.deleted(c.logDest))
	}
}

// deleted tells that a handle was there before.
func (c *checker) deleted(handle string) string {
	if line := c.defined[handle]; line > 0 {
		return " any more (it was, in line " + strconv.Itoa(line) + ")"
	}
	return ""
}
