// Package mainthread keeps the duties of the pinned main thread: the guard,
// exec-on-exit, and the end of the program, whether it is ordered or fatal.
//
// The fatal path may run on any goroutine and at any moment, also in the midst
// of an actor's step. So what an end needs (guard, arguments, descriptors to
// keep, running services) stands in atomic tables, and nothing here waits for
// an actor or takes one of its locks.
//
// The runtime's own end is in collapse.go: what lies ready for a signal handler,
// collapse_exec.go: what that does, and lastwords.go: what becomes of the text that
// the runtime prints.
package mainthread
