package spawn

import (
	"sync"
	"syscall"
	"time"
	_ "unsafe" // for go:linkname

	"daemonproxy/actor"
)

const (
	// Spawners is how many there are, so how many starts may hang.
	Spawners = 16
	// Active is how many may work at a time. Every fork holds a thread: a few
	// are as fast as many, and the threads stay few.
	Active = 4
	// Patience is how long an exec may take before its spawner stops
	// counting as active.
	Patience = 50 * time.Millisecond
	// Hung is how long the exec of a program takes that hangs. As long as all
	// spawners have such, starts are refused; for one that is slow, on a disk that
	// all read from, say, they wait.
	Hung = time.Second
)

// A Pool is the set of spawners and the queue for them.
type Pool struct {
	*world // what all children are given; never changes

	mu       sync.Mutex
	spawners [Spawners]Spawner
	head     *Ticket // the queue, oldest first
	tail     *Ticket
	active   int // spawners in use that are not stuck
	hung     int
	closed   bool
	stopped  bool

	watch   *time.Timer // looks for spawners that have become stuck or hung
	watchAt int64       // when it does so next, nanotime; 0 = it is not set
	settled chan struct{}
	births  sync.Cond // with mu: one more birth has its pid; see labour.go
}

// NewPool makes a pool whose children get the given environment (NAME=VALUE). Its
// goroutines start when they are needed, or by Warm. Signals
// in handled (N at bit N-1) are, like those that every daemon handles, not left
// ignored in children. What the process ignores it must ignore by now. Texts of
// errors are taken from strerror now, since a child can't ask for them.
func NewPool(environ []string, handled uint64, strerror func(syscall.Errno) string) *Pool {
	p := &Pool{world: newWorld(environ, handled, strerror), settled: make(chan struct{}, 1)}
	p.watch = time.AfterFunc(time.Hour, p.look)
	p.watch.Stop()
	p.births.L = &p.mu
	for i := range p.spawners {
		s := &p.spawners[i]
		s.pool, s.index, s.birth.pool = p, i, p
		s.wake = make(chan struct{}, 1)
	}
	return p
}

// Close lets no further fork begin: those that wait are refused, and a Go that
// comes later, or has come and not forked yet, ends with ECANCELED.
func (p *Pool) Close() {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	p.serve()
}

// Drain waits, after Close, until no fork is under way and the services of all
// have released them. It returns false if the time is over before, as it is if
// one hangs. Only one goroutine may wait.
func (p *Pool) Drain(limit time.Duration) bool {
	late := time.NewTimer(limit)
	defer late.Stop()
	for {
		p.mu.Lock()
		busy := false
		for i := range p.spawners {
			s := &p.spawners[i]
			busy = busy || s.phase == gone || s.phase == begun
		}
		p.mu.Unlock()
		if !busy {
			return true
		}
		select {
		case <-p.settled:
		case <-late.C:
			return false
		}
	}
}

// Stop closes the pool and lets its goroutines end. It waits for none: one that
// is forking ends after its Begun, one that hangs when it gets free.
func (p *Pool) Stop() {
	p.mu.Lock()
	p.closed = true
	if !p.stopped {
		p.stopped = true
		p.watch.Stop()
		for i := range p.spawners {
			close(p.spawners[i].wake)
		}
	}
	p.mu.Unlock()
	p.serve()
}

// watchLocked sees to it that look is called by then.
func (p *Pool) watchLocked(after time.Duration) {
	at := nanotime() + int64(after)
	if p.stopped || p.watchAt != 0 && p.watchAt <= at {
		return
	}
	p.watchAt = at
	p.watch.Reset(after)
}

// look finds the spawners that have become stuck. It runs on a goroutine of the
// timer's.
func (p *Pool) look() {
	actor.Attempt(p.findStuck)
	p.settle()
	p.serve()
}

func (p *Pool) findStuck() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.watchAt = 0
	now := nanotime()
	for i := range p.spawners {
		s := &p.spawners[i]
		if s.phase != gone {
			continue
		}
		age := time.Duration(now - s.since)
		if !s.stuck && age >= Patience {
			s.stuck = true
			p.active--
		}
		if !s.hung && age >= Hung {
			s.hung = true
			p.hung++
		}
		switch {
		case !s.stuck:
			p.watchLocked(Patience - age)
		case !s.hung:
			p.watchLocked(Hung - age)
		}
	}
}

// settle wakes Drain.
func (p *Pool) settle() {
	select {
	case p.settled <- struct{}{}:
	default:
	}
}

// nanotime is the time of CLOCK_MONOTONIC in nanoseconds.
//
//go:linkname nanotime runtime.nanotime
func nanotime() int64
