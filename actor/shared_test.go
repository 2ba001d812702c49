package actor

import (
	"bytes"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

// sharedPipe is a blocking pipe of the smallest size.
func sharedPipe(t testing.TB) (r, w int) {
	t.Helper()
	p := make([]int, 2)
	if err := unix.Pipe2(p, unix.O_CLOEXEC); err != nil {
		t.Fatal(err)
	}
	closing(t, p[0])
	closing(t, p[1])
	if _, err := unix.FcntlInt(uintptr(p[1]), unix.F_SETPIPE_SZ, 4096); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if flags, _ := unix.FcntlInt(uintptr(p[1]), unix.F_GETFL, 0); !isClosed(p[1]) && flags&unix.O_NONBLOCK != 0 {
			t.Error("O_NONBLOCK was set on a descriptor that is not ours")
		}
	})
	return p[0], p[1]
}

func sharedOutbox(t testing.TB, fd int) (*Outbox, *stopped, bell) {
	t.Helper()
	o, clock, owner := new(Outbox), newStopped(), newBell()
	o.Init(clock.Clock, owner)
	o.OpenShared(fd)
	return o, clock, owner
}

func readExactly(t testing.TB, fd, n int) []byte {
	t.Helper()
	b := make([]byte, n)
	for at := 0; at < n; {
		k, err := unix.Read(fd, b[at:])
		if err == unix.EINTR {
			continue
		}
		if err != nil || k == 0 {
			t.Fatalf("read %d of %d bytes: %v", at, n, err)
		}
		at += k
	}
	return b
}

func TestSharedWriterSharesWithAnotherWriter(t *testing.T) {
	r, w := sharedPipe(t)
	o, _, owner := sharedOutbox(t, w)
	var others sync.WaitGroup
	const strange = 20000
	others.Go(func() {
		b := bytes.Repeat([]byte("X"), 500)
		for range strange / len(b) {
			_, _ = unix.Write(w, b)
		}
	})
	var want []byte
	for i := range 200 {
		l := line(i, 50+i)
		want = append(want, l...)
	}
	got := make(chan []byte)
	go func() { got <- readExactly(t, r, len(want)+strange) }()
	for i := range 200 {
		owner.until(t, "room", o.Room)
		o.Offer(line(i, 50+i))
	}
	owner.until(t, "the last byte", o.Empty)
	if all := bytes.ReplaceAll(await(t, got, "all bytes"), []byte("X"), nil); !bytes.Equal(all, want) {
		t.Fatal("the lines did not arrive as they were offered")
	}
	others.Wait()
	o.Close()
}

func TestSharedWriterBlocks(t *testing.T) {
	r, w := sharedPipe(t)
	if _, err := unix.Write(w, make([]byte, 4096)); err != nil { // somebody else filled it
		t.Fatal(err)
	}
	o, clock, owner := sharedOutbox(t, w)
	clock.now = 3000
	o.Offer([]byte("waits\n"))
	owner.until(t, "the blockage", func() bool { return o.BlockedSince() != 0 })
	if o.BlockedSince() != 3000 {
		t.Fatalf("blocked since %d", o.BlockedSince())
	}
	for !o.Overflowed() {
		o.Offer(line(0, 1000))
	}
	readExactly(t, r, 4096)
	got := make(chan []byte)
	go func() {
		got <- bytes.TrimRight(readExactly(t, r, 6+16*1000+9), "\n")
	}()
	owner.until(t, "the end", o.Empty)
	if all := await(t, got, "all bytes"); !bytes.HasPrefix(all, []byte("waits\n")) || !bytes.HasSuffix(all, []byte(".\noverflow")) {
		t.Fatalf("%.10q ... %q", all, all[len(all)-20:])
	}
	if o.BlockedSince() != 0 {
		t.Fatal("blocked still")
	}
	o.Close()
}

func TestSharedWriterWithoutReader(t *testing.T) {
	r, w := sharedPipe(t)
	o, _, owner := sharedOutbox(t, w)
	closeFD(r)
	o.Offer([]byte("x\n"))
	owner.until(t, "the end of the event side", func() bool { return !o.Writable() })
	if !o.Empty() || !o.Room() {
		t.Fatal("not dropped")
	}
	o.Close()
}

// What hangs in a write when the outbox is closed has nothing to do with what
// the outbox serves next.
func TestSharedWriterOfThePast(t *testing.T) {
	r, w := sharedPipe(t)
	if _, err := unix.Write(w, make([]byte, 4096)); err != nil {
		t.Fatal(err)
	}
	o, _, owner := sharedOutbox(t, w)
	for range 6 {
		o.Offer(bytes.Repeat([]byte("old\n"), 1000))
	}
	owner.until(t, "the blockage", func() bool { return o.BlockedSince() != 0 })
	o.Close()

	ours, _ := pair(t, unix.SOCK_STREAM)
	o.Open(ours)
	o.Cork()
	for range 3 {
		o.Offer(bytes.Repeat([]byte("new\n"), 1000))
	}
	readExactly(t, r, 4096) // the old descriptor goes on
	closeFD(w)
	rest := make(chan []byte)
	go func() {
		var all []byte
		b := make([]byte, 4096)
		for {
			n, err := unix.Read(r, b)
			if n <= 0 || err != nil {
				rest <- all
				return
			}
			all = append(all, b[:n]...)
		}
	}()
	if got := await(t, rest, "the end of the pipe"); len(got) > 0 {
		t.Fatalf("%d bytes came after Close, such as %q", len(got), got[:8])
	}
	o.Close()
}

func TestSharedWriterDrains(t *testing.T) {
	r, w := sharedPipe(t)
	o, _, _ := sharedOutbox(t, w)
	for i := range 10 {
		o.Offer(line(i, 1000))
	}
	got := make(chan []byte)
	go func() { got <- readExactly(t, r, 10000) }()
	Drain([]*Outbox{o}, Monotonic()+int64(patience))
	if !o.Empty() {
		t.Fatal("not drained")
	}
	await(t, got, "all bytes")
	o.Close()
}
