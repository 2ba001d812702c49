// Package controller holds the connections: what reads commands, sends events,
// or both. A connection is a goroutine in a slot (Conn) that owns its input and
// works through it one command at a time; only its outbox is offered lines by
// others. The slots (Table) are all made at start. The control socket is an
// actor of its own (Socket) that fills slots with clients.
//
// A slot is filled by whoever reserved it: cmd for the interactive and the
// config controller, the control socket for clients, a service for itself. Until
// that calls begin, the slot is theirs alone.
package controller
