// Package actor is the runtime that everything in the daemon is made of, and
// knows nothing of this program: mailboxes, the event bus with its outboxes,
// the clock, and the poller.
//
// # Rules of the actors
//
//  1. State has one owner. No field of an actor is read or written by another
//     goroutine. Indexes (name to actor, tables of slots) are not behaviour: they
//     are sorted slices under a mutex, which gives the ordered walk that a
//     statedump needs and never waits for an actor.
//  2. Waiting goes down the import order only: a connection waits for a
//     service or a handle, a service for the reaper. What goes up is an offer: a
//     message that its receiver owns, put into its mailbox at most once at a
//     time. So no mailbox can be full, no cycle of waits can form, and nothing
//     that was offered is lost.
//  3. Every request gets exactly one reply. An actor that ends a service or a
//     handle goes back into its pool and lives on, so that it can answer a late
//     request with "gone".
//  4. A connection has one command in flight. Its messages are lent to the
//     target until the reply, so they are reused and may hold slices of the
//     connection's own buffer. A command that must wait for the world (opening
//     a FIFO) waits in the connection's goroutine, before any actor is involved.
//  5. What a command changes directly is published before its reply. The start
//     of a service is direct; that it is up is not, since an exec may take long.
//  6. A line of a statedump goes through the same outbox as events, offered by
//     the actor that owns the state, so that a dump can neither overtake a newer
//     event of the same object nor be overtaken by it.
//  7. A slow or dead controller costs nobody else anything: see Outbox.
//  8. A panic in an actor is caught at the top of its loop and takes the fatal
//     path, which sends no messages and takes no locks of actors.
//  9. terminate closes a gate that each connection passes before it begins a
//     command.
//
// # Concurrency properties
//
// Put, Offer, Publish, Clock.Set and Poller.Add may be called from any
// goroutine and never wait for an actor or a descriptor. Lines that one
// goroutine publishes reach every outbox in that order; nothing is said about
// the lines of two goroutines.
package actor
