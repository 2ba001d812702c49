package logger

import (
	"sync"
	"time"

	"daemonproxy/actor"
)

// lockTries and lockPause bound the wait for the lock on the fatal path.
const (
	lockTries = 100
	lockPause = time.Millisecond
)

// Flush waits until everything is written, and at most that long. It reports whether nothing is left; without a
// descriptor it does not wait. It may be called while Run is active and after it, by one goroutine at a time.
func (l *Log) Flush(limit time.Duration) bool {
	l.mu.Lock()
	return l.flush(limit) // unlocks
}

// FlushFatal is Flush for the fatal path: should the lock be held by a goroutine that will never let go of it,
// it gives up after a tenth of a second.
func (l *Log) FlushFatal(limit time.Duration) bool {
	return tryLock(&l.mu) && l.flush(limit)
}

func tryLock(mu *sync.Mutex) bool {
	for range lockTries {
		if mu.TryLock() {
			return true
		}
		time.Sleep(lockPause)
	}
	return false
}

// flush is called with the lock held and releases it.
func (l *Log) flush(limit time.Duration) bool {
	if len(l.text) == 0 || l.sink == nil {
		empty := len(l.text) == 0
		l.mu.Unlock()
		return empty
	}
	if l.drained == nil {
		l.drained = make(chan struct{})
	}
	drained, running := l.drained, l.running
	l.mu.Unlock()

	timer, late := actor.NewBell()
	timer.Reset(max(limit-grace, limit/2)) // the rest is for the end of Run
	defer timer.Stop()
	ended := make(chan struct{})
	stop := make(chan struct{})
	if running {
		close(ended)
	} else {
		go func() {
			defer close(ended)
			l.Run(stop)
		}()
	}
	defer func() {
		close(stop)
		<-ended
	}()
	select {
	case <-drained:
	case <-late:
		return false
	}
	// A detached log counts as drained, since there is nothing to wait for.
	if !tryLock(&l.mu) {
		return false
	}
	defer l.mu.Unlock()
	return len(l.text) == 0
}

// tellDrained wakes Flush.
func (l *Log) tellDrained() {
	if l.drained != nil {
		close(l.drained)
		l.drained = nil
	}
}
