package handle

import (
	"daemonproxy/actor"
	"daemonproxy/controller/protocol"
)

// Call is what one requester needs to ask for things: its reply and the
// messages that it lends to slots. A connection has one and uses it for one
// request at a time.
type Call struct {
	install  install
	remove   remove
	peerLost peerLost
	show     show
	lend     lend
	swap     swap

	reserved  int            // places in the pool that wait for this call's handles
	replaced  [2]*Descriptor // to be released once change is free again
	replacedN int
	cursor    [protocol.MaxName]byte
	path      [protocol.MaxLine]byte // with NUL, for system calls
}

// NewCall makes a Call. It needs no clean-up.
func NewCall() *Call {
	c := new(Call)
	reply := actor.NewReply()
	for _, m := range [...]message{&c.install, &c.remove, &c.peerLost, &c.show, &c.lend, &c.swap} {
		prepare(m, reply)
	}
	return c
}

// prepare readies a message for its first request.
func prepare(m message, reply actor.Reply) {
	r := m.head()
	r.Bind(m)
	r.reply = reply
}

// discard remembers a descriptor that was replaced.
func (c *Call) discard(d *Descriptor) {
	if d != nil {
		c.replaced[c.replacedN] = d
		c.replacedN++
	}
}

// keep copies a name to where Dump's caller finds it.
func (c *Call) keep(name []byte) []byte {
	return c.cursor[:copy(c.cursor[:], name)]
}

// cString puts path, with a NUL at its end, where the kernel can read it.
func (c *Call) cString(path []byte) *byte {
	n := copy(c.path[:len(c.path)-1], path)
	c.path[n] = 0
	return &c.path[0]
}
