package service

import (
	"math/bits"
	"sync/atomic"
	"syscall"

	"daemonproxy/actor/logger"
	"daemonproxy/actor/reaper"
	"daemonproxy/controller/protocol"
	"daemonproxy/service/spawn"

	"golang.org/x/sys/unix"
)

// mainName is the service that an entrypoint runs its program as.
const mainName = "main"

// Exit statuses of an entrypoint whose program could not be executed.
const (
	notFound      = 127
	notExecutable = 126
)

const (
	maxShown = 4000
	cut      = "..."
)

// Main is what an entrypoint adds to the service of that name. The upper half is
// set before Define; the rest belongs to the service's actor, but for pending.
type Main struct {
	Argv  []string // while the args were not changed by command
	Group bool     // deliver forwarded signals to the whole process group

	// Over is offered the status to end with once main has ended for good.
	Over func(status int)
	// Stoppable tells whether that signal would stop the daemon itself.
	Stoppable func(signal syscall.Signal) bool
	// Suspend stops the daemon itself by the signal that stopped main.
	Suspend func(signal syscall.Signal)

	pending atomic.Uint64 // forwarded signals not delivered yet, N at bit N-1

	replaced  bool // the args were changed by command
	watched   bool // the entrypoint has seen to its start
	ran       bool
	over      bool
	suspended bool          // it was stopped, and the daemon with it
	halted    bool          // it was stopped before it was known to run
	execErrno syscall.Errno // why its program could not be executed
	status    int           // of its last run
}

// Define makes the service main, to be run with exactly the words of m.Argv and
// the daemon's own descriptors. It is called once, before any command. It fails
// if a pool has no room; then there is no main.
func (r *Registry) Define(c *Call, m *Main) bool {
	r.main = m
	args := protocol.Command{Verb: protocol.ServiceArgs, Name: []byte(mainName), Value: shown(m.Argv), HasValue: true}
	fds := protocol.Command{Verb: protocol.ServiceFDs, Name: []byte(mainName), Value: []byte("stdin\tstdout\tstderr"), HasValue: true}
	if r.Set(c, &args).Code != protocol.OK {
		r.main = nil
		return false
	}
	m.replaced = false // by the above
	if r.Set(c, &fds).Code != protocol.OK {
		r.Delete(c, &protocol.Command{Name: []byte(mainName)})
		r.main = nil
		return false
	}
	return true
}

// shown is what clients see of words, which may have in them what separates
// fields and lines.
func shown(words []string) []byte {
	var b []byte
	for i, word := range words {
		if i > 0 {
			b = append(b, '\t')
		}
		for _, c := range []byte(word) {
			if c == '\t' || c == '\n' {
				c = ' '
			}
			b = append(b, c)
		}
	}
	if len(b) > maxShown {
		b = append(b[:maxShown], cut...)
	}
	return b
}

// StartMain starts main, unless it has been started before, and has it watched
// from now on. It reports false if there is no main any more.
func (r *Registry) StartMain(c *Call) bool {
	return r.ask(c, []byte(mainName), &c.startMain).Code == protocol.OK
}

// startMain is StartMain's request.
type startMain struct{ request }

func (m *startMain) apply(a *Actor) {
	if !a.exists {
		m.err.Code = protocol.NoSuchService
		return
	}
	a.registry.main.watched = true
	// Like an automatic start it does not ask whether there are args: an empty
	// program is one that is not found.
	if !a.registry.main.ran && a.state.phase == down && a.world.Duties.Starts() && a.state.start(a.world.Clock.Now()) {
		a.schedule()
	}
}

// isMain tells whether the service, which must exist, is that of an entrypoint.
func (a *Actor) isMain() bool { return a.registry.main != nil && string(a.name) == mainName }

func (a *Actor) isUpMain() bool { return a.exists && a.isMain() && a.state.phase == up }

// Forward offers a signal to main. While that does not run it is kept, once.
func (r *Registry) Forward(s protocol.Signal) {
	r.main.pending.Or(1 << (s - 1))
	if a, _ := r.lookup([]byte(mainName)); a != nil {
		a.mailbox.Put(&a.offers.forwarded.Envelope)
	}
}

