package service

import (
	"sync"
	"sync/atomic"

	"daemonproxy/actor"
	"daemonproxy/actor/mainthread"
	"daemonproxy/actor/reaper"
	"daemonproxy/controller/protocol"
	"daemonproxy/service/spawn"
)

// Actor is one slot for a service: a goroutine that owns its state. What other
// goroutines may touch is said beside the fields.
type Actor struct {
	registry *Registry
	world    *World
	mailbox  actor.Mailbox[message]
	offers   offers
	stop     offer

	name     []byte // written by the registry before the first message
	nameRoom [protocol.MaxName]byte
	mask     atomic.Uint64 // signals that trigger it; read by the registry
	serial   uint32        // of the service in this slot; the registry's lock

	exists   bool // it has been given a value, so clients know of it
	values   values
	triggers protocol.Triggers
	interval int64
	state    state
	alarm    actor.Alarm
	running  mainthread.Entry

	// ticket is queued for a spawner, or a grant or refusal is under way, while
	// acquiring; this outlives the service that asked.
	ticket        spawn.Ticket
	acquiring     bool
	postponements int32          // in a row, for want of a connection
	held          *request       // requests to be answered when that is over
	spawner       *spawn.Spawner // the offer granted or begun brings it
	exit          reaper.Exit    // the offer exited brings it

	// In whose hands the process is, for the registry: see settling.go.
	life      atomic.Int32
	unsettled atomic.Bool
	tried     bool // it was told to end

	stopSignal atomic.Int32 // the last one that stopped the process

	adopt reaper.Adopt
	kill  reaper.Kill
}

// newActor makes a slot; room is for its texts, and more is allocated if there
// is no limit to them. One of a pool says when it is ready.
func newActor(r *Registry, room []byte, ready *sync.WaitGroup) *Actor {
	a := &Actor{registry: r, world: r.world}
	a.values.limit, a.values.buffer = r.valueLimit, room
	a.mailbox.Init()
	a.offers.init()
	a.stop.Bind(&a.stop)
	a.alarm.Ringer = a
	a.ticket.Waiter = a
	reply := actor.NewReply()
	a.adopt.Init(reply)
	a.kill.Init(reply)
	a.world.Duties.Running.Add(&a.running)
	go a.run(ready)
	return a
}

func (a *Actor) run(ready *sync.WaitGroup) {
	if ready != nil {
		actor.GrowStack()
		ready.Done()
	}
	for {
		m := a.mailbox.Take()
		if m == &a.stop {
			a.world.Clock.Stop(&a.alarm)
			a.releaseHeld()
			return
		}
		a.step(m)
	}
}

// step lets the message act. A request is answered whatever happens.
func (a *Actor) step(m message) {
	r := m.call()
	defer a.answer(r)
	if r != nil && r.serial != a.serial {
		r.gone = true
		return
	}
	m.apply(a)
	a.checkMain()
}

func (a *Actor) answer(r *request) {
	if v := recover(); v != nil {
		actor.Panicked(v)
		if r != nil {
			r.err = protocol.Error{Code: protocol.Internal}
		}
	}
	if r != nil && !a.hold(r) {
		r.reply.Done()
	}
	if !a.queues() {
		a.releaseHeld()
	}
}

// queues tells whether the service waits for a spawner.
func (a *Actor) queues() bool { return a.acquiring && a.state.phase == queued }

// hold keeps a request that has caused a start, until the service has taken what
// that start needs or the start is off. So no later command of the requester can
// change the values or delete the descriptors that the start was to have. The
// wait is for a spawner: for the starts before this one, and when all of them hang the
// start is refused. A start that is postponed for want of a connection is not waited
// for: the requester's own may be the one that is about to be free.
func (a *Actor) hold(r *request) bool {
	if !r.starts || r.gone || r.err.Code != protocol.OK || !a.queues() {
		return false
	}
	r.held, a.held = a.held, r
	return true
}

func (a *Actor) releaseHeld() {
	for a.held != nil {
		r := a.held
		a.held, r.held = r.held, nil
		r.reply.Done()
	}
}

// The offers. Each is put by another goroutine: the clock, the registry, the
// spawners and the reaper.

// Ring says that the due time has come.
func (a *Actor) Ring() { a.mailbox.Put(&a.offers.rang.Envelope) }

// Granted says that s is this service's, to be filled.
func (a *Actor) Granted(s *spawn.Spawner) {
	a.spawner = s
	a.mailbox.Put(&a.offers.granted.Envelope)
}

// Refused says that there is no spawner, since too many programs hang.
func (a *Actor) Refused() { a.mailbox.Put(&a.offers.refused.Envelope) }

// Begun says that the spawner has forked and exec has succeeded or failed.
func (a *Actor) Begun(*spawn.Spawner) { a.mailbox.Put(&a.offers.begun.Envelope) }

// Exited says that the process was reaped.
func (a *Actor) Exited(exit reaper.Exit) {
	a.exit = exit
	a.mailbox.Put(&a.offers.exited.Envelope)
}

// condition tells whether the service is to be started by itself.
func (a *Actor) condition() bool {
	return a.triggers.Always || a.triggers.Mask&a.world.Ledger.Pending() != 0
}

// schedule announces a start that was just set and sees to it.
func (a *Actor) schedule() {
	a.announce()
	if a.state.due > a.world.Clock.Now() {
		a.withdraw()
		a.world.Clock.Set(&a.alarm, a.state.due)
		return
	}
	a.world.Clock.Stop(&a.alarm)
	a.rang()
}

func (a *Actor) withdraw() {
	if a.acquiring && a.world.Spawners.Withdraw(&a.ticket) {
		a.acquiring = false
	}
}

func (a *Actor) rang() {
	if !a.world.Duties.Starts() || !a.state.rang(a.world.Clock.Now()) {
		return
	}
	if !a.acquiring {
		a.acquiring = true
		a.world.Spawners.Acquire(&a.ticket)
	}
}

func (a *Actor) triggered() {
	if a.condition() && a.world.Duties.Starts() && a.state.start(a.world.Clock.Now()) {
		a.schedule()
	}
}

func (a *Actor) exited() {
	if a.state.exited(a.exit) {
		a.ended()
	}
}

// ended follows a run: the news, and the restart if one is due.
func (a *Actor) ended() {
	a.running.Ended()
	if a.isMain() {
		a.mainEnded()
	}
	a.announce()
	a.lives(idle)
	if !a.condition() || !a.world.Duties.Starts() {
		return
	}
	if a.state.start(a.state.restartAt(a.interval, a.world.Clock.Now())) {
		a.schedule()
	}
}

// announce publishes the state.
func (a *Actor) announce() {
	l := actor.NewLine()
	defer l.Free()
	l.B = a.appendState(l.B, true)
	a.world.Bus.Publish(l.B)
}

// appendState appends the line of the state, as an event if it is live and else
// as that of a dump. Its frame is large: nothing is called from it that goes deep,
// or the stack of every running service would be twice as large.
func (a *Actor) appendState(b []byte, live bool) []byte {
	w := a.state.wire(a.world.Clock.Now(), live)
	return protocol.AppendServiceState(b, a.name, &w)
}

// free gives the slot back. The service's name may be another's at once.
func (a *Actor) free() {
	a.withdraw()
	a.world.Clock.Stop(&a.alarm)
	if a.exists && a.isMain() {
		a.registry.main.replaced = true
		a.registry.main.end()
	}
	a.values.clear()
	a.mask.Store(0)
	a.exists, a.triggers, a.interval, a.state = false, protocol.Triggers{}, 0, state{}
	a.registry.release(a)
}
