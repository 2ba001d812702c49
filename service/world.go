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

// Places takes what a Loan lends, in order.
type Places interface {
	Place(fd int)  // -1: closed
	PlaceControl() // one of control.socket, control.event, control.cmd
}

// Controls gives services that use a control.* handle a connection of their
// own.
type Controls interface {
	// Reserve takes a free connection and makes its socketpair. If that fails,
	// control is nil and the reason was logged.
	Reserve(events, commands bool) (control Control, child int)
}

// Control is a reserved connection. Either Abort is called, or Commit and then
// Begin.
type Control interface {
	// Commit closes the child's end; from then on the connection gets every
	// event.
	Commit()
	// Begin lets it obey commands.
	Begin()
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
	return owner.(reaper.Owner), birth, true
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
