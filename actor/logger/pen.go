package logger

import (
	"time"

	"daemonproxy/actor"
)

// Pens bounds the goroutines, and so the threads, that can hang in writes: all but one.
const Pens = 5

// place is where a pen is, as seen by others under the lock.
type place uint8

const (
	atIdle place = iota // waits for a message or a destination
	atPace              // waits for the next attempt's time as well
	atPoll              // waits in poll until the descriptor is writable
	atTry               // makes a system call that should return soon, and may hang
)

// A pen is a goroutine that makes the system calls on the destination.
type pen struct {
	log   *Log
	wake  chan struct{} // a message, a change or the timer, while atIdle or atPace
	waker waker         // a change, while atPoll
	timer actor.Timer
	done  chan struct{}    // holds a token when the pen has ended
	chunk *[writeSize]byte // what is being written; its own, as a hanging write still reads it

	// under the log's lock
	active bool
	at     place
	epoch  uint64 // of the loan in use
	fd     int
	doomed Sink // that loan, once the log has dropped it

	way way // the pen's own
}

type step uint8

const (
	stepEnd step = iota
	stepIdle
	stepPace
	stepTry
)

func (p *pen) poke() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// uses says whether the pen works with the loan of that epoch.
func (p *pen) uses(epoch uint64) bool {
	return (p.at == atPoll || p.at == atTry) && p.epoch == epoch
}

// run is the pen's life.
func (p *pen) run() {
	l := p.log
	defer p.caught()
	for {
		switch s, d := l.next(p); s {
		case stepEnd:
			return
		case stepIdle:
			<-p.wake
		case stepPace:
			p.timer.Reset(d)
			<-p.wake
			p.timer.Stop()
		case stepTry:
			p.try()
		}
	}
}

// try makes one attempt if the descriptor is writable, and else waits until it is.
func (p *pen) try() {
	l := p.log
	if !l.kernel.ready(p.fd) {
		if l.watch(p) {
			l.kernel.await(p.fd, &p.waker)
		}
		l.settle(p, 0, false)
		return
	}
	b := l.copyOut(p)
	if len(b) == 0 {
		l.settle(p, 0, false)
		return
	}
	n, err := l.kernel.write(p.fd, &p.way, b)
	if err != nil {
		n = 0
	}
	l.settle(p, n, true)
}

// caught lets a panic take the program's fatal path, with another pen in place of this one.
func (p *pen) caught() {
	l := p.log
	if l.onPanic == nil {
		return
	}
	v := recover()
	if v == nil {
		return
	}
	l.mu.Lock()
	doomed := p.doomed
	p.doomed = nil
	current := l.pen == p
	l.end(p)
	if current {
		l.pace.failed()
		if l.running {
			l.hire()
		}
	}
	l.mu.Unlock()
	if doomed != nil {
		doomed.Release()
	}
	l.onPanic(v)
}

// next says what the pen is to do.
func (l *Log) next(p *pen) (step, time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.pen == nil && l.running {
		l.pen = p // it hung, was relieved, and all others hang by now
	}
	if !l.running || l.pen != p {
		l.end(p)
		return stepEnd, 0
	}
	if l.sink == nil || len(l.text) == 0 {
		l.tellDrained()
		p.at = atIdle
		return stepIdle, 0
	}
	if d := l.pace.wait(); d > 0 {
		p.at = atPace
		return stepPace, d
	}
	p.at, p.epoch, p.fd, p.way = atTry, l.epoch, l.fd, l.way
	return stepTry, 0
}

// current says whether the pen still is to do what next told it.
func (l *Log) current(p *pen) bool { return l.running && l.pen == p && p.epoch == l.epoch }

// watch begins to wait for a writable descriptor; from here on a change interrupts by the waker.
func (l *Log) watch(p *pen) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.current(p) {
		return false
	}
	p.at = atPoll
	return true
}

// copyOut gives the bytes of the next write; none if there was a change.
func (l *Log) copyOut(p *pen) []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.current(p) {
		return nil
	}
	return p.chunk[:copy(p.chunk[:], l.text)]
}

// settle ends what next began. What a pen wrote after it was relieved does not count: its text was passed on.
func (l *Log) settle(p *pen, n int, tried bool) {
	if doomed := l.account(p, n, tried); doomed != nil {
		doomed.Release()
	}
}

// account is settle but for the return of a loan that has ended meanwhile.
func (l *Log) account(p *pen, n int, tried bool) (doomed Sink) {
	l.mu.Lock()
	defer l.mu.Unlock()
	p.at = atIdle
	doomed, p.doomed = p.doomed, nil
	if l.pen == p {
		l.waits = 0
	}
	if !tried || l.pen != p {
		return doomed
	}
	same := p.epoch == l.epoch
	if n > 0 {
		l.flushed(n)
	}
	if same {
		l.way = p.way
		if n > 0 {
			l.pace.succeeded()
		} else {
			l.pace.failed()
		}
	}
	return doomed
}

// hire starts a pen; if all hang, the first that comes back takes the place.
func (l *Log) hire() {
	for i := range l.pens {
		p := &l.pens[i]
		if p.active {
			continue
		}
		select {
		case <-p.done: // of its last time
		default:
		}
		p.active, p.at = true, atIdle
		l.kernel.open(&p.waker)
		l.pen = p
		go p.run()
		return
	}
}

// end takes the pen out of service.
func (l *Log) end(p *pen) {
	p.active, p.at = false, atIdle
	if l.pen == p {
		l.pen = nil
	}
	l.kernel.close(&p.waker)
	p.done <- struct{}{} // has room: hire took the last one out
}

// ready makes what the pen needs for all times that it is hired.
func (p *pen) ready(l *Log, chunk *[writeSize]byte) {
	p.log, p.chunk = l, chunk
	p.wake, p.done = make(chan struct{}, 1), make(chan struct{}, 1)
	p.timer = actor.NewTimer(p.poke)
}
