package spawn

import (
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// labour is the time from before the fork until its pid is in the Birth, for a
// spawner that is told the pid later than others may meet it: the applet's. By
// clone no Birth is ever under way. Guarded by pool.mu.
type labour struct {
	under bool
	turn  uint // counts the labours of this Birth
}

// expect comes before the fork.
func (b *Birth) expect() {
	b.pool.mu.Lock()
	b.under = true
	b.turn++
	b.pool.mu.Unlock()
}

// settle comes after the fork; pid is 0 if there is no child.
func (b *Birth) settle(pid int) {
	b.pool.mu.Lock()
	atomic.StoreInt32(&b.pid, int32(pid))
	b.under = false
	b.pool.births.Broadcast()
	b.pool.mu.Unlock()
}

// awaitBirths waits, for a pid that was reaped and that nobody knows, until the
// births are settled that are under way now: those that begin later have nothing
// to do with it. It returns true if one of them may be that child's. It is called
// with p.mu held.
func (p *Pool) awaitBirths(pid int) bool {
	var turns [Spawners]uint
	waited := false
	for i := range p.spawners {
		if b := &p.spawners[i].birth; b.under {
			turns[i] = b.turn
		}
	}
	for i := range p.spawners {
		for b := &p.spawners[i].birth; turns[i] != 0 && b.under && b.turn == turns[i]; {
			waited = true
			p.births.Wait()
		}
	}
	// The number of an orphan that was reaped may have gone to a new child
	// meanwhile, which is there, be it dead or alive.
	return waited && !exists(pid)
}

// exists tells whether a child of ours has this pid, be it dead.
func exists(pid int) bool {
	for {
		err := unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOHANG|unix.WNOWAIT, nil)
		if err != unix.EINTR {
			return err == nil
		}
	}
}
