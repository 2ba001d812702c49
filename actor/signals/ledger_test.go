package signals

import (
	"math"
	"math/rand/v2"
	"sync"
	"testing"

	"daemonproxy/actor"
	"daemonproxy/controller/protocol"

	"golang.org/x/sys/unix"
)

const (
	usr1 = protocol.Signal(unix.SIGUSR1)
	usr2 = protocol.Signal(unix.SIGUSR2)
	hup  = protocol.Signal(unix.SIGHUP)
)

func bit(s protocol.Signal) uint64 { return 1 << (s - 1) }

// walk lists the signals of the ledger in the order of their last arrival.
func walk(l *Ledger, uncleared bool) (all []Arrival) {
	for after := int64(0); ; {
		a, ok := l.Next(after, uncleared)
		if !ok {
			return all
		}
		all = append(all, a)
		after = a.At
	}
}

func TestEmptyLedger(t *testing.T) {
	var l Ledger
	l.Clear(usr1, 5)
	l.Clear(usr1, -5)
	l.Clear(0, -5)
	if l.Pending() != 0 || l.Latest() != 0 || walk(&l, false) != nil {
		t.Fatal("a signal that never arrived is there")
	}
}

func TestOrderOfLastArrivals(t *testing.T) {
	var l Ledger
	before := actor.Monotonic()
	for _, s := range []protocol.Signal{usr1, usr2, hup, usr1} {
		l.Arrived(s)
	}
	all := walk(&l, true)
	if len(all) != 3 || all[0].Signal != usr2 || all[1].Signal != hup || all[2].Signal != usr1 {
		t.Fatalf("%+v", all)
	}
	if all[0].Count != 1 || all[2].Count != 2 {
		t.Fatalf("%+v", all)
	}
	if all[0].At < before || all[2].At != l.Latest() || l.Latest() > actor.Monotonic()+1e6 {
		t.Fatalf("%+v", all)
	}
	if l.Pending() != bit(usr1)|bit(usr2)|bit(hup) {
		t.Fatalf("pending %#x", l.Pending())
	}
	if _, ok := l.Next(l.Latest(), false); ok {
		t.Fatal("something after the last")
	}
}

func TestTimesAreUnique(t *testing.T) {
	var l Ledger
	var senders sync.WaitGroup
	for s := range protocol.Signal(4) {
		senders.Go(func() {
			for range 5000 {
				before := l.Latest()
				l.Arrived(s + 1)
				if after := l.Latest(); after <= before {
					t.Error("no later than the one before")
				}
			}
		})
	}
	senders.Wait()
	seen := map[int64]bool{}
	for _, a := range walk(&l, false) {
		if seen[a.At] || a.Count != 5000 {
			t.Errorf("%+v", a)
		}
		seen[a.At] = true
	}
	if len(seen) != 4 {
		t.Errorf("%d signals", len(seen))
	}
	// Even if the clock stands still.
	l.latest.Store(math.MaxInt64 / 2)
	l.Arrived(1)
	l.Arrived(2)
	if l.entries[1].At == l.entries[2].At {
		t.Error("two arrivals share a time")
	}
}

func TestClear(t *testing.T) {
	for _, c := range []struct{ count, n, want int64 }{
		{3, 1, 2},
		{3, 3, 0},
		{3, 4, 0},
		{3, math.MaxInt64, 0},
		{0, 1, 0},
		{3, -2, 5},
		{0, -2, 2},
		{3, math.MinInt64, math.MaxInt64},
		{0, math.MinInt64, math.MaxInt64},
		{math.MaxInt64, -1, math.MaxInt64},
		{math.MaxInt64, math.MinInt64, math.MaxInt64},
		{math.MaxInt64, math.MaxInt64, 0},
	} {
		var l Ledger
		l.Arrived(usr1)
		at := l.Latest()
		l.entries[usr1].Count = c.count
		l.Clear(usr1, c.n)
		a, _ := l.Next(0, false)
		if a.Count != c.want || a.At != at {
			t.Errorf("%d less %d: %+v, want %d", c.count, c.n, a, c.want)
		}
		if got := l.Pending() == bit(usr1); got != (c.want > 0) {
			t.Errorf("%d less %d: pending %v", c.count, c.n, got)
		}
		if _, ok := l.Next(0, true); ok != (c.want > 0) {
			t.Errorf("%d less %d: uncleared %v", c.count, c.n, ok)
		}
	}
}

func TestArrivalAfterClear(t *testing.T) {
	var l Ledger
	l.Arrived(usr1)
	l.Arrived(usr1)
	l.Clear(usr1, 2)
	l.Arrived(usr1)
	if a, ok := l.Next(0, true); !ok || a.Count != 1 {
		t.Fatalf("%+v", a)
	}
}

func TestArrivalsSaturate(t *testing.T) {
	var l Ledger
	l.Arrived(usr1)
	l.Clear(usr1, math.MinInt64)
	l.Arrived(usr1)
	if a, ok := l.Next(0, true); !ok || a.Count != math.MaxInt64 || l.Pending() == 0 {
		t.Fatalf("%+v", a)
	}
}

func TestLedgerProperty(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 3))
	var l Ledger
	counts := map[protocol.Signal]int64{}
	for range 20000 {
		s := protocol.Signal(1 + random.IntN(64))
		if _, seen := counts[s]; seen && random.IntN(2) == 0 {
			n := random.Int64N(6) - 2
			l.Clear(s, n)
			counts[s] = max(counts[s]-n, 0)
		} else {
			l.Arrived(s)
			counts[s]++
		}
		var pending uint64
		for s, n := range counts {
			if n > 0 {
				pending |= bit(s)
			}
		}
		if l.Pending() != pending {
			t.Fatalf("pending %#x, want %#x", l.Pending(), pending)
		}
	}
	last := int64(0)
	for _, a := range walk(&l, false) {
		if a.Count != counts[a.Signal] || a.At <= last {
			t.Fatalf("%+v, want %d", a, counts[a.Signal])
		}
		last = a.At
	}
}

func TestLedgerAllocatesNothing(t *testing.T) {
	var l Ledger
	if allocs := testing.AllocsPerRun(1000, func() {
		l.Arrived(usr1)
		l.Next(0, true)
		l.Clear(usr1, 1)
	}); allocs != 0 {
		t.Fatalf("%v objects", allocs)
	}
}
