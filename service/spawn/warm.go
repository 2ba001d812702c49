package spawn

// Warm starts the spares and maps the scratch of all spawners now, before the
// first Acquire, so that nothing is made later. Its error says that there is no
// memory.
func (p *Pool) Warm() error {
	for i := range p.spawners {
		s := &p.spawners[i]
		p.mu.Lock()
		if !s.started {
			s.started = true
			go s.run()
		}
		p.mu.Unlock()
		if s.Reset(); s.fault != 0 {
			return s.fault
		}
	}
	return nil
}
