// Package handle owns the named handles: records of one descriptor each (or of
// none) under a name, with a type, flags and a description.
//
// Every handle is an actor in a slot. The slot alone knows the handle's state,
// announces it on the bus and offers its line of a statedump. When the handle
// is deleted, its slot is parked, goroutine and all, until another name needs
// one; a slot counts its generations, so that a late question about the former
// handle is answered with "gone". Handles wait for nobody.
//
// The Registry finds the slot of a name. Its methods run on the goroutine of
// the caller, a connection or a service, and wait for slots only. Two locks:
//
//   - names guards the index and the count of places. It is held for a search
//     or an insertion, never over a system call or a wait.
//   - change makes one step of everything that alters which descriptor a name
//     stands for, and of everything that must see several names at one moment
//     (a service's start, the log's destination). Its holder waits for slots,
//     which take no lock but those of outboxes, so no cycle can form. System
//     calls that make a descriptor come before it and the close of a replaced
//     one after it, since both may block: then only the requester waits.
//
// Descriptors are counted. Who borrowed one, a starting service or the log,
// may use it after its handle is gone; it is closed by whoever returns it last.
//
// Order: what is announced about one name comes in the order in which it
// happened, also across deletion and new creation, as change is held until the
// slot has published. A command's own events come first, then the fd.state of
// a peer that lost its other end.
package handle
