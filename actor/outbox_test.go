package actor

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// stopped is a clock by hand.
type stopped struct {
	*Clock
	now int64
}

func newStopped() *stopped {
	s := &stopped{now: 1000}
	s.Clock = NewClock(func() int64 { return s.now })
	return s
}

// socketOutbox is an outbox on one end of a socketpair with small buffers.
func socketOutbox(t testing.TB, kind int) (o *Outbox, clock *stopped, owner bell, peer int) {
	t.Helper()
	ours, peer := pair(t, kind)
	_ = unix.SetsockoptInt(ours, unix.SOL_SOCKET, unix.SO_SNDBUF, 4096)
	o, clock, owner = new(Outbox), newStopped(), newBell()
	o.Init(clock.Clock, owner)
	o.Open(ours)
	return o, clock, owner, peer
}

// line is a line of about so many bytes that tells its number.
func line(number, length int) []byte {
	b := fmt.Appendf(nil, "%d ", number)
	return append(append(b, bytes.Repeat([]byte{'.'}, max(length-len(b)-1, 0))...), '\n')
}

// fill offers lines until writing blocks, and returns how many were offered.
func fill(t testing.TB, o *Outbox, first int) (next int) {
	t.Helper()
	for ; o.BlockedSince() == 0; first++ {
		o.Offer(line(first, 1000))
		if first > 10000 {
			t.Fatal("the descriptor never blocks")
		}
	}
	return first
}

func TestOutboxWithoutEventSide(t *testing.T) {
	var o Outbox
	o.Init(newStopped().Clock, newBell())
	o.Offer([]byte("lost\n"))
	o.Overflow()
	o.Cork()
	o.Uncork()
	o.Retry()
	Drain([]*Outbox{&o}, Monotonic()+Second)
	if !o.Room() || !o.Empty() || o.Writable() || o.Overflowed() || o.BlockedSince() != 0 {
		t.Fatal("an outbox without event side is never full and never blocked")
	}
	o.Close()
}

func TestOfferWritesAtOnce(t *testing.T) {
	o, _, owner, peer := socketOutbox(t, unix.SOCK_STREAM)
	o.Offer([]byte("one\n"))
	o.Offer([]byte("two\n"))
	if got := string(drain(t, peer)); got != "one\ntwo\n" {
		t.Fatalf("got %q", got)
	}
	if len(owner) != 0 || !o.Empty() {
		t.Fatal("the owner was told of nothing")
	}
}

// packets counts the writes: each is one packet of a SOCK_SEQPACKET.
func packets(fd int) (sizes []int) {
	b := make([]byte, 64<<10)
	for {
		n, _, err := unix.Recvfrom(fd, b, unix.MSG_DONTWAIT)
		if err != nil || n == 0 {
			return sizes
		}
		sizes = append(sizes, n)
	}
}

func TestCorkGathers(t *testing.T) {
	ours, peer := pair(t, unix.SOCK_SEQPACKET)
	var o Outbox
	o.Init(newStopped().Clock, newBell())
	o.Open(ours)

	o.Cork()
	for i := range 20 {
		o.Offer(line(i, 100))
	}
	if got := packets(peer); got != nil {
		t.Fatalf("a corked outbox wrote %v", got)
	}
	o.Uncork()
	if got := packets(peer); len(got) != 1 || got[0] != 2000 {
		t.Fatalf("wrote %v, want 2000 bytes at once", got)
	}
	o.Offer(line(0, 100))
	o.Offer(line(0, 100))
	if got := packets(peer); len(got) != 2 {
		t.Fatalf("wrote %v, want two lines", got)
	}

	// Half of the outbox full: it does not wait for Uncork.
	o.Cork()
	for i := range 9 {
		o.Offer(line(i, 1000))
	}
	if got := packets(peer); len(got) != 1 || got[0] != 9000 {
		t.Fatalf("wrote %v, want 9000 bytes at once", got)
	}
	o.Uncork()
	if got := packets(peer); got != nil {
		t.Fatalf("wrote %v, want nothing more", got)
	}
}

