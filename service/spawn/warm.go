package spawn

import "daemonproxy/actor"

// Warm starts all goroutines and maps the scratch of all spawners now, before the
// first Acquire, so that nothing is made later. Its error says that there is no
// memory.
func (p *Pool) Warm() error {
	for i := range p.spawners {
		s := &p.spawners[i]
		p.mu.Lock()
		if !s.started {
			s.started = true
			go actor.Persist(func() {
				actor.GrowStack()
				s.work()
			})
		}
		p.mu.Unlock()
		if s.Reset(); s.fault != 0 {
			return s.fault
		}
		s.scratch.touch()
	}
	return nil
}

// touch makes the pages resident that usual starts use.
func (s *scratch) touch() {
	s.stack[stackSize-1], s.stack[stackSize-pageSize] = 0, 0
	s.fds[0] = descriptor{}
	s.text[0] = 0
	s.arena[0] = 0
}

// pageSize is the smallest there is.
const pageSize = 4096
