package actor

import "syscall"

// Block makes a system call that may last for ever. The runtime is told so at once: by itself it would find out only
// when its monitor looks, some 100 µs later, and all other goroutines would wait for that, since one at a time runs.
//
//go:nosplit
//go:norace
func Block(trap, a1, a2, a3, a4 uintptr) (r1 uintptr, errno syscall.Errno) {
	entersyscallblock()
	r1, _, errno = syscall.RawSyscall6(trap, a1, a2, a3, a4, 0, 0)
	exitsyscall()
	return
}
