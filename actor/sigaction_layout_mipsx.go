//go:build mips || mipsle || mips64 || mips64le

package actor

const (
	ActionHandler = 1 // the flags come first, in a word of their own
	SigsetSize    = 16
)
