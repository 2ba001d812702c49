package signals

import (
	"os"
	"os/signal"
	"syscall"
	"unsafe"

	"daemonproxy/controller/protocol"

	"golang.org/x/sys/unix"
)

// usual signals are reported to controllers by every kind of daemon.
const usual = 1<<(unix.SIGINT-1) | 1<<(unix.SIGHUP-1) | 1<<(unix.SIGTERM-1) |
	1<<(unix.SIGUSR1-1) | 1<<(unix.SIGUSR2-1) | 1<<(unix.SIGQUIT-1)

// fatal signals end the program, also when they were sent from outside.
const fatal = 1<<(unix.SIGABRT-1) | 1<<(unix.SIGFPE-1) | 1<<(unix.SIGILL-1) |
	1<<(unix.SIGSEGV-1) | 1<<(unix.SIGBUS-1) | 1<<(unix.SIGTRAP-1)

// unnoticed signals (those of C libraries) are none that package signal can
// catch, and would end the program.
const unnoticed = 1<<(32-1) | 1<<(33-1) | 1<<(34-1)

// untouched signals keep what they do: those that nobody can catch, those of
// job control, and the two that the runtime deals with.
const untouched = 1<<(unix.SIGKILL-1) | 1<<(unix.SIGSTOP-1) | 1<<(unix.SIGTSTP-1) |
	1<<(unix.SIGTTIN-1) | 1<<(unix.SIGTTOU-1) | 1<<(unix.SIGCONT-1) |
	1<<(unix.SIGURG-1) | 1<<(unix.SIGPROF-1)

func in(set uint64, s syscall.Signal) bool { return set>>(s-1)&1 != 0 }

// Receiver turns what the kernel delivers into calls. All of them run on the
// goroutine of Run and must not wait.
type Receiver struct {
	Ledger  *Ledger
	Also    uint64                           // counted besides the usual ones: signal N at bit N-1
	Arrived func(protocol.Signal)            // a counted signal, after it was entered
	Child   func()                           // SIGCHLD
	Fatal   func(s protocol.Signal, num int) // returns only if the program goes on

	// Continued, if it is not nil, is told of SIGCONT, which continues the program
	// in any case.
	Continued func()

	arrivals chan os.Signal
}

// Listen takes over every signal that can be caught. From then on nothing but
// a fatal signal ends the program.
func (r *Receiver) Listen() {
	r.arrivals = make(chan os.Signal, 256)
	signal.Ignore(unix.SIGTTOU)
	var all []os.Signal
	for s := syscall.Signal(1); s <= protocol.MaxSignal; s++ {
		switch {
		case in(unnoticed, s):
			ignore(s)
		case !in(untouched, s):
			all = append(all, s)
		}
	}
	if r.Continued != nil {
		all = append(all, unix.SIGCONT)
	}
	signal.Notify(r.arrivals, all...)
}

// ignore ignores a signal behind the back of package signal.
func ignore(s syscall.Signal) {
	action := [4]uint64{1} // the kernel's struct sigaction: SIG_IGN and nothing else
	const maskSize = 8
	unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(s), uintptr(unsafe.Pointer(&action)), 0, maskSize, 0, 0)
}

// Run serves signals until stop is closed. They stay caught afterwards: the
// program is on its way out then.
func (r *Receiver) Run(stop <-chan struct{}) {
	for {
		select {
		case <-stop:
			return
		case s := <-r.arrivals:
			r.receive(s.(syscall.Signal))
		}
	}
}

func (r *Receiver) receive(s syscall.Signal) {
	switch {
	case s == unix.SIGCHLD:
		r.Child()
	case s == unix.SIGCONT:
		r.Continued()
	case in(usual|r.Also, s):
		r.Ledger.Arrived(protocol.Signal(s))
		r.Arrived(protocol.Signal(s))
	case in(fatal, s):
		r.Fatal(protocol.Signal(s), int(s))
	}
}