func TestOverflowOnceAndOnlyAfterDrain(t *testing.T) {
	o, _, owner, peer := socketOutbox(t, unix.SOCK_STREAM)
	next := fill(t, o, 0)
	for !o.Overflowed() {
		o.Offer(line(next, 1000))
		next++
	}
	last := next - 2 // the one before the first that did not fit
	for range 100 {
		o.Offer([]byte("dropped\n"))
	}
	if len(owner) == 0 {
		t.Error("the owner was not told")
	}
	if !o.Room() {
		t.Error("in overflow commands go on")
	}
	if o.Empty() {
		t.Error("in overflow it is not empty")
	}
	var got []byte
	for !o.Empty() {
		if o.Overflowed() && bytes.Contains(got, []byte(overflowLine)) {
			t.Fatal("said too early")
		}
		got = append(got, drain(t, peer)...)
		o.Retry()
	}
	o.Offer([]byte("after\n"))
	got = append(got, drain(t, peer)...)
	lines := strings.Split(string(got), "\n")
	want := last + 1 + 3 // the lines, overflow, after, and nothing behind the last LF
	if len(lines) != want {
		t.Fatalf("%d lines, want %d", len(lines), want)
	}
	for i := range last + 1 {
		if lines[i]+"\n" != string(line(i, 1000)) {
			t.Fatalf("line %d is %.20q", i, lines[i])
		}
	}
	if lines[last+1] != "overflow" || lines[last+2] != "after" {
		t.Fatalf("the end is %q", lines[last+1:])
	}
}

// Of lines that are offered together those enter that fit.
func TestOfferOfManyLines(t *testing.T) {
	o, _, _, peer := socketOutbox(t, unix.SOCK_STREAM)
	next := fill(t, o, 0)
	for ; o.n <= outboxSize-3000; next++ {
		o.Offer(line(next, 1000))
	}
	o.Offer(slices.Concat(line(next, 1000), line(next+1, 1000), line(next+2, 1000), line(next+3, 10)))
	var got []byte
	for !o.Empty() {
		got = append(got, drain(t, peer)...)
		o.Retry()
	}
	got = append(got, drain(t, peer)...)
	want := string(line(next, 1000)) + string(line(next+1, 1000)) + overflowLine
	if rest, ok := strings.CutSuffix(string(got), want); !ok || !strings.HasSuffix(rest, "\n") {
		t.Fatalf("the end is %q", got[len(got)-len(want):])
	}
}

func TestOverflowOnDemand(t *testing.T) {
	o, _, _, peer := socketOutbox(t, unix.SOCK_STREAM)
	o.Overflow()
	if o.Overflowed() {
		t.Fatal("there is nothing that it could wait for")
	}
	fill(t, o, 0)
	o.Overflow()
	if !o.Overflowed() {
		t.Fatal("not set")
	}
	o.Offer([]byte("dropped\n"))
	var got []byte
	for !o.Empty() {
		got = append(got, drain(t, peer)...)
		o.Retry()
	}
	got = append(got, drain(t, peer)...)
	if !bytes.HasSuffix(got, []byte(".\noverflow\n")) || bytes.Contains(got, []byte("dropped")) {
		t.Fatalf("the end is %.40q", got[max(len(got)-40, 0):])
	}
}

func TestBlockedSince(t *testing.T) {
	o, clock, owner, peer := socketOutbox(t, unix.SOCK_STREAM)
	clock.now = 5000
	next := fill(t, o, 0)
	if o.BlockedSince() != 5000 || len(owner) != 1 {
		t.Fatal("the owner is told when writing first fails")
	}
	clock.now = 6000
	o.Retry()
	o.Offer(line(next, 100))
	if o.BlockedSince() != 5000 {
		t.Fatal("it fails since 5000 still")
	}
	for o.n > 0 { // any successful write clears it
		drain(t, peer)
		o.Retry()
	}
	if o.BlockedSince() != 0 {
		t.Fatal("it is not blocked any more")
	}
	clock.now = 7000
	fill(t, o, 0)
	if o.BlockedSince() != 7000 {
		t.Fatal("a new blockage begins anew")
	}
	o.Close()
	if o.BlockedSince() != 0 || !o.Empty() || o.Writable() {
		t.Fatal("closed")
	}
}

