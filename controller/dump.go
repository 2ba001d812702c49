package controller

import (
	"daemonproxy/actor"
	"daemonproxy/controller/protocol"
)

// statedump offers one line after the other, each only when there is room for
// it. The lines are offered by the actors that own what they show.
func statedump(c *Conn, _ *protocol.Command) (ok protocol.Error) {
	if c.dumpHandles() && c.dumpServices() {
		c.dumpSignals()
	}
	return ok
}

func (c *Conn) dumpHandles() bool {
	var after []byte
	for more := true; more; {
		if !c.awaitRoom(true) {
			return false
		}
		after, more = c.world.Handles.Dump(c.handles, after, &c.outbox)
	}
	return true
}

func (c *Conn) dumpServices() bool {
	c.world.Services.BeginDump(c.services)
	for c.awaitRoom(true) {
		if c.world.Services.Dump(c.services, &c.outbox) {
			return true
		}
	}
	return false
}

// dumpSignals repeats the uncleared signals. The connection delivers the live
// ones as well, so none can come out of order.
func (c *Conn) dumpSignals() {
	for after := int64(0); c.awaitRoom(true); {
		next, ok := c.world.Ledger.Next(after, true)
		if !ok {
			return
		}
		after = next.At
		l := actor.NewLine()
		l.B = protocol.AppendSignal(l.B, next.Signal, next.At/actor.Second, next.Count)
		c.send(l)
	}
}
