package actor

import (
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"golang.org/x/sys/unix"
)

func runPoller(t *testing.T) *Poller {
	t.Helper()
	p, err := NewPoller()
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		p.Run()
		close(ended)
	}()
	t.Cleanup(func() {
		p.Close()
		await(t, ended, "the end of Run")
	})
	return p
}

// collected is a Watcher that adds up what it was told.
type collected struct {
	events atomic.Uint32
	bell   bell
}

func (c *collected) Ready(events uint32) {
	c.events.Or(events)
	c.bell.ring(0)
}

func (c *collected) wait(t *testing.T, events uint32) {
	t.Helper()
	c.bell.until(t, "events", func() bool { return c.events.Load()&events == events })
	c.events.Store(0)
}

func TestPollerTellsWhatHappens(t *testing.T) {
	p := runPoller(t)
	ours, theirs := pair(t, unix.SOCK_STREAM)
	c := &collected{bell: newBell()}
	w := &Watch{Watcher: c}
	if err := p.Add(w, ours); err != nil {
		t.Fatal(err)
	}
	c.wait(t, unix.EPOLLOUT)
	for range 3 { // edges: once more for each
		if _, err := unix.Write(theirs, []byte("x")); err != nil {
			t.Fatal(err)
		}
		c.wait(t, unix.EPOLLIN)
	}
	_ = unix.Shutdown(theirs, unix.SHUT_WR)
	c.wait(t, unix.EPOLLIN|unix.EPOLLRDHUP)
	closeFD(theirs)
	c.wait(t, unix.EPOLLHUP)
	p.Remove(w)
	p.Remove(w) // does nothing
}

// What was removed hears nothing any more, even while the slot serves another.
func TestPollerForgets(t *testing.T) {
	p := runPoller(t)
	for range 200 {
		ours, theirs := pair(t, unix.SOCK_STREAM)
		old, next := &collected{bell: newBell()}, &collected{bell: newBell()}
		w := &Watch{Watcher: old}
		if err := p.Add(w, ours); err != nil {
			t.Fatal(err)
		}
		if _, err := unix.Write(theirs, []byte("x")); err != nil {
			t.Fatal(err)
		}
		p.Remove(w)
		old.events.Store(0)
		second := &Watch{Watcher: next}
		if err := p.Add(second, theirs); err != nil {
			t.Fatal(err)
		}
		next.wait(t, unix.EPOLLOUT)
		if got := old.events.Load(); got != 0 {
			t.Fatalf("a removed watch was told %#x", got)
		}
		p.Remove(second)
		closeFD(ours)
		closeFD(theirs)
	}
	if len(p.table) != 1 {
		t.Fatalf("%d slots for one watch at a time", len(p.table))
	}
}

// An event that epoll has handed out already does not reach the next user of the
// slot.
func TestPollerDropsStaleEvents(t *testing.T) {
	p, err := NewPoller() // driven by hand
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	ours, _ := pair(t, unix.SOCK_STREAM)
	c := &collected{bell: newBell()}
	w := &Watch{Watcher: c}
	if err := p.Add(w, ours); err != nil {
		t.Fatal(err)
	}
	p.mu.Lock()
	w.serial-- // as if the slot had been filled anew between epoll_wait and the lock
	p.mu.Unlock()
	if !p.dispatch() || c.events.Load() != 0 {
		t.Fatal("a stale event was told")
	}
	if p.dispatch() {
		t.Fatal("an edge came twice")
	}
}

func TestPollerRefusesRegularFiles(t *testing.T) {
	p := runPoller(t)
	f, err := os.Create(filepath.Join(t.TempDir(), "f"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	w := &Watch{Watcher: newBell()}
	for range 3 {
		if err := p.Add(w, int(f.Fd())); err != unix.EPERM {
			t.Fatalf("got %v, want EPERM", err)
		}
	}
	p.Remove(w)
	if len(p.table) != 1 || len(p.free) != 1 {
		t.Fatal("a refused watch keeps its slot")
	}
}

func TestPollerAllocatesNothing(t *testing.T) {
	p, err := NewPoller()
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	ours, theirs := pair(t, unix.SOCK_STREAM)
	w := &Watch{Watcher: newBell()}
	b := make([]byte, 8)
	if allocs := testing.AllocsPerRun(200, func() {
		_ = p.Add(w, ours)
		_, _ = unix.Write(theirs, b)
		for p.dispatch() {
		}
		_, _ = unix.Read(ours, b)
		p.Remove(w)
	}); allocs != 0 {
		t.Fatalf("%v objects", allocs)
	}
}
