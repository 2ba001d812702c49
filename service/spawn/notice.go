package spawn

import "daemonproxy/actor"

// A notice tells a spawner of news of a descriptor whose other end its child has. The poller watches
// that, so no thread waits for a program that hangs.
type notice struct {
	watch actor.Watch
	news  chan struct{} // a token: look again
}

func (n *notice) init() {
	n.watch.Watcher = n
	n.news = make(chan struct{}, 1)
}

// Ready is an offer of the poller's.
func (n *notice) Ready(uint32) {
	select {
	case n.news <- struct{}{}:
	default:
	}
}

// open begins to watch.
func (n *notice) open(p *actor.Poller, fd int) error {
	select {
	case <-n.news: // of the last one
	default:
	}
	return p.Add(&n.watch, fd)
}
