package handle

import (
	"sync"
	"sync/atomic"

	"daemonproxy/actor"
	"daemonproxy/controller/protocol"
)

// slot is the actor behind a named handle, or parked. All fields but number
// and those of the registry belong to its goroutine.
type slot struct {
	mailbox actor.Mailbox[message]
	bus     *actor.Bus
	limit   int           // bytes of description that are kept; 0 = all
	ended   chan struct{} // closed when the goroutine is

	live       bool
	generation uint64
	nameLen    int
	name       [protocol.MaxName]byte
	state      protocol.FDState // Desc is in room
	room       []byte
	pipe       uint64 // 0 = not an end of a pipe, or its other end is gone
	descriptor *Descriptor

	// number is the descriptor's number, -1 if there is none, for the path
	// that must not ask: KeepOpen.
	number atomic.Int64

	// Of the registry, under names:
	next     *slot // all slots, the youngest first; never changes
	parked   *slot // the next parked one
	assigned uint64
}

const (
	unknownDesc = "unknown"
	peerGone    = "?"
	cutMark     = "..."
)

// newSlot makes a slot; one of a pool has a room for its description and says
// when it is ready.
func newSlot(bus *actor.Bus, limit int, room []byte, ready *sync.WaitGroup) *slot {
	s := &slot{bus: bus, limit: limit, room: room, ended: make(chan struct{})}
	s.number.Store(-1)
	s.mailbox.Init()
	go s.run(ready)
	return s
}

// ask has the slot carry out a request about the handle that it held in the
// given generation, and returns once that is answered.
func (s *slot) ask(m message, generation uint64) outcome {
	r := m.head()
	r.generation, r.outcome = generation, done
	s.mailbox.Put(&r.Envelope)
	r.reply.Wait()
	return r.outcome
}

func (s *slot) run(ready *sync.WaitGroup) {
	if ready != nil {
		actor.GrowStack()
		ready.Done()
	}
	for !s.serve() {
	}
	close(s.ended)
}

// serve handles requests until it is told to stop. It also returns, with false,
// after a panic, whose step is abandoned.
func (s *slot) serve() (stopped bool) {
	var m message
	defer func() {
		if v := recover(); v != nil {
			actor.Panicked(v)
			r := m.head()
			r.outcome = panicked
			r.reply.Done()
		}
	}()
	for {
		m = s.mailbox.Take()
		r := m.head()
		stopped = s.handle(m, r)
		r.reply.Done()
		if stopped {
			return true
		}
	}
}

func (s *slot) handle(m message, r *request) (stopped bool) {
	switch m := m.(type) {
	case *install:
		s.installed(m)
		return false
	case *stop:
		s.letGo()
		return true
	}
	if !s.live || s.generation != r.generation {
		r.outcome = gone
		return false
	}
	switch m := m.(type) {
	case *remove:
		s.removed(m)
	case *peerLost:
		s.losePeer(m)
	case *show:
		s.shown(m)
	case *lend:
		s.descriptor.Retain()
		m.descriptor = s.descriptor
	case *swap:
		s.descriptor, m.descriptor = m.descriptor, s.descriptor
		s.number.Store(int64(s.descriptor.fd))
	default:
		panic("handle: unknown message")
	}
	return false
}

func (s *slot) installed(m *install) {
	if m.fresh {
		s.nameLen = copy(s.name[:], m.name)
		s.generation, s.live = m.generation, true
		m.former.descriptor, m.former.pipe = nil, 0
	} else {
		s.part(&m.former)
	}
	s.descriptor, m.descriptor = m.descriptor, nil
	s.number.Store(int64(s.descriptor.fd))
	s.state, s.pipe = m.state, m.pipe
	s.describe(m.state.Desc)
	if !m.silent {
		s.publishState()
	}
}

func (s *slot) removed(m *remove) {
	s.part(&m.former)
	s.live, s.pipe = false, 0
	line := actor.NewLine()
	defer line.Free()
	line.B = protocol.AppendFDDeleted(line.B, s.name[:s.nameLen])
	s.bus.Publish(line.B)
}

// losePeer ignores a pipe that this handle is no end of: fd.pipe replaced both
// of its ends.
func (s *slot) losePeer(m *peerLost) {
	if m.pipe != s.pipe {
		return
	}
	s.pipe = 0
	s.room = append(s.room[:0], peerGone...)
	s.state.Desc = s.room
	s.publishState()
}

func (s *slot) shown(m *show) {
	line := actor.NewLine()
	defer line.Free()
	s.bus.Tell(m.out, s.append(line.B))
}

// part gives up the descriptor and the other end of the pipe.
func (s *slot) part(f *former) {
	f.descriptor, f.pipe = s.descriptor, s.pipe
	if s.pipe != 0 {
		f.peerLen = copy(f.peer[:], s.state.Desc)
	}
	s.number.Store(-1)
	s.descriptor = nil
}

func (s *slot) letGo() {
	if s.live {
		s.number.Store(-1)
		s.descriptor.Release()
		s.live = false
	}
}

// describe keeps a copy of the description, cut if there is a limit.
func (s *slot) describe(desc []byte) {
	if s.limit > 0 && len(desc) > s.limit {
		s.room = append(s.room[:0], desc[:s.limit]...)
		s.room = append(s.room, cutMark...)
	} else {
		s.room = append(s.room[:0], desc...)
	}
	s.state.Desc = s.room
}

func (s *slot) publishState() {
	line := actor.NewLine()
	defer line.Free()
	s.bus.Publish(s.append(line.B))
}

func (s *slot) append(b []byte) []byte {
	return protocol.AppendFDState(b, s.name[:s.nameLen], &s.state)
}
