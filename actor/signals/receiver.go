package signals

import (
	"os"
	"os/signal"
	"syscall"

	"daemonproxy/actor"
	"daemonproxy/controller/protocol"

	"golang.org/x/sys/unix"
)

// usual signals are reported to controllers by every kind of daemon.
const usual = 1<<(unix.SIGINT-1) | 1<<(unix.SIGHUP-1) | 1<<(unix.SIGTERM-1) |
	1<<(unix.SIGUSR1-1) | 1<<(unix.SIGUSR2-1) | 1<<(unix.SIGQUIT-1)

// fatal signals end the program, also when they were sent from outside.
const fatal = 1<<(unix.SIGABRT-1) | 1<<(unix.SIGFPE-1) | 1<<(unix.SIGILL-1) |
	1<<(unix.SIGSEGV-1) | 1<<(unix.SIGBUS-1) | 1<<(unix.SIGTRAP-1)

// untouched signals keep what they do: those that nobody can catch, those of
// job control, and the two that the runtime deals with.
const untouched = 1<<(unix.SIGKILL-1) | 1<<(unix.SIGSTOP-1) | 1<<(unix.SIGTSTP-1) |
	1<<(unix.SIGTTIN-1) | 1<<(unix.SIGCONT-1) |
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

	// Package signal drops what a full channel has no room for. So SIGCHLD and
	// every counted signal has a channel of its own: in a flood, arrivals of the
	// same signal merge, but none goes missing for another.
	child     chan os.Signal
	fatal     chan os.Signal
	counted   [maxCounted]chan os.Signal
	continued chan os.Signal // nil unless Continued is set
}

const (
	maxCounted = 8  // what Run listens to
	waiting    = 16 // arrivals of one counted signal that can wait
)

// Listen takes over every signal that can be caught. From then on nothing but
// a fatal signal ends the program.
func (r *Receiver) Listen() {
	r.child = make(chan os.Signal, 1)
	r.fatal = make(chan os.Signal, waiting)
	n := 0
	for s := syscall.Signal(1); s <= protocol.MaxSignal; s++ {
		switch {
		case in(untouched, s):
		case s == unix.SIGPIPE:
			signal.Ignore(s) // or an os.File that writes to 1 or 2 would raise it
		case s == unix.SIGCHLD:
			signal.Notify(r.child, s)
		case in(fatal, s):
			signal.Notify(r.fatal, s)
		case in(usual|r.Also, s):
			r.counted[n] = make(chan os.Signal, waiting)
			signal.Notify(r.counted[n], s)
			n++
		case s < firstDropped:
			ignore(s)
		}
	}
	if r.Continued != nil {
		r.continued = make(chan os.Signal, 1)
		signal.Notify(r.continued, unix.SIGCONT)
	}
}

// firstDropped is the first signal that nobody here has a use for and that is
// left to the runtime's handler, which drops it on the spot (measured: a flood of
// 300,000, as fast as one process can send them). Ignored, each of the thirty would
// have to be unignored in every child: no start is worth that.
const firstDropped = 35

// ignore has the kernel drop a signal that is to do nothing, behind the back of
// package signal: it would catch what shall not even interrupt, and it can't
// catch 32 to 34 at all.
func ignore(s syscall.Signal) {
	var action actor.Sigaction
	action[actor.ActionHandler] = actor.SigIgn
	actor.SetSigaction(s, &action, nil)
}

// Run serves signals until stop is closed. They stay caught afterwards: the
// program is on its way out then.
func (r *Receiver) Run(stop <-chan struct{}) { actor.Persist(func() { r.run(stop) }) }

func (r *Receiver) run(stop <-chan struct{}) {
	for {
		select {
		case <-stop:
			return
		case <-r.child:
			r.Child()
		case <-r.continued:
			r.Continued()
		case s := <-r.fatal:
			r.Fatal(protocol.Signal(s.(syscall.Signal)), int(s.(syscall.Signal)))
		case s := <-r.counted[0]:
			r.count(s)
		case s := <-r.counted[1]:
			r.count(s)
		case s := <-r.counted[2]:
			r.count(s)
		case s := <-r.counted[3]:
			r.count(s)
		case s := <-r.counted[4]:
			r.count(s)
		case s := <-r.counted[5]:
			r.count(s)
		case s := <-r.counted[6]:
			r.count(s)
		case s := <-r.counted[7]:
			r.count(s)
		}
	}
}

func (r *Receiver) count(s os.Signal) {
	r.Ledger.Arrived(protocol.Signal(s.(syscall.Signal)))
	r.Arrived(protocol.Signal(s.(syscall.Signal)))
}
