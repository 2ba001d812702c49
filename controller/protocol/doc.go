// Package protocol is the wire: it turns bytes into lines, lines into typed
// commands, and states into event lines, and it knows every name, limit and
// error text of that language. It starts no goroutine, does no I/O, keeps no
// state of its own, and allocates nothing: encoders append to the caller's
// buffer, commands are slices of the caller's line. So every function may be
// called from any goroutine; a value (an Input, a Command) belongs to the one
// goroutine that uses it.
//
// # The language
//
// A command or an event is one line, its fields are separated by single TABs,
// and there is no quoting. An empty field is a field; a field is missing only
// if no further TAB exists. Every byte but NUL, TAB and LF passes through.
//
// # From bytes to commands
//
// A connection reads into [Input.Space], tells [Input.Filled], and takes lines
// with [Input.Next]. [Parse] checks a line as far as that is possible without
// knowing what exists, and leaves the first error in [Command.Err]. What the
// caller has to check, in the order that clients rely on:
//
//   - Unknown verb: Err is UnknownCommand, with the first field.
//   - fd.take: whether a descriptor is queued (NothingQueued); it is consumed
//     before anything else is looked at.
//   - Commands of services: if Named is set, whether the service exists
//     (NoSuchService) or can be created (ServicePoolFull); this ranks before
//     Err.
//   - Err.
//   - Everything that depends on state: NoSuchFD, GuardIncorrect, and so on.
//
// # From states to events
//
// The Append functions in events.go each append one whole line with its LF.
// No line exceeds [MaxEvent] as long as its texts came from a command line.
package protocol
