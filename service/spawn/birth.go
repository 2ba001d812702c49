package spawn

import "sync/atomic"

// A Birth is where a spawner's child can be found by its pid before its service
// has announced it.
type Birth struct {
	pool *Pool
	pid  int32 // written by the kernel before the child runs, or by the applet's parent; read atomically

	// Guarded by pool.mu.
	owner  any
	found  int32 // the pid that Born found here last
	exited bool

	labour
}

// Born finds the owner of a child that was forked and not released yet. It skips
// a child that was marked as exited, so that a later child with the same pid is
// told apart. The reaper calls it for a pid that it does not know, under no lock
// of its own that a Waiter could want. Where programs are begun through the applet
// it may wait for births whose pid is not known yet; see the package documentation.
func (p *Pool) Born(pid int) (owner any, b *Birth, ok bool) {
	if pid <= 0 {
		return nil, nil, false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if b := p.bornLocked(pid); b != nil {
		return b.owner, b, true
	}
	if p.awaitBirths(pid) {
		if b := p.bornLocked(pid); b != nil {
			return b.owner, b, true
		}
	}
	return nil, nil, false
}

func (p *Pool) bornLocked(pid int) *Birth {
	for i := range p.spawners {
		b := &p.spawners[i].birth
		if !b.exited && atomic.LoadInt32(&b.pid) == int32(pid) {
			b.found = int32(pid)
			return b
		}
	}
	return nil
}

// MarkExited says that the child that Born found here was reaped.
func (b *Birth) MarkExited() {
	b.pool.mu.Lock()
	defer b.pool.mu.Unlock()
	// Released meanwhile, and perhaps used again: then it is another child's.
	if b.found != 0 && b.found == atomic.LoadInt32(&b.pid) {
		b.exited = true
	}
}

// MarkAdopted says that the child is known elsewhere by now, so that Born does
// not find it a second time: its pid may be another's as soon as it was reaped.
func (b *Birth) MarkAdopted() {
	b.pool.mu.Lock()
	defer b.pool.mu.Unlock()
	b.exited = true
}

// HasExited reports whether the child was marked as exited.
func (b *Birth) HasExited() bool {
	b.pool.mu.Lock()
	defer b.pool.mu.Unlock()
	return b.exited
}

func (b *Birth) clear() {
	atomic.StoreInt32(&b.pid, 0)
	b.owner, b.found, b.exited = nil, 0, false
}
