package logger

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestHandleIsDeletedAndCreatedAgain(t *testing.T) {
	l := New()
	f := scratch(t)
	start(t, l)
	if !l.Wants(stderr()) || l.Wants([]byte("other")) {
		t.Fatal("the log is not bound to stderr")
	}
	first := lend(int(f.Fd()))
	l.Attach(stderr(), first)
	l.Line(Info, "1")
	l.Flush(patience)
	l.Detach([]byte("other"))
	l.Line(Info, "2")
	l.Flush(patience)
	l.Detach(stderr())
	first.wait(t)
	l.Line(Info, "3")
	want(t, content(t, f), "info: 1\ninfo: 2\n")
	want(t, l.waiting(), "info: 3\n")

	other := lend(99)
	if l.Attach([]byte("other"), other) || other.returned.Load() != 0 {
		t.Fatal("took a loan that it has no use for")
	}
	second := lend(int(f.Fd()))
	if !l.Attach(stderr(), second) {
		t.Fatal("refused")
	}
	l.Flush(patience)
	want(t, content(t, f), "info: 1\ninfo: 2\ninfo: 3\n")

	third := lend(int(f.Fd()))
	l.Attach(stderr(), third) // replaced without being deleted
	second.wait(t)
	l.Detach(stderr())
	third.wait(t)
	for _, s := range []*loan{first, second, third} {
		if n := s.returned.Load(); n != 1 {
			t.Fatalf("returned %d times", n)
		}
	}
}

func TestDestBindsToAName(t *testing.T) {
	l := New()
	f := scratch(t)
	start(t, l)
	old := lend(int(f.Fd()))
	l.Dest([]byte("a.file"), old)
	if !l.Wants([]byte("a.file")) {
		t.Error("not bound to a.file")
	}
	l.Dest([]byte("missing"), nil)
	old.wait(t)
	if !l.Wants([]byte("missing")) {
		t.Error("not bound to missing")
	}
	l.Line(Warning, "kept")
	if l.Flush(patience) {
		t.Fatal("flushed to nowhere")
	}
	l.Attach([]byte("missing"), lend(int(f.Fd())))
	l.Flush(patience)
	want(t, content(t, f), "warning: kept\n")
}

func TestChangeDuringAWriteThatReturns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow, good := &device{takes: grace - ms}, &device{}
		l, _ := newFake(map[int]*device{7: slow, 8: good})
		s := lend(7)
		l.Attach(stderr(), s)
		start(t, l)
		l.Line(Info, "1")
		synctest.Wait()
		l.Dest([]byte("good"), lend(8))
		l.Line(Info, "2")
		if !l.Flush(patience) {
			t.Fatal("not flushed")
		}
		s.wait(t)
		want(t, slow.out, "info: 1\n")
		want(t, good.out, "info: 2\n")
	})
}

func TestChangeDuringAWriteThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dead, good := &device{hang: make(chan struct{})}, &device{}
		l, k := newFake(map[int]*device{7: dead, 8: good})
		s := lend(7)
		l.Attach(stderr(), s)
		start(t, l)
		l.Line(Info, "1")
		synctest.Wait()
		l.Dest([]byte("good"), lend(8))
		l.Line(Info, "2")
		begin := time.Now()
		if !l.Flush(patience) {
			t.Fatal("not flushed")
		}
		if d := time.Since(begin); d != grace {
			t.Fatalf("took %v", d)
		}
		want(t, good.out, "info: 1\ninfo: 2\n")
		if s.returned.Load() != 0 {
			t.Fatal("returned a loan that is in use")
		}
		close(dead.hang)
		s.wait(t)
		synctest.Wait()
		l.Line(Info, "3")
		l.Flush(patience)
		want(t, good.out, "info: 1\ninfo: 2\ninfo: 3\n")
		if len(k.wakers) != 1 {
			t.Fatalf("%d pens", len(k.wakers))
		}
	})
}

func TestEveryPenHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dead := map[int]*device{}
		for fd := range Pens + 1 {
			dead[fd] = &device{hang: make(chan struct{})}
		}
		l, _ := newFake(dead)
		start(t, l)
		l.Line(Info, "1")
		for fd := range Pens + 1 {
			l.Dest([]byte("dead"), lend(fd))
			pass(2 * grace)
		}
		if n := len(dead[Pens].tries); n != 0 {
			t.Fatal("more pens than allowed")
		}
		// The first to come back serves the destination of the day.
		last := dead[Pens]
		close(last.hang)
		close(dead[2].hang)
		synctest.Wait()
		want(t, last.out, "info: 1\n")
		for fd := range Pens {
			if fd != 2 {
				close(dead[fd].hang)
			}
		}
		synctest.Wait()
		l.Line(Info, "2")
		synctest.Wait()
		want(t, last.out, "info: 1\ninfo: 2\n")
	})
}

func TestChangeWhileNotWritable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stuck, good := &device{blocked: make(chan struct{})}, &device{}
		l, _ := newFake(map[int]*device{7: stuck, 8: good})
		s := lend(7)
		l.Attach(stderr(), s)
		start(t, l)
		l.Line(Info, "1")
		synctest.Wait()
		l.Dest([]byte("good"), lend(8))
		synctest.Wait()
		if s.returned.Load() != 1 {
			t.Fatal("loan not returned at once")
		}
		want(t, good.out, "info: 1\n")
		wantTries(t, stuck)
	})
}

// The rest of a message goes where the log goes.
func TestRestOfAPartialWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		partial, good := &device{most: 8, takes: ms}, &device{}
		l, k := newFake(map[int]*device{7: partial, 8: good})
		l.Attach(stderr(), lend(7))
		l.Line(Info, "abcdef")
		start(t, l)
		pass(ms)
		k.mend(func() { partial.err = errFull })
		pass(ms)
		l.Dest([]byte("good"), lend(8))
		synctest.Wait()
		want(t, partial.out, "info: ab")
		want(t, good.out, "cdef\n")
	})
}
