package service

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"daemonproxy/actor"

	"golang.org/x/sys/unix"
)

func TestTexts(t *testing.T) {
	h := newHouse(t, 0, 0)
	for _, line := range []string{
		"service.tags|s|a||b|", "service.args|s|", "service.fds|s|", "service.fds|s|-|null",
		"service.auto_up|s|-", "service.tags|..|x", "service.tags|-|y",
	} {
		h.must(line)
		h.want(line)
	}
	h.must("service.tags|s", "service.auto_up|s|7|")
	h.want("service.tags|s|", "service.auto_up|s|-")
	h.quiet()
}

func TestAFailedCreationLeavesNothing(t *testing.T) {
	h := newHouse(t, 1, 30)
	long := strings.Repeat("x", 40)
	for _, c := range []struct{ line, err string }{
		{"service.tags|s|" + long, "unable to set tags"},
		{"service.args|s|" + long, "unable to set argv"},
		{"service.fds|s|" + long[:20] + "|" + long[:20], "unable to set file descriptors"},
		{"service.auto_up|s|5|" + strings.Repeat("TERM|", 10), "unable to set auto_up triggers"},
	} {
		h.fails(c.line, c.err)
		if h.registry.Exists([]byte("s")) {
			t.Fatalf("%s: it exists", c.line)
		}
	}
	h.fails("service.start|s", "No such service")
	h.quiet()
	h.must("service.tags|other|x") // the one slot is free
	h.fails("service.tags|s|x", "Unable to allocate new service")
	h.fails("service.tags|other|"+long, "unable to set tags") // and stays
	h.must("service.tags|other|y", "service.delete|other", "service.tags|s|x")
	h.want("service.tags|other|x", "service.tags|other|y", "service.state|other|deleted|-|-|-|-|-|-", "service.tags|s|x")
}

func TestADeletedSlotIsUsedAgain(t *testing.T) {
	h := newHouse(t, 0, 0)
	h.define("first", "exit|0")
	h.must("service.tags|first|t", "service.fds|first|null", "service.auto_up|first|99|USR1", "service.delete|first")
	h.want("service.tags|first|t", "service.fds|first|null", "service.auto_up|first|99|USR1", "service.state|first|deleted|-|-|-|-|-|-")
	h.must("service.tags|second|")
	h.want("service.tags|second|")
	if h.registry.slots != 1 {
		t.Fatalf("%d slots", h.registry.slots)
	}
	h.arrive(unix.SIGUSR1) // nothing of the old triggers is left
	want := "service.state|second|down|-|-|-|-|-|-\nservice.tags|second|\nservice.args|second|\n" +
		"service.fds|second|null|null|null\nservice.auto_up|second|-\n"
	if got := h.dump(); got != want {
		t.Fatalf("%s", got)
	}
	h.must("service.auto_up|second|-|USR2") // nor of the interval
	h.want("service.auto_up|second|0|USR2")
	h.quiet()
}

// dump is a whole statedump of the services, with | for TAB. It does not show
// among the events.
func (h *house) dump() string {
	h.t.Helper()
	trace := h.world.Bus.Trace
	h.world.Bus.Trace = nil
	defer func() { h.world.Bus.Trace = trace }()
	o, read := h.outbox(0)
	h.registry.BeginDump(h.call)
	var got []byte
	for !h.registry.Dump(h.call, o) {
		got = append(got, read()...)
		o.Retry()
	}
	for !o.Empty() {
		got = append(got, read()...)
		o.Retry()
	}
	return strings.ReplaceAll(string(append(got, read()...)), "\t", "|")
}

type silent struct{}

func (silent) OutboxChanged() {}

// outbox is an outbox with a socket, and what reads what came out of it.
func (h *house) outbox(sndbuf int) (o *actor.Outbox, read func() []byte) {
	h.t.Helper()
	p, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() {
		_ = unix.Close(p[0])
		_ = unix.Close(p[1])
	})
	if sndbuf > 0 {
		_ = unix.SetsockoptInt(p[0], unix.SOL_SOCKET, unix.SO_SNDBUF, sndbuf)
	}
	o = new(actor.Outbox)
	o.Init(h.world.Clock, silent{})
	o.Open(p[0])
	return o, func() (all []byte) {
		b := make([]byte, 64<<10)
		for {
			n, err := unix.Read(p[1], b)
			if n <= 0 || err != nil {
				return all
			}
			all = append(all, b[:n]...)
		}
	}
}

