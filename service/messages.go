package service

import (
	"daemonproxy/actor"
	"daemonproxy/controller/protocol"
)

// message is what a service takes: requests of connections, and offers that
// the service itself owns.
type message interface {
	apply(*Actor)
	call() *request // nil: an offer, which nobody waits for
}

// request is the part that all requests share. It is lent to the service until
// the reply.
type request struct {
	actor.Envelope[message]
	reply  actor.Reply
	serial uint32 // of the slot when the name was looked up
	gone   bool   // the slot does not hold that service any more
	err    protocol.Error

	starts bool     // the reply waits for a start that is due: see hold
	held   *request // the next of those that wait so
}

func (r *request) call() *request { return r }

// set is service.tags, service.args and service.fds.
type set struct {
	request
	key  key
	text []byte
}

// autoUp is service.auto_up.
type autoUp struct {
	request
	keep     bool // the stored interval
	interval int64
	triggers protocol.Triggers
	text     []byte
}

// start is service.start.
type start struct {
	request
	when protocol.When
	time int64
}

// signal is service.signal.
type signal struct {
	request
	signal protocol.Signal
	group  bool
}

// remove is service.delete.
type remove struct{ request }

// describe is one service's part of a statedump: its lines from the given one
// on, as far as there is room, which moves line.
type describe struct {
	request
	outbox *actor.Outbox
	line   int
}

// offer is a message of the service to itself, put by whoever has news for it.
type offer struct {
	actor.Envelope[message]
	meet func(*Actor)
}

func (o *offer) apply(a *Actor) { o.meet(a) }
func (*offer) call() *request   { return nil }

// offers are all the news that a service can get: each is on its way at most
// once at a time.
type offers struct {
	rang, triggered, granted, refused, begun, exited offer
	forwarded, stopped, continued                    offer // main only
	settle, remind, slay                             offer
}

func (o *offers) init() {
	for _, bind := range []struct {
		offer *offer
		meet  func(*Actor)
	}{
		{&o.rang, (*Actor).rang},
		{&o.triggered, (*Actor).triggered},
		{&o.granted, (*Actor).granted},
		{&o.refused, (*Actor).refused},
		{&o.begun, (*Actor).begun},
		{&o.exited, (*Actor).exited},
		{&o.forwarded, (*Actor).forwarded},
		{&o.stopped, (*Actor).stopped},
		{&o.continued, (*Actor).continued},
		{&o.settle, (*Actor).settled},
		{&o.remind, (*Actor).remind},
		{&o.slay, (*Actor).slay},
	} {
		bind.offer.meet = bind.meet
		bind.offer.Bind(bind.offer)
	}
}

// Call holds a requester's messages, so that a request allocates nothing. A
// requester has one, and one request at a time.
type Call struct {
	reply    actor.Reply
	set      set
	autoUp   autoUp
	start    start
	signal   signal
	remove   remove
	describe describe

	startMain startMain
	// The place of a statedump.
	name     []byte
	line     int
	nameRoom [protocol.MaxName]byte
}

// NewCall returns a Call.
func NewCall() *Call {
	c := &Call{reply: actor.NewReply()}
	c.set.Bind(&c.set)
	c.autoUp.Bind(&c.autoUp)
	c.start.Bind(&c.start)
	c.signal.Bind(&c.signal)
	c.remove.Bind(&c.remove)
	c.describe.Bind(&c.describe)
	c.startMain.Bind(&c.startMain)
	c.start.starts, c.autoUp.starts = true, true
	return c
}

// send hands the request to the slot and waits for the reply.
func (c *Call) send(a *Actor, serial uint32, m message) *request {
	r := m.call()
	r.reply, r.serial, r.gone, r.err = c.reply, serial, false, protocol.Error{}
	a.mailbox.Put(&r.Envelope)
	c.reply.Wait()
	return r
}
