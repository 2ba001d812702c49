package logger

import (
	"os"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

const ms = time.Millisecond

// pass lets time pass in a synctest bubble.
func pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

func wantTries(t *testing.T, d *device, times ...time.Duration) {
	t.Helper()
	if !slices.Equal(d.tries, times) {
		t.Fatalf("attempts at %v, want %v", d.tries, times)
	}
}

func TestAttemptsOfABurst(t *testing.T) {
	for messages, times := range map[int][]time.Duration{
		1:   {0, 500 * ms, 1000 * ms, 1500 * ms},
		2:   {0, 0, 500 * ms, 1000 * ms, 1500 * ms},
		3:   {0, 0, 0, 500 * ms, 1000 * ms, 1500 * ms},
		5:   {0, 0, 0, 500 * ms, 1000 * ms, 1500 * ms},
		500: {0, 0, 0, 500 * ms, 1000 * ms, 1500 * ms},
	} {
		synctest.Test(t, func(t *testing.T) {
			full := &device{err: errFull}
			l, _ := newFake(map[int]*device{7: full})
			l.Attach(stderr(), lend(7))
			start(t, l)
			for range messages {
				l.Line(Info, "message")
			}
			pass(1500 * ms)
			wantTries(t, full, times...)
		})
	}
}

// It makes no difference whether messages came before the destination, or before the sink ran.
func TestAttemptsOfWaitingMessages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		full := &device{err: errFull}
		l, _ := newFake(map[int]*device{7: full})
		start(t, l)
		for range 5 {
			l.Line(Info, "message")
		}
		pass(200 * ms)
		l.Attach(stderr(), lend(7))
		pass(1000 * ms)
		wantTries(t, full, 200*ms, 200*ms, 200*ms, 700*ms, 1200*ms)
	})
}

func TestAttemptsOfSingleMessages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		full := &device{err: errFull}
		l, k := newFake(map[int]*device{7: full})
		l.Attach(stderr(), lend(7))
		start(t, l)
		l.Line(Info, "1")
		pass(600 * ms)
		wantTries(t, full, 0, 500*ms)
		l.Line(Info, "2")
		pass(100 * ms)
		l.Line(Info, "3")
		pass(100 * ms)
		l.Line(Info, "4") // the third since the failure
		pass(400 * ms)    // 1.2 s
		wantTries(t, full, 0, 500*ms, 600*ms, 700*ms, 1200*ms)

		k.mend(func() { full.err = nil })
		pass(500 * ms)
		wantTries(t, full, 0, 500*ms, 600*ms, 700*ms, 1200*ms, 1700*ms)
		want(t, full.out, "info: 1\ninfo: 2\ninfo: 3\ninfo: 4\n")

		// A success starts it all over.
		k.mend(func() { full.err, full.tries = errFull, nil })
		l.Line(Info, "5")
		synctest.Wait()
		l.Line(Info, "6")
		synctest.Wait()
		l.Line(Info, "7")
		synctest.Wait()
		l.Line(Info, "8")
		pass(500 * ms)
		wantTries(t, full, 1700*ms, 1700*ms, 1700*ms, 2200*ms)
	})
}

func TestDevFull(t *testing.T) {
	for _, messages := range []int{5, 500} {
		synctest.Test(t, func(t *testing.T) {
			full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
			if err != nil {
				t.Fatal(err)
			}
			defer full.Close()
			l := New()
			k := &counting{}
			l.kernel = k
			l.Dest([]byte("full"), lend(int(full.Fd())))
			start(t, l)
			for range messages {
				l.Line(Info, "twenty bytes of it")
			}
			pass(1000 * ms)
			if n := k.writes.Load(); n != 5 {
				t.Fatalf("%d attempts in 1 s", n)
			}
			pass(499 * ms)
			if n := k.writes.Load(); n != 5 {
				t.Fatalf("%d attempts in 1.5 s", n)
			}
			good := scratch(t)
			l.Dest([]byte("good"), lend(int(good.Fd())))
			if !l.Flush(patience) {
				t.Fatal("not flushed")
			}
			kept := min(messages, 4096/len("info: twenty bytes of it\n"))
			text := ""
			for range kept {
				text += "info: twenty bytes of it\n"
			}
			if kept < messages {
				text += string(appendLost(nil, int64(messages-kept)))
			}
			want(t, content(t, good), text)
		})
	}
}

func TestNoAttemptUntilWritable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &device{blocked: make(chan struct{})}
		l, k := newFake(map[int]*device{7: d})
		l.Attach(stderr(), lend(7))
		start(t, l)
		for range 500 {
			l.Line(Info, "message")
		}
		pass(time.Second)
		calls := k.calls
		pass(time.Hour)
		wantTries(t, d)
		if k.calls != calls {
			t.Fatalf("%d system calls while blocked", k.calls-calls)
		}
		close(d.blocked)
		synctest.Wait()
		if len(d.tries) >= 6 {
			t.Fatalf("%d attempts", len(d.tries))
		}
	})
}

func TestIdleMakesNoSystemCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &device{}
		l, k := newFake(map[int]*device{7: d})
		l.Attach(stderr(), lend(7))
		start(t, l)
		l.Line(Info, "message")
		synctest.Wait()
		calls := k.calls
		pass(time.Hour)
		if k.calls != calls {
			t.Fatalf("%d system calls while idle", k.calls-calls)
		}
		want(t, d.out, "info: message\n")
	})
}
