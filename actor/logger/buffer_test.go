package logger

import (
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
)

// message is a line of n bytes when logged at level info.
func message(n int, c string) string { return strings.Repeat(c, n-len("info: \n")) }

func TestBufferKeeps4000Bytes(t *testing.T) {
	l := New()
	f := scratch(t)
	for range 40 {
		l.Line(Info, message(100, "m"))
	}
	start(t, l)
	if !l.Attach(stderr(), lend(int(f.Fd()))) || !l.Flush(patience) {
		t.Fatal("not flushed")
	}
	want(t, content(t, f), strings.Repeat("info: "+message(100, "m")+"\n", 40))
}

func TestLostMessagesAreReported(t *testing.T) {
	l := New()
	f := scratch(t)
	for range 40 {
		l.Line(Info, message(100, "m"))
	}
	l.Line(Info, message(97, "x")) // one byte too long
	l.Line(Info, "short")          // fits, but nothing overtakes what was lost
	l.Line(Debug, "filtered")      // was never going to be written
	start(t, l)
	l.Attach(stderr(), lend(int(f.Fd())))
	if !l.Flush(patience) {
		t.Fatal("not flushed")
	}
	l.Line(Info, "after")
	l.Flush(patience)
	want(t, content(t, f), strings.Repeat("info: "+message(100, "m")+"\n", 40)+
		"warning: lost 2 log messages\ninfo: after\n")
}

func TestBufferIsFullAtExactly4096(t *testing.T) {
	l := New()
	l.Line(Info, message(4000, "m"))
	l.Line(Info, message(96, "n"))
	if n := len(l.waiting()); n != 4096 || l.lost != 0 {
		t.Fatalf("%d bytes, %d lost", n, l.lost)
	}
	l.Line(Info, "")
	if l.lost != 1 {
		t.Fatal("more than 4096 bytes")
	}
}

func TestEmptyBufferTakesAnyLength(t *testing.T) {
	for _, size := range []int{4040, 4096, 4097, 8191, 8192, 8193, 100_000} {
		l := New()
		f := scratch(t)
		k := &counting{}
		l.kernel = k
		l.Line(Info, message(size, "m"))
		l.Line(Info, message(4000, "n")) // there is no room beside a long one
		start(t, l)
		l.Attach(stderr(), lend(int(f.Fd())))
		if !l.Flush(patience) {
			t.Fatal("not flushed")
		}
		l.Line(Info, "after")
		l.Flush(patience)
		want(t, content(t, f), "info: "+message(size, "m")+"\nwarning: lost 1 log messages\ninfo: after\n")
		for i := range min(int(k.writes.Load()), len(k.sizes)) {
			if n := k.sizes[i].Load(); n > 4096 {
				t.Fatalf("a write of %d bytes", n)
			}
		}
		if cap(l.text) != len(l.fixed) {
			t.Fatal("the long message's memory is kept")
		}
	}
}

// The lost line keeps the size of the buffer, and messages after a loss wait for it.
func TestLostLineWaitsForRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := &device{err: errFull}
		l, k := newFake(map[int]*device{7: slow})
		l.Line(Info, message(4090, "m"))
		l.Line(Info, "lost one")
		l.Attach(stderr(), lend(7))
		start(t, l)
		synctest.Wait()
		k.mend(func() { slow.err, slow.most, slow.takes = nil, 10, ms })
		l.Line(Info, "lost two") // causes an attempt
		pass(ms)
		if n := len(l.waiting()); n != 4080 {
			t.Fatalf("%d bytes", n)
		}
		l.Line(Info, "") // there would be room
		pass(ms)
		if n := len(l.waiting()); n > 4096 {
			t.Fatalf("%d bytes", n)
		}
		l.Flush(patience)
		want(t, slow.out, "info: "+message(4090, "m")+"\nwarning: lost 3 log messages\n")
	})
}

func TestBurstIsNotLostOnAHealthyDestination(t *testing.T) {
	l := New()
	f := scratch(t)
	l.Attach(stderr(), lend(int(f.Fd())))
	start(t, l)
	awaitPlace(t, l, atIdle) // before that there is nobody to wait for
	var text strings.Builder
	for i := range 20_000 {
		l.Entry(Info).Str("message ").Int(int64(i)).Send()
		text.WriteString("info: message " + strconv.Itoa(i) + "\n")
	}
	if !l.Flush(patience) {
		t.Fatal("not flushed")
	}
	if content(t, f) != text.String() {
		t.Fatal("messages were lost")
	}
}

// All messages together wait for a write that hangs, once.
func TestBurstDoesNotWaitForAHangingWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dead := &device{hang: make(chan struct{})}
		l, k := newFake(map[int]*device{7: dead})
		l.Attach(stderr(), lend(7))
		start(t, l)
		for range 500 {
			l.Line(Info, message(100, "m"))
		}
		synctest.Wait()
		if k.naps > maxNaps {
			t.Fatalf("%d naps", k.naps)
		}
		close(dead.hang)
		l.Flush(patience)
		if !strings.HasSuffix(dead.out, " log messages\n") {
			t.Fatal("nothing was lost")
		}
	})
}

func TestLostLineObeysTheFilter(t *testing.T) {
	l := New()
	f := scratch(t)
	l.Line(Info, message(4090, "m"))
	l.Line(Info, "lost")
	l.SetFilter(Warning)
	start(t, l)
	l.Attach(stderr(), lend(int(f.Fd())))
	l.Flush(patience)
	l.Line(Error, "after")
	l.Flush(patience)
	want(t, content(t, f), "info: "+message(4090, "m")+"\nerror: after\n")
}
