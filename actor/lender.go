package actor

import "golang.org/x/sys/unix"

// lender writes an outbox to a descriptor that is shared with others and must
// neither be made non-blocking nor hold up anybody: it alone may block. Its
// chunks are so small that a pipe that polls writable takes them whole, unless
// another writer is faster.
type lender struct {
	outbox *Outbox
	fd     int
	wake   chan struct{}
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

// next returns what is to be written; the bytes stay in place until they were.
// It reports false once the outbox serves another descriptor.
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
	chunk = o.pending()
	return chunk[:min(len(chunk), lenderChunk)], true
}

func (l *lender) write(chunk []byte) {
	if !l.writable(0) {
		l.blocked()
		l.writable(-1)
	}
	n, err := unix.Write(l.fd, chunk)
	for err == unix.EINTR || err == unix.EAGAIN {
		l.blocked()
		l.writable(-1)
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

func (l *lender) blocked() {
	o := l.outbox
	o.mu.Lock()
	if o.lender == l && o.blockedAt == 0 {
		o.blockedAt = o.clock.Now()
		o.owner.OutboxChanged()
	}
	o.mu.Unlock()
}
