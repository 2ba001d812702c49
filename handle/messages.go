package handle

import (
	"daemonproxy/actor"
	"daemonproxy/controller/protocol"
)

// message is what a slot understands: the types of this file.
type message interface{ head() *request }

// outcome is how a request ended.
type outcome uint8

const (
	done     outcome = iota
	gone             // the handle that was meant is not there any more
	panicked         // the step was abandoned
)

// request is the common part of all messages. It belongs to the slot from ask
// until the reply.
type request struct {
	actor.Envelope[message]
	reply      actor.Reply
	generation uint64 // which of the slot's handles is meant
	outcome    outcome
}

func (r *request) head() *request { return r }

// former tells what a slot parted with.
type former struct {
	descriptor *Descriptor // now the requester's; nil if the slot was parked
	pipe       uint64      // 0, or the pipe whose other end is alone now
	peer       [protocol.MaxName]byte
	peerLen    int
}

// install puts a handle into a parked slot, or a new state into a handle.
type install struct {
	request
	fresh      bool   // the slot is parked
	silent     bool   // no event: nobody listens yet
	name       []byte // if fresh
	state      protocol.FDState
	pipe       uint64      // number of the pipe whose end this is, else 0
	descriptor *Descriptor // the slot's from now on
	former     former      // answer
}

// remove deletes the handle and parks the slot.
type remove struct {
	request
	former former // answer
}

// peerLost says that the other end of a pipe is gone.
type peerLost struct {
	request
	pipe uint64
}

// show has the line of a statedump put into an outbox.
type show struct {
	request
	out *actor.Outbox
}

// lend asks for the descriptor.
type lend struct {
	request
	descriptor *Descriptor // answer, retained
}

// swap exchanges the descriptor and nothing else that is visible.
type swap struct {
	request
	descriptor *Descriptor // the slot's from now on; then the former one
}

// stop ends the slot's goroutine: tests only.
type stop struct{ request }
