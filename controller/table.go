package controller

import (
	"sync"

	"daemonproxy/actor"

	"golang.org/x/sys/unix"
)

// Table is the slots for connections, numbered from 0. Which of them are in use
// stands under a mutex that never waits for a connection.
type Table struct {
	world *World
	slots []*Conn

	mu   sync.Mutex
	used []bool
}

// NewTable makes n slots, each with its goroutine.
func NewTable(w *World, n int) *Table {
	t := &Table{world: w, used: make([]bool, n)}
	for i := range n {
		t.slots = append(t.slots, newConn(t, i))
	}
	return t
}

// reserve takes the lowest free slot, or returns nil.
func (t *Table) reserve() *Conn {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i, used := range t.used {
		if !used {
			t.used[i] = true
			return t.slots[i]
		}
	}
	return nil
}

// release makes a slot free, and lets a client have it that waits.
func (t *Table) release(c *Conn) {
	t.unreserve(c)
	t.world.Socket.slotFreed()
}

// unreserve makes a slot free that no client waited for.
func (t *Table) unreserve(c *Conn) {
	t.mu.Lock()
	t.used[c.number] = false
	t.mu.Unlock()
}

// leaving tells whether a slot will be free in a moment: the process of a
// service has gone, but its connection has not met the end of it yet. A number
// that was closed meanwhile, and is perhaps another's, makes the service try
// again once in vain.
func (t *Table) leaving() bool {
	for _, c := range t.slots {
		if fd := c.peer.Load(); fd >= 0 {
			poll := [1]unix.PollFd{{Fd: fd}}
			if n, _ := unix.Poll(poll[:], 0); n > 0 {
				return true
			}
		}
	}
	return false
}

// Signaled offers the arrival of a signal to every connection. Those that are
// not in use take no notice.
func (t *Table) Signaled() {
	for _, c := range t.slots {
		c.mailbox.Put(&c.offers.signaled.Envelope)
	}
}

// Drain sends what is left in all outboxes and waits for slow readers until the
// given time, at exit.
func (t *Table) Drain(until int64) {
	outboxes := make([]*actor.Outbox, 0, len(t.slots))
	for _, c := range t.slots {
		outboxes = append(outboxes, &c.outbox)
	}
	actor.Drain(outboxes, until)
}

// Stop ends the goroutines of all slots, with the connections that they serve.
func (t *Table) Stop() {
	for _, c := range t.slots {
		c.mailbox.Put(&c.offers.stop.Envelope)
		<-c.ended
	}
}
