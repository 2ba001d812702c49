package service

import (
	"bytes"
	"slices"
	"sync"
	"sync/atomic"

	"daemonproxy/actor"
	"daemonproxy/actor/logger"
	"daemonproxy/actor/mainthread"
	"daemonproxy/actor/reaper"
	"daemonproxy/actor/signals"
	"daemonproxy/controller/protocol"
	"daemonproxy/service/spawn"
)

// World is what services live in. All of it is set before the first service.
type World struct {
	Bus         *actor.Bus
	Clock       *actor.Clock
	Log         *logger.Log
	Duties      *mainthread.Duties
	Ledger      *signals.Ledger
	Reaper      *reaper.Reaper
	Spawners    *spawn.Pool
	Descriptors Descriptors
	Controls    Controls
}

// Registry finds services by name. It is a sorted slice under a mutex that
// never waits for a service. Slots of deleted services are used again.
type Registry struct {
	world      *World
	starts     [spawn.Spawners]beginnings
	valueLimit int
	maxSlots   int    // 0 = no limit
	main       *Main  // nil but for an entrypoint; set before any command
	gone       func() // see OnGone
	slaying    atomic.Bool

	mu     sync.Mutex
	byName []*Actor
	free   []*Actor
	slots  int
}

// NewRegistry returns an empty registry. At most max services exist at a time,
// each with texts of at most valueLimit bytes; 0 = no limit.
func NewRegistry(w *World, maxSlots, valueLimit int) *Registry {
	r := &Registry{world: w, maxSlots: maxSlots, valueLimit: valueLimit}
	for i := range r.starts {
		r.starts[i].loan = w.Descriptors.NewLoan()
	}
	return r
}

// slotCost is what a slot of a pool takes of the heap, at most: itself and its
// stack.
const slotCost = 8 << 10

// OnGone sets what is called, after CloseStarts, whenever a service has ended: an
// offer.
func (r *Registry) OnGone(gone func()) { r.gone = gone }

// Fill makes all slots of a pool now, with the room for their texts, so that
// nothing is made later. Its one error says that there is no memory.
func (r *Registry) Fill() error {
	arena, err := actor.NewArena(r.maxSlots, r.valueLimit)
	if err != nil {
		return err
	}
	if err := actor.HasHeap(r.maxSlots * slotCost); err != nil {
		return err
	}
	var ready sync.WaitGroup
	ready.Add(r.maxSlots)
	r.mu.Lock()
	r.byName = slices.Grow(r.byName, r.maxSlots)
	r.free = slices.Grow(r.free, r.maxSlots)
	for range r.maxSlots {
		r.free = append(r.free, newActor(r, arena.Next(), &ready))
	}
	r.slots = r.maxSlots
	r.mu.Unlock()
	ready.Wait()
	return nil
}

// find returns the place of name in byName, or where it belongs.
func (r *Registry) find(name []byte) (place int, found bool) {
	low, high := 0, len(r.byName)
	for low < high {
		mid := (low + high) / 2
		switch c := bytes.Compare(r.byName[mid].name, name); {
		case c == 0:
			return mid, true
		case c < 0:
			low = mid + 1
		default:
			high = mid
		}
	}
	return low, false
}

func (r *Registry) lookup(name []byte) (a *Actor, serial uint32) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if place, found := r.find(name); found {
		a = r.byName[place]
		return a, a.serial
	}
	return nil, 0
}

// obtain returns the service of that name and makes it if there is none. A new
// one is not announced: it becomes a service with its first value.
func (r *Registry) obtain(name []byte) (a *Actor, serial uint32) {
	r.mu.Lock()
	defer r.mu.Unlock()
	place, found := r.find(name)
	if found {
		a = r.byName[place]
		return a, a.serial
	}
	if n := len(r.free); n > 0 {
		a = r.free[n-1]
		r.free = r.free[:n-1]
	} else if r.maxSlots == 0 || r.slots < r.maxSlots {
		a = newActor(r, nil, nil)
		r.slots++
	} else {
		return nil, 0
	}
	a.name = append(a.nameRoom[:0], name...)
	r.byName = append(r.byName, nil)
	copy(r.byName[place+1:], r.byName[place:])
	r.byName[place] = a
	return a, a.serial
}

// release takes a service that is no more out of the index; its slot is free
// for the next one. Late requests to it see another serial.
func (r *Registry) release(a *Actor) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if place, found := r.find(a.name); found {
		r.byName = append(r.byName[:place], r.byName[place+1:]...)
	}
	a.serial++
	r.free = append(r.free, a)
}

