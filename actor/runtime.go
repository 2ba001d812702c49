package actor

import _ "unsafe" // for go:linkname

// What the daemon asks of the Go runtime, by the names under which the runtime gives it to
// packages of the standard library. By way of those (os, os/signal, runtime/debug) the
// program would be 85 kB larger, with 200 kB more resident.

// Arguments returns what the program was started with, its own name first.
//
//go:linkname Arguments os.runtime_args
func Arguments() []string

// Environ returns the environment that the program was started with, as it was. That of package syscall leaves out
// what is there twice, and makes a map of it.
//
//go:linkname Environ syscall.runtime_envs
func Environ() []string

// SetGCPercent is that of runtime/debug: less than 0 turns the collector off, unless
// there is a memory limit.
//
//go:linkname SetGCPercent runtime/debug.setGCPercent
func SetGCPercent(percent int32) int32

// SetMemoryLimit is that of runtime/debug.
//
//go:linkname SetMemoryLimit runtime/debug.setMemoryLimit
func SetMemoryLimit(bytes int64) int64

// SetMaxStack is that of runtime/debug.
//
//go:linkname SetMaxStack runtime/debug.setMaxStack
func SetMaxStack(bytes int) int

// SetTraceback is that of runtime/debug.
//
//go:linkname SetTraceback runtime/debug.SetTraceback
func SetTraceback(level string)

// The descriptors that the runtime's own poller watches, with 'r' as mode: the goroutine
// waits, not a thread. A descriptor is known to it by a number.

//go:linkname pollInit internal/poll.runtime_pollServerInit
func pollInit()

//go:linkname pollOpen internal/poll.runtime_pollOpen
func pollOpen(fd uintptr) (desc uintptr, errno int)

// pollReset comes before the first pollWait. Both return 0, or 1 once pollUnblock was called.
//
//go:linkname pollReset internal/poll.runtime_pollReset
func pollReset(desc uintptr, mode int) int

//go:linkname pollWait internal/poll.runtime_pollWait
func pollWait(desc uintptr, mode int) int

//go:linkname pollUnblock internal/poll.runtime_pollUnblock
func pollUnblock(desc uintptr)

//go:linkname pollClose internal/poll.runtime_pollClose
func pollClose(desc uintptr)

// Block is by these.

//go:linkname entersyscallblock runtime.entersyscallblock
func entersyscallblock()

//go:linkname exitsyscall runtime.exitsyscall
func exitsyscall()
