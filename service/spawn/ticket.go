package spawn

// A Waiter is told what becomes of its ticket. See the package documentation for
// the goroutines that call it.
type Waiter interface {
	// Granted hands over a spawner: fill it and Go, or Release it.
	Granted(s *Spawner)
	// Refused says that all spawners hang, or the pool is closed.
	Refused()
	// Begun says that the fork is over, for better or worse: see Outcome.
	Begun(s *Spawner)
}

// A Ticket is a place in the queue for a spawner. It is embedded in the service,
// which sets Waiter once; the rest belongs to the pool.
type Ticket struct {
	Waiter Waiter

	prev, next *Ticket
	queued     bool
}

// Acquire queues t. It does nothing if t is in the queue.
func (p *Pool) Acquire(t *Ticket) {
	p.mu.Lock()
	if !t.queued {
		t.queued = true
		t.prev = p.tail
		if p.tail == nil {
			p.head = t
		} else {
			p.tail.next = t
		}
		p.tail = t
	}
	p.mu.Unlock()
	p.serve()
}

// Withdraw takes t out of the queue. If it returns true nothing will be called
// for it; else it was not queued: its answer was given, or is about to be.
func (p *Pool) Withdraw(t *Ticket) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !t.queued {
		return false
	}
	p.unqueueLocked(t)
	return true
}

func (p *Pool) unqueueLocked(t *Ticket) {
	if t.prev == nil {
		p.head = t.next
	} else {
		t.prev.next = t.next
	}
	if t.next == nil {
		p.tail = t.prev
	} else {
		t.next.prev = t.prev
	}
	t.prev, t.next, t.queued = nil, nil, false
}

// serve answers the head of the queue as long as it can be answered.
func (p *Pool) serve() {
	for {
		p.mu.Lock()
		w, s := p.answerLocked()
		p.mu.Unlock()
		switch {
		case w == nil:
			return
		case s == nil:
			w.Refused()
		default:
			w.Granted(s)
		}
	}
}

// answerLocked takes the first ticket off the queue and grants it a spawner, or
// returns none if it is to be refused. Without a Waiter there is nothing to do.
func (p *Pool) answerLocked() (Waiter, *Spawner) {
	t := p.head
	if t == nil {
		return nil, nil
	}
	if p.closed {
		p.unqueueLocked(t)
		return t.Waiter, nil
	}
	for i := range p.spawners {
		s := &p.spawners[i]
		if s.phase == idle {
			p.unqueueLocked(t)
			s.phase = granted
			s.waiter = t.Waiter
			return t.Waiter, s
		}
	}
	if left := p.hangLocked(); left > 0 {
		p.lookLocked(left)
		return nil, nil
	}
	p.unqueueLocked(t)
	return t.Waiter, nil
}
