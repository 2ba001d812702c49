//go:build !(mips || mipsle || mips64 || mips64le)

package protocol

import "syscall"

// MIPS has no such signal.
func init() { signalNames[syscall.SIGSTKFLT] = "SIGSTKFLT" }
