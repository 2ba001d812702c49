package spawn

import (
	"math"
	"syscall"

	"daemonproxy/actor"
)

// phase says whom a spawner belongs to.
type phase uint8

const (
	idle    phase = iota // the pool
	granted              // the service that was granted it
	gone                 // its own goroutine
	begun                // the service again
)

// A Spawner begins one program at a time. See the package documentation for who
// may use it when.
type Spawner struct {
	pool  *Pool
	index int
	wake  chan struct{} // one token for each Go

	// Guarded by pool.mu.
	phase   phase
	started bool // the goroutine runs
	waiter  Waiter
	since   int64 // when the exec of the program began, nanotime; notYet: it has not
	birth   Birth

	// Owned by turns, as phase says.
	scratch *scratch
	long    []byte // a mapping for arguments that don't fit in scratch
	fault   syscall.Errno
	image   image
	outcome Outcome
	notice  notice
}

// A Step is what a child was at when it failed.
type Step uint8

const (
	StepNone  Step = iota // the program runs, or the child was killed on its way
	StepAbort             // Abort was asked for
	StepDup               // a descriptor could not be put in place
	StepExec              // the program could not be executed
)

// An Outcome is what became of a start.
type Outcome struct {
	PID       int           // 0 if there was no fork
	At        int64         // CLOCK_MONOTONIC just before the fork, in nanoseconds
	ForkErrno syscall.Errno // why there was no fork; ECANCELED: the pool is closed
	Step      Step
	StepErrno syscall.Errno // of StepDup and StepExec
	Source    int           // StepDup: the number that AddFD was given
	Position  int           // StepDup: the number it was to become
}

// Go hands the spawner over: its goroutine forks and then calls Begun. owner is
// what Born returns for the child's pid.
func (s *Spawner) Go(owner any) {
	p := s.pool
	s.seal()
	p.mu.Lock()
	if s.phase != granted {
		p.mu.Unlock()
		panic("spawn: Go without a grant")
	}
	s.birth.owner = owner
	s.birth.exited = false
	s.since = notYet
	if p.stopped {
		s.phase = begun
		s.outcome = Outcome{ForkErrno: syscall.ECANCELED}
		w := s.waiter
		p.mu.Unlock()
		w.Begun(s)
		return
	}
	s.phase = gone
	if !s.started {
		s.started = true
		go s.run()
	}
	s.wake <- struct{}{} // has room: there is one Go to a grant
	p.mu.Unlock()
}

// notYet is later than any time.
const notYet = math.MaxInt64

// executes says that the exec of the program begins now: that is what may hang.
func (s *Spawner) executes() {
	s.pool.mu.Lock()
	s.since = nanotime()
	s.pool.mu.Unlock()
}

// Index returns the spawner's number, from 0 to Spawners-1, for tables beside the
// pool.
func (s *Spawner) Index() int { return s.index }

// Birth returns where Born finds the child until Release.
func (s *Spawner) Birth() *Birth { return &s.birth }

// Outcome returns what became of the start, which stands there between Begun and
// Release.
func (s *Spawner) Outcome() *Outcome { return &s.outcome }

// Release gives the spawner back. Born no longer finds the pid.
func (s *Spawner) Release() {
	p := s.pool
	s.dropLong()
	p.mu.Lock()
	if s.phase != granted && s.phase != begun {
		p.mu.Unlock()
		panic("spawn: Release of what was not granted")
	}
	s.birth.clear()
	s.waiter = nil
	s.phase = idle
	p.mu.Unlock()
	p.settle()
	p.serve()
}

// run is the spawner's goroutine.
func (s *Spawner) run() { actor.Persist(s.work) }

func (s *Spawner) work() {
	for range s.wake {
		s.begin()
		s.finish().Begun(s)
	}
}

func (s *Spawner) begin() {
	s.pool.mu.Lock()
	closed := s.pool.closed
	s.pool.mu.Unlock()
	switch {
	case closed:
		s.outcome = Outcome{ForkErrno: syscall.ECANCELED}
	case s.fault != 0:
		s.outcome = Outcome{ForkErrno: s.fault}
	default:
		s.fork()
	}
}

// finish gives the spawner back to its service and returns whom to tell.
func (s *Spawner) finish() Waiter {
	p := s.pool
	p.mu.Lock()
	s.phase = begun
	w := s.waiter
	p.mu.Unlock()
	p.settle()
	return w
}