// Exists tells whether a service of that name exists.
func (r *Registry) Exists(name []byte) bool {
	a, _ := r.lookup(name)
	return a != nil
}

// create sends a request that makes the service if it must.
func (r *Registry) create(c *Call, name []byte, m message) protocol.Error {
	for {
		a, serial := r.obtain(name)
		if a == nil {
			return protocol.Error{Code: protocol.ServicePoolFull}
		}
		// Gone: somebody deleted it in between. Then it is made again.
		if answer := c.send(a, serial, m); !answer.gone {
			return answer.err
		}
	}
}

// ask sends a request to a service that must exist.
func (r *Registry) ask(c *Call, name []byte, m message) protocol.Error {
	if a, serial := r.lookup(name); a != nil {
		if answer := c.send(a, serial, m); !answer.gone {
			return answer.err
		}
	}
	return protocol.Error{Code: protocol.NoSuchService}
}

// Set is service.tags, service.args and service.fds.
func (r *Registry) Set(c *Call, cmd *protocol.Command) protocol.Error {
	switch cmd.Verb {
	case protocol.ServiceTags:
		c.set.key = tags
	case protocol.ServiceArgs:
		c.set.key = args
	default:
		c.set.key = fds
	}
	c.set.text = cmd.Value
	return r.create(c, cmd.Name, &c.set)
}

// AutoUp is service.auto_up.
func (r *Registry) AutoUp(c *Call, cmd *protocol.Command) protocol.Error {
	c.autoUp.keep, c.autoUp.interval = cmd.KeepInterval, cmd.Interval
	c.autoUp.triggers, c.autoUp.text = cmd.Triggers, cmd.Value
	return r.create(c, cmd.Name, &c.autoUp)
}

// Start is service.start.
func (r *Registry) Start(c *Call, cmd *protocol.Command) protocol.Error {
	c.start.when, c.start.time = cmd.When, cmd.Time
	return r.ask(c, cmd.Name, &c.start)
}

// Signal is service.signal.
func (r *Registry) Signal(c *Call, cmd *protocol.Command) protocol.Error {
	c.signal.signal, c.signal.group = cmd.Signal, cmd.Group
	err := r.ask(c, cmd.Name, &c.signal)
	err.Arg = cmd.Name
	return err
}

// Delete is service.delete.
func (r *Registry) Delete(c *Call, cmd *protocol.Command) protocol.Error {
	return r.ask(c, cmd.Name, &c.remove)
}

// BeginDump sets the requester's dump to the first service.
func (r *Registry) BeginDump(c *Call) {
	c.name, c.line = c.nameRoom[:0], 0
}

// Dump offers lines of a statedump while the outbox has room and reports
// whether all services were shown. It goes on where it stopped, by name and
// line, whatever was created or deleted meanwhile.
func (r *Registry) Dump(c *Call, outbox *actor.Outbox) (done bool) {
	for {
		a, serial := r.walk(c)
		if a == nil {
			return true
		}
		c.describe.outbox, c.describe.line = outbox, c.line
		answer := c.send(a, serial, &c.describe)
		switch {
		case answer.gone:
			continue // it was deleted: by now it is out of the index
		case answer.err.Code == protocol.Internal:
			c.describe.line = describedLines
		}
		if c.line = c.describe.line; c.line < describedLines {
			return false
		}
	}
}

// walk returns the service at the dump's place, or the one after it if all its
// lines were shown or it is no more, and moves the place there.
func (r *Registry) walk(c *Call) (a *Actor, serial uint32) {
	r.mu.Lock()
	defer r.mu.Unlock()
	place, found := r.find(c.name)
	if found && c.line == describedLines {
		place++
	}
	if !found || c.line == describedLines {
		c.line = 0
	}
	if place == len(r.byName) {
		return nil, 0
	}
	a = r.byName[place]
	c.name = append(c.nameRoom[:0], a.name...)
	return a, a.serial
}

// Arrived offers the arrival of a signal to the services that it triggers.
func (r *Registry) Arrived(s protocol.Signal) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, a := range r.byName {
		if a.mask.Load()>>(s-1)&1 != 0 {
			a.mailbox.Put(&a.offers.triggered.Envelope)
		}
	}
}

// Stop ends the goroutines of all slots. Nothing may be asked afterwards.
func (r *Registry) Stop() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, slots := range [][]*Actor{r.byName, r.free} {
		for _, a := range slots {
			a.mailbox.Put(&a.stop.Envelope)
		}
	}
	r.byName, r.free = nil, nil
}
