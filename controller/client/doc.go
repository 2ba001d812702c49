// Package client is daemonproxy seen by a controller in Go: commands with their answers, typed events, and a mirror of
// the state that follows them.
//
// # Connections
//
// [Dial] connects to the control socket, [DialAgain] does so again whenever the connection breaks, [Stdio] is for a
// controller that daemonproxy runs as a service, and [New] takes any pair of streams. All return once the state is
// mirrored, or when their context ends.
//
// # Commands
//
// [Client.Do] sends one command and waits for its end. The wire has no such thing: its lines are events and errors,
// and neither says which command it belongs to. But the answer to an echo comes after everything that the commands
// before it caused. So each command travels between two echos of ours, and what comes between their answers is the
// command's. If daemonproxy had to drop lines (overflow), the end of a command may be known without its answer; that
// is [ErrLost], and never a wrong answer.
//
// # Events and state
//
// [Client.State] and [Client.Service] show what daemonproxy has; [Client.Wait] waits until that is as one wants it;
// [Client.Events] tells it as it changes, beginning with how it is. After an overflow, and on a new connection, the
// client asks for a statedump by itself. Until it is complete the mirror shows what is known so far, and no Wait
// looks at it. What has vanished meanwhile is taken out of the mirror; a loop over Events is told everything anew.
// signal.clear has no event, so State.Signals may show a count that another controller has cleared.
//
// # Concurrency
//
// Everything may be called from any goroutine. One goroutine per connection reads and one writes; neither waits for
// a consumer of events, so slow ones lose their own events and nothing else. A call waits for daemonproxy no longer
// than its context allows. Close ends all goroutines.
//
// Like the daemon's own packages this one does without fmt, net, reflect and encoding/json.
package client
