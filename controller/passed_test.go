package controller

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unsafe"

	"daemonproxy/actor/logger"

	"golang.org/x/sys/unix"
)

// unconnected is enough of a connection for the queue.
func unconnected() *Conn { return &Conn{world: &World{Log: logger.New()}} }

// rights is a control message with numbers that need not be descriptors.
func rights(fds ...int) []byte { return unix.UnixRights(fds...) }

// other is a control message of another kind.
func other(kind int32, data int) []byte {
	b := make([]byte, unix.CmsgSpace(data))
	h := (*unix.Cmsghdr)(unsafe.Pointer(&b[0]))
	h.Level, h.Type = unix.SOL_SOCKET, kind
	h.SetLen(unix.CmsgLen(data))
	for i := unix.CmsgLen(0); i < len(b); i++ {
		b[i] = 0xff
	}
	return b
}

func TestControlMessagesAreWalked(t *testing.T) {
	for name, c := range map[string]struct {
		control []byte
		want    []int
	}{
		"none":           {nil, nil},
		"one":            {rights(1000), []int{1000}},
		"odd number":     {rights(1000, 1001, 1002), []int{1000, 1001, 1002}},
		"two messages":   {slices.Concat(rights(1000), rights(1001, 1002)), []int{1000, 1001, 1002}},
		"behind another": {slices.Concat(other(unix.SCM_CREDENTIALS, 12), rights(1000)), []int{1000}},
		"odd data":       {slices.Concat(other(unix.SCM_CREDENTIALS, 5), rights(1000)), []int{1000}},
		"empty rights":   {slices.Concat(rights(), rights(1000)), []int{1000}},
		"no padding":     {rights(1000)[:unix.CmsgLen(4)], []int{1000}},
		"cut header":     {rights(1000)[:unix.SizeofCmsghdr-1], nil},
		"cut data":       {rights(1000)[:unix.SizeofCmsghdr+2], nil},
	} {
		t.Run(name, func(t *testing.T) {
			var p passed
			p.queueAll(unconnected(), c.control)
			if !slices.Equal(p.queue[:p.n], c.want) {
				t.Fatalf("%v, want %v", p.queue[:p.n], c.want)
			}
		})
	}
}

// Whatever the bytes are, the walk ends.
func TestControlMessagesOfRubbish(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 5))
	c := unconnected()
	for range 20000 {
		b := make([]byte, random.IntN(64))
		for i := range b {
			b[i] = byte(random.Uint32())
		}
		for i := 0; i < len(b); i += 8 { // plausible lengths
			if random.IntN(2) == 0 {
				b[i], b[min(i+1, len(b)-1)] = byte(random.IntN(70)), 0
			}
		}
		if len(b) >= unix.SizeofCmsghdr {
			h := (*unix.Cmsghdr)(unsafe.Pointer(&b[0]))
			h.Level = 99
			if random.IntN(2) == 0 {
				h.SetLen(random.IntN(80))
			}
		}
		var p passed
		p.queueAll(c, b)
		p.n = 0 // whatever it took for descriptors is none of ours
	}
}

func TestQueueOfPassedDescriptors(t *testing.T) {
	var p passed
	if fd, ok := p.take(); ok || fd != -1 {
		t.Fatal("an empty queue gave a descriptor")
	}
	c := unconnected()
	for i := range maxPassed {
		p.put(c, 1000+i)
	}
	for i := range maxPassed {
		if fd, ok := p.take(); !ok || fd != 1000+i {
			t.Fatalf("%d, %v in place of %d", fd, ok, 1000+i)
		}
	}
}

// send passes n descriptors along with the text.
func (c *peer) send(text string, n int) {
	c.t.Helper()
	null, err := unix.Open("/dev/null", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		c.t.Fatal(err)
	}
	defer func() { _ = unix.Close(null) }()
	fds := make([]int, n)
	for i := range fds {
		fds[i] = null
	}
	if _, _, err := c.WriteMsgUnix([]byte(strings.ReplaceAll(text, "|", "\t")), rights(fds...), nil); err != nil {
		c.t.Fatal(err)
	}
}

func TestDescriptorsAreTaken(t *testing.T) {
	h := newHouse(t, 2)
	before := openDescriptors()
	c := h.connect()
	c.say("fd.take|none")
	c.want(`error|No ancillary file descriptor received, for command "fd.take|none"`)
	c.send("echo|stays queued\nfd.take|a\nfd.take|b\n", 1)
	c.want("stays queued", "fd.state|a|file|read,write|unknown", `error|No ancillary file descriptor received, for command "fd.take|b"`)
	c.send("fd.take|bad name\nfd.take|c\n", 1) // consumed, and closed
	c.want(`error|Invalid file descriptor name, for command "fd.take|bad name"`,
		`error|No ancillary file descriptor received, for command "fd.take|c"`)
	c.send("fd.delete|a\nfd.take|\n", 1)
	c.want("fd.state|a|deleted", `error|Expected file descriptor name, for command "fd.take|"`)
	_ = c.Close()
	h.until("the slot", func() bool { return h.used() == 0 })
	h.until("the descriptors", func() bool { return openDescriptors() == before })
}

func TestTooManyDescriptors(t *testing.T) {
	h := newHouse(t, 2)
	before := openDescriptors()
	c := h.connect()
	c.send("echo|x\n", maxPassed+3)
	c.want("x")
	if n := strings.Count(h.logged(), "error: No room for ancillary file descriptor "); n != 3 {
		t.Fatalf("%d were refused:\n%s", n, h.logged())
	}
	c.say("fd.take|one")
	c.want("fd.state|one|file|read,write|unknown")
	c.send("echo|y\n", 2) // one place is free
	c.want("y")
	if n := strings.Count(h.logged(), "No room for ancillary"); n != 4 {
		t.Fatalf("%d were refused", n)
	}
	c.say("fd.delete|one", "exit")
	c.want("fd.state|one|deleted")
	c.wantEnd()
	h.until("the slot", func() bool { return h.used() == 0 })
	if n := strings.Count(h.logged(), "warning: closing leftover ancillary file descriptor "); n != maxPassed {
		t.Fatalf("%d were left over", n)
	}
	_ = c.Close()
	h.until("the descriptors", func() bool { return openDescriptors() == before })
}

// The most that the kernel lets through at a time.
func TestDescriptorsByTheHundred(t *testing.T) {
	h := newHouse(t, 2)
	before := openDescriptors()
	c := h.connect()
	c.send("echo|x\n", maxRights)
	c.want("x")
	// What is open are both ends of the connection and what is queued.
	if n := openDescriptors() - before; n != 2+maxPassed {
		t.Fatalf("%d more descriptors", n)
	}
	_ = c.Close()
	h.until("the descriptors", func() bool { return openDescriptors() == before })
}
