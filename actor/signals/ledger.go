// Package signals keeps the ledger: how often each counted signal arrived and
// when. The ledger is a small table under a mutex that never waits for
// anybody; every connection reads on from the last arrival that it has told its
// controller, so signals need no queue.
package signals

import (
	"sync"
	"sync/atomic"

	"daemonproxy/actor"
	"daemonproxy/controller/protocol"
)

// Arrival is one line of the ledger.
type Arrival struct {
	Signal protocol.Signal
	At     int64 // CLOCK_MONOTONIC in nanoseconds; no two arrivals share one
	Count  int64
}

// Ledger is the table. The zero Ledger is empty and ready.
type Ledger struct {
	mu      sync.Mutex
	latest  atomic.Int64
	entries [protocol.MaxSignal + 1]Arrival
	pending atomic.Uint64
}

// Pending is the set of signals whose count is not zero, signal N at bit N-1.
func (l *Ledger) Pending() uint64 { return l.pending.Load() }

// Arrived counts one arrival.
func (l *Ledger) Arrived(s protocol.Signal) {
	l.mu.Lock()
	defer l.mu.Unlock()
	at := max(actor.Monotonic(), l.latest.Load()+1)
	e := &l.entries[s]
	e.Signal, e.At = s, at
	l.count(e, max(e.Count, e.Count+1)) // saturated
	l.latest.Store(at)
}

// Clear takes n off the count of s, which stops at 0. A signal that never
// arrived stays so.
func (l *Ledger) Clear(s protocol.Signal, n int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if e := &l.entries[s]; e.At != 0 {
		count := e.Count - n
		if n < 0 && count < e.Count {
			count = 1<<63 - 1 // saturated
		}
		l.count(e, max(count, 0))
	}
}

func (l *Ledger) count(e *Arrival, n int64) {
	e.Count = n
	bit := uint64(1) << (e.Signal - 1)
	if n > 0 {
		l.pending.Or(bit)
	} else {
		l.pending.And(^bit)
	}
}

// Next returns the oldest last arrival after the given one; uncleared leaves
// out those whose count is 0.
func (l *Ledger) Next(after int64, uncleared bool) (next Arrival, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range l.entries {
		e := &l.entries[i]
		if e.At <= after || uncleared && e.Count == 0 {
			continue
		}
		if !ok || e.At < next.At {
			next, ok = *e, true
		}
	}
	return next, ok
}

// Latest is the time of the last arrival of all.
func (l *Ledger) Latest() int64 { return l.latest.Load() }
