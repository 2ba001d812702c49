package actor

import (
	"slices"
	"sync"
)

// Bus carries events to every subscribed outbox.
type Bus struct {
	// Trace, if set before the first event, sees every line once.
	Trace func(line []byte)

	mu   sync.RWMutex
	subs []*Outbox
}

// Subscribe adds an outbox. From then on it is offered every event. What greet
// offers comes before all of them; greet may be nil and must not wait.
func (b *Bus) Subscribe(o *Outbox, greet func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if greet != nil {
		greet()
	}
	b.subs = append(b.subs, o)
}

// Reserve makes room for n subscribers, so that the list does not grow later.
func (b *Bus) Reserve(n int) {
	b.mu.Lock()
	b.subs = slices.Grow(b.subs, n)
	b.mu.Unlock()
}

// Unsubscribe takes an outbox off; when it returns, no Publish holds it.
func (b *Bus) Unsubscribe(o *Outbox) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i, sub := range b.subs {
		if sub == o {
			b.subs = append(b.subs[:i], b.subs[i+1:]...)
			return
		}
	}
}

// Publish offers one whole event line to all subscribers. It never waits for
// any of them. The lines of one publisher reach each subscriber in order.
func (b *Bus) Publish(line []byte) {
	if b.Trace != nil {
		b.Trace(line)
	}
	b.mu.RLock()
	defer b.mu.RUnlock()
	for _, sub := range b.subs {
		sub.Offer(line)
	}
}

// Tell offers a line to one outbox alone: a line of a statedump.
func (b *Bus) Tell(o *Outbox, line []byte) {
	if b.Trace != nil {
		b.Trace(line)
	}
	o.Offer(line)
}
