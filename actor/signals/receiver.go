package signals

import (
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

// ignored signals are dropped by the kernel: whoever sets up a terminal from the background is stopped by
// SIGTTOU, or asked to try again for ever, unless that is ignored; and what a filter of system calls traps would seem
// to have succeeded if SIGSYS were caught.
const ignored = 1<<(unix.SIGTTOU-1) | 1<<(unix.SIGSYS-1)

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

	bell  int
	watch actor.Watch
	news  chan struct{} // a token
}

// Listen takes over every signal that can be caught. From then on nothing but
// a fatal signal ends the program.
func (r *Receiver) Listen() error {
	bell, err := actor.SignalBell()
	if err != nil {
		return err
	}
	r.news, r.bell = make(chan struct{}, 1), bell
	for s := syscall.Signal(1); s <= protocol.MaxSignal; s++ {
		switch {
		case in(fatal, s):
			actor.CatchSent(s)
		case in(r.caught(), s):
			actor.Catch(s)
		case in(untouched, s):
		case in(ignored, s):
			actor.Ignore(s)
		case s < firstLeft:
			actor.Drop(s)
		}
	}
	return nil
}

// Unblock lets come what whoever started the program has blocked. It is called on the main
// thread, after Listen.
func (r *Receiver) Unblock() { actor.Unblock(r.caught() | fatal) }

// caught is the set of signals that do something, besides the fatal ones.
func (r *Receiver) caught() uint64 {
	set := usual | r.Also | 1<<(unix.SIGCHLD-1)
	if r.Continued != nil {
		set |= 1 << (unix.SIGCONT - 1)
	}
	return set
}

// firstLeft is the first signal that nobody here has a use for and that is
// left to the runtime's handler, which drops it on the spot (measured: a flood of
// 300,000, as fast as one process can send them). For some of those before it ends the program
// (SIGSTKFLT is one), and it has none for 32 to 34.
const firstLeft = 35

// Watch has the poller tell when signals came. Listen comes before.
func (r *Receiver) Watch(p *actor.Poller) error {
	r.watch.Watcher = r
	return p.Add(&r.watch, r.bell)
}

// Ready is the poller's: there is news.
func (r *Receiver) Ready(uint32) {
	select {
	case r.news <- struct{}{}:
	default:
	}
}

// Run serves signals until stop is closed. They stay caught afterwards: the
// program is on its way out then.
func (r *Receiver) Run(stop <-chan struct{}) { actor.Persist(func() { r.run(stop) }) }

func (r *Receiver) run(stop <-chan struct{}) {
	r.serve() // what a panic has left
	for {
		select {
		case <-stop:
			return
		case <-r.news:
			r.serve()
		}
	}
}

// serve passes on one arrival of each signal, and comes again while there are any: a flood of
// one signal holds up neither the others nor the end.
func (r *Receiver) serve() {
	caught := r.caught()
	more := false
	for s := syscall.Signal(1); s <= protocol.MaxSignal; s++ {
		if in(caught|fatal, s) && actor.Take(s) {
			more = true
			r.one(s)
		}
	}
	if more {
		r.Ready(0)
	}
}

func (r *Receiver) one(s syscall.Signal) {
	switch {
	case s == unix.SIGCHLD:
		r.Child()
	case s == unix.SIGCONT:
		r.Continued()
	case in(fatal, s):
		r.Fatal(protocol.Signal(s), int(s))
	default:
		r.Ledger.Arrived(protocol.Signal(s))
		r.Arrived(protocol.Signal(s))
	}
}
