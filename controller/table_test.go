package controller

import (
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

func TestTheLowestSlotIsTaken(t *testing.T) {
	h := newHouse(t, 3)
	var taken []*Conn
	for i := range 3 {
		c := h.table.reserve()
		if c == nil || c.number != i {
			t.Fatalf("slot %d: %v", i, c)
		}
		taken = append(taken, c)
	}
	if h.table.reserve() != nil {
		t.Fatal("a fourth of three")
	}
	h.table.unreserve(taken[1])
	if c := h.table.reserve(); c != taken[1] {
		t.Fatal("not the free one")
	}
	for _, c := range taken {
		h.table.unreserve(c)
	}
}

// A client may be there before the connections that were made at start begin.
func TestBeginLeavesClientsAlone(t *testing.T) {
	h := newHouse(t, 2)
	early := h.connect()
	if _, err := early.Write([]byte("echo\tthe first\nec")); err != nil {
		t.Fatal(err)
	}
	early.want("the first")
	h.table.Begin()
	h.table.Signaled() // behind what Begin may have offered
	early.say("ho|the second")
	early.want("the second")
}

func TestClientsWaitForASlot(t *testing.T) {
	h := newHouse(t, 2)
	a, b := h.connect(), h.connect()
	for _, c := range []*peer{a, b} {
		c.say("echo|in")
		c.want("in")
	}
	waits := h.connect()
	waits.say("echo|at last")
	const warning = "warning: No free controllers to accpet socket connection\n"
	h.awaitLog(warning)
	h.pass(4)
	h.pass(2)
	h.until("the second warning", func() bool { return strings.Count(h.logged(), warning) == 2 })
	_ = a.Close()
	waits.want("at last")
	b.say("echo|still")
	b.want("still")
	if h.first().number != 0 || h.used() != 2 {
		t.Fatal("slots")
	}
	h.pass(100)
	b.say("echo|still")
	b.want("still")
	if n := strings.Count(h.logged(), warning); n != 2 {
		t.Fatalf("%d warnings", n)
	}
}

// The control socket reserves no slot unless a client is there: a service that
// starts gets the last one, whatever slots are freed meanwhile.
func TestAcceptTakesNoSlotInVain(t *testing.T) {
	h := newHouse(t, 1)
	var offers sync.WaitGroup
	stop := make(chan struct{})
	offers.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				h.world.Socket.slotFreed()
			}
		}
	})
	for i := range 2000 {
		control, _, _ := h.table.Reserve(true, true)
		if control == nil {
			t.Errorf("round %d: no slot", i)
			break
		}
		control.Abort()
	}
	close(stop)
	offers.Wait()
}

func TestServiceControllers(t *testing.T) {
	h := newHouse(t, 2)
	before := openDescriptors()
	free := func() { h.until("the slot", func() bool { return h.used() == 0 }) }
	t.Run("both", func(t *testing.T) {
		control, c := h.pipes(true, true)
		c.say("echo|early")
		h.world.Bus.Publish([]byte("not yet subscribed\n"))
		control.Commit([]byte("up\n"))
		c.want("up", "early")
		_ = c.CloseWrite()
		c.wantEnd()
		_ = c.Close()
		free()
	})
	t.Run("commands", func(t *testing.T) {
		control, c := h.pipes(false, true)
		control.Commit(nil)
		c.wantEnd() // of the event direction
		c.say("what", "service.tags|commanded|x")
		h.until("the command", func() bool { return h.world.Services.Exists([]byte("commanded")) })
		h.awaitLog("sent unknown command what\n")
		_ = c.Close()
		free()
	})
	t.Run("events", func(t *testing.T) {
		control, c := h.pipes(true, false)
		control.Commit(nil)
		if _, err := c.Write([]byte("x")); err == nil {
			t.Error("it can send commands")
		}
		h.world.Bus.Publish([]byte("event\n"))
		c.want("event")
		_ = c.CloseWrite() // is not the end
		h.world.Bus.Publish([]byte("event\n"))
		c.want("event")
		_ = c.Close()
		free()
	})
	t.Run("aborted", func(t *testing.T) {
		control, c := h.pipes(true, true)
		control.Abort()
		c.wantEnd()
		_ = c.Close()
	})
	free()
	h.until("the descriptors", func() bool { return openDescriptors() == before })
	for range 2 {
		if c, _, _ := h.table.Reserve(true, true); c == nil {
			t.Fatal("no slot")
		} else {
			defer c.Abort()
		}
	}
	if c, child, _ := h.table.Reserve(true, true); c != nil || child != -1 {
		t.Fatal("a third of two")
	}
	h.awaitLog("error: can't allocate controller object\n")
}

// News of a slot's last connection does not end its next one.
func TestNewsOfAnEarlierConnection(t *testing.T) {
	h := newHouse(t, 1)
	for range 100 {
		c := h.connect()
		c.say("echo|in")
		c.want("in")
		c.say("exit")
		_ = c.Close()
		h.until("the slot", func() bool { return h.used() == 0 })
		control, events := h.pipes(true, false)
		h.first().mailbox.Put(&h.first().offers.ready.Envelope)
		control.Commit(nil)
		h.world.Bus.Publish([]byte("one\n"))
		events.want("one")
		h.world.Bus.Publish([]byte("two\n"))
		events.want("two")
		_ = events.Close()
		h.until("the slot", func() bool { return h.used() == 0 })
	}
}

// A peer that is gone before the connection begins is noticed.
func TestPeerGoneBeforeBegin(t *testing.T) {
	h := newHouse(t, 1)
	for range 100 {
		control, c := h.pipes(true, false)
		_ = c.Close()
		control.Commit(nil)
		h.until("the slot", func() bool { return h.used() == 0 })
	}
}

func TestSocketIsReplaced(t *testing.T) {
	h := newHouse(t, 2)
	c := h.connect()
	c.say("socket.create|mode=0666|"+h.path+"2", "echo|1")
	c.want("1")
	if st := lstat(t, h.path+"2"); st.Mode&0o777 != 0o666 {
		t.Fatalf("%o", st.Mode)
	}
	var st unix.Stat_t
	if unix.Lstat(h.path, &st) == nil || connects(h.path) || !connects(h.path+"2") {
		t.Fatal("not replaced")
	}
	h.awaitLog("info: Unlinked control socket " + h.path + "\n")
	c.say("socket.create||/nonexistent/s", "socket.create|-|"+h.path, "socket.delete", "socket.delete", "echo|2")
	c.want(`error|Failed to create control socket, for command "socket.create||/nonexistent/s"`, "2")
	h.awaitLog("error: bind(control_socket, /nonexistent/s: No such file or directory\n")
	if unix.Lstat(h.path, &st) == nil || unix.Lstat(h.path+"2", &st) == nil {
		t.Fatal("not unlinked")
	}
	c.say("echo|connected still")
	c.want("connected still")
}
