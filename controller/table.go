package controller

import (
	"sync"

	"daemonproxy/actor"

	"golang.org/x/sys/unix"
)

// Table is the slots for connections, numbered from 0. Which of them there are, and
// are in use, stands under a mutex that never waits for a connection.
type Table struct {
	world *World
	first []*Conn // made before Begin

	mu    sync.Mutex
	slots []*Conn // never moves
	used  []bool
}

// NewTable makes a table of n slots. Each is made, with its goroutine, when it is first
// needed, or now if everything is to be.
func NewTable(w *World, n int) *Table {
	t := &Table{world: w, slots: make([]*Conn, 0, n), used: make([]bool, n)}
	for w.Grown && len(t.slots) < n {
		t.grow()
	}
	return t
}

// StockUp makes the first slot beforehand.
func (t *Table) StockUp() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.slots) == 0 {
		t.grow()
	}
}

func (t *Table) grow() { t.slots = append(t.slots, newConn(t, len(t.slots))) }

// made returns the slots that there are by now.
func (t *Table) made() []*Conn {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.slots
}

// reserve takes the lowest free slot, or returns nil.
func (t *Table) reserve() *Conn {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i, used := range t.used {
		if !used {
			if i == len(t.slots) {
				t.grow()
			}
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
	for _, c := range t.made() {
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
	for _, c := range t.made() {
		c.mailbox.Put(&c.offers.signaled.Envelope)
	}
}

// Drain sends what is left in all outboxes and waits for slow readers until the
// given time, at exit.
func (t *Table) Drain(until int64) {
	made := t.made()
	outboxes := make([]*actor.Outbox, 0, len(made))
	for _, c := range made {
		outboxes = append(outboxes, &c.outbox)
	}
	actor.Drain(outboxes, until)
}

// Stop ends the goroutines of all slots, with the connections that they serve.
func (t *Table) Stop() {
	for _, c := range t.made() {
		c.mailbox.Put(&c.offers.stop.Envelope)
		<-c.ended
	}
}
