//go:build !(mips || mipsle || mips64 || mips64le)

package actor

const (
	ActionHandler = 0 // where a Sigaction has its handler
	SigsetSize    = 8 // of the kernel's signal mask, in bytes
)
