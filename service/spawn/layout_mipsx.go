//go:build mips || mipsle || mips64 || mips64le

package spawn

const (
	actionHandler = 1 // the flags come first, in a word of their own
	sigsetSize    = 16
	lastSignal    = 128
)
