package service

import (
	"daemonproxy/actor/reaper"
	"daemonproxy/service/spawn"
)

// Descriptors lends the descriptors of named handles to starts.
type Descriptors interface{ NewLoan() Loan }

// Loan is a set of descriptors lent to one start at a time.
type Loan interface {
	// Borrow calls into for each name of a TAB separated list, in one step as
	// far as changes of handles are concerned. It reports false if a name is
	// missing; the log says which.
	Borrow(names []byte, into Places) bool
	// Return gives back what was borrowed.
	Return()
}

// Places takes what a Loan lends, in order. It is an alias so that a package
// that knows nothing of services can lend to them: between two named types of
// interface, each call would go through a cache that the runtime makes on the
// heap.
type Places = interface {
	Place(fd int)  // -1: closed
	PlaceControl() // one of control.socket, control.event, control.cmd
}

// Controls gives services that use a control.* handle a connection of their
// own.
type Controls interface {
	// Reserve takes a free connection and makes its socketpair. If that fails,
	// control is nil; the reason was logged, or there will be one soon.
	Reserve(events, commands bool) (control Control, child int, soon bool)
}

// Control is a reserved connection. Either method is called, once; both close
// the child's end.
type Control interface {
	// Commit brings the connection to life: from then on it gets every event,
	// after the given line, and obeys commands.
	Commit(up []byte)
	Abort()
}

// births lets the reaper look into the spawners.
type births struct{ spawners *spawn.Pool }

// Births returns the births that the spawners have under way.
func Births(spawners *spawn.Pool) reaper.Births { return births{spawners} }

func (b births) Born(pid int) (reaper.Owner, reaper.Birth, bool) {
	owner, birth, ok := b.spawners.Born(pid)
	if !ok {
		return nil, nil, false
	}
	return owner.(*Actor), birth, true
}

// beginnings is what one spawner's start needs besides the spawner.
type beginnings struct {
	loan    Loan
	spawner *spawn.Spawner
	control Control
	child   int // the child's end of control
}

// Place and PlaceControl take what the loan lends.
func (b *beginnings) Place(fd int)  { b.spawner.AddFD(fd) }
func (b *beginnings) PlaceControl() { b.spawner.AddFD(b.child) }
