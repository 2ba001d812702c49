package protocol

import (
	"strconv"
	"syscall"
)

// Error is a failed command as a value: which text, and what is filled in.
// Arg usually points into the command's line.
type Error struct {
	Code  Code
	Errno uint16 // codes whose name ends in Failed and that name a system call
	Num   int32  // KillFailed, KillGroupFailed: the pid
	Arg   []byte // name, flag or option that the text quotes
}

// Code names one error text.
type Code uint8

// The codes, in the order of the commands that use them first.
const (
	OK Code = iota

	UnknownCommand // Arg
	LineTooLong
	LineNUL
	Internal // a panic inside daemonproxy ended the command

	ServiceNameExpected
	ServiceNameInvalid
	NoSuchService
	ServicePoolFull
	FDNameExpected
	FDNameInvalid
	FDConstant
	NoSuchFD
	SignalExpected
	SignalNumberInvalid
	SignalInvalid
	IntegerExpected

	// chdir
	PathMissing
	PathExtra
	ChdirFailed // Errno

	// service.tags, service.args, service.fds, service.auto_up
	TagsFailed
	ArgsFailed
	FDsFailed
	FDsNameInvalid
	IntervalInvalid
	TriggersFailed

	// service.start
	NoStartPending
	TimestampInvalid
	NoArgs
	NotStartable

	// service.signal, service.delete
	OptionUnknown // Arg
	NotRunning
	KillFailed      // Arg, Num, Errno
	KillGroupFailed // Arg, Num, Errno
	StillRunning

	// socket.create
	ArgumentMissing // and log.dest
	OptionsInvalid
	ControlSocketFailed

	// fd.pipe
	NamesEqual
	FlagUnknown      // Arg; fd.open and fd.socket too
	SocketpairFailed // Errno
	PipeFailed       // Errno
	PipeFcntlFailed  // Errno
	PipePoolFull

	// fd.open
	FlagsMissing // and fd.socket
	OpenFailed   // Errno
	FDPoolFull   // and fd.socket, fd.take

	// fd.socket
	ListenInvalid
	AddressInvalid
	AddressExpected
	AddressExtra
	SocketFailed     // Errno
	SetsockoptFailed // Errno
	BindFailed       // Errno
	ListenFailed     // Errno
	FcntlFailed      // Errno

	// fd.take
	NothingQueued

	// log.filter, log.dest, conn.event_timeout
	LevelInvalid
	LogTypeUnknown
	TimeoutInvalid
	TimeoutOrder

	// terminate.exec_args, terminate.guard, terminate
	ExecArgsTooLong
	GuardSignExpected
	GuardCodeZero
	GuardAlreadySet
	GuardNotSet
	GuardIncorrect
	TerminateGuardRequired
	TerminateGuardIncorrect
	CannotExit

	codes // their number
)

// form says what follows an error's fixed text.
type form uint8

const (
	plain  form = iota
	arg         // Arg
	quoted      // "Arg"
	errno       // : STRERROR
	killed      // NAME (pid N): STRERROR
	killpg      // NAME (pgid N): STRERROR
)