// Whatever is created and deleted meanwhile: a dump goes on by name and line,
// shows whole services in order, and each that was there all the time once.
func TestDumpWhileServicesComeAndGo(t *testing.T) {
	h := newHouse(t, 0, 0)
	random := rand.New(rand.NewPCG(1, 9))
	name := func(i int) string { return fmt.Sprintf("s%03d", i) }
	exists := map[int]bool{}
	change := func(i int) {
		if exists[i] {
			h.must("service.delete|" + name(i))
		} else {
			h.must("service.tags|" + name(i) + "|" + strings.Repeat("x", 1500))
		}
		exists[i] = !exists[i]
	}
	for i := range 40 {
		change(i)
	}
	for range 30 {
		o, read := h.outbox(2048)
		touched := map[string]bool{}
		var got []byte
		h.registry.BeginDump(h.call)
		for !h.registry.Dump(h.call, o) {
			if o.Overflowed() {
				t.Fatal("a dump caused overflow by itself")
			}
			for range random.IntN(3) {
				i := random.IntN(60)
				change(i)
				touched[name(i)] = true
			}
			if random.IntN(2) == 0 {
				got = append(got, read()...)
				o.Retry()
			}
		}
		for !o.Empty() {
			got = append(got, read()...)
			o.Retry()
		}
		got = append(got, read()...)
		h.checkDump(string(got), touched, exists, name)
		for len(h.lines) > 0 {
			<-h.lines
		}
	}
}

func (h *house) checkDump(got string, touched map[string]bool, exists map[int]bool, name func(int) string) {
	h.t.Helper()
	verbs := []string{"service.state", "service.tags", "service.args", "service.fds", "service.auto_up"}
	seen := map[string]int{}
	last := ""
	for l := range strings.Lines(got) {
		f := strings.Split(strings.TrimSuffix(l, "\n"), "\t")
		verb, of := f[0], f[1]
		if of < last {
			h.t.Fatalf("%s after %s", of, last)
		}
		last = of
		if n := seen[of]; n >= len(verbs) || verbs[n] != verb && !touched[of] {
			h.t.Fatalf("%s %s as line %d of it", verb, of, n)
		}
		seen[of]++
	}
	for i, there := range exists {
		if n := name(i); there && !touched[n] && seen[n] != len(verbs) {
			h.t.Fatalf("%d lines of %s", seen[n], n)
		}
	}
}

func TestDumpOfNothing(t *testing.T) {
	h := newHouse(t, 0, 0)
	if got := h.dump(); got != "" {
		t.Fatal(got)
	}
}

// Two connections create the same service while that fails for one of them.
func TestCreationRaces(t *testing.T) {
	h := newHouse(t, 1, 30)
	for range 300 {
		var both sync.WaitGroup
		both.Go(func() {
			if err := h.doWith(NewCall(), "service.tags|s|"+strings.Repeat("x", 40)); err != "unable to set tags" {
				t.Errorf("the bad one: %q", err)
			}
		})
		both.Go(func() {
			if err := h.doWith(NewCall(), "service.args|s|x"); err != "" {
				t.Errorf("the good one: %q", err)
			}
		})
		both.Wait()
		h.want("service.args|s|x")
		h.must("service.delete|s")
		h.want("service.state|s|deleted|-|-|-|-|-|-")
	}
	if h.registry.slots != 1 {
		t.Fatalf("%d slots", h.registry.slots)
	}
}

