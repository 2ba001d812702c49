package actor

import (
	"math"
	"sync/atomic"
)

// A system call that lasts keeps its thread, and the runtime has another one go on with all else. If none is idle
// it makes one, and if the system refuses that, it ends the program. So calls that may last for ever are counted, and
// one idle thread is kept for those that take a moment.
var (
	lasting atomic.Int32
	threads atomic.Int32 // for them
	idle    func(n int) bool
)

func init() { threads.Store(math.MaxInt32) }

// KeepIdle has n threads idle from now on, and more as they are needed. makeIdle sees to it that so many are, or
// returns false if the system refuses one. Before, there is no bound.
func KeepIdle(n int, makeIdle func(n int) bool) {
	idle = makeIdle
	now := lasting.Load()
	// Who is to be in a call may be on the way there, with a thread that seems idle.
	if n > 0 && idle(n+int(now)) {
		now += int32(n)
	}
	threads.Store(now)
}

// Lasts comes before a system call that may last for ever, and Over after it.
func Lasts() { MayLast() }

// MayLast is Lasts for a call that can be left undone, if it returns false: no thread can be had for it. Over comes
// all the same.
func MayLast() bool {
	n := lasting.Add(1)
	if n < threads.Load() {
		return true
	}
	if !idle(2) { // for the call, and for those that take a moment
		return false
	}
	threads.Store(n + 1)
	return true
}

// Over ends Lasts.
func Over() { lasting.Add(-1) }
