package service

import (
	"daemonproxy/actor/logger"

	"golang.org/x/sys/unix"
)

// Settling is how an entrypoint ends the services before itself: it lets none
// start any more (mainthread.Duties.CloseStarts), and then tells all of them,
// each of which does its own part on its own goroutine.

// Who has a service's process in hand, as far as an end has to wait for it.
const (
	idle   int32 = iota // nobody's: there is none
	begins              // a spawner's
	runs                // the reaper's
	slain               // the kernel's, which was told to kill it
)

// lives notes in whose hands the process is.
func (a *Actor) lives(how int32) {
	a.life.Store(how)
	if how == idle || how == slain {
		a.registry.left()
	}
}

// left offers the news that there may be one less to wait for.
func (r *Registry) left() {
	if r.gone != nil && !r.world.Duties.Starts() {
		r.gone()
	}
}

// Alive returns how many services run, and how many others have not settled yet,
// or have a process that is only being begun, or that was killed and not reaped.
func (r *Registry) Alive() (running, others int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, a := range r.byName {
		switch life := a.life.Load(); {
		case life == runs:
			running++
		case life != idle || a.unsettled.Load():
			others++
		}
	}
	return running, others
}

// Settle has every service cancel a start and tell its process to end.
func (r *Registry) Settle() {
	r.mu.Lock()
	for _, a := range r.byName {
		a.unsettled.Store(true)
	}
	r.mu.Unlock()
	r.tell(func(o *offers) *offer { return &o.settle })
}

// Remind has every service that runs say in the log that it is waited for.
func (r *Registry) Remind() { r.tell(func(o *offers) *offer { return &o.remind }) }

// Slay has every service kill its process, as soon as it runs.
func (r *Registry) Slay() {
	r.slaying.Store(true)
	r.tell(func(o *offers) *offer { return &o.slay })
}

// tell makes an offer to all services, in the order of their names.
func (r *Registry) tell(which func(*offers) *offer) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, a := range r.byName {
		a.mailbox.Put(&which(&a.offers).Envelope)
	}
}

// settled is what settle does when all were told. Only then is the news of a
// cancelled start out.
func (a *Actor) settled() {
	a.settle()
	a.unsettled.Store(false)
	a.registry.left()
}

// settle tells the process to end, once. One that is being begun is told when it
// runs.
func (a *Actor) settle() {
	switch a.state.phase {
	case waiting, queued:
		a.cancel()
	case up:
		if !a.tried {
			a.tried = true
			_ = a.send(unix.SIGTERM, false) // else it has ended already
		}
	}
}

func (a *Actor) remind() {
	if a.state.phase == up && a.life.Load() == runs {
		a.world.Log.Entry(logger.Info).Str("waiting for service '").Bytes(a.name).
			Str("' running as pid ").Int(int64(a.state.pid)).Send()
	}
}

// slay kills the process. It is not listed among those that the daemon leaves
// behind.
func (a *Actor) slay() {
	if a.state.phase != up || a.life.Load() != runs {
		return
	}
	switch a.send(unix.SIGKILL, false) {
	case nil:
	case unix.ESRCH: // it has ended, and its exit is on its way
		return
	default: // it has become somebody else's, and is left behind
		a.lives(slain)
		return
	}
	a.world.Log.Entry(logger.Warning).Str("killed service '").Bytes(a.name).
		Str("' running as pid ").Int(int64(a.state.pid)).Send()
	a.running.Ended()
	a.lives(slain)
}