// forwarded delivers what has come.
func (a *Actor) forwarded() {
	if !a.isUpMain() {
		return
	}
	m := a.registry.main
	for set := m.pending.Swap(0); set != 0; set &= set - 1 {
		signal := syscall.Signal(bits.TrailingZeros64(set) + 1)
		// A main that has just ended does not hear it any more; nor would it if
		// the signal had come a moment later.
		if err := a.send(signal, m.Group); err != nil && err != unix.ESRCH {
			errno, _ := err.(syscall.Errno)
			a.world.Log.Entry(logger.Warning).Str("can't pass ").Str(protocol.Signal(signal).String()).
				Str(" on to service 'main' running as pid ").Int(int64(a.state.pid)).
				Str(": ").Str(protocol.Strerror(errno)).Send()
		}
	}
}

// checkMain follows each step: main has ended for good once it is down and
// nothing is there to start it again.
func (a *Actor) checkMain() {
	if a.exists && a.isMain() && a.state.phase == down && !a.triggers.Enabled() {
		a.registry.main.end()
	}
}

func (m *Main) end() {
	if m.watched && !m.over {
		m.over = true
		m.Over(m.status)
	}
}

// prepareMain says of a start how main differs from other services.
func (a *Actor) prepareMain(s *spawn.Spawner) {
	m := a.registry.main
	if !m.replaced {
		s.SetArgv(m.Argv)
	}
	terminal := &a.world.Duties.Terminal
	s.Lead(terminal.FD(), terminal.Lent())
}

// mainBegun follows begun.
func (a *Actor) mainBegun(out *spawn.Outcome) {
	m := a.registry.main
	m.ran, m.suspended, m.execErrno = true, false, 0
	if out.Step == spawn.StepExec {
		m.execErrno = out.StepErrno
	}
	if m.halted {
		m.halted = false
		a.mailbox.Put(&a.offers.stopped.Envelope)
	}
}

// mainEnded notes the status of a run, and takes the terminal back.
func (a *Actor) mainEnded() {
	m := a.registry.main
	m.suspended, m.halted = false, false
	a.world.Duties.Terminal.TakeBack()
	switch status := a.state.exit.Status; {
	case m.execErrno == unix.ENOENT:
		m.status = notFound
	case m.execErrno != 0:
		m.status = notExecutable
	case status.Signaled():
		m.status = 128 + int(status.Signal())
	default:
		m.status = status.ExitStatus()
	}
}

// stopped meets a main that job control has stopped: the daemon stops as well, so
// that the shell that started it sees its job stopped. A main that only wanted
// the terminal, which a shell has given to the daemon meanwhile, gets it. Where no
// shell is there to continue anything, Ctrl-Z does nothing: main goes on.
func (a *Actor) stopped() {
	if !a.isUpMain() {
		if a.exists && a.isMain() && a.state.phase == beginning {
			a.registry.main.halted = true
		}
		return
	}
	signal := syscall.Signal(a.stopSignal.Load())
	terminal := &a.world.Duties.Terminal
	wanted := signal == unix.SIGTTIN || signal == unix.SIGTTOU
	if wanted && terminal.Lend(a.state.pid) {
		_ = a.send(unix.SIGCONT, true)
		return
	}
	a.registry.main.suspended = true
	if !a.registry.main.Stoppable(signal) {
		if signal == unix.SIGTSTP {
			a.registry.main.suspended = false
			_ = a.send(unix.SIGCONT, true)
		}
		return
	}
	terminal.TakeBack()
	a.registry.main.Suspend(signal)
}

// continued follows a SIGCONT to the daemon.
func (a *Actor) continued() {
	if !a.isUpMain() {
		return
	}
	a.world.Duties.Terminal.Lend(a.state.pid)
	if a.registry.main.suspended {
		a.registry.main.suspended = false
		_ = a.send(unix.SIGCONT, true)
	}
}

// Continued offers the news that the daemon was continued to main.
func (r *Registry) Continued() {
	if a, _ := r.lookup([]byte(mainName)); a != nil {
		a.mailbox.Put(&a.offers.continued.Envelope)
	}
}

// Stopped says that the process was stopped.
func (a *Actor) Stopped(signal syscall.Signal) {
	a.stopSignal.Store(int32(signal))
	a.mailbox.Put(&a.offers.stopped.Envelope)
}

var _ reaper.Stopper = (*Actor)(nil)
