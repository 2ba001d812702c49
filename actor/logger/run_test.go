package logger

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestStopDoesNotWaitForAHangingWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dead := &device{hang: make(chan struct{})}
		l, _ := newFake(map[int]*device{7: dead})
		l.Attach(stderr(), lend(7))
		stop := start(t, l)
		l.Line(Info, "1")
		synctest.Wait()
		begin := time.Now()
		stop()
		if d := time.Since(begin); d != grace {
			t.Fatalf("took %v", d)
		}
		// Flush gives it another chance, and no more than its limit.
		begin = time.Now()
		if l.Flush(time.Second) {
			t.Fatal("flushed")
		}
		if d := time.Since(begin); d != time.Second {
			t.Fatalf("took %v", d)
		}
		close(dead.hang)
		synctest.Wait()
		want(t, dead.out, "info: 1\n")
		l.Line(Info, "2")
		if !l.Flush(time.Second) {
			t.Fatal("not flushed")
		}
		want(t, dead.out, "info: 1\ninfo: 2\n")
	})
}

func TestStopIsPromptInEveryPlace(t *testing.T) {
	for name, d := range map[string]*device{
		"idle":     {},
		"pace":     {err: errFull},
		"poll":     nil, // its channel is made in the bubble
		"detached": {},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				if d == nil {
					d = &device{blocked: make(chan struct{})}
				}
				l, k := newFake(map[int]*device{7: d})
				if name != "detached" {
					l.Attach(stderr(), lend(7))
				}
				stop := start(t, l)
				l.Line(Info, "1")
				pass(10 * ms)
				begin := time.Now()
				stop()
				if time.Since(begin) != 0 {
					t.Fatal("took its time")
				}
				if len(k.wakers) != 0 {
					t.Fatal("the pen is still there")
				}
			})
		})
	}
}

func TestFlushWaitsNoLongerThanItsLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &device{blocked: make(chan struct{})}
		l, _ := newFake(map[int]*device{7: d})
		l.Attach(stderr(), lend(7))
		l.Line(Info, "1")
		for range 2 { // without Run, then with it
			begin := time.Now()
			if l.Flush(time.Second) {
				t.Fatal("flushed")
			}
			if took := time.Since(begin); took > time.Second || took < time.Second-grace {
				t.Fatalf("took %v", took)
			}
			start(t, l)
		}
		time.AfterFunc(100*ms, func() { close(d.blocked) })
		begin := time.Now()
		if !l.Flush(time.Second) {
			t.Fatal("not flushed")
		}
		if took := time.Since(begin); took != 100*ms {
			t.Fatalf("took %v", took)
		}
		want(t, d.out, "info: 1\n")
	})
}

func TestFlushEndsWithTheDestination(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, _ := newFake(map[int]*device{7: {err: errFull}})
		l.Attach(stderr(), lend(7))
		start(t, l)
		l.Line(Info, "1")
		time.AfterFunc(100*ms, func() { l.Detach(stderr()) })
		begin := time.Now()
		if l.Flush(time.Second) {
			t.Fatal("flushed")
		}
		if took := time.Since(begin); took != 100*ms {
			t.Fatalf("took %v", took)
		}
	})
}

func TestFlushOfNothing(t *testing.T) {
	if l := New(); !l.Flush(time.Hour) || !l.FlushFatal(time.Hour) {
		t.Fatal("not flushed")
	}
}

func TestFatalPathMeetsAHeldLock(t *testing.T) {
	f := scratch(t)
	l := New()
	l.Attach(stderr(), lend(int(f.Fd())))
	l.Line(Info, "waits")
	l.mu.Lock()
	if l.FlushFatal(patience) {
		t.Fatal("flushed")
	}
	l.mu.Unlock()
	if !l.FlushFatal(patience) {
		t.Fatal("not flushed")
	}
	want(t, content(t, f), "info: waits\n")
}

func TestPanicOfThePen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &device{panics: true}
		l, _ := newFake(map[int]*device{7: d})
		got := make(chan any, 1)
		l.OnPanic(func(v any) { got <- v })
		l.Attach(stderr(), lend(7))
		start(t, l)
		l.Line(Info, "1")
		if v := <-got; v != "torn" {
			t.Fatal(v)
		}
		pass(retryDelay)
		want(t, d.out, "info: 1\n")
	})
}
