package client

import (
	"context"
	"iter"
)

// maxBehind is how many events wait for a consumer before they are dropped.
const maxBehind = 4096

// subscription is what waits for one consumer, guarded by Client.mu.
type subscription struct {
	queue []Event
	told  int           // how many of them tell the state
	stale bool          // no more events until the state has been told
	wake  chan struct{} // there is something in the queue
}

// Events gives the present state, in the words of events (a statedump's order), then Synced, then events as they
// come, for as long as the loop over it runs. It ends with an error when the context or the connection ends. Loops
// are independent of each other: each gets everything.
//
// A loop that falls more than 4096 events behind loses those that wait, and gets what daemonproxy gives its slow
// readers: Lost, and the present state anew. It holds up neither other loops, nor answers, nor the mirror.
func (c *Client) Events(ctx context.Context) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		s := c.subscribe()
		defer c.unsubscribe(s)
		for ended := false; !ended; {
			select {
			case <-s.wake:
			case <-ctx.Done():
			case <-c.done: // nothing is added to the queue any more
				ended = true
			}
			for _, event := range c.takeEvents(s) {
				if ctx.Err() != nil {
					break
				}
				if !yield(event, nil) {
					return
				}
			}
			if ctx.Err() != nil {
				yield(nil, context.Cause(ctx))
				return
			}
		}
		yield(nil, c.Err())
	}
}

func (c *Client) subscribe() *subscription {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := &subscription{wake: make(chan struct{}, 1), stale: !c.synced}
	if c.synced {
		s.tell(&c.state)
	}
	c.subs[s] = struct{}{}
	return s
}

func (c *Client) unsubscribe(s *subscription) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.subs, s)
}

func (c *Client) takeEvents(s *subscription) []Event {
	c.mu.Lock()
	defer c.mu.Unlock()
	events := s.queue
	s.queue, s.told = nil, 0
	return events
}

func (s *subscription) push(events ...Event) {
	s.queue = append(s.queue, events...)
	select {
	case s.wake <- struct{}{}:
	default: // the consumer knows already
	}
}

// add gives the consumer an event. The telling of a state, however long, does not count as being behind: else a state of
// more than maxBehind events would be told anew with every event.
func (s *subscription) add(event Event, state *State) {
	switch {
	case s.stale:
	case len(s.queue)-s.told < maxBehind:
		s.push(event)
	default:
		s.queue, s.told = nil, 0
		s.push(Lost{ErrSlow})
		s.tell(state)
	}
}

// lose drops what waits: it will be told anew.
func (s *subscription) lose(err error) {
	s.queue, s.told, s.stale = nil, 0, true
	s.push(Lost{err})
}

// tell gives the consumer the present state.
func (s *subscription) tell(state *State) {
	s.stale = false
	events := append(state.events(), Synced{})
	s.told += len(events)
	s.push(events...)
}
