package actor

import (
	"fmt"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

func TestBusReachesSubscribers(t *testing.T) {
	var bus Bus
	traced := ""
	bus.Trace = func(line []byte) { traced += string(line) }
	bus.Publish([]byte("nobody\n"))
	a, _, _, peerA := socketOutbox(t, unix.SOCK_STREAM)
	b, _, _, peerB := socketOutbox(t, unix.SOCK_STREAM)
	bus.Subscribe(a, nil)
	bus.Publish([]byte("a\n"))
	bus.Subscribe(b, nil)
	bus.Publish([]byte("ab\n"))
	bus.Unsubscribe(a)
	bus.Unsubscribe(a)
	bus.Publish([]byte("b\n"))
	bus.Unsubscribe(b)
	bus.Publish([]byte("none\n"))
	if got := string(drain(t, peerA)); got != "a\nab\n" {
		t.Errorf("a got %q", got)
	}
	if got := string(drain(t, peerB)); got != "ab\nb\n" {
		t.Errorf("b got %q", got)
	}
	if traced != "nobody\na\nab\nb\nnone\n" {
		t.Errorf("traced %q", traced)
	}
}

// Subscribers that come and go, publishers that never wait: each subscriber
// gets an unbroken piece of each publisher's lines, and none after Unsubscribe.
func TestBusUnderConcurrentPublishes(t *testing.T) {
	var bus Bus
	const publishers, lines = 4, 3000
	var publishing, reading sync.WaitGroup
	for p := range publishers {
		publishing.Go(func() {
			for i := range lines {
				l := NewLine()
				l.B = fmt.Appendf(l.B, "%d %d\n", p, i)
				bus.Publish(l.B)
				l.Free()
			}
		})
	}
	for range 4 {
		reading.Go(func() {
			for range 20 {
				o, _, _, peer := socketOutbox(t, unix.SOCK_STREAM)
				bus.Subscribe(o, nil)
				got := drain(t, peer)
				bus.Unsubscribe(o)
				got = append(got, drain(t, peer)...)
				for !o.Empty() {
					o.Retry()
					got = append(got, drain(t, peer)...)
				}
				if after := drain(t, peer); len(after) > 0 {
					t.Errorf("%q came after Unsubscribe", after)
				}
				checkPieces(t, string(got))
			}
		})
	}
	publishing.Wait()
	reading.Wait()
	if len(bus.subs) != 0 {
		t.Error("subscribers are left")
	}
}

func checkPieces(t *testing.T, got string) {
	t.Helper()
	last := map[int]int{}
	for len(got) > 0 {
		var p, i int
		if len(got) >= 9 && got[:9] == overflowLine {
			last, got = map[int]int{}, got[9:]
			continue
		}
		if _, err := fmt.Sscanf(got, "%d %d\n", &p, &i); err != nil {
			t.Errorf("not a line: %.20q", got)
			return
		}
		if before, seen := last[p]; seen && i != before+1 {
			t.Errorf("publisher %d: %d after %d", p, i, before)
		}
		last[p] = i
		got = got[len(fmt.Sprintf("%d %d\n", p, i)):]
	}
}

func TestPublishAllocatesNothing(t *testing.T) {
	var bus Bus
	o, _, _, peer := socketOutbox(t, unix.SOCK_STREAM)
	bus.Subscribe(o, nil)
	b := make([]byte, 100)
	if allocs := testing.AllocsPerRun(1000, func() {
		l := NewLine()
		l.B = append(l.B, "event\n"...)
		bus.Publish(l.B)
		l.Free()
		_, _ = unix.Read(peer, b)
	}); allocs != 0 {
		t.Fatalf("%v objects", allocs)
	}
}

func TestLinesAreReused(t *testing.T) {
	a, b := NewLine(), NewLine()
	if a == b || len(a.B) != 0 || cap(a.B) < lineSize {
		t.Fatal("not a fresh line")
	}
	a.B = append(a.B, make([]byte, 2*lineSize)...)
	a.Free()
	b.Free()
	c := NewLine()
	if c != b || len(c.B) != 0 {
		t.Fatal("the last one that was given back comes first, empty")
	}
	c.Free()
}

func TestLinesAreWaitedFor(t *testing.T) {
	var lines []*Line
	for range lineCount {
		lines = append(lines, NewLine())
	}
	got := make(chan *Line)
	for range 3 {
		go func() {
			l := NewLine()
			l.Free()
			got <- l
		}()
	}
	select {
	case <-got:
		t.Fatal("one line too many")
	default:
	}
	for _, l := range lines {
		l.Free()
	}
	for range 3 {
		await(t, got, "a line")
	}
}
