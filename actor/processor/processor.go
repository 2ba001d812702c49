// Package processor sets how many goroutines of the program run at a time.
//
// What takes long in the daemon is in system calls, for which a thread does not need a
// processor of the runtime's, and what remains is handed from goroutine to goroutine, which
// wakes another thread each time there is an idle one: with 2 (on two cores, one run) a start
// took 1.4 times as long, an exit until its event 1.4 times, a pipelined service.args 2.2 times
// the processor time, fd.pipe 3 times, and the program 260 kB more. Only 300 starts at once
// were faster, by a ninth.
//
// It is done as early as can be: Go initialises packages that are ready in the order of their
// import paths, and this one imports nothing but runtime. The others have cached memory of every
// size in use by the time of main, which goes back to lists that take two pages for each size
// then (58 kB).
package processor

import "runtime"

// Set by hand, the number is not adjusted by the runtime any more, which would stop all goroutines for it now and then.
func init() { runtime.GOMAXPROCS(1) }