// A write that takes a part ends one blockage and begins the next.
func TestPartialWriteRestartsTheBlockage(t *testing.T) {
	o, clock, _, peer := socketOutbox(t, unix.SOCK_STREAM)
	next := fill(t, o, 0)
	for i := range 10 {
		o.Offer(line(next+i, 1000))
	}
	clock.now = 2000
	b := make([]byte, 4096)
	if _, err := unix.Read(peer, b); err != nil {
		t.Fatal(err)
	}
	before := o.n
	o.Retry()
	if o.n == before || o.n == 0 {
		t.Fatalf("%d bytes left of %d: no partial write", o.n, before)
	}
	if o.BlockedSince() != 2000 {
		t.Fatalf("blocked since %d, want 2000", o.BlockedSince())
	}
}

func TestRoom(t *testing.T) {
	o, _, _, peer := socketOutbox(t, unix.SOCK_STREAM)
	next := fill(t, o, 0)
	for ; o.n+1000 <= outboxSize-outboxReserve; next++ {
		if !o.Room() || !o.RoomAfter(outboxSize-outboxReserve-o.n) || o.RoomAfter(outboxSize-outboxReserve-o.n+1) {
			t.Fatalf("no room, or too much, with %d bytes in it", o.n)
		}
		o.Offer(line(next, 1000))
	}
	for ; o.n <= outboxSize-outboxReserve; next++ {
		o.Offer(line(next, 1000))
	}
	if o.Room() {
		t.Fatalf("room with %d bytes in it", o.n)
	}
	drain(t, peer)
	o.Retry()
	if !o.Room() {
		t.Fatal("no room after it was written")
	}
}

// Room makes room itself if nothing is known to block.
func TestRoomFlushes(t *testing.T) {
	o, _, _, peer := socketOutbox(t, unix.SOCK_STREAM)
	next := fill(t, o, 0)
	for ; o.n <= outboxSize-outboxReserve; next++ {
		o.Offer(line(next, 1000))
	}
	drain(t, peer)
	o.mu.Lock()
	o.blockedAt = 0
	o.mu.Unlock()
	if !o.Room() {
		t.Fatal("no room")
	}
}

func TestReaderGone(t *testing.T) {
	for _, when := range []string{"at once", "while blocked", "while corked"} {
		t.Run(when, func(t *testing.T) {
			o, _, owner, peer := socketOutbox(t, unix.SOCK_STREAM)
			switch when {
			case "while blocked":
				fill(t, o, 0)
			case "while corked":
				o.Cork()
				o.Offer([]byte("x\n"))
			}
			closeFD(peer)
			for len(owner) > 0 {
				<-owner
			}
			o.Offer([]byte("x\n"))
			o.Uncork()
			o.Retry()
			if o.Writable() || !o.Empty() || !o.Room() || o.BlockedSince() != 0 || len(owner) == 0 {
				t.Fatal("the event side is not dropped")
			}
			o.Offer([]byte("discarded\n"))
		})
	}
}

func TestOfferAllocatesNothing(t *testing.T) {
	o, _, _, peer := socketOutbox(t, unix.SOCK_STREAM)
	l := line(1, 100)
	b := make([]byte, 32<<10)
	if allocs := testing.AllocsPerRun(200, func() {
		o.Offer(l)
		o.Cork()
		for !o.Overflowed() {
			o.Offer(l)
		}
		o.Uncork()
		for !o.Empty() {
			_, _, _ = unix.Recvfrom(peer, b, unix.MSG_DONTWAIT)
			o.Retry()
		}
		_, _, _ = unix.Recvfrom(peer, b, unix.MSG_DONTWAIT)
	}); allocs > 0 {
		// The receiving itself makes an address for each packet.
		t.Logf("%v objects with those of the test's own reading", allocs)
	}
	if allocs := testing.AllocsPerRun(1000, func() {
		o.Offer(l)
		_, _ = unix.Read(peer, b)
	}); allocs != 0 {
		t.Fatalf("%v objects", allocs)
	}
}
