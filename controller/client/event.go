package client

import (
	"strconv"
	"strings"
)

// Event is one thing that happened, or one line of what there is. It is one of the types of this file.
type Event interface {
	// String is the line as it stands on the wire, without its LF; what this package says by itself has a line in
	// the manner of the wire.
	String() string
	event()
}

// The states of a service.
const (
	Down    = "down"
	Start   = "start" // it starts as soon as Time has come
	Up      = "up"
	Deleted = "deleted"
)

// None is the value of a time or a duration that an event does not have.
const None = -1

// ServiceState says what a service does. Times are whole seconds of CLOCK_MONOTONIC, durations whole seconds.
type ServiceState struct {
	Name     string
	State    string // Down, Start, Up or Deleted
	Time     int64  // Start: when it is due. Up: of the fork. Down: of the end, None if it never ran
	PID      int    // Up, and Down after a run; else 0
	Exit     Exit   // Down after a run
	Uptime   int64  // Up, and Down after a run; else None
	Downtime int64  // Down after a run; else None
}

// Exit is how a program ended.
type Exit struct {
	Reason string // "exit", "signal", or empty: it did not run
	Status int    // of "exit", 0 to 255
	Signal string // of "signal", such as SIGTERM; SIG-? has no name
}

// String is "exit 3", "SIGTERM", or empty.
func (e Exit) String() string {
	if e.Reason == "exit" {
		return "exit " + strconv.Itoa(e.Status)
	}
	return e.Signal
}

// ServiceTags are the notes of controllers about a service.
type ServiceTags struct {
	Name string
	Tags []string
}

// ServiceArgs are a service's program and its arguments.
type ServiceArgs struct {
	Name string
	Args []string
}

// ServiceFDs are the handles that become a service's descriptors 0, 1, 2 and so on; "-" leaves a number closed.
type ServiceFDs struct {
	Name string
	FDs  []string
}

// ServiceAutoUp says what starts a service by itself. Without triggers nothing does, and the interval is not told.
type ServiceAutoUp struct {
	Name     string
	Interval int64 // seconds
	Triggers []string
}

// HandleState describes a handle. Type is "file", "special", "pipe", "socket" or Deleted.
type HandleState struct {
	Name        string
	Type        string
	Flags       []string
	Description string // a path, an address, or the other end of a pipe: "?" if that is gone
}

// SignalCount says that a signal arrived at daemonproxy, last at Time, and that Count arrivals are not cleared.
type SignalCount struct {
	Name  string
	Time  int64
	Count int64
}

// Line is any other line: a greeting, an error or an answer that belongs to no command of this client.
type Line struct{ Text string }

// Lost says that events are missing. What was known from earlier ones is void: the present state follows, in the
// words of events, and then Synced. Err is ErrOverflow, ErrSlow, or why the connection broke.
type Lost struct{ Err error }

// Synced says that all there is has been told.
type Synced struct{}

func (ServiceState) event()  {}
func (ServiceTags) event()   {}
func (ServiceArgs) event()   {}
func (ServiceFDs) event()    {}
func (ServiceAutoUp) event() {}
func (HandleState) event()   {}
func (SignalCount) event()   {}
func (Line) event()          {}
func (Lost) event()          {}
func (Synced) event()        {}

func (e ServiceState) String() string {
	exit, result := "-", "-"
	switch e.Exit.Reason {
	case "exit":
		exit, result = "exit", strconv.Itoa(e.Exit.Status)
	case "signal":
		exit, result = "signal", e.Exit.Signal
	}
	pid := int64(e.PID)
	if pid == 0 {
		pid = None
	}
	return line("service.state", e.Name, e.State, number(e.Time), number(pid), exit, result, number(e.Uptime), number(e.Downtime))
}

func (e ServiceTags) String() string { return line("service.tags", e.Name, line(e.Tags...)) }
func (e ServiceArgs) String() string { return line("service.args", e.Name, line(e.Args...)) }
func (e ServiceFDs) String() string  { return line("service.fds", e.Name, line(e.FDs...)) }

func (e ServiceAutoUp) String() string {
	if len(e.Triggers) == 0 {
		return line("service.auto_up", e.Name, "-")
	}
	return line("service.auto_up", e.Name, number(e.Interval), line(e.Triggers...))
}

func (e HandleState) String() string {
	if e.Type == Deleted {
		return line("fd.state", e.Name, Deleted)
	}
	return line("fd.state", e.Name, e.Type, strings.Join(e.Flags, ","), e.Description)
}

func (e SignalCount) String() string {
	return line("signal", e.Name, number(e.Time), number(e.Count))
}

func (e Line) String() string { return e.Text }

func (e Lost) String() string { return line("lost", e.Err.Error()) }

func (Synced) String() string { return "synced" }

func line(fields ...string) string { return strings.Join(fields, "\t") }

func number(n int64) string {
	if n == None {
		return "-"
	}
	return strconv.FormatInt(n, 10)
}
