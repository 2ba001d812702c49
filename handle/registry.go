package handle

import (
	"errors"
	"slices"
	"sync"
	"sync/atomic"

	"daemonproxy/actor"
	"daemonproxy/actor/logger"
	"daemonproxy/controller/protocol"
)

// ErrFull says that the pool has no place for another handle.
var ErrFull = errors.New("no free place for a handle")

// Registry is the table of named handles. See the package's description for
// its two locks.
type Registry struct {
	bus         *actor.Bus
	log         *logger.Log
	max         int
	limit       int
	descriptors descriptors

	change sync.Mutex
	pipes  uint64 // number of the last pipe; under change

	names  sync.Mutex
	index  index
	used   int // places that handles take or that were reserved
	parked *slot
	all    atomic.Pointer[slot] // every slot there is; written under names
}

// NewRegistry makes an empty table for up to max handles, of whose description
// at least limit bytes are kept; 0 means no limit.
func NewRegistry(bus *actor.Bus, log *logger.Log, max, limit int) *Registry {
	if limit > 0 && limit < protocol.MaxName {
		limit = protocol.MaxName // the name of a peer is never cut
	}
	r := &Registry{bus: bus, log: log, max: max, limit: limit}
	r.descriptors.init()
	return r
}

// slotCost is what a slot of a pool takes of the heap, at most: itself and its
// stack.
const slotCost = 6 << 10

// Fill makes all slots of a pool now, with the room for their descriptions, so
// that nothing is made later. others is how many descriptors besides those of
// the handles may be open at a time: those of commands under way, and those of
// handles that were deleted while a start borrows them. Its one error says that
// there is no memory.
func (r *Registry) Fill(others int) error {
	arena, err := actor.NewArena(r.max, r.limit+len(cutMark))
	if err != nil {
		return err
	}
	if err := actor.HasHeap(r.max * slotCost); err != nil {
		return err
	}
	r.descriptors.reserve = make([]Descriptor, r.max+others)
	var ready sync.WaitGroup
	ready.Add(r.max)
	r.names.Lock()
	r.index = slices.Grow(r.index, r.max)
	for range r.max {
		s := r.newSlot(arena.Next(), &ready)
		s.parked, r.parked = r.parked, s
	}
	r.names.Unlock()
	ready.Wait()
	return nil
}

// newSlot adds a slot to those there are. names is held.
func (r *Registry) newSlot(room []byte, ready *sync.WaitGroup) *slot {
	s := newSlot(r.bus, r.limit, room, ready)
	s.next = r.all.Load()
	r.all.Store(s)
	return s
}

// Exists reports whether there is a handle of that name.
func (r *Registry) Exists(name []byte) bool {
	r.names.Lock()
	defer r.names.Unlock()
	return r.index.has(name)
}

// Dump offers out the line of the handle whose name follows after, which is
// empty to begin with. It gives that handle's name, good until c's next Dump;
// more is false, and nothing was offered, if there is none.
func (r *Registry) Dump(c *Call, after []byte, out *actor.Outbox) (name []byte, more bool) {
	var last entry
	for {
		r.names.Lock()
		e, ok := r.index.after(after)
		r.names.Unlock()
		if !ok {
			return nil, false
		}
		// A handle that is gone is looked for again: the name may have been
		// given anew. If the index still shows the same one, then it is just
		// being made or deleted, and an event about that is to come.
		tried := e.slot == last.slot && e.generation == last.generation
		c.show.out = out
		if !tried && e.slot.ask(&c.show, e.generation) == done {
			return c.keep(e.bytes()), true
		}
		if tried {
			after = c.keep(e.bytes())
		}
		last = e
	}
}

// KeepOpen calls f with the descriptor number of every named handle, in no
// order and perhaps more than once with the same. It takes no lock and asks no
// slot, so the fatal path may use it; what changes meanwhile may be missed.
func (r *Registry) KeepOpen(f func(fd int)) {
	for s := r.all.Load(); s != nil; s = s.next {
		if fd := s.number.Load(); fd >= 0 {
			f(int(fd))
		}
	}
}

// PutNull puts /dev/null on a descriptor number that is to be neither used any
// longer nor free, such as 0 after its end of file.
func (r *Registry) PutNull(fd int) { r.descriptors.cover(fd) }

// Close ends all slots and gives up their descriptors: tests only.
func (r *Registry) Close() {
	r.change.Lock()
	defer r.change.Unlock()
	var m stop
	prepare(&m, actor.NewReply())
	for s := r.all.Load(); s != nil; s = s.next {
		s.ask(&m, 0)
		<-s.ended
	}
}

// reserve tries to set places aside until this call has want of them, and
// reports whether that is enough for those of the names that do not exist yet.
func (r *Registry) reserve(c *Call, want int, names ...[]byte) bool {
	r.names.Lock()
	defer r.names.Unlock()
	need := 0
	for _, name := range names {
		if !r.index.has(name) {
			need++
		}
	}
	more := max(want, need) - c.reserved
	if r.max > 0 {
		more = min(more, r.max-r.used)
	}
	if more > 0 {
		c.reserved += more
		r.used += more
	}
	return c.reserved >= need
}

// settle ends a command once change is free: it gives back the places that were
// not needed and the descriptors that were replaced.
func (r *Registry) settle(c *Call) {
	if c.reserved > 0 {
		r.names.Lock()
		r.used -= c.reserved
		r.names.Unlock()
		c.reserved = 0
	}
	for c.replacedN > 0 {
		c.replacedN--
		d := c.replaced[c.replacedN]
		c.replaced[c.replacedN] = nil
		d.Release()
	}
}

// find gives the slot of a name.
func (r *Registry) find(name []byte) (e entry, ok bool) {
	r.names.Lock()
	defer r.names.Unlock()
	at, ok := r.index.search(name)
	if ok {
		e = r.index[at]
	}
	return e, ok
}

// place gives the slot of a name, for which one of c's reserved places is used
// if the name is new. change is held.
func (r *Registry) place(c *Call, name []byte) (e entry, fresh bool) {
	r.names.Lock()
	defer r.names.Unlock()
	if at, found := r.index.search(name); found {
		return r.index[at], false
	}
	if c.reserved == 0 {
		panic("handle: no place was reserved")
	}
	c.reserved--
	s := r.parked
	if s != nil {
		r.parked = s.parked
	} else {
		s = r.newSlot(nil, nil)
	}
	s.assigned++
	return r.index.add(name, s, s.assigned), true
}

// forget takes out the name of a slot that failed; the slot is not used again.
func (r *Registry) forget(name []byte) {
	r.names.Lock()
	defer r.names.Unlock()
	r.index.drop(name)
	r.used--
}

// park takes a name out and its slot back.
func (r *Registry) park(name []byte, s *slot) {
	r.names.Lock()
	defer r.names.Unlock()
	r.index.drop(name)
	r.used--
	s.parked, r.parked = r.parked, s
}
