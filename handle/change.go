package handle

import "daemonproxy/controller/protocol"

// install makes one handle of what stands in c.install, under name: of a new
// name, or in the place of what has that name. It takes over the descriptor,
// whatever happens. full is the error if there is no place.
func (r *Registry) install(c *Call, name []byte, full protocol.Code) protocol.Error {
	r.change.Lock()
	defer r.change.Unlock()
	if !r.reserve(c, 0, name) {
		c.discard(c.install.descriptor)
		c.install.descriptor = nil
		return protocol.Error{Code: full}
	}
	if r.put(c, name) != done {
		return protocol.Error{Code: protocol.Internal}
	}
	r.tellPeer(c, &c.install.former)
	return protocol.Error{}
}

// put has a slot take what stands in c.install; change is held and there is a
// place. Who lost the other end of a pipe by it is told later, by tellPeer.
func (r *Registry) put(c *Call, name []byte) outcome {
	m := &c.install
	d := m.descriptor
	e, fresh := r.place(c, name)
	m.name, m.fresh = name, fresh
	outcome := e.slot.ask(m, e.generation)
	if outcome != done {
		c.discard(m.descriptor) // nil if the slot has it
		m.descriptor = nil
		if fresh {
			r.forget(name)
		}
		return outcome
	}
	c.discard(m.former.descriptor)
	r.lendLog(name, d)
	return done
}

// tellPeer tells the handle that is left alone by the end of f. Nobody is if it
// was no end of a pipe, or if the same command replaced the other end.
func (r *Registry) tellPeer(c *Call, f *former) {
	if f.pipe == 0 {
		return
	}
	if e, ok := r.find(f.peer[:f.peerLen]); ok {
		c.peerLost.pipe = f.pipe
		e.slot.ask(&c.peerLost, e.generation)
	}
}

// Delete carries out fd.delete.
func (r *Registry) Delete(c *Call, name []byte) protocol.Error {
	defer r.settle(c)
	r.change.Lock()
	defer r.change.Unlock()
	e, ok := r.find(name)
	if !ok {
		return protocol.Error{Code: protocol.NoSuchFD}
	}
	if e.slot.ask(&c.remove, e.generation) != done {
		return protocol.Error{Code: protocol.Internal}
	}
	c.discard(c.remove.former.descriptor)
	r.park(name, e.slot)
	r.log.Detach(name)
	r.tellPeer(c, &c.remove.former)
	return protocol.Error{}
}

// lendLog gives the log the descriptor of the handle that it is bound to;
// change is held, so the handle keeps it meanwhile.
func (r *Registry) lendLog(name []byte, d *Descriptor) {
	if !r.log.Wants(name) {
		return
	}
	if d.fd < 0 {
		r.log.Detach(name)
		return
	}
	d.Retain()
	if !r.log.Attach(name, d) {
		d.Release()
	}
}

// BindLog carries out log.dest and reports whether the handle exists. Until it
// does, or while it has no descriptor, the log keeps its messages.
func (r *Registry) BindLog(c *Call, name []byte) (exists bool) {
	r.change.Lock()
	defer r.change.Unlock()
	e, ok := r.find(name)
	if !ok || e.slot.ask(&c.lend, e.generation) != done {
		r.log.Dest(name, nil)
		return ok
	}
	d := c.lend.descriptor
	c.lend.descriptor = nil
	if d.fd < 0 {
		d.Release()
		r.log.Dest(name, nil)
	} else {
		r.log.Dest(name, d)
	}
	return true
}
