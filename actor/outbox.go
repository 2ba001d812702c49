package actor

import (
	"bytes"
	"sync"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	outboxSize    = 16 << 10
	outboxReserve = 8 << 10
	overflowLine  = "overflow\n"
)

// OutboxOwner is told, by an offer, that an outbox began to be blocked, got
// room again or lost its reader, unless the owner's own call did that.
type OutboxOwner interface{ OutboxChanged() }

// Outbox holds the event lines that one connection has still to be sent. Any
// actor may Offer lines; everything else belongs to the connection. Lines
// enter whole or not at all: the first that does not fit sets overflow, and
// lines are dropped until everything before them was sent and the reader was
// told so by the line "overflow".
//
// A socket takes what it has room for and never waits, so the offer writes at
// once. Any other descriptor, which we share with others, may block whatever poll
// says, so a goroutine of its own writes there (sharedWriter).
type Outbox struct {
	mu        sync.Mutex
	owner     OutboxOwner
	clock     *Clock
	fd        int          // -1: there is no event side (any more)
	writable  atomic.Bool  // there is one
	free      atomic.Int32 // bytes of the ring
	shared    *sharedWriter
	corked    bool
	overflow  bool
	overflows int   // how often overflow was set
	blockedAt int64 // since when writing has failed; 0 = it has not
	head, n   int
	ring      *[outboxSize]byte // apart, since it takes no memory until it is used
}

// Init is called once, before anything else.
func (o *Outbox) Init(clock *Clock, owner OutboxOwner) {
	o.clock, o.owner, o.fd = clock, owner, -1
	o.ring = new([outboxSize]byte)
	o.holds(0)
}

// Touch has all that the outbox will ever need resident. It may follow Init.
func (o *Outbox) Touch() { Touch(o.ring[:]) }

// Open starts an event side on fd, a stream socket, whoever else uses that.
func (o *Outbox) Open(fd int) { o.open(fd, nil) }

// OpenShared starts an event side on a descriptor that others use as well.
func (o *Outbox) OpenShared(fd int) {
	w := &sharedWriter{outbox: o, fd: fd, wake: make(chan struct{}, 1)}
	o.open(fd, w)
	go Persist(w.run)
}

func (o *Outbox) open(fd int, w *sharedWriter) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.fd, o.shared = fd, w
	o.writable.Store(true)
	o.corked, o.overflow, o.blockedAt, o.head = false, false, 0, 0
	o.holds(0)
}

// Close drops the event side and all that was not sent. The descriptor stays
// open: it is the connection's. A write to a shared descriptor that hangs goes
// on hanging on its own.
func (o *Outbox) Close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.drop()
}

func (o *Outbox) drop() {
	o.fd, o.head, o.overflow, o.blockedAt = -1, 0, false, 0
	o.writable.Store(false)
	o.holds(0)
	if o.shared != nil {
		o.shared.kick()
		o.shared = nil
	}
}

// Offer adds lines, and drops those for which there is no event side or no room.
func (o *Outbox) Offer(lines []byte) {
	o.mu.Lock() // often once for each line: a deferred unlock would be felt
	o.offer(lines)
	o.mu.Unlock()
}

func (o *Outbox) offer(lines []byte) {
	if o.fd < 0 {
		return
	}
	if o.overflow || len(lines) > len(o.ring)-o.n {
		o.flush()
		if o.fd < 0 || o.overflow {
			return
		}
		if room := len(o.ring) - o.n; len(lines) > room {
			o.enqueue(lines[:bytes.LastIndexByte(lines[:room], '\n')+1])
			o.overflow = true
			o.overflows++
			o.owner.OutboxChanged()
			return
		}
	}
	if o.n == 0 && !o.corked && o.shared == nil && o.blockedAt == 0 {
		lines = lines[o.write(lines):]
	}
	o.enqueue(lines)
	if o.blockedAt == 0 && (!o.corked || o.n >= len(o.ring)/2) {
		o.flush()
	}
}

// Cork lets offers gather until Uncork or until half of the outbox is full:
// the connection corks it while it works through its input, so that a batch of
// answers costs one write.
func (o *Outbox) Cork() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.corked = true
}

// Uncork ends Cork and sends what has gathered.
func (o *Outbox) Uncork() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.corked = false
	if o.blockedAt == 0 {
		o.flush()
	}
}

// Retry writes again after the descriptor became writable.
func (o *Outbox) Retry() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.flush()
}

// Room tells whether a next command may begin, which is when half of the
// outbox is free or answers are dropped anyway, and tries to make room first.
func (o *Outbox) Room() bool {
	if o.RoomAfter(0) {
		return true
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.overflow && o.blockedAt == 0 {
		o.flush()
	}
	return o.overflow || o.RoomAfter(0)
}

// RoomAfter tells whether half of the outbox would be free with n more bytes in it.
func (o *Outbox) RoomAfter(n int) bool { return int(o.free.Load())-n >= outboxReserve }

// Overflowed tells whether lines are being dropped.
func (o *Outbox) Overflowed() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.overflow
}