// A service that is deleted under a set is made again; nobody hangs.
func TestDeleteRacesWithSet(t *testing.T) {
	h := newHouse(t, 0, 0)
	const rounds = 1500
	var all sync.WaitGroup
	for range 3 {
		all.Go(func() {
			call := NewCall()
			for range rounds {
				if err := h.doWith(call, "service.tags|s|x"); err != "" {
					t.Errorf("set: %q", err)
				}
			}
		})
	}
	for range 2 {
		all.Go(func() {
			call := NewCall()
			for range rounds {
				if err := h.doWith(call, "service.delete|s"); err != "" && err != "No such service" {
					t.Errorf("delete: %q", err)
				}
				if err := h.doWith(call, "service.start|s"); err != "no args configured for service" && err != "No such service" {
					t.Errorf("start: %q", err)
				}
			}
		})
	}
	all.Wait()
	exists := false
	for len(h.lines) > 0 {
		switch line := h.next(); line {
		case "service.tags|s|x":
			exists = true
		case "service.state|s|deleted|-|-|-|-|-|-":
			if !exists {
				t.Fatal("deleted twice")
			}
			exists = false
		default:
			t.Fatal(line)
		}
	}
	if h.registry.Exists([]byte("s")) != exists {
		t.Fatal("the events say otherwise")
	}
	if n := len(h.registry.byName) + len(h.registry.free); n != h.registry.slots {
		t.Fatalf("%d of %d slots", n, h.registry.slots)
	}
}

// A slot whose grant is under way while its service is deleted and replaced.
func TestSlotReuseWhileStarting(t *testing.T) {
	h := newHouse(t, 1, 0)
	for i := range 100 {
		name := fmt.Sprintf("s%d", i)
		h.must("service.args|"+name+"|/bin/true", "service.start|"+name)
		h.want("service.args|"+name+"|/bin/true", "service.state|"+name+"|start|*|-|-|-|-|-")
		for up := false; ; {
			err := h.do("service.delete|" + name)
			if err == "" {
				break
			}
			if err != "service is running" {
				t.Fatal(err)
			}
			if !up {
				h.want("service.state|"+name+"|up|*|*|-|-|0|-", "service.state|"+name+"|down|*|*|exit|0|*|0")
				up = true
			}
		}
		for {
			if line := h.next(); strings.Contains(line, "|deleted|") {
				break
			} else if !strings.HasPrefix(line, "service.state|"+name+"|") {
				t.Fatal(line)
			}
		}
	}
	h.quiet()
}

// Under a guard the program goes on, however often a step fails: the request
// is answered, and nothing that all actors share is lost.
func TestPanicsAnswer(t *testing.T) {
	told := 0
	actor.OnPanic(func(text string) {
		if told++; text != "in the midst" {
			t.Errorf("told %q", text)
		}
	})
	h := newHouse(t, 0, 0)
	h.must("service.tags|s|x")
	h.want("service.tags|s|x")
	trace := h.world.Bus.Trace
	const often = 50
	for range often {
		h.world.Bus.Trace = func([]byte) { panic("in the midst") }
		h.fails("service.tags|s|y", "internal error")
		h.world.Bus.Trace = trace
		h.must("service.tags|s|z")
		h.want("service.tags|s|z")
	}
	if told != often {
		t.Fatalf("told of %d panics", told)
	}
}

func TestSettingAllocatesNothing(t *testing.T) {
	h := newHouse(t, 0, 0)
	h.world.Bus.Trace = nil
	name := []byte("some.service")
	c := command("service.tags|some.service|" + strings.Repeat("x", 100))
	d := command("service.delete|some.service")
	if allocs := testing.AllocsPerRun(200, func() {
		h.registry.Set(h.call, &c)
		h.registry.Exists(name)
		h.registry.Delete(h.call, &d)
	}); allocs != 0 {
		t.Fatalf("%v objects", allocs)
	}
}

func TestStartingAllocatesNothing(t *testing.T) {
	h := newHouse(t, 0, 0)
	downs := make(chan struct{}, 1)
	h.world.Bus.Trace = func(line []byte) {
		if bytes.Contains(line, []byte("\tdown\t")) {
			downs <- struct{}{}
		}
	}
	h.must("service.args|s|/bin/true")
	c := command("service.start|s")
	if allocs := testing.AllocsPerRun(50, func() {
		h.registry.Start(h.call, &c)
		<-downs
	}); allocs != 0 {
		t.Fatalf("%v objects", allocs)
	}
}
