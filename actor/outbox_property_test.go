package actor

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// The property: what arrives are whole lines in their order; wherever some are
// missing, and nowhere else, stands one line "overflow".
func TestOutboxProperty(t *testing.T) {
	for seed := range uint64(20) {
		random := rand.New(rand.NewPCG(seed, 7))
		o, clock, _, peer := socketOutbox(t, unix.SOCK_STREAM)
		var got []byte
		next, corked := 0, false
		b := make([]byte, 32<<10)
		for range 4000 {
			clock.now++
			switch random.IntN(16) {
			case 0:
				if n, _, err := unix.Recvfrom(peer, b[:1+random.IntN(len(b)-1)], unix.MSG_DONTWAIT); err == nil {
					got = append(got, b[:n]...)
				}
			case 1:
				o.Retry()
			case 2:
				o.Room()
			case 3:
				if corked = !corked; corked {
					o.Cork()
				} else {
					o.Uncork()
				}
			case 4:
				if random.IntN(50) == 0 {
					o.Overflow()
				}
			default:
				var lines []byte
				for range 1 + random.IntN(4) {
					lines = append(lines, line(next, 20+random.IntN(1<<random.IntN(13)))...)
					next++
				}
				o.Offer(lines)
			}
			if o.n < 0 || o.n > outboxSize || (o.BlockedSince() != 0) && o.n == 0 {
				t.Fatalf("%d bytes, blocked since %d", o.n, o.BlockedSince())
			}
		}
		o.Uncork()
		for !o.Empty() {
			got = append(got, drain(t, peer)...)
			o.Retry()
		}
		got = append(got, drain(t, peer)...)
		checkStream(t, got)
		o.Close()
	}
}

func checkStream(t *testing.T, got []byte) {
	t.Helper()
	want, lost, overflows := 0, false, 0
	for l := range bytes.Lines(got) {
		if string(l) == overflowLine {
			if lost {
				t.Fatal("overflow was said twice")
			}
			lost = true
			overflows++
			continue
		}
		var number int
		if _, err := fmt.Sscanf(string(l), "%d ", &number); err != nil || !bytes.HasSuffix(l, []byte("\n")) ||
			strings.Trim(string(l[bytes.IndexByte(l, ' '):]), " .\n") != "" {
			t.Fatalf("not a whole line: %.60q", l)
		}
		if number < want || number > want && !lost {
			t.Fatalf("line %d in place of %d", number, want)
		}
		want, lost = number+1, false
	}
	if overflows == 0 {
		t.Error("the test met no overflow")
	}
}
