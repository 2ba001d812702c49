package actor

import (
	"slices"
	"sync"
	"time"
	_ "unsafe" // for go:linkname
)

// Monotonic returns CLOCK_MONOTONIC in nanoseconds: the clock of the wire. The
// runtime reads it without a system call; time.Time would hide the number.
//
//go:linkname Monotonic runtime.nanotime
func Monotonic() int64

// Second is one second of the clock.
const Second = int64(time.Second)

// Ringer is what an alarm is for: an actor whose Ring is an offer to itself.
type Ringer interface{ Ring() }

// Alarm is one deadline of its Ringer. Its owner embeds it; the zero Alarm is
// not set. A ring may still be under way when an alarm is stopped or moved, so
// an actor that is rung compares the time itself.
type Alarm struct {
	Ringer Ringer
	at     int64
	place  int // in the heap, from 1; 0 = not set
}

// Clock rings alarms: one heap of deadlines and one runtime timer for all of
// them, since a timer per actor makes the runtime's own heap grow.
type Clock struct {
	now     func() int64
	mu      sync.Mutex
	heap    []*Alarm
	changed chan struct{} // a token: the next alarm is another one, or its time has come
	timer   Timer
}

// NewClock returns a clock that tells the time by now, in nanoseconds; nil
// means Monotonic.
func NewClock(now func() int64) *Clock {
	if now == nil {
		now = Monotonic
	}
	c := &Clock{now: now, changed: make(chan struct{}, 1)}
	c.timer = NewTimer(c.wake)
	return c
}

func (c *Clock) wake() {
	select {
	case c.changed <- struct{}{}:
	default:
	}
}

// Reserve makes room for n alarms, so that the heap does not grow later.
func (c *Clock) Reserve(n int) {
	c.mu.Lock()
	c.heap = slices.Grow(c.heap, n)
	c.mu.Unlock()
}

// Now is the time of the clock in nanoseconds.
func (c *Clock) Now() int64 { return c.now() }

// Set makes the alarm ring at the given time, whatever it was set to before.
func (c *Clock) Set(a *Alarm, at int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	a.at = at
	if a.place == 0 {
		c.heap = append(c.heap, a)
		a.place = len(c.heap)
	}
	c.settle(a)
	if c.heap[0] == a {
		c.wake()
	}
}

// Stop takes the alarm out; it does not ring unless it does so already.
func (c *Clock) Stop(a *Alarm) {
	c.mu.Lock()
	c.remove(a)
	c.mu.Unlock()
}

// Run rings alarms until stop is closed.
func (c *Clock) Run(stop <-chan struct{}) { Persist(func() { c.run(stop) }) }

func (c *Clock) run(stop <-chan struct{}) {
	defer c.timer.Stop()
	for {
		if wait, set := c.ring(); set {
			c.timer.Reset(time.Duration(wait))
		} else {
			c.timer.Stop()
		}
		select {
		case <-stop:
			return
		case <-c.changed:
		}
	}
}

// ring rings what is due and returns how long the next alarm has to wait.
func (c *Clock) ring() (wait int64, set bool) {
	for {
		a, wait, set := c.due()
		if a == nil {
			return wait, set
		}
		a.Ringer.Ring()
	}
}

// due takes the first alarm if it is due, or returns how long it has to wait.
func (c *Clock) due() (a *Alarm, wait int64, set bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.heap) == 0 {
		return nil, 0, false
	}
	a = c.heap[0]
	if wait = a.at - c.now(); wait > 0 {
		return nil, wait, true
	}
	c.remove(a)
	return a, 0, true
}

func (c *Clock) remove(a *Alarm) {
	if a.place == 0 {
		return
	}
	last := c.heap[len(c.heap)-1]
	c.swap(a.place, last.place)
	c.heap = c.heap[:len(c.heap)-1]
	if last != a {
		c.settle(last)
	}
	a.place = 0
}

// settle moves an alarm whose time changed to where it belongs.
func (c *Clock) settle(a *Alarm) {
	c.up(a.place)
	c.down(a.place)
}

func (c *Clock) up(place int) {
	for place > 1 && c.heap[place-1].at < c.heap[place/2-1].at {
		c.swap(place, place/2)
		place /= 2
	}
}

func (c *Clock) down(place int) {
	for {
		child := 2 * place
		if child > len(c.heap) {
			return
		}
		if child < len(c.heap) && c.heap[child].at < c.heap[child-1].at {
			child++
		}
		if c.heap[place-1].at <= c.heap[child-1].at {
			return
		}
		c.swap(place, child)
		place = child
	}
}

func (c *Clock) swap(i, j int) {
	c.heap[i-1], c.heap[j-1] = c.heap[j-1], c.heap[i-1]
	c.heap[i-1].place, c.heap[j-1].place = i, j
}
