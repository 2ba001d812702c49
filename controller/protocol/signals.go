package protocol

import "syscall"

// Signal is a signal number from 0 to MaxSignal; 0 only asks whether the
// process exists.
type Signal uint8

// MaxSignal is the highest signal of Linux (SIGRTMAX).
const MaxSignal = 64

// unnamed is what events show for a signal without a name, such as a
// real-time signal.
const unnamed = "SIG-?"

// signalNames holds the one name of each signal that events show. Numbers
// differ between architectures, and so does what there is: see signals_stkflt.go.
var signalNames = [MaxSignal + 1]string{
	syscall.SIGABRT:   "SIGABRT",
	syscall.SIGALRM:   "SIGALRM",
	syscall.SIGBUS:    "SIGBUS",
	syscall.SIGCHLD:   "SIGCHLD",
	syscall.SIGCONT:   "SIGCONT",
	syscall.SIGFPE:    "SIGFPE",
	syscall.SIGHUP:    "SIGHUP",
	syscall.SIGILL:    "SIGILL",
	syscall.SIGINT:    "SIGINT",
	syscall.SIGIO:     "SIGIO",
	syscall.SIGKILL:   "SIGKILL",
	syscall.SIGPIPE:   "SIGPIPE",
	syscall.SIGPROF:   "SIGPROF",
	syscall.SIGPWR:    "SIGPWR",
	syscall.SIGQUIT:   "SIGQUIT",
	syscall.SIGSEGV:   "SIGSEGV",
	syscall.SIGSTOP:   "SIGSTOP",
	syscall.SIGSYS:    "SIGSYS",
	syscall.SIGTERM:   "SIGTERM",
	syscall.SIGTRAP:   "SIGTRAP",
	syscall.SIGTSTP:   "SIGTSTP",
	syscall.SIGTTIN:   "SIGTTIN",
	syscall.SIGTTOU:   "SIGTTOU",
	syscall.SIGURG:    "SIGURG",
	syscall.SIGUSR1:   "SIGUSR1",
	syscall.SIGUSR2:   "SIGUSR2",
	syscall.SIGVTALRM: "SIGVTALRM",
	syscall.SIGWINCH:  "SIGWINCH",
	syscall.SIGXCPU:   "SIGXCPU",
	syscall.SIGXFSZ:   "SIGXFSZ",
}

// SignalByName finds a signal by its upper-case name, with or without SIG.
func SignalByName(b []byte) (Signal, bool) {
	if len(b) > 3 && string(b[:3]) == "SIG" {
		b = b[3:]
	}
	switch string(b) { // second names
	case "CLD":
		return Signal(syscall.SIGCHLD), true
	case "IOT":
		return Signal(syscall.SIGABRT), true
	case "POLL":
		return Signal(syscall.SIGIO), true
	}
	for i, name := range &signalNames {
		if name != "" && name[3:] == string(b) {
			return Signal(i), true
		}
	}
	return 0, false
}

// String gives the name that events show: SIGTERM, or SIG-? if s has none.
func (s Signal) String() string {
	if s > MaxSignal || signalNames[s] == "" {
		return unnamed
	}
	return signalNames[s]
}

// Append appends String.
func (s Signal) Append(b []byte) []byte { return append(b, s.String()...) }

// parseSignal checks a signal argument; present is false if it is missing.
func parseSignal(b []byte, present bool) (Signal, Code) {
	if !present || len(b) == 0 {
		return 0, SignalExpected
	}
	if '0' <= b[0] && b[0] <= '9' {
		n, ok := parseDigits(b)
		if !ok || n > MaxSignal {
			return 0, SignalNumberInvalid
		}
		return Signal(n), OK
	}
	s, ok := SignalByName(b)
	if !ok {
		return 0, SignalInvalid
	}
	return s, OK
}
