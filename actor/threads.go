package actor

import (
	"sync"
	"sync/atomic"
)

// A system call that lasts keeps its thread, and the runtime has another one go on with all else. If none is idle
// it makes one, and if the system refuses that, it ends the program. So calls that may last for ever are counted, and
// one idle thread is kept for those that take a moment.
var (
	lasting atomic.Int32
	threads atomic.Int32 // for them

	growing sync.Mutex
	idle    func(n int) bool // nil: there are enough
)

// KeepIdle is called before anything that may last. makeIdle sees to it that n threads are idle, or returns false if
// the system refuses that: it looks first, so only what others make between the look and the making can
// still have the runtime refused one.
func KeepIdle(makeIdle func(n int) bool) { idle = makeIdle }

// StockUp makes idle threads for n more calls that last.
func StockUp(n int) {
	growing.Lock()
	defer growing.Unlock()
	now := int(lasting.Load())
	// Who is to be in a call may be on the way there, with a thread that seems idle.
	if idle(n + now) {
		threads.Store(max(threads.Load(), int32(n+now)))
	}
}

// Lasts comes before a system call that may last for ever, and Over after it.
func Lasts() { lasting.Add(1) }

// MayLast is Lasts for a call that can be left undone, if it returns false: no thread can be had for it. Over comes
// all the same.
func MayLast() bool {
	n := lasting.Add(1)
	return idle == nil || n < threads.Load() || grow(n)
}

// grow has threads for n calls that last, and the idle one.
func grow(n int32) bool {
	growing.Lock()
	defer growing.Unlock()
	if n < threads.Load() {
		return true
	}
	if !idle(2) {
		return false
	}
	threads.Store(n + 1)
	return true
}

// Over ends Lasts.
func Over() { lasting.Add(-1) }
