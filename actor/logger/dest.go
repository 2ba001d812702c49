package logger

import "bytes"

// Dest binds the log to a handle name. s is a loan of that handle's descriptor, or nil if there is no such handle
// or it has no descriptor: then messages wait until Attach. The log takes over the loan.
func (l *Log) Dest(name []byte, s Sink) {
	fd := number(s)
	l.mu.Lock()
	l.name = append(l.name[:0], name...)
	l.change(s, fd) // unlocks
}

// Wants says whether the log is bound to that name, so that a handle need not lend its descriptor in vain.
func (l *Log) Wants(name []byte) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return bytes.Equal(l.name, name)
}

// Attach lends the log the descriptor of a handle that was created, or replaced, under that name. It reports
// whether the log took the loan; if it is bound to another name, the loan stays with the caller.
func (l *Log) Attach(name []byte, s Sink) bool {
	fd := number(s)
	l.mu.Lock()
	if !bytes.Equal(l.name, name) {
		l.mu.Unlock()
		return false
	}
	l.change(s, fd) // unlocks
	return true
}

// Detach says that the handle of that name is gone. The loan is released, soon if not at once: only a pen that
// hangs in a write keeps it until that returns.
func (l *Log) Detach(name []byte) {
	l.mu.Lock()
	if !bytes.Equal(l.name, name) {
		l.mu.Unlock()
		return
	}
	l.change(nil, -1) // unlocks
}

// number is asked for before the lock is taken, as it runs code of others.
func number(s Sink) int {
	if s == nil {
		return -1
	}
	return s.FD()
}

// change puts s in the place of the current loan. It is called with the lock held and releases it, as the old
// loan must be returned without.
func (l *Log) change(s Sink, fd int) {
	old := l.sink
	p := l.pen
	if p != nil && p.uses(l.epoch) {
		p.doomed, old = old, nil
	}
	l.sink, l.fd, l.way = s, fd, wayUnknown
	l.epoch++
	l.pace.renewed()
	if s == nil {
		l.tellDrained()
	}
	if p != nil {
		l.summon(p)
	}
	l.mu.Unlock()
	if old != nil {
		old.Release()
	}
}

// summon gets the pen to look at the log again, wherever it is.
func (l *Log) summon(p *pen) {
	switch p.at {
	case atPoll:
		l.kernel.wake(&p.waker)
	case atTry:
		select {
		case l.turn <- struct{}{}:
		default:
		}
	default:
		p.poke()
	}
}
