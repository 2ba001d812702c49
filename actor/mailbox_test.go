package actor

import (
	"sync"
	"testing"
)

type note struct {
	Envelope[*note]
	from, number int
}

func newNote(from, number int) *note {
	n := &note{from: from, number: number}
	n.Bind(n)
	return n
}

func TestMailboxKeepsTheOrder(t *testing.T) {
	var m Mailbox[*note]
	m.Init()
	for i := range 100 {
		m.Put(&newNote(0, i).Envelope)
	}
	for i := range 100 {
		if n := m.Take(); n.number != i {
			t.Fatalf("message %d came in place of %d", n.number, i)
		}
	}
	if n, ok := m.TryTake(); ok || n != nil {
		t.Fatal("an empty mailbox gave a message")
	}
}

func TestAnOfferMadeTwiceIsMetOnce(t *testing.T) {
	var m Mailbox[*note]
	m.Init()
	a, b := newNote(0, 1), newNote(0, 2)
	m.Put(&a.Envelope)
	m.Put(&b.Envelope)
	m.Put(&a.Envelope)
	if m.Take() != a || m.Take() != b {
		t.Fatal("wrong order")
	}
	if _, ok := m.TryTake(); ok {
		t.Fatal("the second offer was met as well")
	}
	m.Put(&a.Envelope)
	if n, ok := m.TryTake(); !ok || n != a {
		t.Fatal("an offer that was taken can not be made again")
	}
}

// An offer that comes while its predecessor is being acted on is met after it.
func TestNoOfferIsLost(t *testing.T) {
	var m Mailbox[*note]
	m.Init()
	const rounds = 20000
	bit := newNote(0, 0)
	var mu sync.Mutex
	set, seen := 0, 0
	go func() {
		for i := 1; i <= rounds; i++ {
			mu.Lock()
			set = i
			mu.Unlock()
			m.Put(&bit.Envelope)
		}
	}()
	for seen < rounds {
		m.Take()
		mu.Lock()
		seen = set
		mu.Unlock()
	}
}

func TestConcurrentPuts(t *testing.T) {
	var m Mailbox[*note]
	m.Init()
	const senders, each = 8, 500
	var done sync.WaitGroup
	for from := range senders {
		done.Go(func() {
			for i := range each {
				m.Put(&newNote(from, i).Envelope)
			}
		})
	}
	var next [senders]int
	for range senders * each {
		n := m.Take()
		if n.number != next[n.from] {
			t.Fatalf("sender %d: got %d, want %d", n.from, n.number, next[n.from])
		}
		next[n.from]++
	}
	done.Wait()
	if _, ok := m.TryTake(); ok {
		t.Fatal("more came than was sent")
	}
}

func TestMailboxAllocatesNothing(t *testing.T) {
	var m Mailbox[*note]
	m.Init()
	n, r := newNote(0, 0), NewReply()
	if allocs := testing.AllocsPerRun(1000, func() {
		m.Put(&n.Envelope)
		m.Take()
		r.Done()
		r.Wait()
	}); allocs != 0 {
		t.Fatalf("%v objects", allocs)
	}
}
