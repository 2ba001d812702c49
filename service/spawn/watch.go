package spawn

import "daemonproxy/actor"

// A watch waits for what happens to the descriptor whose other end a child holds
// until its exec: the spawner's goroutine waits, and no thread.
type watch struct {
	actor.Watch
	stirred chan struct{}
}

func (w *watch) init() {
	w.Watcher = w
	w.stirred = make(chan struct{}, 1)
}

// Ready is called by the poller.
func (w *watch) Ready(uint32) {
	select {
	case w.stirred <- struct{}{}:
	default:
	}
}

// begin returns false if the descriptor can't be watched.
func (w *watch) begin(p *actor.Poller, fd int) bool {
	select {
	case <-w.stirred: // by an earlier one
	default:
	}
	return p.Add(&w.Watch, fd) == nil
}

// wait returns when something may have happened.
func (w *watch) wait() { <-w.stirred }

func (w *watch) end(p *actor.Poller) { p.Remove(&w.Watch) }
