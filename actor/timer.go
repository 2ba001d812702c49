package actor

import "time"

// A Timer is a time.Timer of AfterFunc, held by its methods. A record that names that type
// makes the linker keep all that can print a time, a twentieth of the program; and so does
// time.NewTimer.
type Timer struct {
	Reset func(time.Duration) bool
	Stop  func() bool
}

// NewTimer returns a timer that is not set, and calls f on a goroutine of its own.
func NewTimer(f func()) Timer {
	t := time.AfterFunc(time.Hour, f)
	t.Stop()
	return Timer{Reset: t.Reset, Stop: t.Stop}
}

// NewBell returns a timer that is not set, and the channel that it rings. The channel holds
// one token, and may hold one of an earlier time.
func NewBell() (Timer, <-chan struct{}) {
	rung := make(chan struct{}, 1)
	return NewTimer(func() {
		select {
		case rung <- struct{}{}:
		default:
		}
	}), rung
}
