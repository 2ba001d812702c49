package handle

import (
	"daemonproxy/actor"
	"daemonproxy/actor/logger"
	"daemonproxy/controller/protocol"
)

// Places takes what a loan lends: the descriptors that a service gets, from
// number 0 upward. It is an alias so that it is the same type as that of those
// who borrow.
type Places = interface {
	Place(fd int)  // -1: that number stays closed
	PlaceControl() // one of the control handles, which have no descriptor here
}

// Loan holds the descriptors of one start until that has placed them, and then
// serves another start. It belongs to one goroutine at a time.
type Loan struct {
	registry *Registry
	held     []*Descriptor
	lend     lend
}

// NewLoan makes a loan with room for so many descriptors; it grows if there
// are more.
func (r *Registry) NewLoan(room int) *Loan {
	l := &Loan{registry: r, held: make([]*Descriptor, 0, room)}
	prepare(&l.lend, actor.NewReply())
	return l
}

// Return gives back what was borrowed. A handle that was deleted meanwhile has
// its descriptor closed by this.
func (l *Loan) Return() {
	for i, d := range l.held {
		l.held[i] = nil
		d.Release()
	}
	l.held = l.held[:0]
}

// Borrow tells into, in order, what belongs to each field of a service's TAB
// separated list, and lends the descriptors until Return. All are of one
// moment: no command changes a name in between. It reports false if a handle
// does not exist, which the log then says; its place counts as closed. An empty
// list has no fields.
func (l *Loan) Borrow(list []byte, into Places) bool {
	if len(list) == 0 {
		return true
	}
	l.registry.change.Lock()
	defer l.registry.change.Unlock()
	complete := true
	for rest, more := list, true; more; {
		var name []byte
		name, rest, more = protocol.NextField(rest)
		complete = l.borrow(name, into) && complete
	}
	return complete
}

func (l *Loan) borrow(name []byte, into Places) bool {
	r := l.registry
	switch string(name) {
	case "":
		r.log.Line(logger.Warning, "ignoring zero-length file descriptor name")
		return true
	case "-":
		into.Place(-1)
		return true
	case nameControlCmd, nameControlEvent, nameControlSocket:
		into.PlaceControl()
		return true
	}
	e, ok := r.find(name)
	if !ok || e.slot.ask(&l.lend, e.generation) != done {
		r.log.Entry(logger.Error).Str(`file descriptor "`).Bytes(name).Str(`" does not exist`).Send()
		into.Place(-1)
		return false
	}
	d := l.lend.descriptor
	l.lend.descriptor = nil
	l.held = append(l.held, d)
	into.Place(d.fd)
	return true
}
