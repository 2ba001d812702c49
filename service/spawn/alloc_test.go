//go:build linux && !applet && (amd64 || arm64 || arm.6 || riscv64)

package spawn

import (
	"runtime"
	"runtime/debug"
	"syscall"
	"testing"
)

// Pool mode promises that nothing is allocated after set-up. What the runtime
// allocates once, for threads and such, is over after the first starts.
func TestStartsDoNotAllocate(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	p := newPool(t)
	c := newClient()
	fd := openNull(t)
	text := []byte("missing\tprogram")
	var status syscall.WaitStatus
	starts := func(n int) {
		for range n {
			p.Acquire(&c.Ticket)
			s := <-c.granted
			s.Reset()
			s.SetArgs(text)
			for range 20 {
				s.AddFD(fd)
			}
			s.AddFD(-1)
			s.Abort()
			s.Go(c)
			s = <-c.begun
			pid := s.Outcome().PID
			syscall.Wait4(pid, &status, 0, nil)
			p.Born(pid)
			s.Release()
		}
	}
	starts(500)
	const n = 2000
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	starts(n)
	runtime.ReadMemStats(&after)
	if got := after.Mallocs - before.Mallocs; got > n/100 {
		t.Errorf("%d starts made %d objects", n, got)
	} else {
		t.Logf("%d starts made %d objects", n, got)
	}
}
