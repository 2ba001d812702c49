package spawn

import (
	"sync"
	"syscall"
	"time"
	_ "unsafe" // for go:linkname

	"daemonproxy/actor"
)

const (
	// Spawners is how many there are, so how many starts may be under way, or hang.
	Spawners = 16
	// Hung is how long the exec of a program takes that hangs. As long as all
	// spawners have such, starts are refused; for one that is slow, on a disk that
	// all read from, say, they wait.
	Hung = time.Second
)

// A Pool is the set of spawners and the queue for them.
type Pool struct {
	*world // what all children are given; never changes
	poller *actor.Poller

	mu       sync.Mutex
	spawners [Spawners]Spawner
	head     *Ticket // the queue, oldest first
	tail     *Ticket
	closed   bool
	stopped  bool

	clock   actor.Timer // for those that wait: all may hang by then
	ticking bool
	settled chan struct{}
	births  sync.Cond // with mu: one more birth has its pid; see labour.go
}

// NewPool makes a pool whose children get the given environment (NAME=VALUE). Its
// goroutines start when they are needed, or by Warm. Signals
// in handled (N at bit N-1) are, like those that every daemon handles, not left
// ignored in children. What of them the process ignores it must ignore by now. Texts of
// errors are taken from strerror now, since a child can't ask for them.
func NewPool(poller *actor.Poller, environ []string, handled uint64, strerror func(syscall.Errno) string) *Pool {
	p := &Pool{poller: poller, world: newWorld(environ, handled, strerror), settled: make(chan struct{}, 1)}
	p.clock = actor.NewTimer(p.look)
	p.births.L = &p.mu
	for i := range p.spawners {
		s := &p.spawners[i]
		s.pool, s.index, s.birth.pool = p, i, p
		s.notice.init()
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
// have released them. It waits no longer for an exec that has taken so long, as one does
// that hangs, and for all together ten times that. It returns false if some are left.
// Only one goroutine may wait.
func (p *Pool) Drain(limit time.Duration) bool {
	timer, late := actor.NewBell()
	defer timer.Stop()
	for end := nanotime() + 10*int64(limit); ; {
		busy, left := p.underWay(limit)
		left = min(left, time.Duration(end-nanotime()))
		if left <= 0 {
			return !busy
		}
		timer.Reset(left)
		select {
		case <-p.settled:
		case <-late:
		}
	}
}

// underWay tells whether a spawner is not free, and how long it takes until all such have
// taken so long for an exec.
func (p *Pool) underWay(limit time.Duration) (busy bool, left time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := range p.spawners {
		switch s := &p.spawners[i]; s.phase {
		case gone:
			busy, left = true, max(left, s.hangsInLocked(limit))
		case begun:
			busy, left = true, max(left, limit)
		}
	}
	return busy, left
}

// hangsInLocked returns how long it takes until its exec has taken so long.
func (s *Spawner) hangsInLocked(limit time.Duration) time.Duration {
	if s.since == notYet {
		return limit
	}
	return limit - time.Duration(nanotime()-s.since)
}

// Stop closes the pool and lets its goroutines end. It waits for none: one that
// is forking ends after its Begun, one that hangs when it gets free.
func (p *Pool) Stop() {
	p.mu.Lock()
	p.closed = true
	if !p.stopped {
		p.stopped = true
		p.clock.Stop()
		for i := range p.spawners {
			close(p.spawners[i].wake)
		}
	}
	p.mu.Unlock()
	p.serve()
}

// hangLocked returns how long it takes until all spawners hang, if they do: 0 if it
// is so.
func (p *Pool) hangLocked() (left time.Duration) {
	for i := range p.spawners {
		s := &p.spawners[i]
		if s.phase != gone {
			return Hung
		}
		left = max(left, s.hangsInLocked(Hung))
	}
	return left
}

// lookLocked sees to it that those who wait are looked at again.
func (p *Pool) lookLocked(after time.Duration) {
	if p.ticking || p.stopped {
		return
	}
	p.ticking = true
	p.clock.Reset(after)
}

// look runs on a goroutine of the timer's.
func (p *Pool) look() {
	actor.Attempt(func() {
		p.mu.Lock()
		p.ticking = false
		p.mu.Unlock()
		p.serve()
	})
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
