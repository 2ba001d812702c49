package actor

import (
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"
)

// recorded is a Ringer that keeps the order in which its alarms ring.
type recorded struct {
	id  int
	log *[]int
}

func (r recorded) Ring() { *r.log = append(*r.log, r.id) }

func checkHeap(t *testing.T, c *Clock) {
	t.Helper()
	for i, a := range c.heap {
		if a.place != i+1 {
			t.Fatalf("the alarm at %d believes to be at %d", i+1, a.place)
		}
		if parent := (i+1)/2 - 1; parent >= 0 && c.heap[parent].at > a.at {
			t.Fatalf("place %d is due before its parent", i+1)
		}
	}
}

func TestClockIsAHeap(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var now int64
	c := NewClock(func() int64 { return now })
	var rung []int
	alarms := make([]Alarm, 60)
	for i := range alarms {
		alarms[i].Ringer = recorded{i, &rung}
	}
	due := map[int]int64{}
	for range 20000 {
		i := random.IntN(len(alarms))
		switch random.IntN(4) {
		case 0, 1:
			due[i] = now + random.Int64N(200)
			c.Set(&alarms[i], due[i])
		case 2:
			delete(due, i)
			c.Stop(&alarms[i])
		case 3:
			now += random.Int64N(20)
			rung = rung[:0]
			wait, set := c.ring()
			last := int64(-1)
			for _, id := range rung {
				at, was := due[id]
				if !was || at > now || at < last {
					t.Fatalf("alarm %d, due at %d (%v), rang at %d after one of %d", id, at, was, now, last)
				}
				last = at
				delete(due, id)
			}
			next := int64(1) << 62
			for id, at := range due {
				if at <= now {
					t.Fatalf("alarm %d, due at %d, did not ring at %d", id, at, now)
				}
				next = min(next, at)
			}
			if set != (len(due) > 0) || set && wait != next-now {
				t.Fatalf("ring says %d, %v; the next alarm is in %d", wait, set, next-now)
			}
		}
		checkHeap(t, c)
		if len(c.heap) != len(due) {
			t.Fatalf("%d alarms in the heap, want %d", len(c.heap), len(due))
		}
	}
}

func TestClockRings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := NewClock(func() int64 { return time.Now().UnixNano() })
		stop, ended := make(chan struct{}), make(chan struct{})
		go func() {
			c.Run(stop)
			close(ended)
		}()
		start := time.Now()
		at := func(d time.Duration) int64 { return start.Add(d).UnixNano() }
		late, soon, never, past := newBell(), newBell(), newBell(), newBell()
		a := []Alarm{{Ringer: late}, {Ringer: soon}, {Ringer: never}, {Ringer: past}}
		c.Set(&a[0], at(5*time.Hour))
		c.Set(&a[2], at(time.Second))
		synctest.Wait()
		c.Set(&a[1], at(3*time.Second)) // later than the first
		c.Set(&a[0], at(4*time.Second)) // moved
		c.Stop(&a[2])
		c.Set(&a[3], at(-time.Second))

		<-past
		if d := time.Since(start); d != 0 {
			t.Errorf("an alarm of the past rang after %v", d)
		}
		<-soon
		if d := time.Since(start); d != 3*time.Second {
			t.Errorf("rang after %v, want 3s", d)
		}
		<-late
		if d := time.Since(start); d != 4*time.Second {
			t.Errorf("rang after %v, want 4s", d)
		}
		select {
		case <-never:
			t.Error("a stopped alarm rang")
		default:
		}
		c.Set(&a[1], at(100*time.Hour))
		close(stop)
		<-ended
	})
}

func TestClockAllocatesNothing(t *testing.T) {
	c := NewClock(nil)
	var a, b Alarm
	a.Ringer, b.Ringer = newBell(), newBell()
	if allocs := testing.AllocsPerRun(1000, func() {
		c.Set(&a, c.Now())
		c.Set(&b, c.Now()+Second)
		c.ring()
		c.Stop(&b)
	}); allocs != 0 {
		t.Fatalf("%v objects", allocs)
	}
}

func TestMonotonic(t *testing.T) {
	if a, b := Monotonic(), Monotonic(); a <= 0 || b < a {
		t.Fatal(a, b)
	}
}