var errorTexts = [codes]struct {
	text string
	form form
}{
	OK:             {text: ""},
	UnknownCommand: {"Unknown command: ", arg},
	LineTooLong:    {text: "line too long"},
	LineNUL:        {text: "line contains NUL"},
	Internal:       {text: "internal error"},

	ServiceNameExpected: {text: "Expected service name"},
	ServiceNameInvalid:  {text: "Invalid service name"},
	NoSuchService:       {text: "No such service"},
	ServicePoolFull:     {text: "Unable to allocate new service"},
	FDNameExpected:      {text: "Expected file descriptor name"},
	FDNameInvalid:       {text: "Invalid file descriptor name"},
	FDConstant:          {text: "File descriptor cannot be altered"},
	NoSuchFD:            {text: "No such file descriptor"},
	SignalExpected:      {text: "Expected signal argument"},
	SignalNumberInvalid: {text: "Invalid signal number"},
	SignalInvalid:       {text: "Invalid signal argument"},
	IntegerExpected:     {text: "Expected integer"},

	PathMissing: {text: "missing path argument"},
	PathExtra:   {text: "unexpected argument after path"},
	ChdirFailed: {"chdir failed", errno},

	TagsFailed:      {text: "unable to set tags"},
	ArgsFailed:      {text: "unable to set argv"},
	FDsFailed:       {text: "unable to set file descriptors"},
	FDsNameInvalid:  {text: "invalid fd name"},
	IntervalInvalid: {text: "invalid interval"},
	TriggersFailed:  {text: "unable to set auto_up triggers"},

	NoStartPending:   {text: "no service.start pending"},
	TimestampInvalid: {text: "invalid timestamp"},
	NoArgs:           {text: "no args configured for service"},
	NotStartable:     {text: "service is not startable"},

	OptionUnknown:   {"unknown option ", quoted},
	NotRunning:      {text: "service is not running"},
	KillFailed:      {"can't kill ", killed},
	KillGroupFailed: {"can't kill ", killpg},
	StillRunning:    {text: "service is running"},

	ArgumentMissing:     {text: "missing argument"},
	OptionsInvalid:      {text: "Invalid options"},
	ControlSocketFailed: {text: "Failed to create control socket"},

	NamesEqual:       {text: "read and write names must differ"},
	FlagUnknown:      {"unknown flag ", quoted},
	SocketpairFailed: {"socketpair() failed", errno},
	PipeFailed:       {"pipe() failed", errno},
	PipeFcntlFailed:  {"fcntl(O_NONBLOCK) failed", errno},
	PipePoolFull:     {text: "failed to create pipe"},

	FlagsMissing: {text: "missing flags argument"},
	OpenFailed:   {"open failed", errno},
	FDPoolFull:   {text: "Unable to allocate new file descriptor object"},

	ListenInvalid:    {text: "invalid listen queue length"},
	AddressInvalid:   {text: "invalid address"},
	AddressExpected:  {text: "expected address argument"},
	AddressExtra:     {text: "unexpected argument after address"},
	SocketFailed:     {"socket", errno},
	SetsockoptFailed: {"setsockopt", errno},
	BindFailed:       {"bind", errno},
	ListenFailed:     {"listen", errno},
	FcntlFailed:      {"fcntl(O_NONBLOCK)", errno},

	NothingQueued: {text: "No ancillary file descriptor received"},

	LevelInvalid:   {text: "Invalid loglevel argument"},
	LogTypeUnknown: {text: "Unknown logging type"},
	TimeoutInvalid: {text: "invalid timeout (must be 0..7FFFFFFF)"},
	TimeoutOrder:   {text: "reset timeout is greater than close timeout"},

	ExecArgsTooLong:         {text: "exec arguments exceed buffer size (4095)"},
	GuardSignExpected:       {text: "expected + or -"},
	GuardCodeZero:           {text: "code cannot be 0"},
	GuardAlreadySet:         {text: "terminate guard code is already set"},
	GuardNotSet:             {text: "terminate guard was not set"},
	GuardIncorrect:          {text: "incorrect guard code"},
	TerminateGuardRequired:  {text: "terminate guard code required"},
	TerminateGuardIncorrect: {text: "incorrect terminate guard code"},
	CannotExit:              {text: "cannot exit, and exec-on-exit is not configured"},
}

// Append appends the whole text, without LF and never cut.
func (e Error) Append(b []byte) []byte {
	if e.Code >= codes {
		e.Code = Internal
	}
	t := &errorTexts[e.Code]
	b = append(b, t.text...)
	switch t.form {
	case arg:
		b = append(b, e.Arg...)
	case quoted:
		b = appendQuoted(b, e.Arg)
	case errno:
		b = append(b, ": "...)
		b = AppendErrno(b, syscall.Errno(e.Errno))
	case killed:
		b = e.appendTarget(b, " (pid ")
	case killpg:
		b = e.appendTarget(b, " (pgid ")
	}
	return b
}

func (e Error) appendTarget(b []byte, kind string) []byte {
	b = append(b, e.Arg...)
	b = append(b, kind...)
	b = strconv.AppendInt(b, int64(e.Num), 10)
	b = append(b, "): "...)
	return AppendErrno(b, syscall.Errno(e.Errno))
}

func appendQuoted(b, text []byte) []byte {
	b = append(b, '"')
	b = append(b, text...)
	return append(b, '"')
}

// bare reports whether the error's event ends without naming the command.
func (c Code) bare() bool {
	switch c {
	case UnknownCommand, LineTooLong, LineNUL, Internal:
		return true
	}
	return false
}
