package protocol

import "strconv"

// Phase is what a service.state line says of a service.
type Phase uint8

// The phases, and which fields of ServiceState each shows.
const (
	PhaseDownNever    Phase = iota // never ran, or its start was cancelled: none
	PhaseStart                     // Time (due)
	PhaseUp                        // Time (of the fork), PID, Uptime
	PhaseDownExited                // Time (of the reaping), PID, Status, Uptime, Downtime
	PhaseDownSignaled              // Time (of the reaping), PID, Signal, Uptime, Downtime
	PhaseDeleted                   // none
)

// ServiceState is the state of a service as clients see it. Times are whole
// seconds of CLOCK_MONOTONIC, durations whole seconds.
type ServiceState struct {
	Phase    Phase
	Time     int64
	PID      int
	Status   int // 0..255
	Signal   Signal
	Uptime   int64
	Downtime int64
}

// AppendServiceState appends a service.state line, which has 9 fields.
func AppendServiceState(b, name []byte, s *ServiceState) []byte {
	b = append(b, "service.state\t"...)
	b = append(b, name...)
	switch s.Phase {
	case PhaseStart:
		b = append(b, "\tstart"...)
		b = appendIntField(b, s.Time)
		return append(b, "\t-\t-\t-\t-\t-\n"...)
	case PhaseUp:
		b = append(b, "\tup"...)
		b = appendIntField(b, s.Time)
		b = appendIntField(b, int64(s.PID))
		b = append(b, "\t-\t-"...)
		b = appendIntField(b, s.Uptime)
		return append(b, "\t-\n"...)
	case PhaseDownExited, PhaseDownSignaled:
		return s.appendDown(b)
	case PhaseDeleted:
		return append(b, "\tdeleted\t-\t-\t-\t-\t-\t-\n"...)
	}
	return append(b, "\tdown\t-\t-\t-\t-\t-\t-\n"...)
}

func (s *ServiceState) appendDown(b []byte) []byte {
	b = append(b, "\tdown"...)
	b = appendIntField(b, s.Time)
	b = appendIntField(b, int64(s.PID))
	if s.Phase == PhaseDownExited {
		b = append(b, "\texit"...)
		b = appendIntField(b, int64(s.Status))
	} else {
		b = append(b, "\tsignal\t"...)
		b = s.Signal.Append(b)
	}
	b = appendIntField(b, s.Uptime)
	b = appendIntField(b, s.Downtime)
	return append(b, '\n')
}

// AppendServiceValue appends a service.tags, service.args or service.fds line,
// as verb says.
func AppendServiceValue(b []byte, verb Verb, name, value []byte) []byte {
	b = append(b, verb.String()...)
	b = appendField(b, name)
	b = appendField(b, value)
	return append(b, '\n')
}

// AppendServiceAutoUp appends a service.auto_up line. Without triggers it shows
// no interval.
func AppendServiceAutoUp(b, name []byte, interval int64, triggers []byte) []byte {
	b = append(b, "service.auto_up\t"...)
	b = append(b, name...)
	if len(triggers) == 0 {
		return append(b, "\t-\n"...)
	}
	b = appendIntField(b, interval)
	b = appendField(b, triggers)
	return append(b, '\n')
}

// FDType is what a handle is.
type FDType uint8

// The types of handles.
const (
	File    FDType = iota
	Special        // built in
	Pipe           // one end of a pipe or socketpair
	Socket
)

// String gives the type's name on the wire.
func (t FDType) String() string {
	switch t {
	case Special:
		return "special"
	case Pipe:
		return "pipe"
	case Socket:
		return "socket"
	}
	return "file"
}

// FDState is the state of a handle as clients see it.
type FDState struct {
	Type     FDType
	Open     OpenFlags   // File, Special
	Socket   SocketFlags // Pipe, Socket
	Listen   int         // Socket, if Socket.Listen
	WriteEnd bool        // Pipe
	Desc     []byte      // path, peer or "?", address text, or "unknown"
}

// AppendFDState appends the fd.state line of a handle.
func AppendFDState(b, name []byte, s *FDState) []byte {
	b = append(b, "fd.state\t"...)
	b = append(b, name...)
	b = append(b, '\t')
	b = append(b, s.Type.String()...)
	b = append(b, '\t')
	switch s.Type {
	case Pipe:
		b = s.Socket.AppendPipe(b, s.WriteEnd)
	case Socket:
		b = s.Socket.AppendSocket(b, s.Listen)
	default:
		b = s.Open.Append(b)
	}
	b = appendField(b, s.Desc)
	return append(b, '\n')
}

// AppendFDDeleted appends the fd.state line of a handle that is gone.
func AppendFDDeleted(b, name []byte) []byte {
	b = append(b, "fd.state\t"...)
	b = append(b, name...)
	return append(b, "\tdeleted\n"...)
}

// AppendSignal appends a signal line: t is the second of the last arrival,
// count the pending count.
func AppendSignal(b []byte, s Signal, t, count int64) []byte {
	b = append(b, "signal\t"...)
	b = s.Append(b)
	b = appendIntField(b, t)
	b = appendIntField(b, count)
	return append(b, '\n')
}

// AppendEcho appends the answer of echo.
func AppendEcho(b, value []byte) []byte {
	b = append(b, value...)
	return append(b, '\n')
}

// AppendLogFilter appends the answer of log.filter.
func AppendLogFilter(b []byte, l Level) []byte {
	b = append(b, "log.filter\t"...)
	b = append(b, l.String()...)
	return append(b, '\n')
}

// AppendMemory appends the answer of memory: heap objects allocated, bytes
// mapped, bytes resident, threads, descriptors; -1 is not known.
func AppendMemory(b []byte, values *[5]int64) []byte {
	b = append(b, "memory"...)
	for _, n := range values {
		if n < 0 {
			b = append(b, "\t-"...)
		} else {
			b = appendIntField(b, n)
		}
	}
	return append(b, '\n')
}

// AppendInfo appends a line of the interactive banner.
func AppendInfo(b []byte, text string) []byte {
	b = append(b, "info\t"...)
	b = append(b, text...)
	return append(b, '\n')
}

// AppendInt appends n in decimal.
func AppendInt(b []byte, n int64) []byte { return strconv.AppendInt(b, n, 10) }
