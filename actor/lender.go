package actor

import (
	"bytes"

	"golang.org/x/sys/unix"
)

// lender writes an outbox to a descriptor that is shared with others and must
// neither be made non-blocking nor hold up anybody: it alone may block. Its
// chunks are so small that a pipe that polls writable takes them whole, unless
// another writer is faster.
type lender struct {
	outbox *Outbox
	fd     int
	wake   chan struct{}
	chunk  [lenderChunk]byte // a copy: the outbox may serve another by the time it is written
}

const lenderChunk = 4096

func (l *lender) kick() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

func (l *lender) run() {
	for {
		chunk, ours := l.next()
		switch {
		case !ours:
			return
		case chunk == nil:
			<-l.wake
		default:
			l.write(chunk)
		}
	}
}

// next returns a copy of what is to be written, which stays in the outbox until
// it was. It reports false once the outbox serves another descriptor.
func (l *lender) next() (chunk []byte, ours bool) {
	o := l.outbox
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.lender != l {
		return nil, false
	}
	if o.n == 0 {
		return nil, true
	}
	chunk = l.chunk[:copy(l.chunk[:], o.pending())]
	// Others write here, too: end with a line if possible.
	if lf := bytes.LastIndexByte(chunk, '\n'); lf >= 0 {
		chunk = chunk[:lf+1]
	}
	return chunk, true
}

func (l *lender) write(chunk []byte) {
	n, err := 0, error(unix.EAGAIN)
	for err == unix.EINTR || err == unix.EAGAIN {
		if !l.writable(0) {
			l.blocked()
			l.writable(-1)
		}
		if !l.serves() {
			return
		}
		n, err = unix.Write(l.fd, chunk)
	}
	o := l.outbox
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.lender != l {
		return
	}
	if err != nil {
		o.drop()
	} else {
		o.blockedAt = 0
		o.advance(n)
		o.resume()
	}
	o.owner.OutboxChanged()
}

// writable waits for as many milliseconds, -1 = for ever. An error of the
// descriptor counts as writable: the write reports it.
func (l *lender) writable(wait int) bool {
	poll := [1]unix.PollFd{{Fd: int32(l.fd), Events: unix.POLLOUT}}
	for {
		n, err := unix.Poll(poll[:], wait)
		if err != unix.EINTR {
			return n > 0 || err != nil
		}
	}
}

// serves tells whether the outbox still is this lender's: what it dropped is
// not to be written any more.
func (l *lender) serves() bool {
	l.outbox.mu.Lock()
	defer l.outbox.mu.Unlock()
	return l.outbox.lender == l
}

func (l *lender) blocked() {
	o := l.outbox
	o.mu.Lock()
	if o.lender == l && o.blockedAt == 0 {
		o.blockedAt = o.clock.Now()
		o.owner.OutboxChanged()
	}
	o.mu.Unlock()
}
