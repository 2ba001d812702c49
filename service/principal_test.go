package service

import (
	"strings"
	"syscall"
	"testing"
	"time"

	"daemonproxy/controller/protocol"

	"golang.org/x/sys/unix"
)

// newMain is a house with a main, whose end comes from the channel.
func newMain(t *testing.T, argv ...string) (*house, <-chan int) {
	t.Helper()
	h := newHouse(t, 0, 0)
	over := make(chan int, 10)
	m := &Main{
		Argv: argv, Over: func(status int) { over <- status },
		Stoppable: func(syscall.Signal) bool { return false }, Suspend: func(syscall.Signal) {},
	}
	if !h.registry.Define(NewCall(), m) {
		t.Fatal("main can't be defined")
	}
	h.want("service.args|main|"+strings.Join(argv, "|"), "service.fds|main|stdin|stdout|stderr")
	h.must("service.fds|main|null|null|null")
	h.want("service.fds|main|null|null|null")
	return h, over
}

func (h *house) overWith(over <-chan int, want int) {
	h.t.Helper()
	select {
	case got := <-over:
		if got != want {
			h.t.Fatalf("main is over with %d, want %d", got, want)
		}
	case <-time.After(patience):
		h.t.Fatal("main is not over")
	}
}

func TestShown(t *testing.T) {
	for _, tt := range []struct {
		words []string
		want  string
	}{
		{[]string{"a"}, "a"},
		{[]string{"a\tb\n", "", "\xff "}, "a b \t\t\xff "},
		{[]string{strings.Repeat("x", 4000)}, strings.Repeat("x", 4000)},
		{[]string{strings.Repeat("x", 3999), "yz"}, strings.Repeat("x", 3999) + "\t..."},
	} {
		if got := string(shown(tt.words)); got != tt.want {
			t.Errorf("%q: got %q", tt.words, got)
		}
	}
}

func TestMainNeedsRoom(t *testing.T) {
	for _, limit := range []int{10, 30} { // neither args nor fds, args but no fds
		t.Run("", func(t *testing.T) {
			h := newHouse(t, 2, limit)
			if h.registry.Define(NewCall(), &Main{Argv: []string{"/bin/true"}}) {
				t.Errorf("%d bytes are enough", limit)
			}
			if h.registry.Exists([]byte("main")) {
				t.Errorf("%d bytes leave half a main", limit)
			}
		})
	}
}

func TestMainEnds(t *testing.T) {
	for status, argv := range map[int][]string{
		7:   {self, "helper:exit", "7"},
		127: {"/nonexistent/prog", "x"},
		126: {"/", "x"},
	} {
		t.Run(argv[0], func(t *testing.T) {
			h, over := newMain(t, argv...)
			h.registry.StartMain(h.call)
			h.overWith(over, status)
		})
	}
}

// Nothing is over before the entrypoint has started it.
func TestMainThatHasRunBefore(t *testing.T) {
	h, over := newMain(t, self, "helper:exit 7")
	h.must("service.args|main|" + self + "|helper:exit|9")
	h.next()
	h.must("service.start|main")
	h.want("service.state|main|start|*|-|-|-|-|-", "service.state|main|up|*|*|-|-|0|-", "service.state|main|down|*|*|exit|9|*|0")
	if len(over) > 0 {
		t.Fatal("main is over before its time")
	}
	h.registry.StartMain(h.call)
	h.overWith(over, 9)
	h.quiet()
}

func TestMainIsRestarted(t *testing.T) {
	h, over := newMain(t, self, "helper:wait")
	h.must("service.auto_up|main|1000|always")
	h.want("service.state|main|start|*|-|-|-|-|-", "service.auto_up|main|1000|always", "service.state|main|up|*|*|-|-|0|-")
	h.registry.StartMain(h.call)
	h.must("service.signal|main|TERM")
	h.want("service.state|main|down|*|*|signal|SIGTERM|*|0", "service.state|main|start|*|-|-|-|-|-")
	h.must("service.start|main|-")
	h.want("service.state|main|down|-|-|-|-|-|-")
	if len(over) > 0 {
		t.Fatal("main is over though it has a trigger")
	}
	h.must("service.auto_up|main|-")
	h.overWith(over, 128+15)
}

func TestMainIsDeleted(t *testing.T) {
	h, over := newMain(t, self, "helper:wait")
	h.must("service.auto_up|main|1000|always")
	h.registry.StartMain(h.call)
	h.want("service.state|main|start|*|-|-|-|-|-", "service.auto_up|main|1000|always", "service.state|main|up|*|*|-|-|0|-")
	h.must("service.signal|main|KILL")
	h.want("service.state|main|down|*|*|signal|SIGKILL|*|0", "service.state|main|start|*|-|-|-|-|-")
	h.must("service.delete|main")
	h.overWith(over, 128+9)
	if h.registry.StartMain(h.call) {
		t.Error("a main that was deleted is started")
	}
	h.must("service.args|main|" + self + "|helper:exit|1")
	if !h.registry.StartMain(h.call) {
		t.Error("a main that was made anew is not found")
	}
	if len(over) > 0 {
		t.Error("main is over twice")
	}
}

func TestForwardedSignalIsKept(t *testing.T) {
	h, over := newMain(t, "/bin/sleep", "1000")
	for range 3 {
		h.registry.Forward(protocol.Signal(unix.SIGUSR1))
	}
	h.registry.StartMain(h.call)
	h.want("service.state|main|start|*|-|-|-|-|-", "service.state|main|up|*|*|-|-|0|-", "service.state|main|down|*|*|signal|SIGUSR1|*|0")
	h.overWith(over, 128+10)
}

func TestForwardedSignalIsDelivered(t *testing.T) {
	h, over := newMain(t, self, "helper:wait")
	h.registry.StartMain(h.call)
	h.want("service.state|main|start|*|-|-|-|-|-", "service.state|main|up|*|*|-|-|0|-")
	h.registry.Forward(protocol.Signal(unix.SIGKILL))
	h.overWith(over, 128+9)
}
