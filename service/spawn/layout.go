//go:build !(mips || mipsle || mips64 || mips64le)

package spawn

const (
	actionHandler = 0 // where a sigaction has its handler, in words
	sigsetSize    = 8
	lastSignal    = 64
)
