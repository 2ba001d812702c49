package protocol

// Verb is the name of a command.
type Verb uint8

// The verbs; Unknown is a first field that names no command.
const (
	Unknown Verb = iota
	Echo
	Statedump
	Exit
	Chdir
	ServiceTags
	ServiceArgs
	ServiceFDs
	ServiceAutoUp
	ServiceStart
	ServiceSignal
	ServiceDelete
	SocketCreate
	SocketDelete
	FDPipe
	FDOpen
	FDSocket
	FDTake
	FDDelete
	LogFilter
	LogDest
	ConnEventTimeout
	SignalClear
	TerminateExecArgs
	TerminateGuard
	Terminate
	Memory
	verbs // their number
)

var verbNames = [verbs]string{
	Unknown:           "",
	Echo:              "echo",
	Statedump:         "statedump",
	Exit:              "exit",
	Chdir:             "chdir",
	ServiceTags:       "service.tags",
	ServiceArgs:       "service.args",
	ServiceFDs:        "service.fds",
	ServiceAutoUp:     "service.auto_up",
	ServiceStart:      "service.start",
	ServiceSignal:     "service.signal",
	ServiceDelete:     "service.delete",
	SocketCreate:      "socket.create",
	SocketDelete:      "socket.delete",
	FDPipe:            "fd.pipe",
	FDOpen:            "fd.open",
	FDSocket:          "fd.socket",
	FDTake:            "fd.take",
	FDDelete:          "fd.delete",
	LogFilter:         "log.filter",
	LogDest:           "log.dest",
	ConnEventTimeout:  "conn.event_timeout",
	SignalClear:       "signal.clear",
	TerminateExecArgs: "terminate.exec_args",
	TerminateGuard:    "terminate.guard",
	Terminate:         "terminate",
	Memory:            "memory",
}

// String gives the command's name, empty for Unknown.
func (v Verb) String() string {
	if v >= verbs {
		return ""
	}
	return verbNames[v]
}

// verbByName is exact and case-sensitive.
func verbByName(b []byte) Verb {
	for v := Unknown + 1; v < verbs; v++ {
		if verbNames[v] == string(b) {
			return v
		}
	}
	return Unknown
}

// When says which time service.start names.
type When uint8

// The three forms of service.start.
const (
	Now    When = iota // no time given
	At                 // Command.Time; the past is the service's to refuse
	Cancel             // -
)

// Command is one parsed line. Slices point into the line; fields that the verb
// does not use are zero (UID and GID: -1). After an error only Verb, Err, and
// what stands before the faulty argument are set.
type Command struct {
	Verb  Verb
	Err   Error // the first argument error, Code OK if there is none
	Named bool  // service commands: the name is good; whether it exists ranks before Err

	Name []byte // service or handle; log.dest's handle; the first field of an Unknown
	Peer []byte // fd.pipe: the write end

	// Value is the text of echo, all that follows NAME's TAB in service.tags,
	// service.args and service.fds, the triggers to store of service.auto_up
	// (empty: disabled), or the text of terminate.exec_args.
	Value []byte
	// HasValue: echo has something to answer; elsewhere the TAB before Value is
	// there, so that service.fds⇥NAME⇥ has one empty field and service.fds⇥NAME
	// none.
	HasValue bool

	// service.auto_up
	Interval     int64 // 1..MaxInterval seconds
	KeepInterval bool  // "-"
	Triggers     Triggers

	// service.start
	When When
	Time int64 // seconds of CLOCK_MONOTONIC, any 64-bit value

	// service.signal, signal.clear
	Signal Signal
	Group  bool
	Count  int64 // signal.clear: any 64-bit value

	// fd.open, fd.pipe, fd.socket, chdir, socket.create
	Open    OpenFlags
	Socket  SocketFlags
	Listen  int     // queue length if Socket.Listen
	Path    []byte  // path, or address text of fd.socket
	Address Address // fd.socket, if Socket.Bind

	// socket.create
	Mode uint32 // permission bits
	UID  int    // -1: unchanged
	GID  int    // -1: unchanged

	// log.filter
	LevelSet LevelSet
	Level    Level

	// conn.event_timeout, in seconds
	Reset int64
	Close int64

	// terminate.guard, terminate
	Plus     bool  // set the guard, else remove it
	Code     int64 // guard code, or exit code
	HasGuard bool  // terminate: a second field that is an integer
	Guard    int64
}
