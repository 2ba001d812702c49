package logger

import (
	"time"

	"daemonproxy/actor"
)

// grace is how long a change of destination, or the end of Run, waits for a write under way. It separates a write
// that is merely in progress, whose text must not appear twice, from one that hangs.
const grace = 50 * time.Millisecond

// Run is the sink actor: it keeps a pen at work until stop is closed. It returns soon even if a write hangs; that
// pen, and its loan, then stay until the write returns.
func (l *Log) Run(stop <-chan struct{}) {
	l.begin()
	defer l.timer.Stop()
	armed := false
	for {
		select {
		case <-l.turn:
			if !armed {
				armed = true
				l.timer.Reset(grace)
			}
		case <-l.rung:
			armed = false
			l.relieve()
		case <-stop:
			done := l.halt()
			if done == nil {
				return
			}
			last, late := actor.NewBell()
			defer last.Stop()
			last.Reset(grace)
			select {
			case <-done:
			case <-late:
			}
			return
		}
	}
}

// Prepare makes what Run needs, if that is not to make it. It is not done by New: with
// its first timer the runtime sets up its poller, and until the daemon listens to
// signals each of them may end it.
func (l *Log) Prepare() {
	l.mu.Lock()
	l.prepareLocked()
	l.mu.Unlock()
}

func (l *Log) prepareLocked() {
	if l.rung != nil {
		return
	}
	l.timer, l.rung = actor.NewBell()
	for i := range l.pens {
		l.pens[i].ready(l, &l.chunks[i])
	}
}

func (l *Log) begin() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.running = true
	l.prepareLocked()
	if l.pen == nil {
		l.hire()
	} else {
		l.summon(l.pen) // it hangs since an earlier Run
	}
}

// relieve replaces a pen that hangs on a destination of the past.
func (l *Log) relieve() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if p := l.pen; p != nil && p.at == atTry && p.epoch != l.epoch {
		l.pen = nil
		l.hire()
	}
}

// halt sends the pen home; the channel tells when it has gone.
func (l *Log) halt() <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.running = false
	l.tellDrained() // nobody is left to write
	if l.pen == nil {
		return nil
	}
	l.summon(l.pen)
	return l.pen.done
}
