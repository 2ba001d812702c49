package actor

import (
	"bytes"
	"testing"

	"golang.org/x/sys/unix"
)

func TestDrain(t *testing.T) {
	o, _, _, peer := socketOutbox(t, unix.SOCK_STREAM)
	next := fill(t, o, 0)
	for ; !o.Overflowed(); next++ {
		o.Offer(line(next, 1000))
	}
	before := Monotonic()
	Drain([]*Outbox{o}, before+Second/20)
	if took := Monotonic() - before; o.Empty() || took > int64(patience) {
		t.Fatalf("without a reader: empty %v, after %d ns", o.Empty(), took)
	}
	got := make(chan []byte)
	go func() {
		var all []byte
		b := make([]byte, 4096)
		for {
			n, err := unix.Read(peer, b)
			if all = append(all, b[:max(n, 0)]...); err != nil || n == 0 {
				got <- all
				return
			}
		}
	}()
	Drain([]*Outbox{o}, Monotonic()+int64(patience))
	if !o.Empty() {
		t.Error("not empty")
	}
	_ = unix.Shutdown(o.fd, unix.SHUT_WR)
	if all := <-got; !bytes.HasSuffix(all, []byte("\noverflow\n")) {
		t.Errorf("the end is %q", all[max(len(all)-40, 0):])
	}
}

// A reader that does not read takes no time from one that does.
func TestDrainServesAll(t *testing.T) {
	stuck, _, _, _ := socketOutbox(t, unix.SOCK_STREAM)
	slow, _, _, peer := socketOutbox(t, unix.SOCK_STREAM)
	for _, o := range []*Outbox{stuck, slow} {
		for next := fill(t, o, 0); !o.Overflowed(); next++ {
			o.Offer(line(next, 1000))
		}
	}
	go func() {
		b := make([]byte, 512)
		for {
			if n, err := unix.Read(peer, b); n == 0 || err != nil {
				return
			}
		}
	}()
	Drain([]*Outbox{stuck, slow}, Monotonic()+2*Second)
	if stuck.Empty() || !slow.Empty() {
		t.Fatalf("stuck %v, slow %v", stuck.Empty(), slow.Empty())
	}
	_ = unix.Shutdown(slow.fd, unix.SHUT_WR)
}
