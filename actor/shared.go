package actor

import (
	"bytes"

	"golang.org/x/sys/unix"
)

// sharedWriter writes an outbox to a descriptor that is shared with others and must
// neither be made non-blocking nor hold up anybody: it alone may block. Its
// chunks are so small that a pipe that polls writable takes them whole, unless
// another writer is faster.
type sharedWriter struct {
	outbox *Outbox
	fd     int
	wake   chan struct{}
	chunk  [sharedChunk]byte // a copy: the outbox may serve another by the time it is written
}

const sharedChunk = 4096

func (w *sharedWriter) kick() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

func (w *sharedWriter) run() {
	for {
		chunk, ours := w.next()
		switch {
		case !ours:
			return
		case chunk == nil:
			<-w.wake
		default:
			w.write(chunk)
		}
	}
}

// next returns a copy of what is to be written, which stays in the outbox until
// it was. It reports false once the outbox serves another descriptor.
func (w *sharedWriter) next() (chunk []byte, ours bool) {
	o := w.outbox
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.shared != w {
		return nil, false
	}
	if o.n == 0 {
		return nil, true
	}
	chunk = w.chunk[:copy(w.chunk[:], o.pending())]
	// Others write here, too: end with a line if possible.
	if lf := bytes.LastIndexByte(chunk, '\n'); lf >= 0 {
		chunk = chunk[:lf+1]
	}
	return chunk, true
}

func (w *sharedWriter) write(chunk []byte) {
	// It counts as blocked from now on, since also a descriptor that polled
	// writable may hold the write up.
	w.blocked()
	n, err := 0, error(unix.EAGAIN)
	for err == unix.EINTR || err == unix.EAGAIN {
		w.await()
		if !w.serves() {
			return
		}
		Lasts()
		n, err = unix.Write(w.fd, chunk)
		Over()
	}
	o := w.outbox
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.shared != w {
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

// await waits until the descriptor seems to be writable. An error counts as
// that: the write reports it.
func (w *sharedWriter) await() {
	poll := [1]unix.PollFd{{Fd: int32(w.fd), Events: unix.POLLOUT}}
	Lasts()
	defer Over()
	for {
		if _, err := unix.Poll(poll[:], -1); err != unix.EINTR {
			return
		}
	}
}

// serves tells whether the outbox still is this writer's: what it dropped is
// not to be written any more.
func (w *sharedWriter) serves() bool {
	w.outbox.mu.Lock()
	defer w.outbox.mu.Unlock()
	return w.outbox.shared == w
}

func (w *sharedWriter) blocked() {
	o := w.outbox
	o.mu.Lock()
	if o.shared == w && o.blockedAt == 0 {
		o.blockedAt = o.clock.Now()
		o.owner.OutboxChanged()
	}
	o.mu.Unlock()
}
