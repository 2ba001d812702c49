package controller

import (
	"daemonproxy/controller/protocol"
)

// statedump offers one line after the other, each only when there is room for
// it. The lines are offered by the actors that own what they show.
func statedump(c *Conn, _ *protocol.Command) (ok protocol.Error) {
	c.dumpBegan = c.outbox.Overflows()
	if c.dumpHandles() && c.dumpServices() {
		c.dumpSignals()
	}
	return ok
}

// dumpRoom waits for room for the next lines. It reports false if the dump is to
// be abandoned, since lines were lost meanwhile.
func (c *Conn) dumpRoom() bool {
	return c.awaitRoom(true) && c.outbox.Overflows() == c.dumpBegan
}

func (c *Conn) dumpHandles() bool {
	var after []byte
	for more := true; more; {
		if !c.dumpRoom() {
			return false
		}
		after, more = c.world.Handles.Dump(c.handles, after, &c.outbox)
	}
	return true
}

func (c *Conn) dumpServices() bool {
	c.world.Services.BeginDump(c.services)
	for c.dumpRoom() {
		if c.world.Services.Dump(c.services, &c.outbox) {
			return true
		}
	}
	return false
}

// dumpSignals repeats the uncleared signals. The connection delivers the live
// ones as well, so none can come out of order.
func (c *Conn) dumpSignals() {
	for after := int64(0); c.dumpRoom(); {
		next, ok := c.world.Ledger.Next(after, true)
		if !ok {
			return
		}
		after = next.At
		c.sendSignal(next)
	}
}