// Overflows returns how often lines began to be dropped.
func (o *Outbox) Overflows() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.overflows
}

// Overflow sets overflow as if a line had not fitted.
func (o *Outbox) Overflow() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.fd >= 0 && o.n > 0 && !o.overflow {
		o.overflow = true
		o.overflows++
	}
}

// Empty tells whether everything was sent, or there is no event side.
func (o *Outbox) Empty() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.n == 0 && !o.overflow
}

// Writable tells whether there is an event side.
func (o *Outbox) Writable() bool { return o.writable.Load() }

// BlockedSince returns when writing first failed, or 0 if it goes on.
func (o *Outbox) BlockedSince() int64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.blockedAt
}

// Drain sends what is left in the outboxes and waits for their readers until
// the given time: at exit, when nobody else watches the descriptors.
func Drain(outboxes []*Outbox, until int64) {
	for {
		poll := make([]unix.PollFd, 0, len(outboxes))
		wait := (until - Monotonic()) / 1e6
		pending := false
		for _, o := range outboxes {
			fd, done, shared := o.drain()
			switch {
			case done:
				continue
			case shared:
				// The shared writer reports nothing while it writes; look again soon.
				wait = min(wait, 5)
			default:
				poll = append(poll, unix.PollFd{Fd: int32(fd), Events: unix.POLLOUT})
			}
			pending = true
		}
		if !pending || wait <= 0 {
			return
		}
		unix.Poll(poll, int(wait))
	}
}

func (o *Outbox) drain() (fd int, done, shared bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.flush()
	return o.fd, o.fd < 0 || o.n == 0, o.shared != nil
}

// enqueue copies lines that fit.
func (o *Outbox) enqueue(lines []byte) {
	tail := (o.head + o.n) % len(o.ring)
	k := copy(o.ring[tail:], lines)
	copy(o.ring[:], lines[k:])
	o.holds(o.n + len(lines))
}

// holds sets how much is in the ring.
func (o *Outbox) holds(n int) {
	o.n = n
	o.free.Store(int32(len(o.ring) - n))
}

// pending is the first stretch of what has to be sent.
func (o *Outbox) pending() []byte {
	return o.ring[o.head:min(o.head+o.n, len(o.ring))]
}

func (o *Outbox) advance(n int) {
	o.holds(o.n - n)
	o.head = (o.head + n) % len(o.ring)
	if o.n == 0 {
		o.head = 0
	}
}

// flush writes until nothing is left or the descriptor takes no more.
func (o *Outbox) flush() {
	if o.shared != nil {
		if o.n > 0 {
			o.shared.kick()
		}
		return
	}
	for o.fd >= 0 && o.n > 0 {
		chunk := o.pending()
		n := o.write(chunk)
		if o.fd < 0 {
			return
		}
		if n > 0 {
			o.advance(n)
			o.resume()
		}
		if n < len(chunk) {
			return
		}
	}
}

// resume tells the reader of lost lines once all before them were sent.
func (o *Outbox) resume() {
	if o.n == 0 && o.overflow {
		o.overflow = false
		o.enqueue([]byte(overflowLine))
	}
}

// write returns how much of b the descriptor took. Less than all means that it
// is blocked, or gone.
func (o *Outbox) write(b []byte) int {
	for done := 0; ; {
		n, errno := send(o.fd, b[done:])
		switch errno {
		case 0:
			o.blockedAt = 0
			if done += n; done == len(b) {
				return done
			}
		case unix.EINTR:
		case unix.EAGAIN:
			if o.blockedAt == 0 || done > 0 {
				o.blockedAt = o.clock.Now()
				o.owner.OutboxChanged()
			}
			return done
		default:
			o.drop()
			o.owner.OutboxChanged()
			return len(b)
		}
	}
}

// sends counts those that the runtime was not told of. Of one in announced it is.
var sends atomic.Uint32

const announced = 32

// send writes to a socket and never waits, blocking though it may be. The runtime is not told of it as of a call that may
// take long: that would wake its monitor, each time that everything has rested. But the monitor is who interrupts what
// goes on for long, so now and then it is.
func send(fd int, b []byte) (n int, errno unix.Errno) {
	const flags = unix.MSG_DONTWAIT | unix.MSG_NOSIGNAL
	var r uintptr
	if sends.Add(1)%announced != 0 {
		r, _, errno = unix.RawSyscall6(unix.SYS_SENDTO, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)), flags, 0, 0)
	} else {
		r, _, errno = unix.Syscall6(unix.SYS_SENDTO, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)), flags, 0, 0)
	}
	return int(r), errno
}
