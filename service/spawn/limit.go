package spawn

import (
	"syscall"

	"daemonproxy/service/spawn/birthright"
)

// BornLimit is the limit on open descriptors that the process was started with,
// before the Go runtime raised it; ok is false if it is not known.
func BornLimit() (limit syscall.Rlimit, ok bool) {
	limit.Cur, limit.Max, ok = birthright.Limit()
	return limit, ok
}
