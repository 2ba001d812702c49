package actor

import "sync"

// Envelope is embedded in every message. It is a place in a queue, so that
// putting a message allocates nothing and no queue can be full: a message is
// lent to a mailbox from Put until it was taken.
type Envelope[M any] struct {
	next    *Envelope[M] // in the queue, or itself as the last one; nil: not queued
	message M
}

// Bind sets, once, the message that the envelope carries: the struct that
// embeds it.
func (e *Envelope[M]) Bind(message M) { e.message = message }

// Mailbox is the one door of an actor: first come, first served. Init makes it
// ready. Any goroutine may Put; only the owner may Take.
type Mailbox[M any] struct {
	mu         sync.Mutex
	head, tail *Envelope[M]
	wake       chan struct{}
}

// Init makes the mailbox ready for use.
func (m *Mailbox[M]) Init() { m.wake = make(chan struct{}, 1) }

// Put queues e and wakes the owner. It never waits. While e is queued already
// it does nothing: an offer that was made twice is met once.
func (m *Mailbox[M]) Put(e *Envelope[M]) {
	m.mu.Lock()
	if e.next != nil {
		m.mu.Unlock()
		return
	}
	e.next = e
	if m.tail == nil {
		m.head = e
	} else {
		m.tail.next = e
	}
	m.tail = e
	m.mu.Unlock()
	select {
	case m.wake <- struct{}{}:
	default:
	}
}

// TryTake returns the oldest message, if there is one.
func (m *Mailbox[M]) TryTake() (message M, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	e := m.head
	if e == nil {
		return message, false
	}
	m.head = e.next
	if m.head == e {
		m.head, m.tail = nil, nil
	}
	e.next = nil
	return e.message, true
}

// Take returns the oldest message and waits for one if there is none.
func (m *Mailbox[M]) Take() M {
	for {
		if message, ok := m.TryTake(); ok {
			return message
		}
		<-m.wake
	}
}

// Reply is how a request is answered: one per requester, reused for each of
// its requests, since a requester has one request in flight.
type Reply chan struct{}

// NewReply returns a Reply with room for the one answer that can be due.
func NewReply() Reply { return make(Reply, 1) }

// Done answers the request. It never waits.
func (r Reply) Done() { r <- struct{}{} }

// Wait returns once the request was answered.
func (r Reply) Wait() { <-r }
