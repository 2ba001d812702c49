package client

import "context"

// wait is a condition that somebody waits for, guarded by Client.mu.
type wait struct {
	met  func(*State) bool
	done chan struct{}
}

// Wait returns once the condition is met. The condition is looked at now and after every single change, so that it
// misses none, however short; it must be quick, must not keep the state, and must not call the client. While the
// state is being mirrored anew, nothing is looked at.
func (c *Client) Wait(ctx context.Context, met func(*State) bool) error {
	w := &wait{met: met, done: make(chan struct{})}
	c.mu.Lock()
	c.waits[w] = struct{}{}
	if c.synced {
		w.look(&c.state)
	}
	c.mu.Unlock()
	defer func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.waits, w)
	}()
	select {
	case <-w.done:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-c.done:
	}
	select {
	case <-w.done: // met by the very last event
		return nil
	default:
		return c.Err()
	}
}

func (w *wait) look(state *State) {
	select {
	case <-w.done:
	default:
		if w.met(state) {
			close(w.done)
		}
	}
}
