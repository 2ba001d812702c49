package integration

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

// sample is what the daemon takes at a moment of rest.
type sample struct {
	at       time.Duration
	starts   int
	resident int // bytes
	threads  int
	fds      int
	memory   string // the daemon's own figures
}

func (p sample) String() string {
	return fmt.Sprintf("%4.0f s: %7d starts, %5d kB resident, %d threads, %d descriptors; memory %s",
		p.at.Seconds(), p.starts, p.resident>>10, p.threads, p.fds, p.memory)
}

// rest lets everything come to its end, balances the ledger, and lets it go on.
func (s *churn) rest() sample {
	s.t.Helper()
	for _, c := range s.hostile {
		c.close()
	}
	s.hostile = nil
	s.automatic("")
	for n := range ofEach {
		s.main.send(fmt.Sprintf("service.start⇥auto%d⇥-", n))
	}
	s.settleCommands()
	for down := false; !down && !s.broken(); s.killSome() {
		s.until("all services are down", func() bool {
			down = s.ledger.down()
			return down || len(s.sleepers()) > 0
		})
	}
	s.ledger.mu.Lock()
	s.ledger.balance()
	s.ledger.memory = nil
	s.ledger.mu.Unlock()
	s.eventually("no children but main, and no descriptors but those of the beginning", func() bool {
		return len(children(s.pid)) == 1 && held(openDescriptors(s.pid)) == s.held
	})
	s.main.send("memory")
	s.until("the memory", func() bool { return s.ledger.memory != nil })
	p := sample{
		at: time.Since(s.begun), starts: s.ledger.ups, resident: s.resident(), fds: len(openDescriptors(s.pid)),
		memory: strings.Join(s.ledger.memory[1:], " "),
	}
	if tasks, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", s.pid)); err == nil {
		p.threads = len(tasks)
	}
	s.log.drain()
	s.log.seen = nil
	s.automatic("always")
	return p
}

const (
	// maxGrowth is what the daemon's heap may breathe.
	maxGrowth = 1 << 20
	// maxThreads is for those that may be in system calls at a time; they stay.
	maxThreads = 40
)

// expectFlat compares the highest values of the last third with those of the first.
func expectFlat(t *testing.T, curve []sample) {
	t.Helper()
	highest := func(part []sample) (p sample) {
		for _, q := range part {
			p.resident, p.threads, p.fds = max(p.resident, q.resident), max(p.threads, q.threads), max(p.fds, q.fds)
		}
		return p
	}
	third := len(curve) / 3
	first, last := highest(curve[:third]), highest(curve[len(curve)-third:])
	if last.fds > first.fds || last.threads > maxThreads {
		t.Errorf("descriptors have grown, or there are too many threads: %v, %v", first, last)
	}
	growth := maxGrowth
	if startPath == "applet" {
		growth = heapOfApplet
	}
	if last.resident > first.resident+growth && !raceBuild {
		t.Errorf("resident memory has grown: %v, %v", first, last)
	}
}
